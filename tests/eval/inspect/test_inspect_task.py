"""SKILL-MIX as a task of Inspect: by its command line against a real server, and piece by piece."""

import gc
import math
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("inspect_ai")

import inspect_ai
from inspect_ai import Task
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import Model, ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import SampleScore, Score

from unparrot.core.records import RunFolder
from unparrot.eval.ask.run import Access, run
from unparrot.eval.inspect.inspect_task import METRICS, SCORER, CannotStart, by_k, skillmix
from unparrot.eval.record.eval_spec import EvalSpec
from unparrot.eval.record.prepare import prepare
from unparrot.eval.wire.models import Limits
from unparrot.packs.drawing import draw_combinations
from unparrot.packs.reading import load_pack

STUDENT, GRADER = "openai-api/local/student-good", "openai-api/local/grader-fair"
KEY = "sk-planted-0123456789abcdef"
TEXT = "<answer>Tea is what it is.</answer>"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOCAL_API_KEY", KEY)
    monkeypatch.setenv("INSPECT_LOG_DIR", str(tmp_path / "logs"))


def inspect_eval(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `inspect eval unparrot/skillmix` in a folder, without the network or a browser."""
    command = [sys.executable, "-m", "inspect_ai", "eval", "unparrot/skillmix"]
    home = {"HOME": str(folder), "INSPECT_LOG_DIR": str(folder / "logs"), "LOCAL_API_KEY": KEY}
    paths = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return subprocess.run(
        [*command, "--display", "plain", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**paths, "COLUMNS": "400", **home},
    )


def test_the_command_line_gives_what_our_own_run_gives(chat_server: Any, tmp_path: Path) -> None:
    url = chat_server.base_url
    done = inspect_eval(
        tmp_path, "--model", STUDENT, "--model-base-url", url, "--epochs", "2",
        "--epochs-reducer", "mean,max", "-T", f"grader={GRADER}", "-T", f"grader_base_url={url}",
        "-T", "k=2..3", "-T", "n=4",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "logs").glob("*.eval")
    log = read_eval_log(str(path))
    assert log.status == "success"
    assert log.samples is not None
    calls = 2 * 4 * 2 * (2 + 3)  # k, combinations, epochs; turns and gradings
    assert chat_server.stats()["by_outcome"] == {"ok": calls}

    spec = EvalSpec(models=(STUDENT,), graders=(GRADER,), k=(2, 3), n=4, rounds=2)
    access = Access(Limits(8), base_url=url, grader_base_url=url)
    run(prepare(spec, tmp_path / "run"), access)
    texts = {
        (text.combination.topic, text.combination.skills, text.sample + 1): text
        for text in RunFolder(tmp_path / "run").read_graded()
    }
    assert len(texts) == len(log.samples) == 16
    for sample in log.samples:
        metadata = sample.metadata
        text = texts[metadata["topic"], tuple(metadata["skills"]), sample.epoch]
        score = (sample.scores or {})[SCORER]
        assert score.answer == text.text
        assert score.as_dict() == {name: float(getattr(text, name)) for name in METRICS}
        assert len((score.metadata or {})["gradings"]) == 3
    assert KEY not in path.read_bytes().decode("latin-1")
    assert KEY not in done.stdout + done.stderr


def test_a_grader_that_takes_no_schema_marks_in_lines(chat_server: Any, tmp_path: Path) -> None:
    chat_server.control(no_schema="This response_format type is unavailable now")
    url = chat_server.base_url
    done = inspect_eval(
        tmp_path, "--model", STUDENT, "--model-base-url", url, "-T", f"grader={GRADER}",
        "-T", f"grader_base_url={url}", "-T", "k=2", "-T", "n=3", "-T", "form=schema",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "logs").glob("*.eval")
    log = read_eval_log(str(path))
    assert (log.status, len(log.samples or ())) == ("success", 3), log.error
    for sample in log.samples or ():
        figures = (sample.scores or {})[SCORER].as_dict()
        assert all(figures[name] in (0.0, 1.0) for name in ("full_marks", "all_skills"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name a grader"),
        (("-T", "grader=openai/gpt-4o"), "set OPENAI_API_KEY"),
    ],
)
def test_the_command_line_refuses_before_any_call(
    chat_server: Any, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = inspect_eval(
        tmp_path, "--model", STUDENT, "--model-base-url", chat_server.base_url, *arguments
    )
    assert done.returncode == 1
    assert said in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert chat_server.stats()["requests"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"k": 0}, "from 1 to 30"),
        ({"k": "5..2"}, "from 1 to 30"),
        ({"k": "many"}, "'many'"),
        ({"k": [2, 99]}, "99"),
        ({"n": 0}, "at least 1"),
        ({"n": 10**9, "k": 1}, "ask for at most"),
        ({"tries": 0}, "at least 1"),
        ({"pack": "nowhere.yaml"}, "neither a pack"),
        ({"prompts": "nowhere"}, "nowhere"),
        ({"form": "xml"}, "'xml'"),
        ({"grader": "nobody"}, "no model 'nobody'"),
    ],
)
def test_bad_arguments_are_refused_at_once(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(CannotStart) as caught:
        skillmix(**{"grader": "mockllm/model", **arguments})
    assert said in str(caught.value)
    assert said.replace("[", r"\[") in str(caught.value.message)


def test_samples_are_the_combinations_of_our_own_run() -> None:
    made = skillmix(grader="mockllm/model", k=[2, "4..5"], n=3, seed=7)
    pack = load_pack("language.en")
    drawn = [c for k in (2, 4, 5) for c in draw_combinations(pack, k, 3, 7)]
    asked = [(one.metadata["topic"], tuple(one.metadata["skills"])) for one in _samples(made)]
    assert asked == [(c.topic, c.skills) for c in drawn]
    ids = [one.id for one in _samples(made)]
    assert ids[:4] == ["k2-00001", "k2-00002", "k2-00003", "k4-00001"]
    assert all("<answer>" in str(one.input) for one in _samples(made))
    assert made.metadata is not None
    assert made.metadata["pack"]["digest"] == pack.digest
    longer = skillmix(grader="mockllm/model", k=2, n=9, seed=7)
    assert _samples(longer)[:3] == _samples(made)[:3]


def _samples(made: Task) -> list[Any]:
    return list(made.dataset)


def test_a_private_pack_is_not_named(tmp_path: Path, journal_runs: Any) -> None:
    pack = tmp_path / "secret.yaml"
    pack.write_text(journal_runs.PRIVATE_PACK)
    made = skillmix(grader="mockllm/model", pack=str(pack), n=2, k=2)
    assert made.dataset.name == "private pack"
    assert made.metadata is not None
    assert made.metadata["private"] is True
    assert "secret" not in str(made.metadata)


def says(*replies: str | ModelOutput) -> Model:
    """A model that says these things in turn, the last one for ever."""
    used = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)

    def outputs() -> Iterator[ModelOutput]:
        for reply in [*replies, *[replies[-1]] * 50]:
            made = reply
            if isinstance(made, str):
                made = ModelOutput.from_content("mockllm/model", made)
            made = made.model_copy(deep=True)
            made.usage = used
            yield made

    return get_model("mockllm/model", custom_outputs=outputs(), memoize=False)


def marks_all(mark: int) -> Model:
    """A grader that gives every criterion this mark, in the lines that it is shown."""

    def reply(messages: list[Any], *_: Any) -> ModelOutput:
        lines = [line for line in messages[-1].text.splitlines() if line.endswith(" = MARK")]
        said = "\n".join(line.replace("MARK", str(mark)) for line in lines)
        made = ModelOutput.from_content("mockllm/model", said)
        made.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
        return made

    return get_model("mockllm/model", custom_outputs=reply, memoize=False)


@pytest.fixture
def score(tmp_path: Path) -> Callable[..., tuple[Score, EvalLog]]:
    """Have a student and a grader do one sample of two skills."""

    def go(student: Model, grader: Model, **arguments: Any) -> tuple[Score, EvalLog]:
        made = skillmix(grader="mockllm/model", k=2, n=1, **arguments)
        with warnings.catch_warnings():
            # Inspect leaves streams of its own to the collector
            warnings.simplefilter("ignore", ResourceWarning)
            (log,) = inspect_ai.eval(
                made,
                model=student,
                model_roles={"grader": grader},
                display="none",
                log_dir=str(tmp_path / "logs"),
            )
            gc.collect()
        assert log.status == "success", log.error
        assert log.samples is not None
        return (log.samples[0].scores or {})[SCORER], log

    return go


Scored = Callable[..., tuple[Score, EvalLog]]


def test_a_text_is_marked_by_every_round(score: Scored) -> None:
    scored, log = score(says(TEXT), marks_all(1))
    assert scored.as_dict() == dict.fromkeys(METRICS, 1.0)
    assert scored.answer == "Tea is what it is."
    assert scored.reason is None
    metadata = scored.metadata or {}
    assert [given["round"] for given in metadata["gradings"]] == [1, 2, 3]
    assert len({given["reply"] for given in metadata["gradings"]}) == 3  # a token for each
    assert log.results is not None
    assert [s.metrics["mean"].value for s in log.results.scores] == [1.0, 1.0, 1.0]
    assert set(log.stats.role_usage) == {"grader"}


@pytest.mark.parametrize(
    ("reply", "reason", "said"),
    [
        (ModelOutput.from_content("m", "No.", stop_reason="content_filter"), "refusal", "filter"),
        ("I cannot help with that.", "refusal", "refused in words"),
        ("", "no_response", "empty"),
        ("Here you are: tea.", "invalid_response_format", "no answer part"),
    ],
)
def test_a_student_without_a_text_has_missed_everything(
    score: Scored, reply: Any, reason: str, said: str
) -> None:
    scored, log = score(says(reply), marks_all(1))
    assert scored.as_dict() == dict.fromkeys(METRICS, 0.0)
    assert (scored.reason, scored.answer) == (reason, None)
    assert said in str(scored.explanation)
    assert log.results is not None
    for figures in log.results.scores:
        assert (figures.scored_samples, figures.unscored_samples) == (1, 0)
        assert figures.metrics["mean"].value == 0.0


def test_a_useless_reply_is_asked_for_again_as_often_as_tries_say(score: Scored) -> None:
    drafts = (TEXT, "Sorry, what?", "<answer>Second thoughts on tea.</answer>")
    scored, log = score(says(*drafts), marks_all(0), tries=2)
    assert scored.answer == "Second thoughts on tea."
    assert scored.as_dict() == dict.fromkeys(METRICS, 0.0)
    assert log.samples is not None
    assert [m.role for m in log.samples[0].messages] == ["user", "assistant"] * 2
    once, _ = score(says(*drafts), marks_all(0), tries=1)
    assert once.reason == "invalid_response_format"


def test_a_grader_that_marks_nothing_leaves_it_open(score: Scored) -> None:
    scored, _ = score(says(TEXT), says("All fine, full marks: S1 = 1, S2 = 1."))
    assert isinstance(scored.value, float)
    assert math.isnan(scored.value)
    assert scored.reason == "grader_failed"
    assert scored.answer == "Tea is what it is."
    assert "unscored: the grader's reply does not mark it" in str(scored.explanation)


def test_the_length_is_counted_and_can_settle_what_a_grader_leaves_open(score: Scored) -> None:
    text = "<answer>Tea. Tea again. Tea once more.</answer>"  # one sentence is allowed
    scored, _ = score(says(text), says("No marks."))
    assert scored.as_dict()["full_marks"] == 0.0
    assert scored.as_dict()["skill_fraction"] == 0.0
    assert math.isnan(float(str(scored.as_dict()["all_skills"])))
    assert scored.reason == "grader_failed"


def test_names_are_deducted_if_asked(score: Scored) -> None:
    skill = draw_combinations(load_pack("language.en"), 2, 1, 10)[0].skills[0]
    text = f"<answer>Tea is {skill}, they say.</answer>"
    plain, _ = score(says(text), marks_all(1))
    strict, _ = score(says(text), marks_all(1), deduct_names=True)
    assert plain.as_dict()["full_marks"] == 1.0
    assert strict.as_dict()["full_marks"] == 0.0
    assert f"{skill}: missed: the text names the skill" in str(strict.explanation)


def test_the_metric_by_k_has_no_error_of_one_value() -> None:
    def one(k: int, value: float) -> SampleScore:
        return SampleScore(score=Score(value=value), sample_id="s", sample_metadata={"k": k})

    figures: Any = by_k()([one(2, 1.0), one(2, 0.0), one(3, 1.0)])
    assert figures["k=2"] == 0.5
    assert figures["k=2 stderr"] == pytest.approx(0.5)
    assert figures["k=3"] == 1.0
    assert math.isnan(figures["k=3 stderr"])
