"""`unparrot eval run` and `eval grade`: ask models, have their texts marked, write the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import click
from click.core import ParameterSource

from unparrot.cli.eval.display import money, tokens
from unparrot.cli.eval.options import access_options, lab_pack
from unparrot.cli.output import Answer, Table
from unparrot.cli.values import Count, Span

if TYPE_CHECKING:
    from unparrot.eval.ask.asking import Tally
    from unparrot.eval.ask.run import Access
    from unparrot.eval.record.prepare import Prepared

INTERRUPTED: Final = 130
INCOMPLETE: Final = 1
LONG_ENOUGH: Final = 0.05
"""Share of replies cut off or empty beyond which the limit of tokens is the likely cause."""
LONGEST_NAME: Final = 200
"""Bytes of the name of a folder; file systems allow 255."""
LAB_CONNECTIONS: Final = 128
"""Calls of the lab's models at a time: those that are under way are written together."""


@click.command(
    epilog="""\b
Examples:
  unparrot eval run openai/gpt-4o-mini --grader openai/gpt-4o -k 2..5 --dry-run
  unparrot eval run openai/gpt-4o-mini --grader openai/gpt-4o -k 2..5 --max-cost 20 --out runs/mini
  unparrot eval run openai-api/local/qwen --base-url http://localhost:8000/v1 --grader openai/gpt-4o
  unparrot eval run lab:runs/demo/models/463k --grader lab/exact -k 1..6 --out runs/lab
"""
)
@click.argument("models", nargs=-1, metavar="MODEL...")
@click.option(
    "--grader",
    "graders",
    multiple=True,
    metavar="MODEL",
    help="Who marks; may be repeated. The first one's marks decide.",
)
@click.option("-k", "--k", "k", type=Span(1), default="2..5", show_default=True, help="Skills.")
@click.option(
    "-n", "--n", type=Count(1), default=100, show_default=True, help="Combinations of each k."
)
@click.option(
    "--rounds", type=Count(1), default=3, show_default=True, help="Texts for each combination."
)
@click.option(
    "--grading-rounds", type=Count(1), default=3, show_default=True, help="Gradings of each text."
)
@click.option(
    "--seed", type=Count(0), default=10, show_default=True, help="Of the draw of combinations."
)
@click.option(
    "--pack",
    default="language.en",
    show_default=True,
    help="Skills and topics: the name of a pack, or a file of your own.",
)
@click.option(
    "--prompts", default="skillmix.en", show_default=True, help="Name of prompts, or a file."
)
@click.option("--temperature", type=float, default=0.7, show_default=True)
@click.option(
    "--max-tokens",
    type=Count(1),
    default=512,
    show_default=True,
    help="Most tokens of a reply; models that think first need many times more.",
)
@click.option("--top-p", type=float)
@click.option("--reasoning-effort", help="For models that think: minimal, low, medium, high.")
@click.option("--grader-temperature", type=float, default=0.7, show_default=True)
@click.option("--grader-max-tokens", type=Count(1), default=2048, show_default=True)
@click.option(
    "--tries",
    type=Count(1),
    default=2,
    show_default=True,
    help="How often a reply that cannot be used is asked for.",
)
@click.option("--deduct-names", is_flag=True, help="A skill that the text names loses its point.")
@click.option(
    "--form",
    type=click.Choice(("auto", "schema", "text")),
    default="auto",
    show_default=True,
    help="How graders reply: under a JSON schema, where the provider keeps to one, or in lines.",
)
@click.option(
    "--spec",
    "spec_file",
    type=click.Path(path_type=Path),
    help="TOML file with any of these settings; what is given here comes before it.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the run; one that was stopped goes on there.  [default: runs/MODEL]",
)
@click.option("--dry-run", is_flag=True, help="Tell calls, tokens and cost, and call nobody.")
@click.option("--share", is_flag=True, help="Let others on this machine read the run.")
@access_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.pass_context
def run(
    ctx: click.Context,
    spec_file: Path | None,
    out: Path | None,
    dry_run: bool,
    share: bool,
    access: Access,
    as_json: bool,
    **settings: Any,
) -> None:
    """Test whether MODEL... combine skills: SKILL-MIX (Yu et al. 2023).

    Every model writes texts for the same random combinations of skills and a topic; graders mark
    every skill, topic, sense and length. Everything is kept call by call in OUT/journal.sqlite: the
    same command goes on where it was stopped, and more models, k, combinations or rounds add only
    what is missing. No call is paid for twice.

    MODEL is a name of Inspect (openai/..., anthropic/..., google/..., hf/..., vllm/...,
    openai-api/NAME/MODEL with --base-url), or lab:PATH for a model of the lab.
    """
    from unparrot.eval.record.eval_spec import read_toml, spec_of
    from unparrot.eval.record.prepare import prepare

    values = _values(ctx, settings, read_toml(spec_file) if spec_file else {})
    spec = spec_of(values, str(spec_file or "the command line"))
    folder = out or Path("runs") / _slug(spec.models[0])
    prepared = prepare(spec, folder, lab_pack)
    if dry_run:
        show_estimate(prepared, access, as_json)
        return
    if _all_of_the_lab(spec.models) and not _given(ctx, "limit_connections"):
        limits = access.limits._replace(connections=LAB_CONNECTIONS)
        access = replace(access, limits=limits)
    carry_out(ctx, prepared, access, as_json, share=share)


def _values(
    ctx: click.Context, settings: dict[str, Any], from_file: dict[str, Any]
) -> dict[str, Any]:
    """The values of the spec: those given on the command line, the file's, the defaults."""
    given = {name: value for name, value in settings.items() if _given(ctx, name) and value != ()}
    values = {**settings, **from_file, **given}
    models = values["models"]
    named = cast(Sequence[Any], models if isinstance(models, (list, tuple)) else [models])
    if _all_of_the_lab(named):
        # a model of the lab reads the prompts of its world, and no English
        for name in ("pack", "prompts"):
            if name not in given and name not in from_file:
                values[name] = "world"
    return values


def _given(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is not ParameterSource.DEFAULT


def _all_of_the_lab(models: Sequence[Any]) -> bool:
    return bool(models) and all(str(model).startswith(("lab:", "lab/")) for model in models)


def _slug(model: str) -> str:
    name = re.sub(r"[^\w.-]+", "-", model).strip("-.") or "run"
    return name.encode()[:LONGEST_NAME].decode(errors="ignore")


def carry_out(
    ctx: click.Context,
    prepared: Prepared,
    access: Access,
    as_json: bool,
    *,
    share: bool = False,
    command: str = "unparrot eval run",
    write: bool = True,
) -> None:
    """Run what was prepared with a display, then work out the figures and write the page.

    Ends with exit code 1 if calls stayed without a reply, 130 if the user stopped it.
    """
    from unparrot.cli.eval.display import Display
    from unparrot.eval.ask.run import run as run_eval
    from unparrot.eval.ask.schedule import Interrupted

    folder = prepared.folder
    try:
        with Display() as display:
            tally = run_eval(prepared, access, display.watch, command, share=share, write=write)
    except Interrupted as error:
        click.echo(f"unparrot: {error}", err=True)
        ctx.exit(INTERRUPTED)
    from unparrot.analysis.summary import analyze
    from unparrot.report.page import write_page
    from unparrot.report.words.headline_words import finding

    summary = analyze(folder)
    page = write_page(folder)
    result = {
        "run": str(folder),
        "page": str(page),
        "headline": summary.headline,
        "finding": finding(summary),
        "calls": {"made": tally.made, "kept": tally.kept, "failed": tally.failed},
        "failed_attempts": dict(tally.failures),
        "unusable": dict(tally.unusable),
        "cost": None if tally.unpriced else round(tally.cost, 6),
    }
    Answer(result, [], _sentences(finding(summary), tally, page)).show(as_json)
    if tally.failed:
        ctx.exit(INCOMPLETE)


def _sentences(headline: str, tally: Tally, page: Path) -> list[str]:
    said = [headline, ""]
    said.append(
        f"{tally.made:,} calls made, {tally.kept:,} were in the journal; "
        f"{tokens(tally.input_tokens)} tokens read, {tokens(tally.output_tokens)} written; "
        f"{money(tally)}."
    )
    if tally.unusable:
        reasons = ", ".join(f"{n:,} {why}" for why, n in tally.unusable.most_common())
        said.append(f"Replies that could not be used: {reasons}.")
    short = sum(n for why, n in tally.unusable.items() if why.startswith(("cut off", "empty")))
    if short > LONG_ENOUGH * max(1, tally.made + tally.kept):
        said.append(
            f"{short:,} replies were cut off or empty: models that think before they write need a "
            "larger --max-tokens (in another --out, since it shapes every answer)."
        )
    if tally.failed:
        said.append(
            f"{tally.failed:,} calls stayed without a reply; the same command asks for them again."
        )
    return [*said, f"The page: {page}"]


def show_estimate(prepared: Prepared, access: Access, as_json: bool, *, write: bool = True) -> None:
    """Print what a run would take, calling nobody."""
    from unparrot.eval.ask.cost_estimate import estimate
    from unparrot.eval.wire.prices import table_date

    rows = estimate(prepared, access.prices, students=write)
    unknown = [row.model for row in rows if row.cost is None]
    cost = None if unknown else sum(row.cost or 0.0 for row in rows)
    most = None if unknown else sum(row.most or 0.0 for row in rows)
    calls = sum(row.calls - row.kept for row in rows)
    result: dict[str, Any] = {
        "run": str(prepared.folder),
        "calls": calls,
        "kept": sum(row.kept for row in rows),
        "cost": cost,
        "most": most,
        "models": [asdict(row) for row in rows],
    }
    spec = prepared.asked
    kept = any(row.kept for row in rows)
    header = ["model", "calls", *(["kept"] if kept else []), "tokens", "cost", "at most"]
    table = Table(
        header,
        [
            [
                f"{row.model} ({row.role})",
                row.calls,
                *([row.kept] if kept else []),
                f"{tokens(row.input_tokens)} + {tokens(row.output_tokens)}",
                _dollars(row.cost),
                _dollars(row.most),
            ]
            for row in rows
        ],
        f"{prepared.texts:,} texts of each model: k {spec.k[0]} to {spec.k[-1]}, {spec.n:,} "
        f"combinations of each, {spec.rounds} rounds",
    )
    notes = [
        f"{calls:,} calls to make; {_total(cost, most)}.",
        "Tokens are those read + written. "
        "They are estimated from the prompts and from "
        + (
            "assumed lengths of replies"
            if all(row.assumed for row in rows)
            else "the replies in the journal, or assumed lengths"
        )
        + f"; 'at most' is with every reply at its limit. Prices as of {table_date()} or as given.",
    ]
    if unknown:
        notes.append(f"No price is known of {', '.join(unknown)}: give --price MODEL=IN,OUT.")
    notes.append("Nothing was called.")
    Answer(result, [table], notes).show(as_json)


def _total(cost: float | None, most: float | None) -> str:
    if cost is None or most is None:
        return "the cost is not known"
    return f"about {_dollars(cost)}, at most {_dollars(most)}"


def _dollars(value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"${value:,.4f}" if 0 < value < 1 else f"${value:,.2f}"


@click.command(
    epilog="""\b
Examples:
  unparrot eval grade runs/mini --grader anthropic/claude-sonnet-4-5
  unparrot eval grade runs/mini --grader openai/gpt-4o --grading-rounds 5
  unparrot graders runs/mini
"""
)
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--grader", "graders", multiple=True, required=True, metavar="MODEL", help="Who marks."
)
@click.option(
    "--grading-rounds", type=Count(1), help="Gradings of each text.  [default: as the run has]"
)
@click.option("--decide", is_flag=True, help="The first of these graders decides from now on.")
@click.option("--dry-run", is_flag=True, help="Tell calls, tokens and cost, and call nobody.")
@access_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.pass_context
def grade(
    ctx: click.Context,
    folder: Path,
    graders: tuple[str, ...],
    grading_rounds: int | None,
    decide: bool,
    dry_run: bool,
    access: Access,
    as_json: bool,
) -> None:
    """Have the texts of RUN marked by other graders, or in more rounds.

    Only marks that are missing are asked for, and no model writes anything anew. The run's own
    grader goes on to decide, unless --decide is given.
    """
    from unparrot.eval.record.prepare import prepare, stored_spec

    spec = stored_spec(folder)
    spec = replace(spec, graders=graders, grading_rounds=grading_rounds or spec.grading_rounds)
    prepared = prepare(spec, folder, lab_pack, new_decides=decide)
    if dry_run:
        show_estimate(prepared, access, as_json, write=False)
        return
    carry_out(ctx, prepared, access, as_json, command="unparrot eval grade", write=False)
