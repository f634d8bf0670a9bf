"""`unparrot eval export RUN --to inspect`: a run as logs that Inspect opens."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from unparrot.cli.command import argument, command, option
from unparrot.cli.eval.options import prepared_run
from unparrot.cli.values import FOLDER, PLACE
from unparrot.core.wording import plural


@command()
def export(
    folder: Path = argument(PLACE, metavar="RUN"),
    form: Literal["inspect"] = option("Which form.", None, "--to", required=True),
    out: Path | None = option("Folder of the logs.  [default: RUN/inspect]", FOLDER),
    private_ok: bool = option("Write the prompts of a private pack into the logs."),
) -> None:
    """Write RUN as a log of Inspect for each model, with prompts, texts and all gradings.

    A sample is a combination, an epoch is a round. Inspect reads the logs: `inspect view`,
    `inspect log dump`, and its data frames.

    Examples:
      unparrot eval export runs/mini --to inspect
      inspect view --log-dir runs/mini/inspect
    """
    del form  # there is one
    from unparrot.core.errors import BadInput, MissingExtra

    prepared = prepared_run(folder)
    if prepared.private and not private_ok:
        raise BadInput(
            f"the pack of {folder} is private, and a log holds its skills in every prompt: add "
            "--private-ok if the log stays with you"
        )
    try:
        from unparrot.eval.inspect.inspect_log import export_logs, file_names
    except ModuleNotFoundError as error:
        raise MissingExtra("eval", error.name or "inspect-ai") from error
    names = file_names(prepared.whole.models)
    place = out or folder / "inspect"
    for log in export_logs(prepared, {model: place / name for model, name in names.items()}):
        click.echo(f"{log.model}: {plural(log.samples, 'sample')} in {log.path}")
        if not log.complete:
            click.echo("  The run is not finished: the log has the status 'cancelled'.")
    if prepared.private:
        click.echo("The pack is private and the logs hold its skills: do not publish them.")
