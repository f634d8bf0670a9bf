"""The blind sample of texts that a person marks: drawn k by k, without models and other marks.

Their marks are kept by `unparrot.eval.record.labels`.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from unparrot.core.errors import BadInput, writing
from unparrot.core.grades import Mark
from unparrot.core.records import RunFolder
from unparrot.core.skills import CRITERIA, LENGTH, SkillCombination
from unparrot.eval.record.journal import open_journal, read_journal
from unparrot.eval.record.labels import FAMILY, keep_labels, keep_mark, labelled, read_begun

# Criteria that a person is asked about, besides the skills.
ASKED: Final = tuple(name for name in CRITERIA if name != LENGTH)
CANNOT_TELL: Final = Mark.unscored("the person could not tell")
LEFT_BLANK: Final = Mark.unscored("the person left it blank")
_SALT: Final = "labels"
_COPY: Final = "Labels stand in the run's folder: where that is read-only, label a copy of it."
# Of the ids: no spreadsheet takes a word of these for a number or a date.
_LETTERS: Final = "bcdfghjklmnpqrst"
_LONGEST_NAME: Final = 60


class Item(NamedTuple):
    """A text to be marked; ``id`` does not tell whose it is, ``text_id`` names it in the run.

    Nobody who marks is shown ``text_id`` or ``model``, who wrote it.
    """

    id: str
    text_id: str
    model: str
    combination: SkillCombination
    text: str

    @property
    def criteria(self) -> tuple[str, ...]:
        """What is asked: the skills, then topic and sense if the text was written for a task."""
        return tuple(name for name in self.combination.criteria if name != LENGTH)


@dataclass(frozen=True, slots=True)
class Labelling:
    """The texts of a run as people see them.

    Parameters
    ----------
    items
        Every text of the run that can be marked, by its id.
    """

    folder: Path
    items: Mapping[str, Item]

    def sample(self, n: int, seed: int, without: str | None = None) -> list[Item]:
        """Draw texts, so that each k has its share.

        Parameters
        ----------
        n
            How many, of all if there are fewer. A larger sample of the same seed contains a
            smaller one, and everyone gets the same.
        seed
            Of the draw and of the order in which they come.
        without
            A grader (see `grader_name`) whose texts are left out, after the draw.

        Returns
        -------
        list
            In random order.
        """
        shuffled = sorted(self.items.values(), key=lambda item: _hash("draw", seed, item.id))
        places: list[tuple[float, int, Item]] = []
        for k in {item.combination.k for item in shuffled}:
            group = [item for item in shuffled if item.combination.k == k]
            places += [((i + 0.5) / len(group), k, item) for i, item in enumerate(group)]
        drawn = [item for *_, item in sorted(places, key=lambda place: place[:2])[:n]]
        done = set[str]() if without is None else labelled(self.folder, without)
        left = [item for item in drawn if item.text_id not in done]
        return sorted(left, key=lambda item: _hash("order", seed, item.id))

    def keep(self, grader: str, marks: Mapping[str, Mapping[str, Mark]]) -> None:
        """Keep a person's marks, by id of the text in the run and by criterion."""
        models = {item.text_id: item.model for item in self.items.values()}
        with writing(self.folder, _COPY):
            keep_labels(self.folder, grader, marks, models)

    def keep_mark(
        self, grader: str, item: Item, criterion: str, mark: Mark | None
    ) -> dict[str, Mark]:
        """Keep one mark of a text, or take it back (None), and return its marks."""
        if criterion not in item.criteria:
            raise BadInput(f"the text {item.id} is not asked about {criterion[:80]!r}")
        with writing(self.folder, _COPY):
            text = (item.text_id, item.model)
            return keep_mark(self.folder, grader, text, item.criteria, criterion, mark)

    def begun(self, grader: str) -> dict[str, dict[str, Mark]]:
        """Return a person's marks of texts that still lack some, by id of the text in the run."""
        return read_begun(self.folder).get(grader, {})


def open_labelling(folder: Path) -> Labelling:
    """Read the texts of a run for people to mark.

    Raises
    ------
    BadInput
        If it is no run of `unparrot eval run`, it has no text yet, or another process works on it
        when ids are made for the first time.
    """
    _salt(folder)  # it is a run with a journal
    texts = RunFolder(folder).checked_table("texts").filter(pl.col("text") != "")
    if texts.is_empty():
        raise BadInput(f"{folder} has no text that could be marked; run it first")
    rows = texts.select("text_id", "model", "topic", "skills", "text").iter_rows()
    return labelling_of(
        folder,
        (
            (text_id, model, SkillCombination(topic, tuple(skills)), text)
            for text_id, model, topic, skills, text in rows
        ),
    )


def labelling_of(
    folder: Path, texts: Iterable[tuple[str, str, SkillCombination, str]]
) -> Labelling:
    """Give texts, each with its id in the run, who wrote it and what it is marked on, to people.

    Raises
    ------
    BadInput
        As `open_labelling`.
    """
    salt = _salt(folder)
    items = (Item(_opaque(salt, text[0]), *text) for text in texts)
    return Labelling(folder, {item.id: item for item in items})


def grader_name(person: str) -> str:
    """Return the grader that a person is.

    Raises
    ------
    BadInput
        If the name is empty, long, or has signs that do not print.

    Examples
    --------
    >>> grader_name("Ada L."), grader_name("person:Ada L.")
    ('person:Ada L.', 'person:Ada L.')
    """
    name = person.strip().removeprefix(f"{FAMILY}:")
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadInput(
            f"a person's name has 1 to {_LONGEST_NAME} printable signs; not {person[:80]!r}"
        )
    return f"{FAMILY}:{name}"


def _salt(folder: Path) -> bytes:
    """A secret of the run: without it, an id could be worked out from the name of a model."""
    with read_journal(folder) as journal:
        salt = journal.get(_SALT, str)
    if salt is None:
        with writing(folder, _COPY), open_journal(folder) as journal:
            salt = journal.get(_SALT, str) or secrets.token_hex(16)
            journal.put(_SALT, salt)
    return bytes.fromhex(salt)


def _opaque(salt: bytes, text_id: str) -> str:
    digest = hashlib.blake2b(text_id.encode(), key=salt, digest_size=6).hexdigest()
    letters = "".join(_LETTERS[int(digit, 16)] for digit in digest)
    return "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))


def _hash(what: str, seed: int, item_id: str) -> str:
    """A number by the opaque id: by the id in the run, places would tell whose texts they are."""
    label = f"unparrot labels 1, {what}, seed {seed}, {item_id}"
    return hashlib.blake2b(label.encode(), digest_size=16).hexdigest()
