"""From published records to graded texts: `unparrot eval import DIR`.

A text is the graded turn of a student's conversation. Its skills, topic and sense are put to the
vote of one grader's rounds: the majority of the marks that exist; a tie or no mark is unscored.
Rounds that are copies of one another are one vote. The point for length is the program's, as
recorded. Beside the verdicts stand all marks, grader by grader and round by round.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import polars as pl

from unparrot.core.errors import BadInput
from unparrot.core.grades import EARNED, MISSED, GradedText, Mark
from unparrot.core.skills import CRITERIA, LENGTH
from unparrot.core.tables import GRADES_SCHEMA
from unparrot.eval.protocol.votes import all_unscored, verdict
from unparrot.eval.published.copies import Copy, copied_replies
from unparrot.eval.published.findings_in_records import Findings, Written
from unparrot.eval.published.record_layout import (
    Answer,
    GradeFile,
    Grading,
    Records,
    Setting,
    StudentFile,
)
from unparrot.eval.published.replies import Reading, read_reply
from unparrot.eval.record.grade_rows import PROGRAM, grade_rows

_NUMBER: Final = re.compile(r"\s*-?\d+(?:\.\d*)?\s*")
SPLIT: Final = "unknown"
"""How new a combination was to a published model is not known."""
DECODING: Final = "published"
LEAST_MARKS: Final = 20
"""Marks from which on the analysis sees by itself that two rounds of a grader are one."""


@dataclass(frozen=True, slots=True)
class Imported:
    """Graded texts, the marks of all graders, and what was found on the way.

    Parameters
    ----------
    texts
        In the order of the records; ``sample`` is the round less 1, and more where a combination
        was drawn twice.
    grades
        With the columns `GRADES_SCHEMA`. The program that counts sentences is a grader, too.
    grader
        Whose majority the texts' marks are.
    findings
        Counts and faults.
    """

    texts: tuple[GradedText, ...]
    grades: pl.DataFrame
    grader: str
    findings: Findings


class _Graded(NamedTuple):
    """A reply, read, and which earlier round of the grader it repeats, if any."""

    grading: Grading
    reading: Reading
    copy_of: int | None


_Votes = dict[tuple[str, int], _Graded]
"""The replies about one text, by grader and round."""


def import_records(records: Records, grader: str | None = None) -> Imported:
    """Turn published records into graded texts.

    Parameters
    ----------
    records
        As read.
    grader
        Whose marks decide; needed only where several graders graded.

    Raises
    ------
    BadInput
        If nobody graded, the grader is not there, or several are and none is named.
    """
    findings = Findings()
    votes = _votes(records, findings)
    chosen = _chosen(findings, grader)
    prompts: dict[tuple[str, int], set[str]] = defaultdict(set)
    for file in records.students:
        prompts[file.student, file.setting.k].add(file.setting.prompt)
    rounds = max(file.setting.round for file in records.students)
    taken: set[tuple[str, str, str, int]] = set()
    texts: list[GradedText] = []
    rows: list[tuple[str | int, ...]] = []
    for file in records.students:
        several = len(prompts[file.student, file.setting.k]) > 1
        decoding = f"{DECODING}, prompt {file.setting.prompt}" if several else DECODING
        for answer in file.answers:
            replies = votes.get((file.path, answer.line), {})
            sample = file.setting.round - 1
            while (place := (file.student, decoding, answer.combination.id, sample)) in taken:
                sample += rounds
            taken.add(place)
            marks = _verdict(answer, replies, chosen)
            origin = (file.student, SPLIT, decoding, sample, None)
            text = GradedText(answer.combination, answer.text, marks, *origin)
            texts.append(text)
            rows += _rows(text, replies)
            for mark in text.marks.values():
                if mark.status == "unscored":
                    findings.unscored_verdicts[mark.reason] += 1
    findings.students = _written(records, votes, chosen)
    for name in ("unscored_marks", "unscored_verdicts"):
        setattr(findings, name, Counter(dict(getattr(findings, name).most_common())))
    grades = pl.DataFrame(rows, schema=GRADES_SCHEMA, orient="row")
    return Imported(tuple(texts), _one_vote_for_copies(grades), chosen, findings)


def _chosen(findings: Findings, grader: str | None) -> str:
    names = list(findings.replies)
    if not names:
        raise BadInput(
            "the records hold no grades; they stand in STUDENT/graded/by_GRADER_on_text_1_1_PROMPT/"
            "records.csv"
        )
    if grader is None and len(names) > 1:
        raise BadInput(f"several graders graded: {', '.join(names)}; say whose marks decide")
    if grader is not None and grader not in names:
        raise BadInput(f"there is no grader {grader!r}; there are {', '.join(names)}")
    return grader or names[0]


def _votes(records: Records, findings: Findings) -> dict[tuple[str, int], _Votes]:
    """The replies about each text, by the file and line of the text."""
    students = {(file.setting, file.student): file for file in records.students}
    prompts: dict[str, set[str]] = defaultdict(set)
    for file in records.grades:
        prompts[file.grader].add(file.prompt)
    groups: dict[tuple[Setting, str, str], list[GradeFile]] = defaultdict(list)
    for file in records.grades:
        student = students[file.setting, file.student]
        if file.column != student.column:
            findings.files_of_other_turns.append(file.path)
            continue
        several = len(prompts[file.grader]) > 1
        name = f"{file.grader}, prompt {file.prompt}" if several else file.grader
        groups[file.setting, file.student, name].append(file)
    votes: dict[tuple[str, int], _Votes] = defaultdict(dict)
    for (setting, model, name), files in groups.items():
        student = students[setting, model]
        matched = {file.round: _matched(student, file, findings) for file in files}
        copies, pairs = copied_replies(
            {
                number: {line: grading.reply for line, (_, grading) in replies.items()}
                for number, replies in matched.items()
            }
        )
        findings.identical_rounds += [Copy(model, *setting, name, *pair) for pair in pairs]
        for number, replies in sorted(matched.items()):
            for line, (answer, grading) in replies.items():
                findings.replies[name] += 1
                graded = _Graded(grading, _reading(answer, grading), copies.get((number, line)))
                votes[student.path, line][name, number] = graded
                _count(graded, answer, findings)
    return votes


def _matched(
    student: StudentFile, file: GradeFile, findings: Findings
) -> dict[int, tuple[Answer, Grading]]:
    """By line of the text, the text and the reply about it: the n-th about a combination belongs
    to the n-th text of that combination."""
    answers: dict[str, list[Answer]] = defaultdict(list)
    for answer in student.answers:
        answers[answer.key].append(answer)
    matched: dict[int, tuple[Answer, Grading]] = {}
    for grading in file.gradings:
        if answers[grading.key]:
            answer = answers[grading.key].pop(0)
            matched[answer.line] = answer, grading
        else:
            findings.replies_astray += 1
    return matched


def _reading(answer: Answer, grading: Grading) -> Reading:
    reading = read_reply(grading.prompt, grading.reply, answer.combination, answer.text)
    if " ".join(answer.text.split()) in " ".join(grading.prompt.split()):
        return reading
    reason = Mark.unscored("the grader was shown another text")
    return reading._replace(marks=dict.fromkeys(reading.marks, reason), numbers=())


def _count(graded: _Graded, answer: Answer, findings: Findings) -> None:
    """Count what is wrong with a reply, once for all of its copies."""
    if graded.copy_of is not None:
        return
    grading, reading = graded.grading, graded.reading
    k = answer.combination.k
    points = grading.points.split(",")
    recorded = [float(part) for part in points if _NUMBER.fullmatch(part)]
    findings.replies_read += 1
    findings.faults.update(
        {
            "are cut off before their end": bool(reading.numbers) and reading.total is None,
            "answer a prompt with an empty rubric: topic, sense and length were not asked for": (
                not reading.rubric
            ),
            "give other marks than the records say": tuple(recorded) != reading.numbers,
            "state a total that is not the sum of their marks": (
                reading.total not in (None, sum(reading.numbers))
            ),
            "were asked for the parts of a name that holds a comma": grading.k != k,
        }
    )
    findings.marks_recorded += k + len(CRITERIA)
    findings.marks_padded += max(0, k + len(CRITERIA) - len(recorded))
    for criterion, mark in reading.marks.items():
        if mark.status == "unscored" and criterion != LENGTH:
            findings.unscored_marks[mark.reason] += 1


def _verdict(answer: Answer, replies: _Votes, grader: str) -> dict[str, Mark]:
    """The marks of a text: the majority for skills, topic and sense, the program for length."""
    fault = _fault(answer)
    if fault:
        return all_unscored(answer.combination, fault)
    by_grader = [graded for (name, _), graded in replies.items() if name == grader]
    if not by_grader:
        return all_unscored(answer.combination, f"{grader} has not graded the text")
    rounds = [graded.reading.marks for graded in by_grader if graded.copy_of is None]
    return verdict(answer.combination, rounds, _within(replies.values()))


def _within(replies: Iterable[_Graded]) -> Mark:
    """The program's point for length, which every record of a text repeats."""
    points = {reply.grading.within for reply in replies} - {None}
    if points == {1.0}:
        return EARNED
    if points == {0.0}:
        return MISSED
    return Mark.unscored("the records disagree on it" if points else "no count is recorded")


def _fault(answer: Answer) -> str:
    """Why a recorded text is not what the student answered, or nothing."""
    if not answer.text:
        return "the student's answer is empty"
    before, text, after = answer.reply.partition(answer.text)
    if not text:
        return "the recorded text is not in the student's reply"
    if re.match(r"\s*Explanation\b(?!\W*:|[ \t*]*(?:\n|$))", after):
        return "the published code cut the answer at the word Explanation"
    if len(re.findall(r"\bAnswer\s*:", before)) > 1:
        return "the published code took what follows a second 'Answer:'"
    return ""


def _rows(text: GradedText, replies: _Votes) -> Iterator[tuple[str | int, ...]]:
    """The marks of a text grader by grader, as rows of grades.parquet."""
    for (grader, number), graded in replies.items():
        marks = graded.reading.marks
        if graded.copy_of is not None:
            prefix = f"{_COPIED} {graded.copy_of}\n"
            marks = {name: Mark(m.status, prefix + m.reason) for name, m in marks.items()}
        yield from grade_rows(text.id, text.model, grader, number, marks)
    if replies:
        counted = {LENGTH: _within(replies.values())}
        yield from grade_rows(text.id, text.model, PROGRAM, 1, counted, "program")


_COPIED: Final = "word for word the reply of round"


def _one_vote_for_copies(grades: pl.DataFrame) -> pl.DataFrame:
    """Leave a round that copies another throughout as it is, for the analysis to find and to count
    as one; where only some replies are copies, their marks are unscored, or they would be counted.
    """
    copied = pl.col("reason").str.starts_with(_COPIED)
    source, reason = (pl.col("reason").str.splitn("\n", 2).struct[i] for i in (0, 1))
    one = copied.all() & (source.n_unique() == 1) & (pl.len() >= LEAST_MARKS)
    whole = one.over("grader", "round")
    return grades.with_columns(
        pl.when(copied & ~whole).then(pl.lit("unscored")).otherwise("status").alias("status"),
        pl.when(copied & whole)
        .then(reason)
        .when(copied)
        .then(source)
        .otherwise("reason")
        .alias("reason"),
    )


def _written(
    records: Records, votes: Mapping[tuple[str, int], _Votes], grader: str
) -> list[Written]:
    files: dict[tuple[str, int, int, str], list[StudentFile]] = defaultdict(list)
    rounds: dict[tuple[int, int], set[int]] = defaultdict(set)
    for file in records.students:
        k, seed, prompt, number = file.setting
        files[file.student, k, seed, prompt].append(file)
        rounds[k, seed].add(number)
    return [
        Written(
            student,
            k,
            seed,
            prompt,
            tuple(sorted(file.setting.round for file in group)),
            tuple(sorted(rounds[k, seed] - {file.setting.round for file in group})),
            sum(len(file.answers) for file in group),
            sum(
                any(name == grader for name, _ in votes.get((file.path, answer.line), {}))
                for file in group
                for answer in file.answers
            ),
        )
        for (student, k, seed, prompt), group in sorted(files.items())
    ]
