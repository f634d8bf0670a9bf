"""Write the page of a run: ``unparrot report RUN`` makes ``RUN/report.html``.

The page is one HTML file that opens offline: no font, no image, no script from elsewhere. Its
figures are inline SVG whose colours are CSS variables, so that they follow light and dark; the
same figures lie beside it as ``figures/*.svg`` (``*-dark.svg`` for dark paper) and
``figures/*.png``. The page of a run of language models also holds its transcripts, and a script of
its own to read them with; that of a run of the lab has none.

The page and the figures of a run whose folder is closed to others are the user's alone, too,
wherever the page goes.
"""

from __future__ import annotations

import os
from pathlib import Path

from unparrot.core.errors import MissingExtra
from unparrot.core.records import atomic_write, closed_to_others
from unparrot.report.contents import Contents
from unparrot.report.reading import read_contents
from unparrot.report.transcripts import Packed, pack_transcripts


def write_page(run: Path, out: Path | None = None) -> Path:
    """Write the page and the figures of a run.

    Parameters
    ----------
    run
        Folder of the run, with ``summary.json`` and, where the run has them, ``manifest.json``
        and ``training.parquet``.
    out
        The HTML file; ``run/report.html`` if None. The figures go to ``run/figures``.

    Returns
    -------
    Path
        The HTML file. The same records give the same bytes.

    Raises
    ------
    BadInput
        If the run has no summary or the summary lacks a field.
    MissingExtra
        If matplotlib is not installed.
    """
    contents = read_contents(run)
    try:
        from unparrot.report.page_lab import compose
        from unparrot.report.page_skillmix import compose_skillmix
    except ImportError as error:
        if (error.name or "").partition(".")[0] == "matplotlib":
            raise MissingExtra("report", "matplotlib") from error
        raise
    target = run / "report.html" if out is None else out
    private = True if closed_to_others(run) else None
    figures = run / "figures"
    figures.mkdir(mode=0o700 if private else 0o777, parents=True, exist_ok=True)
    if contents.protocol is None:
        html = compose(contents, figures, private=private)
    else:
        html = compose_skillmix(contents, figures, _transcripts(run, contents), private=private)
    atomic_write(target, html.encode(), private=private)
    return Path(os.path.normpath(target))


def _transcripts(run: Path, contents: Contents) -> Packed | None:
    """The transcripts for the page; None where the run has no texts, or may not show them."""
    if contents.private or not (run / "texts.parquet").is_file():
        return None
    deciding = contents.part("run", "spec").get("grader")
    return pack_transcripts(
        run,
        int(contents.summary.get("seed") or 0),
        models=[model.name for model in contents.models],
        deciding=None if deciding is None else str(deciding),
        keep=[example.text_id for example in contents.examples if example.text_id is not None],
    )
