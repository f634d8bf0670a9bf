"""`unparrot report RUN`: write the page of a run."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(
    epilog="""\b
Example:
  unparrot report runs/demo --out page.html
"""
)
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the page goes.  [default: RUN/report.html]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def report(run: Path, out: Path | None, as_json: bool) -> None:
    """Write the page of the run in the folder RUN: one HTML file that opens offline.

    The page shows what RUN/summary.json says and computes nothing, so the same run gives the same
    page.
    """
    from unparrot.report.page import write_page

    page = write_page(run, out)
    click.echo(json.dumps({"page": str(page)}) if as_json else str(page))
