"""Write the page of a run: ``unparrot report RUN`` makes ``RUN/report.html``.

The page is one HTML file that opens offline: no font, no image, no script from elsewhere; its own
scripts, and no others, may run. Its figures are inline SVG whose colours are CSS variables, so that
they follow light and dark; the same figures lie beside it as ``figures/*.svg`` and
``figures/*.png``. The page of a run of language models also holds its transcripts.

The page and the figures of a run whose folder is closed to others are the user's alone, too,
wherever the page goes.
"""

import os
from pathlib import Path

from unparrot.analysis.read.skillmix_tables import public_manifest
from unparrot.analysis.schema import LabSummary, SkillMixSummary, read_summary
from unparrot.core.errors import BadInput, UnparrotError
from unparrot.core.records import RunFolder, atomic_write, closed_to_others
from unparrot.report.contents import Contents
from unparrot.report.theme import Theme
from unparrot.report.transcripts import Packed, pack_transcripts


def write_page(run: Path, out: Path | None = None) -> Path:
    """Write the page and the figures of a run.

    Parameters
    ----------
    run
        Folder of the run, with ``summary.json``, ``manifest.json`` and, where it has one,
        ``training.parquet``.
    out
        The HTML file; ``run/report.html`` if None. The figures go into ``figures`` beside
        it.

    Returns
    -------
    Path
        The HTML file. The same records give the same bytes.

    Raises
    ------
    BadInput
        If the summary is absent, of another version, or not what it should be.
    MissingExtra
        If matplotlib is not installed.
    """
    from unparrot.report.draw.paint import Press
    from unparrot.report.page_lab import compose_lab
    from unparrot.report.page_skillmix import compose_skillmix
    from unparrot.report.play.ask import ask
    from unparrot.report.play.touch import touch
    from unparrot.report.sections.made import MARK_HEADS

    summary = read_summary(run)
    folder = RunFolder(run)
    manifest = folder.read_manifest()
    private = True if closed_to_others(run) else None
    target = run / "report.html" if out is None else out
    figures = target.parent / "figures"
    try:
        if isinstance(summary, LabSummary):
            logged = (run / "training.parquet").is_file()
            contents = Contents(
                summary, manifest, folder.checked_table("training") if logged else None
            )
            theme = Theme.of(len({*contents.roles.values()} - {"parrot"}), len(contents.ks))
            press = Press(theme, figures, private)
            html = compose_lab(contents, press, ask(run, contents), touch())
        else:
            contents = Contents(summary, public_manifest(manifest) if summary.private else manifest)
            theme = Theme.of(len(contents.models), max(len(contents.ks), len(MARK_HEADS)))
            packed = _transcripts(run, summary)
            html = compose_skillmix(contents, Press(theme, figures, private), packed)
    except UnparrotError:
        raise
    except (ValueError, ArithmeticError, LookupError) as error:
        raise BadInput(
            f"{run / 'summary.json'} has figures that do not fit together ({error}); "
            f"run `unparrot analyze {run}`"
        ) from error
    atomic_write(target, html.encode(), private=private)
    return Path(os.path.normpath(target))


def _transcripts(run: Path, summary: SkillMixSummary) -> Packed | None:
    """The transcripts for the page; None where the run has no texts, or may not show them."""
    if summary.private or not (run / "texts.parquet").is_file():
        return None
    return pack_transcripts(
        run,
        summary.seed,
        models=[model.name for model in summary.models],
        deciding=summary.run.grader,
        keep=[example.text_id for example in summary.examples],
    )
