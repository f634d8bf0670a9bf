"""A study as its page shows it: colours, signs, panels, and where a k50 is drawn."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from unparrot.analysis.study.study_summary import (
    SettingSummary,
    SliceSummary,
    StudyModel,
    StudySummary,
)
from unparrot.analysis.theory.growth import Reach, token_steps
from unparrot.core.studies import Value
from unparrot.core.wording import short
from unparrot.report.html.markup import Markup, el, join
from unparrot.report.sections.growth import FLOOR, MARKERS
from unparrot.report.words.study_words import (
    axis_name,
    place_words,
    value_words,
)

TICKS: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)


Place = tuple[Value, ...]


@dataclass(frozen=True)
class Shown:
    """A study as its page shows it: the colour and the sign of each setting.

    Colours run over the values of the first axis of runs besides the seed, or, where only seeds
    vary, over shapes; signs over the numbers of tokens.
    """

    summary: StudySummary

    @cached_property
    def slicing(self) -> Sequence[str]:
        """The axes of runs that vary, without the seed."""
        return [name for name in self.summary.varying if name != "seed"]

    @cached_property
    def places(self) -> Sequence[Place]:
        """The slices."""
        return list(dict.fromkeys(self.place(setting) for setting in self.summary.settings))

    @cached_property
    def shapes(self) -> Sequence[tuple[int, ...]]:
        """Layers, width and order of the models, from small to large."""
        sizes = {self.shape(s): s.params for s in reversed(self.summary.settings)}
        return sorted(sizes, key=lambda shape: (sizes[shape], shape))

    @cached_property
    def steps(self) -> dict[int, int]:
        """The number of each number of tokens, 0 for the most."""
        tokens = [m.growth.tokens or 0 for m in self.summary.trained]
        return dict(zip(tokens, token_steps(tokens), strict=True))

    @cached_property
    def colours(self) -> Sequence[object]:
        """What the colours stand for, in their order."""
        if self.slicing:
            return self.summary.axes[self.slicing[0]]
        return self.shapes

    def place(self, item: SettingSummary | SliceSummary | StudyModel) -> Place:
        """Return the slice of something."""
        return tuple(item.axes[name] for name in self.slicing)

    def shape(self, item: SettingSummary | StudyModel) -> tuple[int, ...]:
        """Return layers, width and order."""
        return item.layers or 0, item.width or 0, item.order or 0

    def role(self, item: SettingSummary | StudyModel) -> str:
        """Return the role of its colour."""
        key = item.axes[self.slicing[0]] if self.slicing else self.shape(item)
        return f"m{self.colours.index(key)}"

    def by_shape(self, item: SettingSummary) -> str:
        """Return the role of the colour of its shape, in figures of a single slice."""
        return f"m{self.shapes.index(self.shape(item))}"

    def marker(self, tokens: int) -> str:
        """Return the sign of a number of tokens."""
        return MARKERS[min(self.steps[tokens], len(MARKERS) - 1)]

    @cached_property
    def _token_names(self) -> dict[int, str]:
        """By their number in `steps`."""
        return {
            self.steps[s.tokens]: s.name.rpartition("@")[2] if "@" in s.name else short(s.tokens)
            for s in self.summary.settings
        }

    def token_words(self, tokens: int) -> str:
        """Write a number of tokens that was read as the names of the models do, '850k' for 849,412:
        a training stops after a whole step."""
        return self._token_names[self.steps[tokens]]

    def most_tokens(self, settings: Iterable[SettingSummary]) -> list[SettingSummary]:
        """Return the settings with the most tokens."""
        return [setting for setting in settings if not self.steps[setting.tokens]]

    @cached_property
    def max_k(self) -> int:
        """The largest k that any training had."""
        return max(setting.max_k for setting in self.summary.settings)

    @cached_property
    def best(self) -> SettingSummary:
        """The setting with the least loss."""
        lowest = [s for s in self.summary.settings if s.excess and s.excess.value is not None]
        return min(lowest, key=lambda s: s.excess.value, default=self.summary.settings[-1])  # type: ignore


def key(shown: Shown) -> Markup:
    """What colours and signs stand for."""
    if shown.slicing:
        names = [value_words(value) for value in shown.summary.axes[shown.slicing[0]]]
        title = axis_name(shown.slicing[0])
    else:
        by_shape = {shown.shape(s): shape_words(s) for s in reversed(shown.summary.settings)}
        names = [by_shape[shape] for shape in shown.shapes]
        title = "parameters (layers × width)"
    colours = [
        join(" · " if i else " ", el("b", name, style=f"color:var(--m{i})"))
        for i, name in enumerate(names)
    ]
    signs = {MARKERS[0]: "disc", "s": "square", "D": "diamond", "^": "triangle", "P": "cross"}
    tokens = {shown.marker(n): shown.token_words(n) for n in sorted(shown.steps, reverse=True)}
    steps = ", ".join(f"{signs[sign]} {n}" for sign, n in tokens.items())
    return el("figcaption", f"{title}:", *colours, f"; training tokens: {steps}")


def shape_words(setting: SettingSummary) -> str:
    """Write the shape of a setting, for example '204k (6 × 64)'."""
    return f"{short(setting.params)} ({setting.layers} × {setting.width})"


def height(reach: Reach, roof: float) -> float:
    """Where a k50 is drawn; a bound at the edge of the figure."""
    if reach.value is not None:
        return reach.value
    return 1.08 * FLOOR if reach.bound.startswith("<") else roof / 1.04


def by_slice(
    shown: Shown, settings: Iterable[SettingSummary], without: str = ""
) -> list[tuple[str, list[SettingSummary]]]:
    """Return settings in panels, one a slice, each with its name; slices ``without`` an axis."""
    names = [name for name in shown.slicing if name != without]
    return panels_by(
        settings,
        lambda setting: tuple(setting.axes[name] for name in names),
        lambda place: place_words(dict(zip(names, place, strict=True))),
    )


def panels_by(
    settings: Iterable[SettingSummary],
    key: Callable[[SettingSummary], Place],
    words: Callable[[Place], str],
) -> list[tuple[str, list[SettingSummary]]]:
    """Return settings in panels by a key, each panel with the words for its key."""
    panels: dict[Place, list[SettingSummary]] = {}
    for setting in settings:
        panels.setdefault(key(setting), []).append(setting)
    return [(words(place), own) for place, own in panels.items()]
