"""Write the page of a run: ``unparrot report RUN`` makes ``RUN/report.html``.

The page is one HTML file that opens offline: no script, no font, no image from elsewhere. Its
figures are inline SVG whose colours are CSS variables, so that they follow light and dark; the
same figures lie beside it as ``figures/*.svg`` (``*-dark.svg`` for dark paper) and
``figures/*.png``.
"""

from __future__ import annotations

import os
from pathlib import Path

from unparrot.core.errors import MissingExtra
from unparrot.core.records import atomic_write
from unparrot.report.contents import read_contents


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
        from unparrot.report.sections import compose
    except ImportError as error:
        if (error.name or "").partition(".")[0] == "matplotlib":
            raise MissingExtra("report", "matplotlib") from error
        raise
    target = run / "report.html" if out is None else out
    figures = run / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    html = compose(contents, figures)
    atomic_write(target, html.encode())
    return Path(os.path.normpath(target))
