"""Graded texts out of Inspect logs, samples of lm-evaluation-harness and tables of ratings."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

pytest.importorskip("inspect_ai")

from inspect_ai.log import EvalError, read_eval_log, write_eval_log
from inspect_ai.scorer import Score

from unparrot.core.errors import BadInput
from unparrot.core.records import RunFolder
from unparrot.eval.ask.run import rewrite
from unparrot.eval.inspect.inspect_log import export_logs, file_names
from unparrot.eval.published.import_run import import_run
from unparrot.eval.published.other_programs import read_other
from unparrot.eval.published.voting import Imported
from unparrot.eval.record.prepare import Prepared


@pytest.fixture(scope="module")
def prepared(journal_runs: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    prepared = journal_runs.fabricate(tmp_path_factory.mktemp("runs") / "run")
    rewrite(prepared)
    return prepared


@pytest.fixture(scope="module")
def logs(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    names = file_names(prepared.whole.models)
    export_logs(prepared, {model: folder / name for model, name in names.items()})
    return folder


def imported(source: Path, out: Path) -> Imported:
    return import_run(source, out)[1]


def test_an_export_comes_back_as_the_same_graded_texts(
    prepared: Prepared, logs: Path, tmp_path: Path
):
    there, back = RunFolder(prepared.folder), RunFolder(tmp_path / "run")
    result = imported(logs, back.path)
    assert not result.findings.left_out
    assert result.grader == prepared.whole.graders[0]
    by_id = {text.id: text for text in there.read_graded()}
    assert {text.id: text for text in back.read_graded()} == by_id
    columns = ["text_id", "criterion", "grader", "round", "status"]
    # the program's own row is what the verdicts hold for length
    models = pl.col("family") != "program"
    before, after = (run.read_table("grades").filter(models) for run in (there, back))
    assert before.select(columns).sort(columns).equals(after.select(columns).sort(columns))


def test_a_log_in_json_says_the_same(logs: Path, tmp_path: Path):
    path = next(iter(sorted(logs.iterdir())))
    write_eval_log(read_eval_log(str(path)), str(tmp_path / "log.json"))
    (tmp_path / "copy").write_bytes(path.read_bytes())  # whatever its name
    texts = [read_other(each).texts for each in (path, tmp_path / "copy", tmp_path / "log.json")]
    assert texts[0] == texts[1] == texts[2]
    assert texts[0]


def test_another_grader_may_decide(prepared: Prepared, logs: Path):
    other = prepared.whole.graders[1]
    assert read_other(logs, other).grader == other
    with pytest.raises(BadInput, match=r"there is no grader 'nobody'; there are openai/gpt-4o"):
        read_other(logs, "nobody")


ASKED = {"topic": "sewing", "skills": ["irony", "zeugma"]}
MARKED = {"irony": 1, "zeugma": 0, "topic": 1, "sense": 1}


def test_scorers_of_another_task_are_marks_by_criterion(logs: Path, tmp_path: Path):
    log = read_eval_log(str(next(iter(sorted(logs.iterdir())))))
    assert log.samples is not None
    log.samples, log.eval.metadata, log.eval.model_roles = log.samples[:3], None, None
    scores = {name: Score(value="C" if mark else "I") for name, mark in MARKED.items()}
    for sample, metadata in zip(log.samples, (ASKED, {}, {"topic": "tea"}), strict=True):
        sample.metadata, sample.store, sample.scores = metadata, {}, scores
        sample.output.completion = "He sewed."
    write_eval_log(log, str(tmp_path / "other.eval"))
    result = read_other(tmp_path)
    (text,) = result.texts
    assert result.findings.left_out == {"it names no topic and skills": 2}
    assert result.grader == "inspect"
    assert {name: mark.status for name, mark in text.marks.items()} == {
        "irony": "earned",
        "zeugma": "missed",
        "topic": "earned",
        "sense": "earned",
        "length": "earned",
    }
    assert (text.model, text.text, text.sample) == (log.eval.model, "He sewed.", 0)


def test_a_sample_without_a_text_says_whose_failure_it_was(logs: Path, tmp_path: Path):
    log = read_eval_log(str(next(iter(sorted(logs.iterdir())))))
    assert log.samples is not None
    log.samples, log.eval.metadata, log.eval.model_roles = log.samples[:4], None, None
    reasons = ("stop", "max_tokens", "content_filter", "stop")
    for number, (sample, reason) in enumerate(zip(log.samples, reasons, strict=True)):
        sample.metadata, sample.store, sample.scores = ASKED, {}, {"judge": Score(value=MARKED)}
        sample.output.completion, sample.epoch = "", number + 1
        sample.output.choices[0].message.content = ""
        sample.output.choices[0].stop_reason = reason  # type: ignore[assignment]
    log.samples[3].error = EvalError(message="lost", traceback="", traceback_ansi="")
    write_eval_log(log, str(tmp_path / "other.eval"))
    codes = [text.no_text for text in read_other(tmp_path).texts]
    assert codes == ["empty", "cut_off", "filtered", "no_reply"]
    *failed, lost = [{mark.status for mark in t.marks.values()} for t in read_other(tmp_path).texts]
    assert (failed, lost) == ([{"missed"}] * 3, {"unscored"})


def harness(path: Path, *lines: dict[str, Any]) -> Path:
    """Samples as `lm_eval --log_samples` writes them."""
    settings = {"gen_args_0": {"arg_0": "write", "arg_1": {"until": ["\n\n"], "do_sample": False}}}
    plain = {
        "doc_id": 0,
        "doc": ASKED,
        "target": "",
        "arguments": settings,
        "resps": [["Reply."]],
        "filtered_resps": ["He sewed."],
        "filter": "none",
        "metrics": list(MARKED),
        "doc_hash": "a",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({**plain, **line}) + "\n" for line in lines))
    return path


def test_samples_of_the_harness(tmp_path: Path):
    path = harness(
        tmp_path / "org__model" / "samples_skillmix_2026-01-01T00-00-00.jsonl",
        MARKED,
        {**MARKED, "filter": "strict"},
        {"doc_id": 1, **MARKED, "zeugma": 1.0},
        {"doc_id": 2, "doc": {"question": "2 + 2?"}, "acc": 1.0},
        {"doc_id": 3, "irony": 1, "zeugma": 0, "sense": 1},
        {"doc_id": 4, **MARKED, "sense": 3},
        {"doc_id": 5, **MARKED, "filtered_resps": [" "]},
    )
    result = read_other(path.parent)
    one, two, none = result.texts
    # a model that answers nothing has missed all, whatever the file says of it
    assert none.no_text == "empty"
    assert {mark.status for mark in none.marks.values()} == {"missed"}
    assert (one.full_marks, two.full_marks) == (False, True)
    assert (one.model, one.decoding, one.text) == ("org/model", "greedy", "He sewed.")
    assert (one.sample, two.sample) == (0, 1)
    assert sorted(result.findings.left_out.values()) == [1, 1, 1]
    assert {why.split(",")[0] for why in result.findings.left_out} == {
        "it names no topic and skills",
        "nobody marked topic",
        "its marks: the mark is '3'",
    }
    run = tmp_path / "run"
    imported(path, run)
    assert RunFolder(run).read_graded() == list(read_other(path).texts)


def test_marks_on_a_scale_have_a_pass_mark(tmp_path: Path):
    scale = {name: 5 - 3 * (name == "zeugma") for name in MARKED}
    path = harness(tmp_path / "samples_x.jsonl", scale)
    with pytest.raises(BadInput, match=r"the mark is '5', .*give --pass-mark"):
        read_other(path)
    (text,) = read_other(path, pass_mark=4).texts
    assert [mark.status[0] for mark in text.marks.values()] == ["e", "m", "e", "e", "e"]
    table = tmp_path / "r.csv"
    rows = [f"sewing,ann,{name},{mark}" for name, mark in scale.items()]
    table.write_text("item,rater,criterion,mark\n" + "\n".join(rows) + "\n")
    (text,) = read_other(table, pass_mark=4).texts
    assert [mark.status[0] for mark in text.marks.values()] == ["e", "m", "e", "e", "u"]


def test_samples_of_tasks_that_are_nothing_like_it(tmp_path: Path):
    choice = {"arguments": {"gen_args_0": {"arg_0": "2 + 2?", "arg_1": " 4"}}, "acc": 1.0}
    path = harness(
        tmp_path / "samples_x.jsonl",
        {**choice, "doc": {"question": "2 + 2?"}, "filtered_resps": [[-1.5, "True"]]},
        {**choice, "doc_id": 1, "filtered_resps": []},
        {"doc_id": 2, **MARKED, "filtered_resps": ["He\u2028sewed."], "arguments": [["x", {}]]},
    )
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    result = read_other(path)
    assert [text.text for text in result.texts] == ["He\u2028sewed."]
    assert result.findings.left_out == {
        "it names no topic and skills": 1,
        "nobody marked a skill, topic, sense": 1,
    }
    path.write_text('{"doc": "2 + 2?", "filtered_resps": ["4"]}\n')
    with pytest.raises(BadInput, match=r"samples_x\.jsonl, line 1: no sample"):
        read_other(path)
    path.write_bytes(b'{"doc": {}}\n{"caf\xe9": 1}\n')
    with pytest.raises(BadInput, match="line 2: not UTF-8"):
        read_other(path)


def test_a_broken_line_is_named(tmp_path: Path):
    path = harness(tmp_path / "samples_x.jsonl", MARKED)
    path.write_text(path.read_text() + '{"doc_id": 1\n')
    with pytest.raises(BadInput, match=r"samples_x\.jsonl, line 2: no sample"):
        read_other(path)


def test_a_table_of_ratings(tmp_path: Path):
    path = tmp_path / "ratings.csv"
    rows = [
        f"{item},{rater},{criterion},{int(mark)},He sewed.,gpt-4"
        for item in ("sewing", "tea")
        for rater in ("ann", "bob")
        for criterion, mark in MARKED.items()
        if (item, criterion) != ("tea", "sense")
    ]
    path.write_text("item,rater,criterion,mark,text,author\n" + "\n".join(rows) + "\n")
    with pytest.raises(BadInput, match="several graders graded: ann, bob"):
        read_other(path)
    result = read_other(path, "ann")
    (text,) = result.texts
    assert text.combination.skills == ("irony", "zeugma")
    assert text.combination.topic == "sewing"
    assert text.model == "gpt-4"
    assert result.findings.left_out == {"nobody marked sense": 1}
    assert result.findings.replies == {"ann": 1, "bob": 1}


def test_what_holds_no_graded_text_is_refused(tmp_path: Path):
    (tmp_path / "r.csv").write_text("item,rater,mark\n1,ann,1\n")
    with pytest.raises(BadInput, match=r"items: 1: nobody marked topic, sense\. unparrot"):
        read_other(tmp_path / "r.csv")
    (tmp_path / "log.eval").write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(BadInput, match=r"log\.eval cannot be read as a log of Inspect"):
        read_other(tmp_path / "log.eval")
    with pytest.raises(BadInput, match="there is no file"):
        import_run(tmp_path / "nothing", tmp_path / "run")
