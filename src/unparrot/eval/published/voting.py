"""From published records to graded texts: `unparrot eval import DIR`.

A text is the graded turn of a student's conversation. Its skills, topic and sense are put to the
vote of one grader's rounds: the majority of the marks that exist; a tie or no mark is unscored.
Rounds that are copies of one another are one vote. The point for length is the program's, as
recorded. Beside the verdicts stand all marks, grader by grader and round by round.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import polars as pl

from unparrot.core.errors import BadInput
from unparrot.core.grades import EARNED, MISSED, GradedText, Mark
from unparrot.core.skills import CRITERIA, LENGTH
from unparrot.core.tables import GRADES_SCHEMA
from unparrot.eval.protocol.votes import all_unscored, verdict
from unparrot.eval.published.findings_in_records import Copy, Findings, Written, copied_replies
from unparrot.eval.published.record_layout import Answer, Grading, Records, StudentFile
from unparrot.eval.published.replies import Reading, read_reply
from unparrot.eval.record.grade_rows import PROGRAM, grade_rows

_NUMBER: Final = re.compile(r"\s*-?\d+(?:\.\d*)?\s*")
# How new a combination was to a published model is not known.
SPLIT: Final = "unknown"
DECODING: Final = "published"
# Marks from which on the analysis sees by itself that two rounds of a grader are one.
LEAST_MARKS: Final = 20


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
    private
        Whether the skills are of a private pack.
    """

    texts: tuple[GradedText, ...]
    grades: pl.DataFrame
    grader: str
    findings: Findings
    private: bool = False


class _Graded(NamedTuple):
    """A reply in one round of a grader, read, and which earlier round it repeats, if any."""

    grader: str
    round: int
    grading: Grading
    reading: Reading
    copy_of: int | None


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
    chosen = chosen_grader(list(findings.replies), grader)
    prompts: dict[tuple[str, int], set[str]] = defaultdict(set)
    for file in records.students:
        prompts[file.student, file.setting.k].add(file.setting.prompt)
    rounds = max(file.setting.round for file in records.students)
    drawn: Counter[tuple[str, str, str, int]] = Counter()
    texts: list[GradedText] = []
    rows: list[tuple[str | int | None, ...]] = []
    for file in records.students:
        k, _, prompt, number = file.setting
        several = len(prompts[file.student, k]) > 1
        decoding = f"{DECODING}, prompt {prompt}" if several else DECODING
        for answer in file.answers:
            replies = votes[file.path, answer.key]
            place = (file.student, decoding, answer.combination.id, number)
            origin = (file.student, SPLIT, decoding, number - 1 + rounds * drawn[place], None)
            drawn[place] += 1
            marks = _verdict(answer, replies, chosen)
            texts.append(GradedText(answer.combination, answer.text, marks, *origin))
            rows += _rows(texts[-1], replies)
            findings.unscored_verdicts.update(_reasons(marks.values()))
    findings.students = _written(records, votes, chosen)
    for name in ("unscored_marks", "unscored_verdicts"):
        setattr(findings, name, Counter(dict(getattr(findings, name).most_common())))
    return Imported(tuple(texts), _grades(rows), chosen, findings)


def chosen_grader(names: Sequence[str], grader: str | None) -> str:
    """Return whose marks decide: the one who is named, or the only one.

    Raises
    ------
    BadInput
        If nobody graded, the grader is not there, or several are and none is named.
    """
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


# The replies about each text, by its file and key.
_Votes = Mapping[tuple[str, str], Sequence[_Graded]]


def _votes(records: Records, findings: Findings) -> _Votes:
    prompts: dict[str, set[str]] = defaultdict(set)
    for student in records.students:
        for file in student.grades:
            prompts[file.grader].add(file.prompt)
    votes: defaultdict[tuple[str, str], list[_Graded]] = defaultdict(list)
    for student in records.students:
        answers = {answer.key: answer for answer in student.answers}
        rounds: dict[str, dict[int, dict[str, Grading]]] = defaultdict(dict)
        for file in student.grades:
            if file.column != student.column:
                findings.files_of_other_turns.append(file.path)
                continue
            several = len(prompts[file.grader]) > 1
            name = f"{file.grader}, prompt {file.prompt}" if several else file.grader
            about = {each.key: each for each in file.gradings if each.key in answers}
            findings.replies_astray += len(file.gradings) - len(about)
            rounds[name][file.round] = about
        for name, gradings in rounds.items():
            copies, pairs = copied_replies(
                {n: {key: g.reply for key, g in about.items()} for n, about in gradings.items()}
            )
            findings.identical_rounds += [
                Copy(student.student, *student.setting, name, *pair) for pair in pairs
            ]
            for number, about in sorted(gradings.items()):
                findings.replies[name] += len(about)
                for key, grading in about.items():
                    reading, copy_of = _reading(answers[key], grading), copies.get((number, key))
                    votes[student.path, key].append(
                        _Graded(name, number, grading, reading, copy_of)
                    )
                    if copy_of is None:  # a fault is counted once for all copies of a reply
                        _count(answers[key].combination.k, grading, reading, findings)
    return votes


def _reading(answer: Answer, grading: Grading) -> Reading:
    reading = read_reply(grading.prompt, grading.reply, answer.combination, answer.text)
    if " ".join(answer.text.split()) in " ".join(grading.prompt.split()):
        return reading
    reason = "the grader was shown another text"
    return reading._replace(marks=all_unscored(answer.combination, reason), numbers=())


def _count(k: int, grading: Grading, reading: Reading, findings: Findings) -> None:
    """Count what is wrong with a reply."""
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
    asked = [mark for criterion, mark in reading.marks.items() if criterion != LENGTH]
    findings.unscored_marks.update(_reasons(asked))


def _reasons(marks: Iterable[Mark]) -> list[str]:
    return [mark.reason for mark in marks if mark.status == "unscored"]


def _verdict(answer: Answer, replies: Sequence[_Graded], grader: str) -> dict[str, Mark]:
    """The marks of a text: the majority for skills, topic and sense, the program for length."""
    decisive = [graded for graded in replies if graded.grader == grader]
    fault = _fault(answer) or ("" if decisive else f"{grader} has not graded the text")
    if fault:
        return all_unscored(answer.combination, fault)
    rounds = [graded.reading.marks for graded in decisive if graded.copy_of is None]
    return verdict(answer.combination, rounds, _within(replies))


def _within(replies: Sequence[_Graded]) -> Mark:
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


def _rows(text: GradedText, replies: Sequence[_Graded]) -> Iterator[tuple[str | int | None, ...]]:
    """The marks of a text grader by grader, as rows of grades.parquet, each with the round
    that it is a copy of."""
    for graded in replies:
        whose = (text.id, text.model, graded.grader, graded.round)
        for row in grade_rows(*whose, graded.reading.marks):
            yield (*row, graded.copy_of)
    if replies:
        for row in grade_rows(
            text.id, text.model, PROGRAM, 1, {LENGTH: _within(replies)}, "program"
        ):
            yield (*row, None)


def _grades(rows: Sequence[tuple[str | int | None, ...]]) -> pl.DataFrame:
    """Leave a round that copies another throughout as it is, for the analysis to find and to count
    as one; where only some replies are copies, their marks are unscored, or they would be counted.
    """
    schema = {**GRADES_SCHEMA, "copy_of": pl.Int64}
    copied, source = pl.col("copy_of").is_not_null(), pl.col("copy_of")
    whole = copied.all() & (source.n_unique() == 1) & (pl.len() >= LEAST_MARKS)
    again = pl.when(copied & ~whole.over("grader", "round"))
    return (
        pl.DataFrame(rows, schema=schema, orient="row")
        .with_columns(
            again.then(pl.lit("unscored")).otherwise("status").alias("status"),
            again.then(pl.format("word for word the reply of round {}", source))
            .otherwise("reason")
            .alias("reason"),
        )
        .drop("copy_of")
    )


def _written(records: Records, votes: _Votes, grader: str) -> list[Written]:
    """The texts of each student at each k, and the rounds that it lacks."""
    files: dict[tuple[str, int, int, str], list[StudentFile]] = defaultdict(list)
    rounds: dict[tuple[int, int], set[int]] = defaultdict(set)
    for file in records.students:
        k, seed, prompt, number = file.setting
        files[file.student, k, seed, prompt].append(file)
        rounds[k, seed].add(number)
    written: list[Written] = []
    for (student, k, seed, prompt), group in sorted(files.items()):
        own = {file.setting.round for file in group}
        places = [(file.path, answer.key) for file in group for answer in file.answers]
        graded = sum(any(vote.grader == grader for vote in votes[place]) for place in places)
        missing = tuple(sorted(rounds[k, seed] - own))
        row = (student, k, seed, prompt, tuple(sorted(own)), missing, len(places), graded)
        written.append(Written(*row))
    return written
