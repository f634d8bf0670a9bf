"""`unparrot eval grade RUN --grader MODEL`: marks of another grader, or more rounds, for a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unparrot.cli.eval.options import access_options, lab_pack
from unparrot.cli.eval.running import carry_out
from unparrot.cli.values import Count

if TYPE_CHECKING:
    from unparrot.eval.ask.run import Access


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
    from unparrot.cli.eval.running import show_estimate
    from unparrot.eval.record.prepare import prepare, stored_spec

    spec = stored_spec(folder)
    spec = replace(spec, graders=graders, grading_rounds=grading_rounds or spec.grading_rounds)
    prepared = prepare(spec, folder, lab_pack, new_decides=decide)
    if dry_run:
        show_estimate(prepared, access, as_json, write=False)
        return
    carry_out(ctx, prepared, access, as_json, command="unparrot eval grade", write=False)
