"""`unparrot certify RUN`: is a model beyond parrot, and on what terms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unparrot.cli.output import Count, Table, output_options, show

if TYPE_CHECKING:
    from unparrot.report.draw.chart import Chart


@click.command(
    epilog="""\b
Examples:
  unparrot certify runs/demo
  unparrot certify runs/eval --rates skills.csv --rates topics.csv --windows 5e10 --rho 4
  unparrot certify runs/demo --model 463k --plot certificate.svg
"""
)
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--rates",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="CSV of the rates of skills and topics in windows of the corpus: kind,name,rate; or two "
    "files, skill,rate and topic,rate.  [default: RUN says what training showed]",
)
@click.option("--windows", type=Count(1), help="Windows of the corpus, each as long as an answer.")
@click.option(
    "--rho",
    type=click.FloatRange(1),
    default=1.0,
    show_default=True,
    help="How much more often than independent ones skills may meet in a window.",
)
@click.option(
    "--slip",
    type=click.FloatRange(0, 1, max_open=True),
    help="Share of unseen combinations that luck or a grader's mistake may pass; where parrots "
    "measure it, the larger counts.  [default: 0.05, or 0 with --rates]",
)
@click.option("--decoding", help="Which texts count.  [default: greedy, or the only one]")
@click.option(
    "--level",
    type=click.FloatRange(0.75, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Confidence in all claims at once.",
)
@click.option(
    "--model",
    help="Print only the claims on this model. They are made for all, so that asking for one does "
    "not change what is said of it.",
)
@output_options
def certify(
    run: Path,
    rates: tuple[Path, ...],
    windows: int | None,
    rho: float,
    slip: float | None,
    decoding: str | None,
    level: float,
    model: str | None,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Say of every model and k of RUN whether it is shown to be beyond parrot: whether it earns
    full marks more often than recalling what training showed, and luck, allow together.

    Writes RUN/certificate.json, with the evidence, the assumptions and the hashes of the data.
    """
    from unparrot.analysis.certificate.certify import certify as certified
    from unparrot.analysis.certificate.certify import write_certificate
    from unparrot.core.errors import BadInput

    certificate = certified(
        run,
        rates=rates,
        windows=None if windows is None else float(windows),
        rho=rho,
        slip=slip,
        decoding=decoding,
        level=level,
    )
    rows: list[dict[str, Any]] = certificate["rows"]
    names = list(dict.fromkeys(row["model"] for row in rows))
    if model is not None and model not in names:
        raise BadInput(f"{run} has no model {model!r}; it has {', '.join(names)}")
    rows = [row for row in rows if model in (None, row["model"])]
    path = write_certificate(run, certificate)
    counted = certificate["terms"]["source"] == "counted"
    show(
        {**certificate, "rows": rows},
        [_table(rows, counted)],
        as_json,
        plot,
        lambda: _chart(rows),
        [*_notes(certificate, model), f"The certificate: {path}"],
    )


def _table(rows: list[dict[str, Any]], counted: bool) -> Table:
    from unparrot.analysis.certificate.verdict import NOTHING, at_least, at_most, percent

    def bare(words: str) -> str:
        return words.removesuffix(" %")

    # where training was counted B is 0, so that the bound is the slip
    bounds = ("bound",) if counted else ("B", "bound")
    body: list[list[object]] = []
    for row in rows:
        found: dict[str, Any] | None = row["evidence"]
        if found is None:
            nothing = [NOTHING] * (3 + len(bounds))
            body.append([row["model"], row["k"], *nothing, row["verdict"], NOTHING])
            continue
        body.append(
            [
                row["model"],
                row["k"],
                found["combinations"],
                bare(percent(found["full_marks"])),
                bare(at_least(found["a_lo"])),
                *(bare(at_most(found[name])) for name in bounds),
                row["verdict"],
                bare(at_least(found["new_at_least"])),
            ]
        )
    percents = [f"{name} %" for name in bounds]
    return Table(["model", "k", "n", "earned %", "a_lo %", *percents, "verdict", "new %"], body)


def _notes(certificate: dict[str, Any], model: str | None) -> list[str]:
    terms = certificate["terms"]
    which = "never shown in training" if terms["source"] == "counted" else "tested"
    notes = [
        f"n: combinations {which}; earned: full marks; a_lo: its lower limit; bound: what recall "
        "and luck allow a parrot, B + (1 - B) slip; new: share of the successes, at least, that "
        "are neither.",
        "",
    ]
    reasons = {
        f"{row['model']} at k = {row['k']}: {row['reason']}."
        for row in certificate["rows"]
        if row["reason"] and model in (None, row["model"])
    }
    if reasons:
        notes += ["Without evidence:", *sorted(reasons), ""]
    if model is None:
        notes += [certificate["verdict"], ""]
    said = [f"{i}. {words}" for i, words in enumerate(certificate["assumptions"], start=1)]
    return [*notes, "It rests on this:", *said, "", certificate["meaning"]]


def _chart(rows: list[dict[str, Any]]) -> Chart:
    from unparrot.report.draw.chart import Chart, Series

    with_evidence = [row for row in rows if row["evidence"] is not None]
    series: list[Series] = []
    for name in dict.fromkeys(row["model"] for row in with_evidence):
        mine = [row for row in with_evidence if row["model"] == name]
        ks = [row["k"] for row in mine]
        control = mine[0]["kind"] == "parrot"
        lower = [row["evidence"]["a_lo"] for row in mine]
        series.append(Series(name, ks, lower, "dashes" if control else "line", quiet=control))
    bound = {row["k"]: row["evidence"]["bound"] for row in reversed(with_evidence)}
    ks = sorted(bound)
    series.append(Series("bound", ks, [bound[k] for k in ks], "dots", quiet=True))
    return Chart(
        "Beyond parrot?",
        "lower limit of full marks, and what recall and luck allow a parrot",
        "number of skills k",
        series,
        f"Lower limits of {len(series) - 1} models against the bound.",
        y_percent=True,
    )
