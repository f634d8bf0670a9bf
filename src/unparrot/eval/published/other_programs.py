"""Graded texts in the files of other programs, which are told apart by their content:

    Inspect logs (.eval, or JSON)   those of `unparrot eval export` and of the task, and others
                                    whose samples have topic and skills in their metadata
    lm-evaluation-harness samples   samples_*.jsonl whose documents have topic and skills
    tables of ratings               CSV or Parquet (`unparrot.core.ratings`) whose criteria are
                                    skills, topic and sense; the item is what was asked about

Marks stand by criterion, whatever holds them; where there is none for length, sentences are
counted. A sample that cannot be used is left out and counted, by why.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, cast

from unparrot.core.errors import BadInput, MissingExtra
from unparrot.core.grades import NO_TEXT, read_mark
from unparrot.core.inputs import opened, read_text
from unparrot.core.ratings import read_ratings
from unparrot.core.skills import CRITERIA, LENGTH, SkillCombination
from unparrot.eval.protocol.conversation import CUT_OFF
from unparrot.eval.published.findings_in_records import Findings, Round
from unparrot.eval.published.voting import Imported, Item, graded_texts

HARNESS: Final = "lm-evaluation-harness"
"""Name of the grader of samples that name none."""


class Sample(NamedTuple):
    """A sample of a file, whose marks and skills are as written; the rest is that of an `Item`.

    ``decides`` is whose marks count, if the file says so.
    """

    model: str
    decoding: str
    topic: object
    skills: object
    text: str
    rounds: Mapping[Round, Mapping[str, Any]]
    no_text: str | None = None
    decides: str = ""
    number: int = 0
    private: bool = False


def files_in(source: Path) -> list[Path]:
    """Return the file itself, or the logs and samples of a folder, by their names."""
    if source.is_file():
        return [source]
    return sorted(path for name in ("*.eval", "samples_*.jsonl") for path in source.rglob(name))


def read_other(source: Path, grader: str | None = None, pass_mark: float | None = None) -> Imported:
    """Read graded texts of other programs.

    Parameters
    ----------
    source
        A file, or a folder of such files.
    grader
        Whose marks decide; needed only where several graded and no file says who decides.
    pass_mark
        Least number that is earned, for marks on a scale.

    Raises
    ------
    BadInput
        If no sample can be used, a file cannot be read, or it is not clear whose marks decide.
    MissingExtra
        If there is an Inspect log, and inspect-ai is not installed.
    """
    findings, items = Findings(), list[Item]()
    deciding, private = set[str](), False
    for path in files_in(source):
        for sample in _samples(path, pass_mark):
            try:
                items.append(_item(sample, pass_mark))
            except BadInput as error:
                findings.left_out[str(error)] += 1
            else:
                deciding.add(sample.decides)
                private |= sample.private
    if not items:
        raise BadInput(
            f"{source} holds no graded text of SKILL-MIX. "
            f"{' '.join(findings.sentences()) or 'It has no sample.'} "
            "unparrot graders measures the raters of any table"
        )
    named = deciding - {""}
    grader = grader or (named.pop() if len(named) == 1 else None)
    return graded_texts(items, grader, findings, private=private)


def _item(sample: Sample, pass_mark: float | None) -> Item:
    """The item of a sample if all that it asked for is marked; else why it is no use."""
    skills = sample.skills.split(",") if isinstance(sample.skills, str) else sample.skills
    if not isinstance(sample.topic, str) or not isinstance(skills, list) or not skills:
        raise BadInput("it names no topic and skills")
    names = (str(name).strip() for name in cast(list[object], skills))
    combination = SkillCombination(sample.topic.strip(), tuple(names))
    written = {
        place: {name.casefold(): str(mark) for name, mark in given.items()}
        for place, given in sample.rounds.items()
    }
    marked = {LENGTH, *chain.from_iterable(written.values())}
    if lacking := [name for name in combination.criteria if name.casefold() not in marked]:
        what = dict.fromkeys(name if name in CRITERIA else "a skill" for name in lacking)
        raise BadInput(f"nobody marked {', '.join(what)}")
    marks = {
        place: {
            name: read_mark(given.get(name.casefold(), ""), "its marks", pass_mark)
            for name in combination.criteria
        }
        for place, given in written.items()
    }
    about = (sample.model, sample.decoding, combination, sample.text)
    return Item(*about, marks, sample.number, sample.no_text)


def _samples(path: Path, pass_mark: float | None) -> Iterator[Sample]:
    """The samples of a file, of whatever kind it is."""
    with opened(path) as file:
        line = file.readline()
    if line.startswith(b"PK"):
        return _inspect(path, "eval")
    if not line.lstrip().startswith(b"{"):
        return _ratings(path, pass_mark)
    with suppress(ValueError):
        if "doc" in json.loads(line):
            return _harness(path)
    return _inspect(path, "json")


def _decoding(temperature: object) -> str:
    if not isinstance(temperature, int | float):
        return "unknown"
    return f"t{temperature:g}" if temperature else "greedy"


def _inspect(path: Path, form: Literal["eval", "json"]) -> Iterator[Sample]:
    try:
        from inspect_ai.log import read_eval_log
        from inspect_ai.model import ModelConfig

        from unparrot.eval.inspect.inspect_task import NO_TEXT as CODE
        from unparrot.eval.inspect.inspect_task import SCORER, TEXT
    except ImportError as error:
        raise MissingExtra("eval", "inspect-ai") from error
    try:
        log = read_eval_log(str(path), resolve_attachments=True, format=form)
    except Exception as error:  # noqa: BLE001 - whatever a damaged file makes it raise
        raise BadInput(f"{path} cannot be read as a log of Inspect: {error}") from None
    about, role = log.eval.metadata or {}, (log.eval.model_roles or {}).get("grader")
    grader = role.model if isinstance(role, ModelConfig) else "inspect"
    decoding = _decoding(log.eval.model_generate_config.temperature)
    for sample in log.samples or ():
        rounds: dict[Round, dict[str, Any]] = {}
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
        text = str(sample.store.get(TEXT, text))
        if code not in NO_TEXT:
            code = None if text.strip() else _why_none(sample)
        yield Sample(
            log.eval.model,
            decoding,
            sample.metadata.get("topic"),
            sample.metadata.get("skills"),
            text,
            rounds,
            code,
            about.get("grader", ""),
            sample.epoch - 1,
            bool(about.get("private")),
        )


def _why_none(sample: Any) -> str:
    """The code of why a sample of Inspect has no text."""
    if sample.error is not None or not sample.output.choices:
        return "no_reply"
    filtered = sample.output.stop_reason == "content_filter"
    return "filtered" if filtered else CUT_OFF.get(sample.output.stop_reason, "empty")


def _harness(path: Path) -> Iterator[Sample]:
    first: dict[Any, Any] = {}
    # a text may hold other breaks than that between samples
    for number, line in enumerate(read_text(path).rstrip("\n").split("\n"), 1):
        try:
            sample = json.loads(line)
            doc, replies = dict[str, Any](sample["doc"]), list[object](sample["filtered_resps"])
            marks = dict[str, Any](sample.get("marks", sample))
        except (ValueError, LookupError, TypeError) as error:
            raise BadInput(
                f"{path}, line {number}: no sample of lm-evaluation-harness ({error!r}); run it "
                "with --log_samples"
            ) from error
        if first.setdefault(sample.get("doc_id"), sample.get("filter")) != sample.get("filter"):
            continue  # the same reply through another filter
        settings: Any = {}
        with suppress(LookupError, TypeError, ValueError):  # a choice of answers has none
            settings = dict(sample["arguments"]["gen_args_0"]["arg_1"])
        reply = next(iter(replies), "")
        if isinstance(reply, list):
            reply = next(iter(cast(list[object], reply)), "")
        greedy = settings.get("do_sample") is False
        yield Sample(
            path.resolve().parent.name.replace("__", "/"),
            _decoding(0 if greedy else settings.get("temperature")),
            doc.get("topic"),
            doc.get("skills"),
            text := str(reply),
            {(sample.get("grader") or HARNESS, 1): marks},
            None if text.strip() else "empty",
        )


def _ratings(path: Path, pass_mark: float | None) -> Iterator[Sample]:
    ratings = read_ratings(path, pass_mark)
    about = {row["text_id"]: row for row in ratings.texts.iter_rows(named=True)}
    marks: defaultdict[str, defaultdict[Round, dict[str, str]]]
    marks = defaultdict(lambda: defaultdict(dict))
    for row in ratings.grades.iter_rows(named=True):
        written = f"{row['status']}: {row['reason']}"
        marks[row["text_id"]][row["grader"], row["round"]][row["criterion"]] = written
    for text_id, rounds in marks.items():
        text = about[text_id]
        criteria = dict.fromkeys(name for given in rounds.values() for name in given)
        skills = [name for name in criteria if name not in CRITERIA]
        model = text["model"] or "unknown"
        yield Sample(model, "unknown", text["topic"], skills, text["text"], rounds)
