"""The terminal form of `unparrot eval label`: one text after the other, one question at a time."""

from __future__ import annotations

import shutil
import textwrap
import unicodedata
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from unparrot.core.grades import Mark
    from unparrot.core.skills import SkillPack
    from unparrot.eval.people.label_sample import Item

_HELP: Final = "y yes, n no, ? cannot tell; s skip the text, b back, q stop"
_ANSWERS: Final = {"y": "y", "yes": "y", "1": "y", "n": "n", "no": "n", "0": "n", "?": "?",
                   "s": "s", "skip": "s", "b": "b", "back": "b", "q": "q", "quit": "q"}  # fmt: skip
_QUESTIONS: Final = {
    "topic": "Is the text about the topic?",
    "sense": "Does the text make sense?",
}
_WIDEST: Final = 96


class Form:
    """Asks a person about texts, and has each one kept as soon as it is done.

    Parameters
    ----------
    items
        What to ask about, in this order.
    pack
        Has the definitions.
    keep
        Is called with a text and its marks when all of them are given.
    """

    def __init__(
        self,
        items: Sequence[Item],
        pack: SkillPack,
        keep: Callable[[Item, dict[str, Mark]], None],
    ) -> None:
        self.items, self.pack, self.keep = items, pack, keep
        self._kept: set[str] = set()
        self._marks: dict[str, dict[str, Mark]] = {}

    @property
    def saved(self) -> int:
        """How many texts were marked."""
        return len(self._kept)

    def run(self) -> None:
        """Ask until all is marked or the person stops. What is done stays kept either way."""
        click.echo(f"{len(self.items):,} texts. {_HELP}.")
        place, from_end = 0, False
        try:
            while 0 <= place < len(self.items):
                step = self._text(place, from_end)
                if step == 0:
                    return
                from_end = step < 0 < place
                place = max(0, place + step)
        except click.Abort:  # Ctrl-C, or the end of what is typed
            click.echo()

    def _text(self, place: int, from_end: bool) -> int:
        """Ask about one text; 1 to go on, -1 to go back, 0 to stop."""
        from unparrot.core.grades import EARNED, MISSED
        from unparrot.eval.people.label_sample import CANNOT_TELL

        item = self.items[place]
        marks = self._marks.setdefault(item.id, {})
        self._show(item, place)
        criteria = item.criteria
        number = min(len(marks), len(criteria) - 1) if from_end else 0
        while number < len(criteria):
            criterion = criteria[number]
            answer = self._ask(item, criterion, number)
            if answer == "q":
                return 0
            if answer == "s":
                return 1
            if answer == "b":
                if number == 0:
                    return -1
                number -= 1
                continue
            marks[criterion] = {"y": EARNED, "n": MISSED, "?": CANNOT_TELL}[answer]
            number += 1
        self.keep(item, {criterion: marks[criterion] for criterion in criteria})
        self._kept.add(item.id)
        return 1

    def _show(self, item: Item, place: int) -> None:
        click.echo(f"\n{'-' * 20} text {place + 1} of {len(self.items)} {'-' * 20}\n")
        _paragraph(item.text, "    ")
        click.echo(f"\nTopic: {printable(item.combination.topic)}")

    def _ask(self, item: Item, criterion: str, number: int) -> str:
        count = f"[{number + 1}/{len(item.criteria)}]"
        if criterion in _QUESTIONS and number >= item.combination.k:
            question = f"{count} {_QUESTIONS[criterion]}"
        else:
            skill = self.pack.skill(criterion)
            click.echo(f"\n{count} {printable(skill.name)}")
            _paragraph(skill.definition, "      ")
            question = "      Does the text show it?"
        while True:
            given = click.prompt(
                question, prompt_suffix=" (y/n/?) ", default="", show_default=False
            )
            answer = _ANSWERS.get(given.strip().lower())
            if answer is not None:
                return answer
            click.echo(f"      {_HELP}")


def _paragraph(text: str, indent: str) -> None:
    width = min(_WIDEST, shutil.get_terminal_size().columns)
    for line in printable(text).splitlines() or [""]:
        click.echo(
            textwrap.fill(
                line,
                max(width, len(indent) + 20),
                initial_indent=indent,
                subsequent_indent=indent,
                break_on_hyphens=False,
            )
        )


def printable(text: str) -> str:
    """Return the text with what could steer a terminal, or turn its order, made visible.

    Examples
    --------
    >>> printable("red \\x1b[31m, turned \\u202e")
    'red \\\\x1b[31m, turned \\\\u202e'
    """
    return "".join(
        sign if sign == "\n" or unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co", "Cn")
        or sign in "\u200c\u200d" else sign.encode("unicode_escape").decode()
        for sign in text.replace("\r\n", "\n").replace("\t", "    ")
    )  # fmt: skip
