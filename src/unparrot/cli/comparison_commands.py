"""`unparrot plan`: how many combinations, calls and tokens a comparison needs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from unparrot.cli.output import Count, Span, Table, output_options, show

if TYPE_CHECKING:
    from unparrot.analysis.between.plan import PlanRow, PlanSpec
    from unparrot.report.draw.chart import Chart

SOURCE: Final = {
    True: "Connor (1987) with the design effect of the rounds; with one text each, n is raised "
    "until McNemar's exact test has the power",
    False: "Fleiss, Levin and Paik (2003, section 4.2) with the design effect of the rounds",
}
_SHARE: Final = click.FloatRange(0, 1)


@click.command(
    epilog="""\b
Examples:
  unparrot plan --baseline 0.3 --detect 0.1 --k 3
  unparrot plan --baseline 0.3 --detect 0.1 --k 3 --rounds 3 --price-in 2.5 --price-out 10
  unparrot plan --baseline 0.3 --detect 0.1 --k 3 --combinations 100
"""
)
@click.option(
    "--baseline",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    required=True,
    help="Share of full marks of the first model.",
)
@click.option(
    "--detect",
    type=float,
    required=True,
    help="Difference to find: how much more (or, below 0, less) the second model earns.",
)
@click.option("--k", type=Count(1), required=True, help="Skills in a combination.")
@click.option(
    "--power", type=_SHARE, default=0.8, show_default=True, help="Probability of finding it."
)
@click.option("--level", type=_SHARE, default=0.95, show_default=True, help="Confidence level.")
@click.option(
    "--tests",
    type=Count(1),
    default=1,
    show_default=True,
    help="How many k are compared; the level of each is adjusted.",
)
@click.option(
    "--rounds",
    type=Span(1),
    default="1..5",
    show_default=True,
    help="Texts of a model for a combination.",
)
@click.option(
    "--icc",
    type=_SHARE,
    default=0.3,
    show_default=True,
    help="Correlation of two rounds of one combination.",
)
@click.option(
    "--match",
    type=_SHARE,
    help="Correlation of the two models' texts for one combination.  [default: half of --icc]",
)
@click.option("--unpaired", is_flag=True, help="The models get different combinations.")
@click.option(
    "--combinations", type=Count(1), help="Tell the power of so many, instead of how many it takes."
)
@click.option(
    "--grading-rounds", type=Count(0), default=3, show_default=True, help="Gradings of each text."
)
@click.option(
    "--models",
    type=click.IntRange(1, 2),
    default=2,
    show_default=True,
    help="How many of the two are still to be run.",
)
@click.option(
    "--answer-tokens",
    type=Count(1),
    default=260,
    show_default=True,
    help="Tokens a student writes in a turn, reasoning included.",
)
@click.option("--price-in", type=float, default=0.0, help="Price of 1M tokens read, any currency.")
@click.option("--price-out", type=float, default=0.0, help="Price of 1M tokens written.")
@click.option("--grader-price-in", type=float, help="The grader's, if it differs.")
@click.option("--grader-price-out", type=float, help="The grader's, if it differs.")
@output_options
def plan(
    baseline: float,
    detect: float,
    k: int,
    power: float,
    level: float,
    tests: int,
    rounds: tuple[int, ...],
    icc: float,
    match: float | None,
    unpaired: bool,
    combinations: int | None,
    grading_rounds: int,
    models: int,
    answer_tokens: int,
    price_in: float,
    price_out: float,
    grader_price_in: float | None,
    grader_price_out: float | None,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Tell how many combinations and rounds it takes to find a difference between two models, and
    how many calls, tokens and money that costs, before any is spent.

    Rounds of one combination resemble each other (--icc), so they are worth less than as many
    combinations; both models write for the same combinations unless --unpaired.
    """
    from unparrot.analysis.between.plan import PlanSpec, Prices, Tokens, cheapest
    from unparrot.analysis.between.plan import plan as make_plan

    spec = PlanSpec(
        baseline=baseline,
        detect=detect,
        k=k,
        power=power,
        level=level,
        tests=tests,
        icc=icc,
        match=match,
        paired=not unpaired,
        grading_rounds=grading_rounds,
        models=models,
        combinations=combinations,
        tokens=Tokens(answer=answer_tokens),
        prices=Prices(
            price_in,
            price_out,
            price_in if grader_price_in is None else grader_price_in,
            price_out if grader_price_out is None else grader_price_out,
        ),
    )
    rows = make_plan(spec, rounds)
    best = cheapest(rows)
    notes = [*_notes(spec), f"Source: {SOURCE[spec.paired]}."]
    if combinations is None and len(rows) > 1:
        notes.insert(0, f"Cheapest: {best['combinations']:,} combinations, {_rounds(best)}.")
    show(
        {
            "spec": asdict(spec),
            "rows": rows,
            "cheapest": best["rounds"],
            "source": SOURCE[spec.paired],
        },
        [_table(spec, rows)],
        as_json,
        plot,
        lambda: _chart(spec, rows),
        notes,
    )


def _rounds(row: PlanRow) -> str:
    return f"{row['rounds']} round{'s' if row['rounds'] > 1 else ''}, {row['calls']:,} calls"


def _table(spec: PlanSpec, rows: list[PlanRow]) -> Table:
    priced = any(row["cost"] for row in rows)
    asked = spec.combinations is not None
    header = ["rounds", "combinations", "texts", "calls", "M tokens"]
    header += ["cost"] if priced else []
    header += ["power", "detects"] if asked else []
    cells: list[list[object]] = []
    for row in rows:
        tokens = f"{row['tokens_in'] / 1e6:.2f} + {row['tokens_out'] / 1e6:.2f}"
        cells.append([row["rounds"], row["combinations"], row["texts"], row["calls"], tokens])
        if priced:
            cells[-1].append(f"{row['cost']:,.2f}")
        if asked:
            found = row["detectable"]
            cells[-1] += [f"{row['power']:.2f}", found and f"{100 * found:+.1f}"]
        cells[-1].append(f"{100 * row['half_width']:.1f}")
    shares = f"{100 * spec.baseline:g} % against {100 * (spec.baseline + spec.detect):g} %"
    return Table([*header, "+-"], cells, f"Full marks {shares}, k = {spec.k}")


def _notes(spec: PlanSpec) -> list[str]:
    kind = "the same combinations for both models" if spec.paired else "unpaired"
    related = f"icc {spec.icc:g}" + (f", match {spec.design(1).match:g}" if spec.paired else "")
    if spec.tests > 1:
        alpha = 1 - spec.level
        related += f", {spec.tests} tests: each at {100 * alpha / spec.tests:.2g} %"
    return [
        f"Assumed: {kind}; {related}.",
        f"Calls: 2 turns and {spec.grading_rounds} gradings a text, {spec.models} of the two "
        "models to run; tokens (read + written) are estimates.",
        "+-: half the interval of the difference"
        + (", detects: difference found with the wanted power" if spec.combinations else "")
        + ", in points.",
    ]


def _chart(spec: PlanSpec, rows: list[PlanRow]) -> Chart:
    import numpy as np

    from unparrot.report.draw.chart import Chart, Series
    from unparrot.stats.power import power_of

    most = 2 * max(row["combinations"] for row in rows)
    sizes = np.unique(np.linspace(max(2, most // 60), most, 60).astype(int)).tolist()
    curves = [
        Series(
            f"{row['rounds']} round{'s' if row['rounds'] > 1 else ''}",
            sizes,
            [power_of(spec.design(row["rounds"]), n) for n in sizes],
        )
        for row in rows
    ]
    return Chart(
        "How often so many combinations find the difference",
        f"power, {100 * spec.baseline:g} % against "
        f"{100 * (spec.baseline + spec.detect):g} % full marks",
        "combinations that each model is given",
        curves,
        "Power rises with the number of combinations, faster with more rounds.",
        y_percent=True,
    )
