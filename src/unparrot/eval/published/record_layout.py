"""The layout of the published records: folders, CSV files, and what a row holds.

    k{k}_s{seed}_v{prompt}_r{round}/{student}/records.csv
    k.../{student}/graded/by_{grader}_on_{column}_{grading round}_{grading prompt}/records.csv

`unparrot eval import DIR` reads DIR with this. Nothing is guessed: a file that is torn, lacks a
column or has one that the published code never wrote is refused with its line.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from unparrot.core.errors import BadInput
from unparrot.core.inputs import csv_rows, opened, text_of
from unparrot.core.skills import SkillCombination
from unparrot.core.wording import plural

_SETTING: Final = re.compile(r"k(\d+)_s(\d+)_v(.+)_r(\d+)")
_GRADED: Final = re.compile(r"by_(.+)_on_(.+_\d)_(\d+)_(.+)")
_ASKED: Final = ("k", "skills", "topic", "system prompt")
# What the published code writes of each turn of a student, and of a grading, besides the two roles.
_TURN: Final = ("model_input", "text")
_MARKED: Final = (
    "model_input", "score", "score_extracted", "points", "num_sentences_manual_in_student_answer",
    "true_sentence_lim_pt", "num_sentences_extracted_eq_num_sentences_model",
)  # fmt: skip


class Setting(NamedTuple):
    """What the name of a folder of records says: k, seed, generation prompt, generation round."""

    k: int
    seed: int
    prompt: str
    round: int


class Answer(NamedTuple):
    """A student's row: what was asked, the graded text and the whole reply.

    ``key`` has the topic, the skills, and which of the texts about them it is: what a grader's row
    about it has, too.
    """

    combination: SkillCombination
    key: str
    text: str
    reply: str


class Grading(NamedTuple):
    """A grader's row: its prompt and reply, and what the published code recorded of them.

    ``key`` is that of the answer. ``points`` are the recorded marks; ``within`` is 1 if the count
    of sentences by program is within the limit, 0 if not, None where the record has no number.
    """

    k: int
    key: str
    prompt: str
    reply: str
    points: tuple[float, ...]
    within: float | None


class GradeFile(NamedTuple):
    """One grading round of a student's round."""

    path: str
    grader: str
    column: str
    round: int
    prompt: str
    gradings: tuple[Grading, ...]


class StudentFile(NamedTuple):
    """The answers of a student in one round; ``column`` holds the text that is graded."""

    path: str
    setting: Setting
    student: str
    column: str
    answers: tuple[Answer, ...]
    grades: tuple[GradeFile, ...]


def read_records(folder: Path) -> list[StudentFile]:
    """Read a folder of published records.

    Parameters
    ----------
    folder
        Holds folders such as ``k3_s10_vdefault_r1``; whatever else it holds is left alone.

    Raises
    ------
    BadInput
        If there are no records, or a file cannot be read as what it should be; the message names
        the file, the line and what to do.
    """
    if not folder.is_dir():
        with opened(folder):  # says what it is
            pass
    places = [
        (Setting(int(parts[1]), int(parts[2]), parts[3], int(parts[4])), place)
        for place in folder.iterdir()
        if (parts := _SETTING.fullmatch(place.name)) and place.is_dir()
    ]
    files: list[StudentFile] = []
    for setting, place in sorted(places):
        for student in sorted(item for item in place.iterdir() if item.is_dir()):
            path = student / "records.csv"
            if path.is_file():
                files.append(_student(folder, path, setting))
            elif (student / "graded").is_dir():
                raise BadInput(f"{path} is missing, and there are grades of it; fetch it again")
    if not files:
        raise BadInput(
            f"{folder} holds no published records, no *.eval and no samples_*.jsonl; name a file, "
            "or the folder that holds those, or folders such as "
            "k3_s10_vdefault_r1, each with STUDENT/records.csv"
        )
    return files


def _student(folder: Path, path: Path, setting: Setting) -> StudentFile:
    name, (_, reply), turns, rows = _rows(folder, path, _TURN)
    last = turns - 1
    answers = tuple(
        Answer(
            _combination(where, row, setting.k),
            key,
            row[f"text_{last}"].strip(),
            row[f"{reply}_{last}"],
        )
        for where, key, row in rows
    )
    graded = sorted((path.parent / "graded").glob("*/records.csv"))
    grades = tuple(_grades(folder, each, setting.k) for each in graded)
    return StudentFile(name, setting, path.parent.name, f"text_{last}", answers, grades)


def _grades(folder: Path, path: Path, k: int) -> GradeFile:
    name, (prompt, reply), _, rows = _rows(folder, path, _MARKED)
    parts = _GRADED.fullmatch(path.parent.name)
    if parts is None:
        raise BadInput(
            f"{name}: the folder should be named by_GRADER_on_COLUMN_ROUND_PROMPT, as in "
            "by_gpt-4_on_text_1_1_gpt; rename it, or move it out of the records"
        )
    gradings = tuple(
        Grading(
            int(next(iter(_numbers(where, row, "k")), k)),
            key,
            row[f"{prompt}_0"],
            row[f"{reply}_0"],
            _numbers(where, row, "points_0"),
            next(filter(math.isfinite, _numbers(where, row, "true_sentence_lim_pt_0")), None),
        )
        for where, key, row in rows
    )
    return GradeFile(name, parts[1], parts[2], int(parts[3]), parts[4], gradings)


# Where a row stands, what it is about, and its cells by column.
_Row = tuple[str, str, dict[str, str]]


def _rows(folder: Path, path: Path, own: Sequence[str]) -> tuple[str, list[str], int, list[_Row]]:
    """The path of a CSV file in the folder, what it calls those who ask and answer (user and
    assistant, say), its number of turns, and its rows."""
    name = path.relative_to(folder).as_posix()
    lines = csv_rows(text_of(path.read_bytes(), name), name)[1]
    _, header = next(lines, (1, list[str]()))
    turns = sum(column.startswith("model_input_") for column in header)
    roles = [column.removesuffix("_0") for column in header[4:6]]
    plain = [*_ASKED, *(f"{what}_{turn}" for turn in range(turns) for what in (*roles, *own))]
    if not turns or Counter(header) != Counter(plain):
        odd = ", ".join((Counter(header) - Counter(plain)).elements()) or "none"
        lacking = ", ".join((Counter(plain) - Counter(header)).elements()) or "none"
        raise BadInput(
            f"{name}, line 1: the published code writes {', '.join(plain)}, with the prompt and "
            "the reply of each turn as in user_0 and assistant_0, each column once; unknown or "
            f"twice here: {odd}, missing: {lacking}; take out what is too much, or fetch the file "
            "again"
        )
    rows: list[_Row] = []
    seen: Counter[str] = Counter()
    for line, cells in lines:
        if len(cells) != len(header):
            raise BadInput(
                f"{name}, line {line}: {plural(len(cells), 'field')} under "
                f"{plural(len(header), 'column')}, so the file is torn; fetch it again, or take "
                "the row out"
            )
        row = dict(zip(header, cells, strict=True))
        about = f"{row['topic'].strip()}: {' '.join(row['skills'].replace(',', ' , ').split())}"
        seen[about] += 1
        rows.append((f"{name}, line {line}", f"{about} ({seen[about]})", row))
    return name, roles, turns, rows


def _combination(where: str, row: dict[str, str], k: int) -> SkillCombination:
    """The skills of a row. Names may hold commas: they are parted by a comma and a line break."""
    if row["k"].strip() != str(k):
        raise BadInput(
            f"{where}: k is {row['k']!r}, in a folder of k = {k}; move the file to its own"
        )
    names = re.split(r",\s*\n\s*", row["skills"])
    if len(names) != k:
        raise BadInput(
            f"{where}: {row['skills']!r} cannot be parted into {k} skills; put each on a line of "
            "its own, with a comma at the end of all but the last"
        )
    try:
        return SkillCombination(row["topic"].strip(), tuple(name.strip() for name in names))
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from error


def _numbers(where: str, row: dict[str, str], column: str) -> tuple[float, ...]:
    """The numbers in a cell, with commas between them."""
    try:
        return tuple(map(float, row[column].split(","))) if row[column].strip() else ()
    except ValueError as error:
        raise BadInput(
            f"{where}: {column} is {row[column]!r}, not numbers; fetch the file again"
        ) from error
