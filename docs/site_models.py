"""The models of the page 'Ask the models', kept in one file: the pocket of a run, and what the run
came to.

    python docs/site_models.py runs/demo

makes the file anew from a run of `unparrot demo`.
"""

from __future__ import annotations

import gzip
import zlib
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from unparrot.analysis.schema import LabSummary, read_summary
from unparrot.core.errors import BadInput, UnparrotError
from unparrot.core.records import Pocket, RunFolder, atomic_write, decoded, read_json
from unparrot.core.wording import plural
from unparrot.lab.grader.as_data import grader_data
from unparrot.report.contents import Contents
from unparrot.report.html.markup import Markup, el, join
from unparrot.report.play.ask import ask_elements, ask_words
from unparrot.report.words.headline_words import finding

MODELS = Path(__file__).parent / "play" / "models.json.gz"
REMEDY = "make it anew from a run of `unparrot demo`: python docs/site_models.py runs/demo"


class SiteModels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The models of a run, and what the run came to.

    Parameters
    ----------
    command
        That made the run.
    ended
        Day on which its records were written, in UTC (YYYY-MM-DD).
    finding
        Its headline, in sentences.
    sizes
        Names of its models of the most tokens, from small to large.
    pocket
        What lets a page write as they do.
    """

    command: str
    ended: str
    finding: str
    sizes: tuple[str, ...]
    pocket: Pocket


def models_of(run: Path) -> SiteModels:
    """Read the models of a run.

    Raises
    ------
    BadInput
        If the run is no whole run of the lab, or has no model small enough for a page.
    """
    summary = read_summary(run)
    path = run / "pocket.json"
    if not isinstance(summary, LabSummary) or not path.is_file():
        raise BadInput(f"{str(run)!r} has no pocket.json; give a run of `unparrot demo`")
    pocket: Pocket = read_json(path, Pocket, "delete it, and `unparrot demo` writes it anew")
    if not pocket.models:
        raise BadInput(f"{str(path)!r} has no model; give a run with one small enough for a page")
    ended = datetime.fromtimestamp((run / "manifest.json").stat().st_mtime, UTC)
    sizes = Contents(summary, manifest := RunFolder(run).read_manifest()).ladder
    return SiteModels(
        manifest.command,
        f"{ended:%Y-%m-%d}",
        finding(summary),
        tuple(model.name for model in sizes),
        pocket,
    )


def write_models(models: SiteModels, path: Path = MODELS) -> None:
    """Write the file of the site."""
    content = msgspec.json.encode(models, order="deterministic")
    atomic_write(path, gzip.compress(content, 9, mtime=0))


def read_models(path: Path = MODELS) -> SiteModels:
    """Read the file of the site.

    Raises
    ------
    BadInput
        If it is absent, of another format, or marks by other rules than the grader does today; the
        message has the command that makes it anew.
    """
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"{path} cannot be read ({error}); {REMEDY}") from error
    models: SiteModels = decoded(content, SiteModels, path, REMEDY)
    if _bytes(models.pocket.grader) != _bytes(grader_data(models.pocket.vocabulary)):
        raise BadInput(f"{path} has rules that are no longer those of the grader; {REMEDY}")
    return models


def _bytes(rules: object) -> bytes:
    return msgspec.json.encode(rules, order="deterministic")


def asking(models: SiteModels) -> Markup:
    """Make what stands on the page: the words, and what readers ask with."""
    pocket = models.pocket
    roles = {model.name: f"m{i}" for i, model in enumerate(pocket.models)}
    words = (el("p", paragraph) for paragraph in ask_words(pocket, models.sizes, "the run below"))
    return join(*words, *ask_elements(pocket, roles, level=3))


def run_words(models: SiteModels) -> str:
    """Say which run the models are of, in Markdown."""
    number = plural(len(models.sizes), "size")
    return (
        f"`{models.command}` made it, with models of {number}; its records are of {models.ended}. "
        f"{models.finding}"
    )


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
def main(run: Path) -> None:
    """Make the file of the site from a RUN of `unparrot demo`."""
    try:
        write_models(models_of(run))
    except UnparrotError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
