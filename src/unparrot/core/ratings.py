"""Tables of ratings, CSV or Parquet: any items, whoever rated them, by whatever criteria.

One row a mark, in the columns

    item           what was rated: its number or name
    rater          who rated: a model, a program or a person
    mark           1 or 0, yes or no, pass or fail, ...; ? or nothing where there is none; with
                   a pass mark any number
    criterion      optional: what was judged, where an item is rated for several things
    round          optional: which of several ratings by one rater, from 1
    text           optional: what was rated, for the bias for length
    author         optional: who wrote it, for the bias for the own family; an item may have several
    human          optional: what a person says of this item (and criterion), on any of its rows
    family         optional: of the rater
    author_family  optional: of the author; families are else the letters that names begin with

so that the raters can be measured as the graders of a run are.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from unparrot.core.errors import BadInput
from unparrot.core.grades import Mark, family, read_mark
from unparrot.core.inputs import number, opened, read_rows
from unparrot.core.tables import GRADES_SCHEMA, TEXTS_SCHEMA

REQUIRED: Final = ("item", "rater", "mark")
OPTIONAL: Final = (
    "criterion", "round", "text", "author", "human", "family", "author_family",
)  # fmt: skip
MOST_ROUNDS: Final = 1000
PEOPLE: Final = "human"
"""Name of the rater whose marks stand in the column of this name, and the truth if there is one."""


class Ratings(NamedTuple):
    """A table of ratings as the tables of a run: ``grades``; ``texts`` with the number of
    ``criteria`` of each; and the rater who is right, if people rated."""

    grades: pl.DataFrame
    texts: pl.DataFrame
    truth: str | None


def read_ratings(path: Path, pass_mark: float | None = None) -> Ratings:
    """Read a table of ratings.

    Parameters
    ----------
    path
        The file, CSV or Parquet.
    pass_mark
        Least number that is earned, for marks on a scale.

    Raises
    ------
    BadInput
        If a column is missing, an item or a rater has no name, a mark cannot be read, a rater rates
        something twice in a round, or rows contradict each other; the message names the line.
    """
    first: dict[tuple[str, ...], tuple[str, str]] = {}

    def settle(where: str, *key: str, value: str) -> None:
        """Refuse a value that an earlier row has otherwise."""
        before, earlier = first.setdefault(key, (value, where))
        if before != value:
            raise BadInput(
                f"{where}: the {key[0]} of {key[1]!r} is {value[:60]!r}, and {before[:60]!r} in "
                f"{earlier}; keep one"
            )

    marks: dict[tuple[str, str, str, int], tuple[str, str, Mark]] = {}
    texts: dict[str, tuple[str, str, str]] = {}
    for where, row in read_table(path):
        item, rater, author = row["item"], row["rater"], row.get("author", "")
        criterion, n = row.get("criterion") or "mark", number(row.get("round") or "1")
        if not (item and rater and 1 <= n <= MOST_ROUNDS and n == int(n)):
            raise BadInput(f"{where}: name item and rater, and count rounds from 1; not {row}")
        text_id = f"{item} by {author}" if author else item
        families = row.get("family") or family(rater), row.get("author_family") or family(author)
        given = [(rater, int(n), families[0], row["mark"])]
        if row.get("human"):
            settle(where, "human", text_id, criterion, value=row["human"])
            given.append((PEOPLE, 1, PEOPLE, row["human"]))
        for who, times, whose, written in given:
            place = (text_id, criterion, who, times)
            mark = read_mark(written, where, pass_mark)
            if place in marks and (who != PEOPLE or marks[place][2] != mark):
                raise BadInput(
                    f"{where}: {who} rates {item!r} a second time; number its ratings in a column "
                    "round, or keep one"
                )
            marks[place] = whose, families[1], mark
        if text := row.get("text", ""):
            settle(where, "text", text_id, value=text)
        texts[text_id] = author, item, text or texts.get(text_id, ("", "", ""))[2]
    people = any(who == PEOPLE for _, _, who, _ in marks)
    rows = [
        (text_id, criterion, criterion, who, *families, times, mark.status, mark.reason)
        for (text_id, criterion, who, times), (*families, mark) in marks.items()
    ]
    grades = pl.DataFrame(rows, GRADES_SCHEMA, orient="row")
    grades = grades.sort(pl.col("grader") == PEOPLE, maintain_order=True)
    criteria = grades.group_by("text_id").agg(
        criteria=pl.col("criterion").n_unique().cast(pl.Int64)
    )
    about = [
        (name, author, item, list[str](), text) for name, (author, item, text) in texts.items()
    ]
    names = ("text_id", "model", "topic", "skills", "text")
    table = pl.DataFrame(about, {name: TEXTS_SCHEMA[name] for name in names}, orient="row")
    with_k = table.join(criteria, on="text_id", maintain_order="left").with_columns(k="criteria")
    return Ratings(grades, with_k, PEOPLE if people else None)


def read_table(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the rows of a table of ratings, each with the place where it stands.

    Raises
    ------
    BadInput
        If the file cannot be read as CSV or Parquet, lacks a column, or is empty.
    """
    with opened(path) as file:
        parquet = file.read(4) == b"PAR1"
    if not parquet:
        numbered = read_rows(path, REQUIRED, OPTIONAL, numbers=("mark", "human"))
        rows = ((f"{path}, line {n}", row) for n, row in numbered)
    else:
        try:
            frame = pl.read_parquet(path, glob=False)
            kept = [name for name in (*REQUIRED, *OPTIONAL) if name in frame.columns]
            cells = pl.col(kept).cast(pl.String).fill_null("").str.strip_chars()
            named = frame.select(cells).iter_rows(named=True)
        except pl.exceptions.PolarsError as error:
            why = str(error).partition("\n")[0]
            raise BadInput(
                f"{path} is not whole, or a cell is no text and no number ({why}); write it again"
            ) from error
        if lacking := [name for name in REQUIRED if name not in kept]:
            raise BadInput(f"{path} has no column {lacking[0]!r} but {', '.join(frame.columns)}")
        rows = ((f"{path}, row {n}", row) for n, row in enumerate(named, 1))
    last = None
    for last in rows:
        yield last
    if last is None:
        raise BadInput(f"{path} has no row; a row is a mark: {','.join(REQUIRED)}")
