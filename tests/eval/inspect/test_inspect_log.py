"""Exported logs, read by Inspect itself and compared with the tables of the run."""

import json
import math
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from types import ModuleType
from typing import Any

import polars as pl
import pytest

pytest.importorskip("inspect_ai")

from inspect_ai.log import (
    EvalLog,
    bundle_log_dir,
    read_eval_log,
    read_eval_log_sample_summaries,
)

from unparrot.core.errors import BadInput
from unparrot.core.grades import EARNED, MISSED
from unparrot.core.records import RunFolder
from unparrot.eval.ask.run import rewrite
from unparrot.eval.inspect.inspect_log import export_logs, file_names
from unparrot.eval.inspect.inspect_task import METRICS
from unparrot.eval.people.label_sample import grader_name, open_labelling
from unparrot.eval.record.prepare import Prepared

GPT, CLAUDE = "openai/gpt-4o-mini", "anthropic/claude-3-5-haiku"
DECIDES, OTHER = "openai/gpt-4o", "google/gemini-2.5-pro"


@pytest.fixture(scope="module")
def prepared(journal_runs: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return journal_runs.fabricate(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def logs(prepared: Prepared) -> dict[str, EvalLog]:
    names = file_names(prepared.whole.models)
    places = {model: prepared.folder / "inspect" / name for model, name in names.items()}
    written = export_logs(prepared, places)
    assert [(log.model, log.samples, log.complete) for log in written] == [
        (CLAUDE, 20, True),
        (GPT, 20, True),
    ]
    return {log.model: read_eval_log(str(log.path), resolve_attachments=True) for log in written}


def scored(text: Any) -> list[float | None]:
    return [None if (v := getattr(text, name)) is None else float(v) for name in METRICS]


def values(score: Any) -> list[float | None]:
    if not isinstance(score.value, dict):
        assert math.isnan(score.value)
        return [None] * len(METRICS)
    return [None if math.isnan(score.value[name]) else score.value[name] for name in METRICS]


@pytest.mark.parametrize("model", [GPT, CLAUDE])
def test_samples_say_what_the_tables_say(
    prepared: Prepared, logs: dict[str, EvalLog], model: str
) -> None:
    texts = {text.id: text for text in RunFolder(prepared.folder).read_graded()}
    samples = logs[model].samples
    assert samples is not None
    assert {sample.uuid for sample in samples} == {
        text.id for text in texts.values() if text.model == model
    }
    for sample in samples:
        text = texts[str(sample.uuid)]
        assert sample.epoch == text.sample + 1
        assert sample.metadata["topic"] == text.combination.topic
        assert tuple(sample.metadata["skills"]) == text.combination.skills
        assert sample.scores is not None
        assert list(sample.scores) == [DECIDES, OTHER]
        score = sample.scores[DECIDES]
        assert (score.answer or "") == text.text
        # what `inspect score` takes the text from
        assert sample.store["skillmix text"] == text.text
        assert values(score) == scored(text)
        assert score.metadata is not None
        assert score.metadata["marks"] == {
            name: f"{mark.status}: {mark.reason}" if mark.reason else mark.status
            for name, mark in text.marks.items()
        }


def test_gradings_say_what_grades_say_round_by_round(
    prepared: Prepared, logs: dict[str, EvalLog]
) -> None:
    grades = pl.read_parquet(prepared.folder / "grades.parquet")
    found: dict[tuple[Any, ...], str] = {}
    for sample in (sample for log in logs.values() for sample in log.samples or ()):
        for grader, score in (sample.scores or {}).items():
            for given in (score.metadata or {})["gradings"]:
                for name, told in given["marks"].items():
                    found[sample.uuid, grader, given["round"], name] = told
    kept = {
        (text_id, grader, number, criterion): f"{status}: {reason}" if reason else status
        for text_id, grader, number, criterion, status, reason in grades.filter(
            pl.col("family") != "program"
        )
        .select("text_id", "grader", "round", "criterion", "status", "reason")
        .iter_rows()
    }
    assert found == kept


def test_calls_are_events_and_their_usage_adds_up(
    prepared: Prepared, logs: dict[str, EvalLog]
) -> None:
    calls = pl.read_parquet(prepared.folder / "transcripts.parquet")
    samples = logs[GPT].samples
    assert samples is not None
    for sample in samples:
        own = calls.filter(pl.col("text_id") == sample.uuid)
        events = [event for event in sample.events if event.event == "model"]
        assert [event.input[-1].text for event in events] == own["prompt"].to_list()
        assert [event.output.completion for event in events] == own["reply"].to_list()
        assert [(event.metadata or {})["outcome"] for event in events] == own["outcome"].to_list()
        assert [event.role == "grader" for event in events] == own["grader"].is_not_null().to_list()
        answered = own.filter(~pl.col("outcome").str.starts_with("no reply"))
        used = sample.model_usage
        assert sum(one.input_tokens for one in used.values()) == answered["input_tokens"].sum()
        # a sum of costs is known only where each is
        assert [used[name].total_cost is None for name in sorted(used)] == [
            not name.startswith("openai/") for name in sorted(used)
        ]
    usage = pl.read_parquet(prepared.folder / "usage.parquet")
    student = usage.filter((pl.col("model") == GPT) & (pl.col("role") == "student"))
    assert logs[GPT].stats.model_usage[GPT].output_tokens == student["output_tokens"].item()


def test_a_conversation_holds_the_tries_that_counted(logs: dict[str, EvalLog]) -> None:
    samples = {(s.id, s.epoch): s for s in logs[GPT].samples or ()}
    refused, cut, failed, again = (
        samples[key] for key in (("k2-00001", 1), ("k2-00001", 2), ("k3-00001", 1), ("k3-00001", 2))
    )
    assert [message.role for message in refused.messages] == ["user"]
    assert refused.output.stop_reason == "content_filter"
    assert (refused.scores or {})[DECIDES].reason == "refusal"
    assert "content filter" in str((refused.scores or {})[DECIDES].explanation)
    assert [message.role for message in cut.messages] == ["user", "assistant", "user"]
    assert len(cut.events) == 3  # two tries of the last turn
    assert (cut.scores or {})[DECIDES].reason == "invalid_response_format"
    assert failed.output.error == "no connection: the server hung up"
    assert failed.events[-1].model_dump()["retries"] == 2
    assert [message.role for message in again.messages] == ["user", "assistant"] * 2
    assert len(again.events) == 3 + 2 * 3  # turns, one of them twice; gradings
    for sample, value in ((refused, 0.0), (cut, 0.0), (failed, None)):
        assert values((sample.scores or {})[DECIDES]) == [value] * 3
        assert (sample.scores or {})[DECIDES].answer is None


def test_results_are_means_over_combinations_of_what_is_scored(
    prepared: Prepared, logs: dict[str, EvalLog]
) -> None:
    texts = [text for text in RunFolder(prepared.folder).read_graded() if text.model == GPT]
    combinations = list(dict.fromkeys((t.combination.topic, t.combination.skills) for t in texts))
    results = logs[GPT].results
    assert results is not None
    assert (results.total_samples, results.completed_samples) == (20, 20)
    for reducer, reduce in (("mean", fmean), ("max", max)):
        for place, metric in enumerate(METRICS):
            reduced: dict[int, list[float]] = {2: [], 3: []}
            unscored = 0
            for topic, skills in combinations:
                own = [
                    value
                    for text in texts
                    if (text.combination.topic, text.combination.skills) == (topic, skills)
                    and (value := scored(text)[place]) is not None
                ]
                unscored += not own
                if own:
                    reduced[len(skills)].append(reduce(own))
            (score,) = (
                s
                for s in results.scores
                if (s.scorer, s.name, s.reducer) == (DECIDES, metric, reducer)
            )
            every = reduced[2] + reduced[3]
            assert (score.scored_samples, score.unscored_samples) == (len(every), unscored)
            assert score.metrics["mean"].value == pytest.approx(fmean(every))
            error = stdev(every) / math.sqrt(len(every))
            assert score.metrics["stderr"].value == pytest.approx(error)
            for k, own in reduced.items():
                assert score.metrics[f"unparrot/by_k_k={k}"].value == pytest.approx(fmean(own))
    # the first combination of k = 2 lost both of its texts, and by the student's own failure
    assert {s.unscored_samples for s in results.scores} == {0}


def test_the_header_says_what_was_asked_and_how(logs: dict[str, EvalLog]) -> None:
    log = logs[CLAUDE]
    assert (log.version, log.status, log.eval.model) == (2, "success", CLAUDE)
    assert log.eval.task == log.eval.task_registry_name == "unparrot/skillmix"
    assert (log.eval.config.epochs, log.eval.config.epochs_reducer) == (2, ["mean", "max"])
    assert log.eval.dataset.sample_ids is not None
    assert len(log.eval.dataset.sample_ids) == 10
    assert log.eval.model_generate_config.temperature == 0.7
    assert [grader.model for grader in (log.eval.model_roles or {})["grader"]] == [DECIDES, OTHER]
    assert log.metadata["private"] is False
    assert log.metadata["pack"]["name"] == "language.en"
    assert log.stats.started_at < log.stats.completed_at


def test_inspects_commands_take_the_file(
    prepared: Prepared, logs: dict[str, EvalLog], tmp_path: Path
) -> None:
    path = Path(logs[GPT].location)
    dumped = subprocess.run(
        [sys.executable, "-m", "inspect_ai", "log", "dump", str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    content = json.loads(dumped.stdout.replace("NaN", "null"))
    assert len(content["samples"]) == 20
    summaries = read_eval_log_sample_summaries(str(path))
    assert [(s.id, s.epoch) for s in summaries] == [
        (f"k{k}-{place:05}", epoch) for k in (2, 3) for place in range(1, 6) for epoch in (1, 2)
    ]
    bundle_log_dir(str(path.parent), str(tmp_path / "bundle"))
    assert {file.name for file in (tmp_path / "bundle/logs").glob("*.eval")} == {
        log.location.rpartition("/")[2] for log in logs.values()
    }


def test_the_same_run_gives_the_same_private_log(prepared: Prepared, tmp_path: Path) -> None:
    for name in ("one", "two"):
        export_logs(prepared, {GPT: tmp_path / f"{name}.eval"})
    one, two = (read_eval_log(str(tmp_path / f"{name}.eval")) for name in ("one", "two"))
    assert one.model_dump(exclude={"location"}) == two.model_dump(exclude={"location"})
    assert stat.S_IMODE((tmp_path / "one.eval").stat().st_mode) == 0o600


def test_one_sample_has_no_standard_error_and_one_round_is_not_reduced(
    journal_runs: ModuleType, tmp_path: Path
) -> None:
    prepared = journal_runs.fabricate(tmp_path / "run", n=1, rounds=1, k=(3,), trouble=False)
    export_logs(prepared, {GPT: tmp_path / "log.eval"})
    results = read_eval_log(str(tmp_path / "log.eval"), header_only=True).results
    assert results is not None
    assert len(results.scores) == 2 * len(METRICS)
    assert {tuple(score.metrics) for score in results.scores} == {("mean",)}
    assert {score.reducer for score in results.scores} == {None}


def test_an_unfinished_run_is_no_success(journal_runs: ModuleType, tmp_path: Path) -> None:
    prepared = journal_runs.fabricate(tmp_path / "run")
    more = replace(prepared, whole=replace(prepared.whole, n=6))
    (written,) = export_logs(more, {GPT: tmp_path / "log.eval"})
    assert not written.complete
    log = read_eval_log(str(tmp_path / "log.eval"), header_only=True)
    assert log.status == "cancelled"
    assert log.results is not None
    assert (log.results.total_samples, log.results.completed_samples) == (24, 20)


def test_people_are_graders_of_the_texts_that_they_marked(
    journal_runs: ModuleType, tmp_path: Path
) -> None:
    prepared = journal_runs.fabricate(tmp_path / "run", trouble=False)
    texts = [text for text in RunFolder(prepared.folder).read_graded() if text.model == GPT]
    marks = {
        text.id: dict.fromkeys((*text.combination.skills, "topic", "sense"), EARNED)
        for text in texts[:3]
    }
    marks[texts[0].id]["sense"] = MISSED
    open_labelling(prepared.folder).keep(grader_name("ada"), marks)
    rewrite(prepared)
    export_logs(prepared, {GPT: tmp_path / "log.eval"})
    log = read_eval_log(str(tmp_path / "log.eval"))
    by_ada = [s for s in log.samples or () if "person:ada" in (s.scores or {})]
    assert {sample.uuid for sample in by_ada} == set(marks)
    first = next(sample for sample in by_ada if sample.uuid == texts[0].id)
    assert (first.scores or {})["person:ada"].as_dict()["full_marks"] == 0.0
    assert log.results is not None
    own = [score for score in log.results.scores if score.scorer == "person:ada"]
    assert {score.name for score in own} == set(METRICS)


def test_a_private_pack_is_told_and_not_named(
    journal_runs: ModuleType, tmp_path: Path, allow_group: Callable[[Path], None]
) -> None:
    pack = tmp_path / "secret.yaml"
    pack.write_text(journal_runs.PRIVATE_PACK)
    prepared = journal_runs.fabricate(tmp_path / "run", pack=str(pack), n=3)
    allow_group(prepared.folder)
    export_logs(prepared, {GPT: tmp_path / "log.eval"})
    log = read_eval_log(str(tmp_path / "log.eval"), header_only=True)
    assert log.metadata["private"] is True
    assert "do not publish" in log.metadata["warning"]
    with zipfile.ZipFile(tmp_path / "log.eval") as archive:
        header = archive.read("header.json").decode()
    assert "hidden art" not in header
    assert "secret" not in header
    assert stat.S_IMODE((tmp_path / "log.eval").stat().st_mode) == 0o600


@pytest.fixture
def allow_group() -> Callable[[Path], None]:
    """Open a folder to others, so that only the pack is private."""
    return lambda folder: folder.chmod(0o755)


def test_a_model_without_texts_has_no_log(prepared: Prepared, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no text of openai/other"):
        export_logs(prepared, {"openai/other": tmp_path / "log.eval"})
    assert list(tmp_path.iterdir()) == []
