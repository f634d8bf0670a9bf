"""`unparrot analyze RUN`: every figure of a run, with its interval, into summary.json."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(
    epilog="""\b
Example:
  unparrot analyze runs/demo && unparrot report runs/demo
"""
)
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def analyze(run: Path, as_json: bool) -> None:
    """Work out every figure of the run in the folder RUN from its records, each with its interval,
    and write them to RUN/summary.json.

    The same records give the same summary to the last digit.
    """
    from unparrot.analysis.summary import analyze as write_summary

    summary = write_summary(run)
    if as_json:
        click.echo(json.dumps(summary))
        return
    click.echo(summary["headline"]["sentence"])
    click.echo(str(run / "summary.json"))
