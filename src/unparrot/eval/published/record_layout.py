"""The layout of the published records: folders, CSV files, and what a row holds.

    k{k}_s{seed}_v{prompt}_r{round}/{student}/records.csv
    k.../{student}/graded/by_{grader}_on_{column}_{grading round}_{grading prompt}/records.csv

`unparrot eval import DIR` reads DIR with this. Nothing is guessed: a file that is torn, lacks a
column or has one that the published code never wrote is refused with its line.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from unparrot.core.errors import BadInput
from unparrot.core.skills import SkillCombination
from unparrot.core.wording import plural

_SETTING: Final = re.compile(r"k(\d+)_s(\d+)_v(.+)_r(\d+)")
_GRADED: Final = re.compile(r"by_(.+)_on_(.+_\d)_(\d+)_(.+)")
_ASKED: Final = ("k", "skills", "topic")
_WITHIN: Final = "true_sentence_lim_pt_0"
_MARKED: Final = (
    "score_0",
    "score_extracted_0",
    "points_0",
    "num_sentences_manual_in_student_answer_0",
    _WITHIN,
    "num_sentences_extracted_eq_num_sentences_model_0",
)
_BOLD_NAME: Final = re.compile(r"^\*\*(.+?)\*\*:", re.MULTILINE)


class Setting(NamedTuple):
    """What the name of a folder of records says: k, seed, generation prompt, generation round."""

    k: int
    seed: int
    prompt: str
    round: int


class Answer(NamedTuple):
    """A student's row: where it stands, what was asked, the graded text and the whole reply.

    ``key`` has the topic, the skills, and which of the texts about them it is: what a grader's row
    about it has, too.
    """

    line: int
    combination: SkillCombination
    key: str
    text: str
    reply: str


class Grading(NamedTuple):
    """A grader's row: its prompt and reply, and what the published code recorded of them.

    ``key`` is that of the answer. ``points`` is the recorded list of marks as text; ``within``
    is whether the count of sentences by program is within the limit, None where the record has no
    number.
    """

    line: int
    k: int
    key: str
    prompt: str
    reply: str
    points: str
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


class Records(NamedTuple):
    """All files of a folder, and the SHA-256 of each by its path in the folder."""

    students: list[StudentFile]
    digests: dict[str, str]


def read_records(folder: Path) -> Records:
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
        raise BadInput(f"there is no folder {folder}; name the folder of the published records")
    places = [
        (Setting(int(parts[1]), int(parts[2]), parts[3], int(parts[4])), place)
        for place in folder.iterdir()
        if (parts := _SETTING.fullmatch(place.name)) and place.is_dir()
    ]
    records = Records([], {})
    for setting, place in sorted(places):
        for student in sorted(item for item in place.iterdir() if item.is_dir()):
            path = student / "records.csv"
            if path.is_file():
                records.students.append(_student(folder, path, setting, records.digests))
            elif (student / "graded").is_dir():
                raise BadInput(f"{path} is missing, and there are grades of it; fetch it again")
    if not records.students:
        raise BadInput(
            f"{folder} holds no published records, no *.eval and no samples_*.jsonl; name a file, "
            "or the folder that holds those, or folders such as "
            "k3_s10_vdefault_r1, each with STUDENT/records.csv"
        )
    return records


def _student(folder: Path, path: Path, setting: Setting, digests: dict[str, str]) -> StudentFile:
    name, header, rows = _rows(folder, path, digests)
    turns = sum(column.startswith("model_input_") for column in header)
    own = [f"{what}_{turn}" for what in ("model_input", "text") for turn in range(turns)]
    prompt, reply = _roles(name, header, own, max(1, turns))
    last = turns - 1
    answers = tuple(
        Answer(
            line,
            _combination(f"{name}, line {line}", row, setting.k, row[f"{prompt}_0"]),
            key,
            row[f"text_{last}"].strip(),
            row[f"{reply}_{last}"],
        )
        for line, key, row in rows
    )
    graded = sorted((path.parent / "graded").glob("*/records.csv"))
    grades = tuple(_grades(folder, each, setting.k, digests) for each in graded)
    return StudentFile(name, setting, path.parent.name, f"text_{last}", answers, grades)


def _grades(folder: Path, path: Path, k: int, digests: dict[str, str]) -> GradeFile:
    name, header, rows = _rows(folder, path, digests)
    parts = _GRADED.fullmatch(path.parent.name)
    if parts is None:
        raise BadInput(
            f"{name}: the folder should be named by_GRADER_on_COLUMN_ROUND_PROMPT, as in "
            "by_gpt-4_on_text_1_1_gpt; rename it, or move it out of the records"
        )
    prompt, reply = _roles(name, header, ["model_input_0", *_MARKED], 1)
    gradings = tuple(
        Grading(
            line,
            int(_number(f"{name}, line {line}", row, "k") or k),
            key,
            row[f"{prompt}_0"],
            row[f"{reply}_0"],
            row["points_0"],
            _number(f"{name}, line {line}", row, _WITHIN),
        )
        for line, key, row in rows
    )
    return GradeFile(name, parts[1], parts[2], int(parts[3]), parts[4], gradings)


# The line that a row starts on, what it is about, and its cells by column.
_Row = tuple[int, str, dict[str, str]]


def _rows(folder: Path, path: Path, digests: dict[str, str]) -> tuple[str, list[str], list[_Row]]:
    """The path of a CSV file in the folder, its header and its rows."""
    name = path.relative_to(folder).as_posix()
    content = path.read_bytes()
    digests[name] = hashlib.sha256(content).hexdigest()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput(
            f"{name}, line {line}: not UTF-8; save the file as UTF-8, or fetch it again"
        ) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[_Row] = []
    seen: Counter[str] = Counter()
    start = 1
    try:
        header = next(reader, list[str]())
        start = reader.line_num + 1
        for fields in reader:
            if len(fields) != len(header):
                raise BadInput(
                    f"{name}, line {start}: {plural(len(fields), 'field')} under "
                    f"{plural(len(header), 'column')}, so the file is torn; fetch it again, or "
                    "take the row out"
                )
            row = dict(zip(header, fields, strict=True))
            skills = " ".join(row.get("skills", "").replace(",", " , ").split())
            about = f"{row.get('topic', '').strip()}: {skills}"
            seen[about] += 1
            rows.append((start, f"{about} ({seen[about]})", row))
            start = reader.line_num + 1
    except csv.Error as error:
        raise BadInput(
            f"{name}, line {start}: not readable as CSV ({error}); fetch the file again, or take "
            "the row out"
        ) from error
    return name, header, rows


def _roles(name: str, header: Sequence[str], own: Sequence[str], turns: int) -> Sequence[str]:
    """What the file calls those who ask and answer (user and assistant, say) in these turns, once
    every other column is one that the published code writes."""
    plain = ["system prompt", *_ASKED, *own]
    roles = [column[:-2] for column in header if column.endswith("_0") and column not in plain]
    plain += [f"{role}_{turn}" for role in roles for turn in range(turns)]
    odd = [column for column in header if column not in plain or header.count(column) > 1]
    lacking = [column for column in plain[1:] if column not in header]
    if odd or lacking or len(roles) != 2:
        raise BadInput(
            f"{name}, line 1: the published code writes {', '.join(plain)}, with the prompt and "
            "the reply of each turn as in user_0 and assistant_0, each column once; unknown or "
            f"twice here: {', '.join(odd) or 'none'}, missing: {', '.join(lacking) or 'none'}; "
            "take out what is too much, or fetch the file again"
        )
    return roles


def _combination(where: str, row: dict[str, str], k: int, prompt: str) -> SkillCombination:
    """The skills of a row. Names may hold commas: they are parted by a comma and a line break, and
    in records that were joined without one, by what the prompt defines."""
    if row["k"].strip() != str(k):
        raise BadInput(
            f"{where}: k is {row['k']!r}, in a folder of k = {k}; move the file to its own"
        )
    joined = row["skills"]
    defined = [name for name in _BOLD_NAME.findall(prompt) if name.strip() in joined]
    for names in (re.split(r",\s*\n\s*", joined), joined.split(","), defined):
        if len(names) == k:
            break
    else:
        raise BadInput(
            f"{where}: {joined!r} cannot be parted into {k} skills; put each on a line of its own, "
            "with a comma at the end of all but the last"
        )
    try:
        return SkillCombination(row["topic"].strip(), tuple(name.strip() for name in names))
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from error


def _number(where: str, row: dict[str, str], column: str) -> float | None:
    text = row[column].strip()
    try:
        number = float(text) if text else math.nan
    except ValueError as error:
        raise BadInput(
            f"{where}: {column} is {text!r}, not a number; fetch the file again"
        ) from error
    return number if math.isfinite(number) else None
