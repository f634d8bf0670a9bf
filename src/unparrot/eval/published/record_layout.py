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
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from unparrot.core.errors import BadInput
from unparrot.core.skills import SkillCombination

_SETTING: Final = re.compile(r"k(\d+)_s(\d+)_v(.+)_r(\d+)")
_GRADED: Final = re.compile(r"by_(.+)_on_(.+_\d)_(\d+)_(.+)")
_TURN: Final = re.compile(r"(.+)_(\d)")
_ASKED: Final = ("k", "skills", "topic")
_MARKED: Final = (
    "score_0",
    "score_extracted_0",
    "points_0",
    "num_sentences_manual_in_student_answer_0",
    "true_sentence_lim_pt_0",
    "num_sentences_extracted_eq_num_sentences_model_0",
)
_SENTENCES, _WITHIN = _MARKED[3], _MARKED[4]
_BOLD_NAME: Final = re.compile(r"^\*\*(.+?)\*\*:", re.MULTILINE)


class Setting(NamedTuple):
    """What the name of a folder of records says: k, seed, generation prompt, generation round."""

    k: int
    seed: int
    prompt: str
    round: int


class Answer(NamedTuple):
    """A student's row: where it stands, what was asked, the graded text and the whole reply."""

    line: int
    combination: SkillCombination
    key: str
    text: str
    reply: str


class StudentFile(NamedTuple):
    """The answers of a student in one round; ``column`` holds the graded text."""

    path: str
    setting: Setting
    student: str
    column: str
    answers: tuple[Answer, ...]


class Grading(NamedTuple):
    """A grader's row: its prompt and reply, and what the published code recorded of them.

    ``key`` matches that of the answer. ``points`` is the recorded list of marks as text;
    ``sentences`` and ``within`` are the count of sentences by program, and whether it is within the
    limit; None where the record has no number.
    """

    line: int
    k: int
    key: str
    prompt: str
    reply: str
    points: str
    sentences: float | None
    within: float | None


class GradeFile(NamedTuple):
    """One grading round of a student's round."""

    path: str
    setting: Setting
    student: str
    grader: str
    column: str
    round: int
    prompt: str
    gradings: tuple[Grading, ...]


class Records(NamedTuple):
    """All files of a folder, and the SHA-256 of each by its path in the folder."""

    students: list[StudentFile]
    grades: list[GradeFile]
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
    records = Records([], [], {})
    for place, setting in _settings(folder):
        for student in sorted(item for item in place.iterdir() if item.is_dir()):
            path = student / "records.csv"
            if path.is_file():
                name, rows = _rows(path, folder, records.digests)
                records.students.append(_student(name, setting, student.name, rows))
                for graded in sorted((student / "graded").glob("*/records.csv")):
                    name, rows = _rows(graded, folder, records.digests)
                    records.grades.append(_graded(name, setting, student.name, rows))
            elif (student / "graded").is_dir():
                raise BadInput(f"{path} is missing, and there are grades of it; fetch it again")
    if not records.students:
        raise BadInput(
            f"{folder} holds no published records; name the folder that holds folders such as "
            "k3_s10_vdefault_r1, each with STUDENT/records.csv"
        )
    return records


def _graded(name: str, setting: Setting, student: str, rows: list[_Row]) -> GradeFile:
    parts = _GRADED.fullmatch(name.split("/")[-2])
    if parts is None:
        raise BadInput(
            f"{name}: the folder should be named by_GRADER_on_COLUMN_ROUND_PROMPT, as in "
            "by_gpt-4_on_text_1_1_gpt; rename it, or move it out of the records"
        )
    grader, column, number, prompt = parts.groups()
    gradings = tuple(_gradings(name, rows, setting.k))
    return GradeFile(name, setting, student, grader, column, int(number), prompt, gradings)


def _settings(folder: Path) -> list[tuple[Path, Setting]]:
    if not folder.is_dir():
        raise BadInput(f"there is no folder {folder}; name the folder of the published records")
    settings: list[tuple[Path, Setting]] = []
    for place in sorted(folder.iterdir()):
        parts = _SETTING.fullmatch(place.name)
        if parts and place.is_dir():
            k, seed, prompt, number = parts.groups()
            settings.append((place, Setting(int(k), int(seed), prompt, int(number))))
    return sorted(settings, key=lambda item: item[1])


class _Row(NamedTuple):
    line: int
    values: dict[str, str]


def _rows(path: Path, folder: Path, digests: dict[str, str]) -> tuple[str, list[_Row]]:
    """The path in the folder of a CSV file, and its rows with the line that each starts on."""
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
    start = 1
    try:
        header = next(reader, list[str]())
        start = reader.line_num + 1
        for fields in reader:
            if len(fields) != len(header):
                raise BadInput(
                    f"{name}, line {start}: {len(fields)} fields under {len(header)} columns, so "
                    "the file is torn; fetch it again, or take the row out"
                )
            rows.append(_Row(start, dict(zip(header, fields, strict=True))))
            start = reader.line_num + 1
    except csv.Error as error:
        raise BadInput(
            f"{name}, line {start}: not readable as CSV ({error}); fetch the file again, or take "
            "the row out"
        ) from error
    if len(set(header)) < len(header) or not set(_ASKED) <= set(header):
        raise BadInput(
            f"{name}, line 1: a file of records has the columns {', '.join(_ASKED)} and others, "
            f"each once; this one has {', '.join(header) or 'none'}"
        )
    return name, rows


def _turns(name: str, row: _Row, known: tuple[str, ...]) -> dict[str, dict[int, str]]:
    """Columns named after what they hold and a turn (``text_1``), by what and turn."""
    turns: dict[str, dict[int, str]] = {}
    for column in row.values:
        if column in known:
            continue
        parts = _TURN.fullmatch(column)
        if parts is None:
            raise BadInput(
                f"{name}, line 1: unknown column {column!r}; the published code writes none of "
                "that name: take it out, or fetch the file again"
            )
        turns.setdefault(parts[1], {})[int(parts[2])] = column
    return turns


def _student(name: str, setting: Setting, student: str, rows: list[_Row]) -> StudentFile:
    if not rows:
        return StudentFile(name, setting, student, "", ())
    turns = _turns(name, rows[0], (*_ASKED, "system prompt"))
    texts = turns.pop("text", {})
    turns.pop("model_input", None)
    if not texts or len(turns) != 2 or any(set(t) != set(texts) for t in turns.values()):
        raise BadInput(
            f"{name}, line 1: a student's file has, for each turn, the prompt, the reply, "
            f"model_input and text, as in user_0, assistant_0, model_input_0, text_0; this one has "
            f"{', '.join(rows[0].values)}"
        )
    last = max(texts)
    (_, prompts), (_, replies) = turns.items()
    answers = tuple(
        Answer(
            row.line,
            _combination(name, row, setting.k, row.values[prompts[0]]),
            _key(row),
            row.values[texts[last]].strip(),
            row.values[replies[last]],
        )
        for row in rows
    )
    return StudentFile(name, setting, student, texts[last], answers)


def _combination(name: str, row: _Row, k: int, prompt: str) -> SkillCombination:
    """The skills of a row. Names may hold commas: they are parted by a comma and a line break, and
    in records that were joined without one, by what the prompt defines."""
    where = f"{name}, line {row.line}"
    if row.values["k"].strip() != str(k):
        raise BadInput(
            f"{where}: k is {row.values['k']!r}, in a folder of k = {k}; move the file to its own"
        )
    joined = row.values["skills"]
    names = [part.strip() for part in re.split(r",\s*\n\s*", joined)]
    if len(names) != k:
        names = [part.strip() for part in joined.split(",")]
    if len(names) != k:
        names = [part.strip() for part in _BOLD_NAME.findall(prompt) if part.strip() in joined]
    if len(names) != k:
        raise BadInput(
            f"{where}: {joined!r} cannot be parted into {k} skills; put each on a line of its own, "
            "with a comma at the end of all but the last"
        )
    try:
        return SkillCombination(row.values["topic"].strip(), tuple(names))
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from error


def _key(row: _Row) -> str:
    """Topic and skills as one text that a student's row and a grader's have alike."""
    skills = " ".join(row.values["skills"].replace(",", " , ").split())
    return f"{row.values['topic'].strip()}: {skills}"


def _gradings(name: str, rows: list[_Row], k: int) -> Iterator[Grading]:
    if not rows:
        return
    turns = _turns(name, rows[0], (*_ASKED, "system prompt", "model_input_0", *_MARKED))
    roles = [columns[0] for columns in turns.values() if set(columns) == {0}]
    lacking = [column for column in _MARKED if column not in rows[0].values]
    if lacking or len(roles) != 2 or len(turns) != 2:
        raise BadInput(
            f"{name}, line 1: a grader's file has the prompt and the reply, as in user_0 and "
            f"assistant_0, and {', '.join(_MARKED)}; this one has {', '.join(rows[0].values)}"
        )
    for row in rows:
        yield Grading(
            row.line,
            int(_number(name, row, "k") or k),
            _key(row),
            row.values[roles[0]],
            row.values[roles[1]],
            row.values["points_0"],
            _number(name, row, _SENTENCES),
            _number(name, row, _WITHIN),
        )


def _number(name: str, row: _Row, column: str) -> float | None:
    text = row.values[column].strip()
    try:
        number = float(text) if text else math.nan
    except ValueError as error:
        raise BadInput(
            f"{name}, line {row.line}: {column} is {text!r}, not a number; fetch the file again"
        ) from error
    return number if math.isfinite(number) else None
