"""People mark a blind sample in the browser: the same texts, marks and files as `unparrot eval
label` in the terminal, so that either goes on where the other stopped.

Every mark is on disk before the next is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl
from msgspec import Struct

from unparrot.analysis.graders.measure import measure_graders
from unparrot.analysis.graders.rater_agreement import AgreementRow
from unparrot.analysis.read.grader_marks import checked
from unparrot.analysis.resampling import DEFAULT
from unparrot.core.errors import BadInput
from unparrot.core.grades import EARNED, MISSED, Mark
from unparrot.core.records import RunFolder
from unparrot.core.skills import LENGTH
from unparrot.eval.people.label_sample import CANNOT_TELL, Item, Labelling, grader_name
from unparrot.eval.record.labels import FAMILY, as_grades, by_text, read_begun, read_labels
from unparrot.view.folders import Recent, prepared_run

if TYPE_CHECKING:
    from unparrot.eval.record.prepare import Prepared

MOST: Final = 1000
"""Texts of a sample."""
SIGNS: Final[Mapping[str, Mark]] = {"1": EARNED, "0": MISSED, "?": CANNOT_TELL}
"""Marks as keys, and as they are sent."""


class Sample(Struct, frozen=True):
    """Who marks which texts.

    Parameters
    ----------
    by
        Name of the person.
    n, seed
        Of the sample (`unparrot.eval.people.label_sample.Labelling.sample`).
    """

    by: str
    n: int = 50
    seed: int = 1

    def __post_init__(self) -> None:
        grader_name(self.by)
        if not 1 <= self.n <= MOST or self.seed < 0:
            raise BadInput(
                f"a sample has 1 to {MOST:,} texts and a seed from 0 on; not {self.n} texts and "
                f"the seed {self.seed}"
            )

    @property
    def grader(self) -> str:
        """The grader that the person is."""
        return grader_name(self.by)


class Given(Struct, frozen=True, forbid_unknown_fields=True):
    """A mark as the page sends it: of whose sample, for which text and point; None takes the last
    one back."""

    sample: Sample
    text: str
    point: str
    mark: str | None


class Person(NamedTuple):
    """A person who has marked texts: the name, and how many texts have all of their marks."""

    name: str
    texts: int


class Sheets:
    """The samples of runs, as they are marked."""

    def __init__(self) -> None:
        self._runs: Recent[tuple[Prepared, Labelling]] = Recent()

    def _open(self, run: Path) -> tuple[Prepared, Labelling]:
        from unparrot.eval.people.label_sample import open_labelling

        texts = run / "texts.parquet"
        stamp = texts.stat().st_mtime_ns if texts.is_file() else None
        return self._runs.get(run, stamp, lambda: (prepared_run(run), open_labelling(run)))

    def sheet(self, run: Path, sample: Sample) -> list[dict[str, Any]]:
        """The texts of a sample in their order: without models, with what each point means and the
        marks that the person has given."""
        prepared, labelling = self._open(run)
        own = _marks_of(run, sample.grader)
        return [
            {
                "id": item.id,
                "topic": item.combination.topic if "topic" in item.criteria else "",
                "text": item.text,
                "points": [
                    {
                        "name": name,
                        "meaning": _meaning(prepared, item, name),
                        "mark": _sign(own.get(item.text_id, {}).get(name)),
                    }
                    for name in item.criteria
                ],
            }
            for item in labelling.sample(sample.n, sample.seed)
        ]

    def keep(self, run: Path, given: Given) -> dict[str, str]:
        """Keep a mark, and return the person's marks of the text once they are on disk.

        Raises
        ------
        BadInput
            If there is no such text, point or mark.
        CannotWrite
            If the run's folder is read-only, say.
        """
        _, labelling = self._open(run)
        item = labelling.items.get(given.text)
        if item is None:
            raise BadInput(f"there is no text {given.text[:80]!r} in this run")
        mark = None if given.mark is None else SIGNS.get(given.mark)
        if given.mark is not None and mark is None:
            raise BadInput(f"a mark is one of {', '.join(SIGNS)}; not {given.mark[:80]!r}")
        marks = labelling.keep_mark(given.sample.grader, item, given.point, mark)
        return {name: _sign(each) for name, each in marks.items()}

    def put_into_tables(self, run: Path) -> None:
        """Write the tables of a run with all labels, as the command does when a person ends.

        Raises
        ------
        BadInput
            If another process works on the run, which then writes them itself.
        """
        from unparrot.eval.ask.run import rewrite

        rewrite(self._open(run)[0])


def _meaning(prepared: Prepared, item: Item, name: str) -> str:
    questions = {"topic": "The text is about the topic.", "sense": "The text makes sense."}
    skill = name in item.combination.skills
    return prepared.pack.skill(name).definition if skill else questions[name]


def _sign(mark: Mark | None) -> str:
    """The key of a mark; nothing where there is none."""
    if mark is None:
        return ""
    return next((sign for sign, each in SIGNS.items() if each.status == mark.status), "?")


def _marks_of(run: Path, grader: str) -> dict[str, dict[str, Mark]]:
    """A person's marks by id of the text in the run, also of texts that are only begun."""
    labels = by_text(read_labels(run).filter(pl.col("grader") == grader))
    ended = {text_id: marks[grader] for text_id, marks in labels.items()}
    return read_begun(run).get(grader, {}) | ended


def people(run: Path) -> list[Person]:
    """Those who have marked texts of a run."""
    labels = read_labels(run)
    counts = dict.fromkeys(read_begun(run), 0)
    counts |= dict(labels.group_by("grader").agg(pl.col("text_id").n_unique()).iter_rows())
    return [Person(name.removeprefix(f"{FAMILY}:"), n) for name, n in sorted(counts.items())]


def agreement(run: Path) -> Sequence[AgreementRow]:
    """How every person agrees with every grader and every other person, on the texts that both
    marked: `unparrot.analysis.graders.measure.measure_graders` of the labels as they are now.

    Raises
    ------
    BadInput
        If nobody has marked a text, or there are no other marks.
    """
    folder, labels = RunFolder(run), read_labels(run)
    if labels.is_empty():
        raise BadInput("Nobody has marked a whole text of this run yet.")
    ids = labels["text_id"].unique().implode()
    with folder.scanned_table("graded") as graded:
        marked = graded.filter(pl.col("text_id").is_in(ids), pl.col("kind") == LENGTH)
        lengths = dict(marked.select("text_id", pl.col("status").cast(pl.String)).collect().rows())
    with folder.scanned_table("texts") as table:
        texts = table.filter(pl.col("text_id").is_in(ids), pl.col("text") != "").collect()
    lengths = {text_id: lengths[text_id] for text_id in texts["text_id"]}
    tables = [as_grades(labels, lengths)]
    if (run / "grades.parquet").is_file():
        with folder.scanned_table("grades") as grades:
            others = grades.filter(pl.col("text_id").is_in(ids), pl.col("family") != FAMILY)
            tables.insert(0, others.select(tables[0].columns).collect())
    marks = checked(pl.concat(tables), str(run))
    report = measure_graders(marks, texts, skills=False, sampling=DEFAULT)
    persons = set(labels["grader"])
    return [
        row
        for row in report.agreement
        if row.between == "graders" and len(row.raters) == 2 and persons & set(row.raters)
    ]
