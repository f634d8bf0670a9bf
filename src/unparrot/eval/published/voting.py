"""Graded texts out of what others graded, and the marks grader by grader.

An `Item` is a text with the marks that it was given; `graded_texts` puts them to the vote of one
grader's rounds: the majority of the marks that exist; a tie or no mark is unscored. A student that
gave no text has missed every mark. Beside the verdicts stand all marks, round by round.

Items of published records (`import_records`) are the graded turns of a student's conversation.
Rounds that are copies of one another are one vote there, and the point for length is the
program's, as recorded.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

import polars as pl

from unparrot.core.errors import BadInput
from unparrot.core.grades import EARNED, MISSED, GradedText, Mark
from unparrot.core.skills import CRITERIA, LENGTH, SkillCombination
from unparrot.core.tables import GRADES_SCHEMA
from unparrot.eval.protocol import conversation
from unparrot.eval.protocol.sentences import length_mark
from unparrot.eval.protocol.votes import all_unscored, judge, verdict
from unparrot.eval.published.findings_in_records import Findings, Round, Written, copied_replies
from unparrot.eval.published.record_layout import Answer, Grading, StudentFile
from unparrot.eval.published.replies import Reading, read_reply
from unparrot.eval.record.grade_rows import PROGRAM, grade_rows

_CUT: Final = re.compile(r"\s*Explanation\b(?!\W*:|[ \t*]*(?:\n|$))")
# How new a combination was to a published model is not known.
SPLIT: Final = "unknown"
DECODING: Final = "published"
# Marks from which on the analysis sees by itself that two rounds of a grader are one.
LEAST_MARKS: Final = 20


class Item(NamedTuple):
    """A text that was graded: who wrote it, what was asked, and the marks by grader and round.

    Rounds count from 1; number 0 is what they came to where the records have it. ``no_text`` is
    the code of why there is no text; ``fault`` says why a text is not what the student wrote.
    ``length`` is the program's point, None where sentences are to be counted if nobody marked it.
    ``copies`` has the rounds that repeat an earlier one, and which.
    """

    model: str
    decoding: str
    combination: SkillCombination
    text: str
    rounds: Mapping[Round, Mapping[str, Mark]]
    sample: int = 0
    no_text: str | None = None
    fault: str = ""
    length: Mark | None = None
    copies: Mapping[Round, int] = {}


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


def graded_texts(
    items: Sequence[Item], grader: str | None, findings: Findings, *, private: bool = False
) -> Imported:
    """Turn items into graded texts, and count replies and unscored verdicts.

    Raises
    ------
    BadInput
        If nobody graded, the grader is not there, or several are and none is named.
    """
    chosen = chosen_grader(list(dict.fromkeys(n for i in items for n, _ in i.rounds)), grader)
    copied = _copied_rounds(items)
    texts: list[GradedText] = []
    rows: list[tuple[str | int, ...]] = []
    taken: set[tuple[str | int, ...]] = set()
    for item in items:
        place, sample = (item.model, item.decoding, item.combination.id), item.sample
        while (*place, sample) in taken:
            sample += 1
        taken.add((*place, sample))
        marks = item.rounds.get((chosen, 0)) or _verdict(item, chosen)
        origin = (item.model, SPLIT, item.decoding, sample, None)
        texts.append(GradedText(item.combination, item.text, marks, *origin, item.no_text))
        rows += _rows(texts[-1].id, item, copied)
        findings.replies.update(name for name, number in item.rounds if number)
        findings.unscored_verdicts.update(_reasons(marks.values()))
    grades = pl.DataFrame(rows, GRADES_SCHEMA, orient="row")
    return Imported(tuple(texts), grades, chosen, findings, private)


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


def _verdict(item: Item, grader: str) -> dict[str, Mark]:
    own = [item.rounds[it] for it in item.rounds if it[0] == grader and it not in item.copies]
    if item.no_text:
        return judge(item.combination, conversation.Answer("", item.no_text), [], None)
    if fault := item.fault or ("" if own else f"{grader} has not graded the text"):
        return all_unscored(item.combination, fault)
    length = own[0][LENGTH] if item.length is None else item.length
    if item.length is None and length.status == "unscored" and item.text:
        length = length_mark(item.text, item.combination.k)
    return verdict(item.combination, own, length)


def _copied_rounds(items: Sequence[Item]) -> set[Round]:
    """The rounds that copy another throughout, which the analysis finds and counts as one."""
    sources: dict[Round, set[int | None]] = defaultdict(set)
    given: Counter[Round] = Counter()
    for item in items:
        for place, marks in item.rounds.items():
            sources[place].add(item.copies.get(place))
            given[place] += len(marks) - len(_reasons(marks.values()))
    return {place for place in sources if len(sources[place]) == 1 and given[place] >= LEAST_MARKS}


def _rows(text_id: str, item: Item, copied: set[Round]) -> Iterator[tuple[str | int, ...]]:
    """The marks of a text, as rows of grades.parquet. Those of a copy are unscored, or they would
    be counted, unless all of the round is one."""
    for (name, number), marks in item.rounds.items():
        first = item.copies.get((name, number))
        if first is not None and (name, number) not in copied:
            marks = all_unscored(item.combination, f"word for word the reply of round {first}")
        if number:
            yield from grade_rows(text_id, item.model, name, number, marks)
    if item.length is not None:
        yield from grade_rows(text_id, item.model, PROGRAM, 1, {LENGTH: item.length}, "program")


def _reasons(marks: Iterable[Mark]) -> list[str]:
    return [mark.reason for mark in marks if mark.status == "unscored"]


# Published records


def import_records(records: Sequence[StudentFile], grader: str | None = None) -> Imported:
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
    items = list(_items(records, findings))
    imported = graded_texts(items, grader, findings)
    findings.students = _written(records, items, imported.grader)
    return imported


def _items(records: Sequence[StudentFile], findings: Findings) -> Iterator[Item]:
    settings = {(file.student, file.setting.k, file.setting.prompt) for file in records}
    prompts = Counter((student, k) for student, k, _ in settings)
    rubrics = {(each.grader, each.prompt) for file in records for each in file.grades}
    several = Counter(grader for grader, _ in rubrics)
    most = max(file.setting.round for file in records)
    drawn: Counter[tuple[str, str, str, int]] = Counter()
    for file in records:
        k, seed, prompt, number = file.setting
        decoding = f"{DECODING}, prompt {prompt}" if prompts[file.student, k] > 1 else DECODING
        keys = {answer.key for answer in file.answers}
        gradings: dict[Round, dict[str, Grading]] = {}
        for each in sorted(file.grades, key=lambda grades: grades.round):
            if each.column != file.column:
                findings.left_out[f"grades of an earlier turn, {each.path}"] += 1
                continue
            name = each.grader + (f", prompt {each.prompt}" if several[each.grader] > 1 else "")
            about = {grading.key: grading for grading in each.gradings if grading.key in keys}
            if astray := len(each.gradings) - len(about):
                findings.left_out["a grader's reply about no text of the records"] += astray
            gradings[name, each.round] = about
        copies, sentences = copied_replies(
            {place: {key: g.reply for key, g in about.items()} for place, about in gradings.items()}
        )
        where = f"{file.student}, k = {k}, seed {seed}, round {number}"
        findings.identical_rounds += [f"{where}: {sentence}." for sentence in sentences]
        for answer in file.answers:
            key, fault = answer.key, _fault(answer)
            own = {place: about[key] for place, about in gradings.items() if key in about}
            readings = {place: _reading(answer, grading) for place, grading in own.items()}
            repeats = {place: copies[place, key] for place in own if (place, key) in copies}
            for place in own.keys() - repeats:  # a fault counts once for all copies of a reply
                _count(k, own[place], readings[place], findings)
            points = {grading.within for grading in own.values()} - {None}
            length = Mark.unscored(
                "the records disagree on it" if points else "no count is recorded"
            )
            if points in ({1.0}, {0.0}):
                length = EARNED if points == {1.0} else MISSED
            place = (file.student, decoding, answer.combination.id, number)
            yield Item(
                file.student,
                decoding,
                answer.combination,
                answer.text,
                {place: reading.marks for place, reading in readings.items()},
                number - 1 + most * drawn[place],
                None if answer.text or fault else "empty",
                fault,
                length if own else None,
                repeats,
            )
            drawn[place] += 1


def _reading(answer: Answer, grading: Grading) -> Reading:
    reading = read_reply(grading.prompt, grading.reply, answer.combination, answer.text)
    if " ".join(answer.text.split()) in " ".join(grading.prompt.split()):
        return reading
    reason = "the grader was shown another text"
    return reading._replace(marks=all_unscored(answer.combination, reason), numbers=())


def _count(k: int, grading: Grading, reading: Reading, findings: Findings) -> None:
    """Count what is wrong with a reply."""
    findings.replies_read += 1
    findings.faults.update(
        {
            "are cut off before their end": bool(reading.numbers) and reading.total is None,
            "answer a prompt with an empty rubric: topic, sense and length were not asked for": (
                not reading.rubric
            ),
            "give other marks than the records say": grading.points != reading.numbers,
            "state a total that is not the sum of their marks": (
                reading.total not in (None, sum(reading.numbers))
            ),
            "were asked for the parts of a name that holds a comma": grading.k != k,
        }
    )
    findings.marks_recorded += k + len(CRITERIA)
    findings.marks_padded += max(0, k + len(CRITERIA) - len(grading.points))
    marks = [mark for criterion, mark in reading.marks.items() if criterion != LENGTH]
    findings.unscored_marks.update(_reasons(marks))


def _fault(answer: Answer) -> str:
    """Why a recorded text is not what the student answered, or nothing."""
    text, reply = answer.text, answer.reply
    if text not in reply:
        return "the recorded text is not in the student's reply"
    before, _, after = reply.partition(text) if text else reply.rpartition("Answer:")
    if _CUT.match(after):
        return "the published code cut the answer at the word Explanation"
    if len(re.findall(r"\bAnswer\s*:", before)) > bool(text):
        return "the published code took what follows a second 'Answer:'"
    return ""


def _written(records: Sequence[StudentFile], items: Sequence[Item], grader: str) -> list[Written]:
    """The texts of each student at each k, and the rounds that it lacks."""
    left = iter(items)
    own: dict[tuple[str, int, int, str], dict[int, list[bool]]] = defaultdict(dict)
    rounds: dict[tuple[int, int, str], set[int]] = defaultdict(set)
    for file in records:
        k, seed, prompt, number = file.setting
        names = [{name for name, _ in item.rounds} for item in islice(left, len(file.answers))]
        own[file.student, k, seed, prompt][number] = [grader in graders for graders in names]
        rounds[k, seed, prompt].add(number)
    return [
        Written(
            *place,
            tuple(files),
            tuple(sorted(rounds[place[1:]] - files.keys())),
            sum(map(len, files.values())),
            sum(map(sum, files.values())),
        )
        for place, files in sorted(own.items())
    ]
