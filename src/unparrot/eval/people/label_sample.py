"""People as graders: which texts they are shown, and their marks, kept in labels.parquet.

A person sees a random sample of the texts, drawn k by k, without the names of models and without
what graders said. Their marks stand in grades.parquet beside those of graders, as those of
``person:NAME`` in the family ``person``. The length is counted by program and not asked.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from unparrot.core.errors import BadInput
from unparrot.core.grades import GradedText, Mark
from unparrot.core.records import RunFolder
from unparrot.core.skills import CRITERIA, SkillCombination
from unparrot.core.tables import GRADES_SCHEMA
from unparrot.eval.protocol.sentences import length_mark
from unparrot.eval.published.voting import family
from unparrot.eval.record.journal import open_journal, read_journal
from unparrot.eval.record.readback import LENGTH

TABLE: Final = "labels"
LOCK: Final = "labels.lock"
FAMILY: Final = "person"
ASKED: Final = tuple(name for name in CRITERIA if name != LENGTH)
"""Criteria that a person is asked about, besides the skills."""
CANNOT_TELL: Final = Mark.unscored("the person could not tell")
LEFT_BLANK: Final = Mark.unscored("the person left it blank")
_SALT: Final = "labels"
_LETTERS: Final = "bcdfghjklmnpqrst"
"""Of the ids: no spreadsheet takes a word of these for a number or a date."""
_LONGEST_NAME: Final = 60


class Item(NamedTuple):
    """A text to be marked; ``id`` does not tell whose it is, ``text_id`` names it in the run."""

    id: str
    text_id: str
    combination: SkillCombination
    text: str

    @property
    def criteria(self) -> tuple[str, ...]:
        """What is asked: the skills, then topic and sense."""
        return (*self.combination.skills, *ASKED)


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
        by_k: dict[int, list[Item]] = {}
        for item in self.items.values():
            by_k.setdefault(item.combination.k, []).append(item)
        places: list[tuple[float, int, Item]] = []
        for k, group in by_k.items():
            group.sort(key=lambda item: _hash("draw", seed, item.id))
            places += [((i + 0.5) / len(group), k, item) for i, item in enumerate(group)]
        places.sort(key=lambda place: place[:2])
        drawn = [item for *_, item in places[:n]]
        done = set[str]() if without is None else labelled(self.folder, without)
        left = [item for item in drawn if item.text_id not in done]
        return sorted(left, key=lambda item: _hash("order", seed, item.id))


def open_labelling(folder: Path) -> Labelling:
    """Read the texts of a run for people to mark.

    Raises
    ------
    BadInput
        If it is no run of `unparrot eval run`, it has no text yet, or another process works on it
        when ids are made for the first time.
    """
    salt = _salt(folder)
    texts = RunFolder(folder).read_table("texts").filter(pl.col("text") != "")
    if texts.is_empty():
        raise BadInput(f"{folder} has no text that could be marked; run it first")
    items = [
        Item(
            _opaque(salt, row["text_id"]),
            row["text_id"],
            SkillCombination(row["topic"], tuple(row["skills"])),
            row["text"],
        )
        for row in texts.iter_rows(named=True)
    ]
    return Labelling(folder, {item.id: item for item in items})


def grader_name(person: str) -> str:
    """Return the grader that a person is.

    Raises
    ------
    BadInput
        If the name is empty, long, or has signs that do not print.

    Examples
    --------
    >>> grader_name("Ada L.")
    'person:Ada L.'
    """
    name = person.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadInput(
            f"a person's name has 1 to {_LONGEST_NAME} printable signs; not {person[:80]!r}"
        )
    return f"{FAMILY}:{name}"


def _salt(folder: Path) -> bytes:
    """A secret of the run: without it, an id could be worked out from the name of a model."""
    journal = read_journal(folder)
    try:
        salt = journal.get(_SALT)
    finally:
        journal.close()
    if salt is None:
        journal = open_journal(folder)
        try:
            salt = journal.get(_SALT) or secrets.token_hex(16)
            journal.put(_SALT, salt)
        finally:
            journal.close()
    return bytes.fromhex(salt)


def _opaque(salt: bytes, text_id: str) -> str:
    digest = hashlib.blake2b(text_id.encode(), key=salt, digest_size=6).hexdigest()
    letters = "".join(_LETTERS[int(digit, 16)] for digit in digest)
    return "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))


def _hash(what: str, seed: int, item_id: str) -> str:
    """A number by the opaque id: by the id in the run, places would tell whose texts they are."""
    label = f"unparrot labels 1, {what}, seed {seed}, {item_id}"
    return hashlib.blake2b(label.encode(), digest_size=16).hexdigest()


def read_labels(folder: Path) -> pl.DataFrame:
    """Return what people have said, with the columns of grades.parquet; empty if nobody has.

    Raises
    ------
    BadInput
        If the table is not what it should be.
    """
    run = RunFolder(folder)
    if not (run.path / f"{TABLE}.parquet").is_file():
        return pl.DataFrame(schema=GRADES_SCHEMA)
    return run.checked_table(TABLE)


def by_text(labels: pl.DataFrame) -> dict[str, dict[str, dict[str, Mark]]]:
    """Return marks by id of the text in the run, then by person, then by criterion."""
    found: dict[str, dict[str, dict[str, Mark]]] = {}
    columns = ("text_id", "grader", "criterion", "status", "reason")
    for text_id, grader, criterion, status, reason in labels.select(columns).iter_rows():
        marks = found.setdefault(text_id, {}).setdefault(grader, {})
        marks[criterion] = Mark(status, reason)
    return found


def labelled(folder: Path, grader: str) -> set[str]:
    """Return the ids (in the run) of the texts that a person has marked."""
    table = read_labels(folder).filter(pl.col("grader") == grader)
    return set(table["text_id"].unique().to_list())


def keep_labels(folder: Path, grader: str, marks: Mapping[str, Mapping[str, Mark]]) -> None:
    """Keep a person's marks; a text that is marked again loses its earlier ones.

    Parameters
    ----------
    folder
        Of the run.
    grader
        Who marked, as from `grader_name`.
    marks
        By id of the text in the run (it has them all), then by criterion.
    """
    texts = RunFolder(folder).read_table("texts").filter(pl.col("text_id").is_in(list(marks)))
    models = dict(texts.select("text_id", "model").iter_rows())
    rows = [
        (
            text_id,
            criterion,
            criterion if criterion in CRITERIA else "skill",
            grader,
            FAMILY,
            family(models[text_id]),
            1,
            mark.status,
            mark.reason,
        )
        for text_id, given in marks.items()
        for criterion, mark in given.items()
    ]
    new = pl.DataFrame(rows, schema=GRADES_SCHEMA, orient="row")
    with _alone(folder):
        replaced = (pl.col("grader") == grader) & pl.col("text_id").is_in(list(marks))
        table = pl.concat([read_labels(folder).filter(~replaced), new])
        RunFolder(folder).write_table(TABLE, table)


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    """Let one process at a time change the labels. A run that goes on is not in the way."""
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def in_tables(folder: Path) -> bool:
    """Whether grades.parquet says what people have said of the texts of the run."""
    run = RunFolder(folder)
    columns = ["text_id", "grader", "criterion", "status"]
    texts = run.read_table("texts").filter(pl.col("text") != "")["text_id"]
    said = read_labels(folder).filter(pl.col("text_id").is_in(texts.to_list()))
    there = run.read_table("grades").filter(
        (pl.col("family") == FAMILY) & (pl.col("criterion") != LENGTH)
    )
    return said.select(columns).sort(columns).equals(there.select(columns).sort(columns))


def as_grades(labels: pl.DataFrame, texts: Sequence[GradedText]) -> pl.DataFrame:
    """Return labels as they stand in grades.parquet: those of texts of the run, with the length.

    The length is part of full marks, and the count is the same for everyone.
    """
    known = {text.id: text for text in texts if text.text}
    own = labels.filter(pl.col("text_id").is_in(list(known)))
    if own.is_empty():
        return own
    counted = own.unique(["text_id", "grader"], keep="first", maintain_order=True)
    marks = [
        length_mark(known[text_id].text, known[text_id].combination.k)
        for text_id in counted["text_id"]
    ]
    lengths = counted.with_columns(
        pl.lit(LENGTH).alias("criterion"),
        pl.lit(LENGTH).alias("kind"),
        pl.Series("status", [mark.status for mark in marks], dtype=pl.String),
        pl.lit("counted by program").alias("reason"),
    )
    return pl.concat([own, lengths.select(GRADES_SCHEMA.names())])
