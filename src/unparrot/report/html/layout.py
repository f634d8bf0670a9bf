"""How the page is laid out: sections, grids, facts, and the press that draws figures into it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from unparrot.report.draw.paint import Drawing
from unparrot.report.draw.theme import Theme
from unparrot.report.html.markup import Markup, el


@dataclass(frozen=True, slots=True)
class Press:
    """Draws figures: into the page and, as files, into a folder.

    Parameters
    ----------
    theme
        Colours.
    folder
        Where the SVG and PNG files go; it exists.
    private
        Whether they are to be the user's alone, as `unparrot.core.records.atomic_write` has it.
    """

    theme: Theme
    folder: Path
    private: bool | None = None

    def file(self, drawing: Drawing) -> str:
        """Draw, write the files, and return the SVG in the light colours."""
        return drawing.write_files(self.folder, self.theme, private=self.private)

    def figure(self, drawing: Drawing, *below: Markup | None, caption: str = "") -> Markup:
        """Draw, write the files, and return the figure element with its table below."""
        svg = self.file(drawing)
        return el(
            "figure",
            drawing.inline(svg, self.theme),
            el("figcaption", caption) if caption else None,
            *below,
        )


def section(anchor: str, title: str, words: list[str | Markup], *content: Markup) -> Markup:
    """Make a section: its heading, paragraphs, then figures and tables."""
    return el(
        "section",
        el("h2", title, id=anchor),
        *(el("p", paragraph, class_="text") for paragraph in words),
        *content,
        aria_labelledby=anchor,
    )


def grid(*figures: Markup, kind: str = "") -> Markup:
    """Set figures side by side where there is room."""
    single = " single" if len(figures) == 1 else ""
    return el("div", *figures, class_=f"grid{kind}{single}")


def fact(name: str, value: str, small: str = "") -> Markup:
    """Make one fact of a list: its name, its value, and what to know about it in small letters."""
    return el("div", el("dt", name), el("dd", value, el("small", small) if small else None))
