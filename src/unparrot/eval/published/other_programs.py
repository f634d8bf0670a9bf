"""Graded texts in the files of other programs, which are told apart by their content:

    Inspect logs (.eval, or JSON)   those of `unparrot eval export` and of the task, and others
                                    whose samples have topic and skills in their metadata
    lm-evaluation-harness samples   samples_*.jsonl whose documents have topic and skills
    tables of ratings               CSV or Parquet (`unparrot.core.ratings`) whose criteria are
                                    skills, topic and sense; the item is what was asked about

Marks stand by criterion, whatever holds them; where there is none for length, sentences are
counted. An item that cannot be used is left out and counted, by why.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import polars as pl

from unparrot.core.errors import BadInput, MissingExtra
from unparrot.core.grades import NO_TEXT, GradedText, Mark, read_mark
from unparrot.core.ratings import read_ratings
from unparrot.core.skills import CRITERIA, LENGTH, SkillCombination
from unparrot.core.tables import GRADES_SCHEMA
from unparrot.eval.protocol.conversation import Answer
from unparrot.eval.protocol.sentences import length_mark
from unparrot.eval.protocol.votes import judge, verdict
from unparrot.eval.published.findings_in_records import Findings
from unparrot.eval.published.voting import SPLIT, Imported, chosen_grader
from unparrot.eval.record.grade_rows import grade_rows

HARNESS: Final = "lm-evaluation-harness"
"""Name of the grader of samples that name none."""


class Item(NamedTuple):
    """An item of a file: who wrote it, what was asked, the text, and its marks by criterion.

    ``rounds`` are the marks of each grader by name and number, from 1; number 0 is what they came
    to where the file has it. ``no_text`` is the code of why there is no text, ``decides`` whose
    marks count, if the file says so.
    """

    model: str
    decoding: str
    topic: object
    skills: object
    text: str
    rounds: Mapping[tuple[str, int], Mapping[str, Any]]
    no_text: str | None = None
    decides: str = ""
    sample: int = 0
    private: bool = False


def files_in(source: Path) -> list[Path]:
    """Return the file itself, or the logs and samples of a folder, by their names."""
    if source.is_file():
        return [source]
    return sorted(path for name in ("*.eval", "samples_*.jsonl") for path in source.rglob(name))


def read_other(source: Path, grader: str | None = None) -> Imported:
    """Read graded texts of other programs.

    Parameters
    ----------
    source
        A file, or a folder of such files.
    grader
        Whose marks decide; needed only where several graded and no file says who decides.

    Raises
    ------
    BadInput
        If no item can be used, a file cannot be read, or it is not clear whose marks decide.
    MissingExtra
        If there is an Inspect log, and inspect-ai is not installed.
    """
    usable: list[tuple[Item, SkillCombination, dict[tuple[str, int], dict[str, Mark]]]] = []
    findings = Findings()
    for item in chain.from_iterable(map(_items, files_in(source))):
        try:
            about = _combination(item)
            marks = {key: _marks(given, about) for key, given in item.rounds.items()}
            usable.append((item, about, marks))
        except BadInput as error:
            findings.left_out[str(error)] += 1
    if not usable:
        raise BadInput(
            f"{source} holds no graded text of SKILL-MIX. {' '.join(findings.sentences())} "
            "unparrot graders measures the raters of any table"
        )
    names = dict.fromkeys(name for _, _, marks in usable for name, _ in marks)
    deciding = {item.decides for item, _, _ in usable} - {""}
    chosen = chosen_grader(list(names), grader or (deciding.pop() if len(deciding) == 1 else None))
    texts: list[GradedText] = []
    rows: list[tuple[str | int, ...]] = []
    taken: set[tuple[str | int, ...]] = set()
    for item, combination, marks in usable:
        place, number = (item.model, item.decoding, combination.id), item.sample
        while (*place, number) in taken:
            number += 1
        taken.add((*place, number))
        final = marks.pop((chosen, 0), None)
        if final is None and item.no_text:
            final = judge(combination, Answer("", item.no_text), [], None)
        elif final is None:
            own = [given for (name, _), given in marks.items() if name == chosen]
            length = own[0][LENGTH] if own else Mark.unscored(f"{chosen} has not graded the text")
            if own and length.status == "unscored" and item.text:
                length = length_mark(item.text, combination.k)
            final = verdict(combination, own, length)
        origin = (item.model, SPLIT, item.decoding, number, None)
        texts.append(GradedText(combination, item.text, final, *origin, item.no_text))
        for (name, n), given in marks.items():
            if n:
                findings.replies[name] += 1
                rows += grade_rows(texts[-1].id, item.model, name, n, given)
    grades = pl.DataFrame(rows, GRADES_SCHEMA, orient="row")
    private = any(item.private for item, _, _ in usable)
    return Imported(tuple(texts), grades, chosen, findings, private)


def _combination(item: Item) -> SkillCombination:
    """What an item asked for, if all of it is marked; else why the item is no use."""
    skills = item.skills.split(",") if isinstance(item.skills, str) else item.skills
    if not isinstance(item.topic, str) or not isinstance(skills, list) or not skills:
        raise BadInput("it names no topic and skills")
    names = (str(name).strip() for name in cast(list[object], skills))
    combination = SkillCombination(item.topic.strip(), tuple(names))
    marked = {LENGTH, *(name.casefold() for given in item.rounds.values() for name in given)}
    lacking = [name for name in combination.criteria if name.casefold() not in marked]
    if lacking:
        what = dict.fromkeys(name if name in CRITERIA else "a skill" for name in lacking)
        raise BadInput(f"nobody marked {', '.join(what)}")
    return combination


def _marks(written: Mapping[str, Any], combination: SkillCombination) -> dict[str, Mark]:
    by_name = {name.casefold(): str(mark) for name, mark in written.items()}
    return {
        name: read_mark(by_name.get(name.casefold(), ""), "its marks")
        for name in combination.criteria
    }


def _items(path: Path) -> Iterator[Item]:
    """The items of a file, of whatever kind it is."""
    with path.open("rb") as file:
        line = file.readline()
    if line.startswith(b"PK"):
        return _inspect(path)
    if not line.lstrip().startswith(b"{"):
        return _ratings(path)
    with suppress(ValueError):
        if "doc" in json.loads(line):
            return _harness(path)
    return _inspect(path)


def _decoding(temperature: float | None) -> str:
    if temperature is None:
        return "unknown"
    return f"t{temperature:g}" if temperature else "greedy"


def _inspect(path: Path) -> Iterator[Item]:
    try:
        from inspect_ai.log import read_eval_log
        from inspect_ai.model import ModelConfig

        from unparrot.eval.inspect.inspect_task import NO_TEXT as CODE
        from unparrot.eval.inspect.inspect_task import SCORER, TEXT
    except ImportError as error:
        raise MissingExtra("eval", "inspect-ai") from error
    try:
        log = read_eval_log(str(path), resolve_attachments=True)
    except Exception as error:  # noqa: BLE001 - whatever a damaged file makes it raise
        raise BadInput(f"{path} cannot be read as a log of Inspect: {error}") from None
    about, role = log.eval.metadata or {}, (log.eval.model_roles or {}).get("grader")
    grader = role.model if isinstance(role, ModelConfig) else "inspect"
    decoding = _decoding(log.eval.model_generate_config.temperature)
    for sample in log.samples or ():
        rounds: dict[tuple[str, int], dict[str, Any]] = {}
        text, code = sample.output.completion, sample.store.get(CODE)
        for name, score in (sample.scores or {}).items():
            kept, who = score.metadata or {}, grader if name == SCORER else name
            text = score.answer or text
            if "marks" in kept:
                rounds[who, 0] = kept["marks"]
                rounds |= {
                    (who, given["round"]): given["marks"] for given in kept.get("gradings", ())
                }
            elif isinstance(score.value, dict):
                rounds[who, 1] = score.value
            else:
                rounds.setdefault((grader, 1), {})[name] = score.value
        yield Item(
            log.eval.model,
            decoding,
            sample.metadata.get("topic"),
            sample.metadata.get("skills"),
            text := sample.store.get(TEXT, text),
            rounds,
            code if code in NO_TEXT else None if text.strip() else "empty",
            about.get("grader", ""),
            sample.epoch - 1,
            bool(about.get("private")),
        )


def _harness(path: Path) -> Iterator[Item]:
    first: dict[Any, Any] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            sample = json.loads(line)
            doc, reply = sample["doc"], sample["filtered_resps"][0]
            settings = sample["arguments"]["gen_args_0"]["arg_1"]
        except (ValueError, LookupError, TypeError) as error:
            raise BadInput(
                f"{path}, line {number}: no sample of lm-evaluation-harness ({error!r}); run it "
                "with --log_samples"
            ) from error
        if first.setdefault(sample.get("doc_id"), sample.get("filter")) != sample.get("filter"):
            continue  # the same reply through another filter
        greedy = settings.get("do_sample") is False
        yield Item(
            path.resolve().parent.name.replace("__", "/"),
            _decoding(0 if greedy else settings.get("temperature")),
            doc.get("topic"),
            doc.get("skills"),
            text := reply if isinstance(reply, str) else str(reply[0]),
            {(sample.get("grader") or HARNESS, 1): sample.get("marks", sample)},
            no_text=None if text.strip() else "empty",
        )


def _ratings(path: Path) -> Iterator[Item]:
    ratings = read_ratings(path)
    about = {row["text_id"]: row for row in ratings.texts.iter_rows(named=True)}
    marks: defaultdict[str, defaultdict[tuple[str, int], dict[str, str]]]
    marks = defaultdict(lambda: defaultdict(dict))
    for row in ratings.grades.iter_rows(named=True):
        written = f"{row['status']}: {row['reason']}"
        marks[row["text_id"]][row["grader"], row["round"]][row["criterion"]] = written
    for text_id, rounds in marks.items():
        text = about[text_id]
        criteria = dict.fromkeys(name for given in rounds.values() for name in given)
        skills = [name for name in criteria if name not in CRITERIA]
        model = text["model"] or "unknown"
        yield Item(model, "unknown", text["topic"], skills, text["text"], rounds)
