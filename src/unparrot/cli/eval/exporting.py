"""`unparrot eval export RUN --to inspect`: a run as logs that Inspect opens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from unparrot.cli.command import argument, command, option
from unparrot.cli.eval.options import lab_pack
from unparrot.cli.values import PLACE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unparrot.eval.record.prepare import Prepared


@command()
def export(
    folder: Path = argument(PLACE, metavar="RUN"),
    form: Literal["inspect"] = option("Which form.", None, "--to", required=True),
    models: tuple[str, ...] = option(
        "Only these.  [default: all]", None, "--model", metavar="MODEL"
    ),
    out: Path | None = option(
        "File ending in .eval for one model, or a folder.  [default: RUN/inspect]",
        PLACE,
    ),
    private_ok: bool = option("Write the prompts of a private pack into the logs."),
) -> None:
    """Write RUN as a log of Inspect for each model, with prompts, texts and all gradings.

    A sample is a combination, an epoch is a round. Inspect reads the logs: `inspect view`,
    `inspect log dump`, and its data frames.

    Examples:
      unparrot eval export runs/mini --to inspect
      inspect view --log-dir runs/mini/inspect
      unparrot eval export runs/mini --to inspect --model openai/gpt-4o-mini --out mini.eval
    """
    del form  # there is one
    from unparrot.core.errors import BadInput, MissingExtra
    from unparrot.eval.record.prepare import prepare, stored_spec

    prepared = prepare(stored_spec(folder), folder, lab_pack)
    if prepared.private and not private_ok:
        raise BadInput(
            f"the pack of {folder} is private, and a log holds its skills in every prompt: add "
            "--private-ok if the log stays with you"
        )
    try:
        from unparrot.eval.inspect.inspect_log import export_logs
    except ModuleNotFoundError as error:
        raise MissingExtra("eval", error.name or "inspect-ai") from error
    places = _places(prepared, models, out)
    for log in export_logs(prepared, places):
        click.echo(f"{log.model}: {log.samples:,} samples in {log.path}")
        if not log.complete:
            click.echo("  The run is not finished: the log has the status 'cancelled'.")
    if prepared.private:
        click.echo("The pack is private and the logs hold its skills: do not publish them.")


def _places(prepared: Prepared, chosen: Sequence[str], out: Path | None) -> dict[str, Path]:
    """The file of each model."""
    from unparrot.core.errors import BadInput
    from unparrot.eval.inspect.inspect_log import SUFFIX, file_names
    from unparrot.eval.wire.models import full_name

    names = file_names(prepared.whole.models)
    models = [full_name(model) for model in chosen] or list(names)
    for model in models:
        if model not in names:
            raise BadInput(f"the run has no model {model!r}; it has {', '.join(names)}")
    if out is None or out.suffix != SUFFIX:
        place = out or prepared.folder / "inspect"
        if place.exists() and not place.is_dir():
            raise BadInput(f"{place} is a file; name one that ends in {SUFFIX}, or a folder")
        return {model: place / names[model] for model in models}
    if len(models) > 1:
        raise BadInput(
            f"the run has {len(models)} models and each gets a log of its own: name one with "
            "--model, or a folder with --out"
        )
    if out.exists():
        raise BadInput(f"{out} exists and is not overwritten; name another file")
    return {models[0]: out}
