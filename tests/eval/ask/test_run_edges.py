"""Runs at their edges: replies that no file holds, moved files, budgets without reports of use."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from unparrot.cli.main import run as unparrot
from unparrot.core.errors import BadInput, CannotWrite
from unparrot.core.records import RunFolder
from unparrot.eval.ask.asking import Tally
from unparrot.eval.ask.cost_estimate import estimate
from unparrot.eval.ask.run import Access, run
from unparrot.eval.record.eval_spec import EvalSpec, grown
from unparrot.eval.record.journal import read_journal
from unparrot.eval.record.prepare import prepare, stored_spec
from unparrot.eval.wire.cost_limit import OverBudget
from unparrot.eval.wire.models import Limits, OpenModel, Response
from unparrot.eval.wire.prices import Price
from unparrot.eval.wire.redaction import Redactor
from unparrot.packs.reading import load_pack

GOOD, WEAK = "openai-api/local/student-good", "openai-api/local/student-weak"
STRICT = "openai-api/local/grader-strict"
SHIPPED = Path(load_pack.__code__.co_filename).parent

Ask = Callable[..., Any]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_API_KEY", "sk-planted-0123456789abcdef")


def small(models: tuple[str, ...] = (GOOD,), **values: Any) -> EvalSpec:
    shape = {"k": (2,), "n": 2, "rounds": 1, "grading_rounds": 1, **values}
    return EvalSpec(models=models, graders=(STRICT,), **shape)


def start(server: Any, spec: EvalSpec, folder: Path, **access: Any) -> Tally:
    reached = Access(
        limits=Limits(4, 20.0, 2),
        base_url=server.base_url,
        grader_base_url=server.base_url,
        **access,
    )
    return run(prepare(spec, folder), reached)


@pytest.fixture
def change_replies(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Callable[[Response], Response]], None]:
    """Have every reply changed after it came."""
    usual = OpenModel.ask

    def change(how: Callable[[Response], Response]) -> None:
        async def ask(self: OpenModel, *given: Any) -> Response:
            reply = await usual(self, *given)
            return reply if reply.kind else how(reply)

        monkeypatch.setattr(OpenModel, "ask", ask)

    return change


@pytest.fixture
def change_outputs(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str, Any], None]], None]:
    """Have what Inspect returns for every call changed, by the name of the model."""
    from inspect_ai.model import Model

    usual: Any = Model.generate

    def change(how: Callable[[str, Any], None]) -> None:
        async def generate(self: Any, *args: Any, **more: Any) -> Any:
            output = await usual(self, *args, **more)
            how(self.name, output)
            return output

        monkeypatch.setattr(Model, "generate", generate)

    return change


def test_half_characters_and_nonsense_counts_are_not_kept(
    chat_server: Any, tmp_path: Path, change_outputs: Any
) -> None:
    def spoil(name: str, output: Any) -> None:
        if name.endswith("student-good"):
            output.completion += " \ud800 \ud83d\ude00"
            assert output.usage is not None
            output.usage.input_tokens, output.usage.output_tokens = 10**20, -1

    change_outputs(spoil)
    tally = start(chat_server, small(), tmp_path / "run")
    assert (tally.made, tally.failed) == (6, 0)
    journal = read_journal(tmp_path / "run")
    said = [call for call in journal.calls() if call.id.role == "student"]
    journal.close()
    assert all(call.reply.endswith(" \N{REPLACEMENT CHARACTER} \N{GRINNING FACE}") for call in said)
    assert {(call.input_tokens, call.output_tokens) for call in said} == {(None, None)}


def test_of_a_huge_reply_a_limited_part_is_kept_and_told(
    chat_server: Any, tmp_path: Path, change_outputs: Any
) -> None:
    def lengthen(name: str, output: Any) -> None:
        if name.endswith("student-good"):
            head, tag, tail = output.completion.rpartition("</answer>")
            output.completion = head + "x" * 9_000_000 + tag + tail

    change_outputs(lengthen)
    start(chat_server, small(), tmp_path / "run")
    with read_journal(tmp_path / "run") as journal:
        replies = [call.reply for call in journal.calls() if call.id.role == "student"]
    assert replies
    for reply in replies:
        assert len(reply) < 100_100
        assert "\n[unparrot left out 8,9" in reply
    assert sum(path.stat().st_size for path in (tmp_path / "run").iterdir()) < 5_000_000
    texts = RunFolder(tmp_path / "run").read_table("texts")
    assert set(texts["no_text"]) == {"too_long"}


def test_long_thinking_before_an_answer_is_not_the_models_failure(
    chat_server: Any, tmp_path: Path, change_outputs: Any
) -> None:
    def think(name: str, output: Any) -> None:
        thought = "So, tea it is. " * 20_000
        if name.endswith("student-good"):
            output.completion = f"<think>\n{thought}\n</think>\n{output.completion}"
        else:
            output.completion = f"{thought}\n{output.completion}"

    change_outputs(think)
    spec = small()
    start(chat_server, spec, tmp_path / "run")
    texts = RunFolder(tmp_path / "run").read_table("texts")
    assert set(texts["no_text"]) == {None}
    assert max(map(len, texts["text"])) < 1000
    graded = RunFolder(tmp_path / "run").read_table("graded")
    assert set(graded["status"]) <= {"earned", "missed"}


@pytest.mark.parametrize("bad", [{"snapshot": "\ud800"}, {"input_tokens": 10**20}])
def test_what_the_journal_cannot_hold_stops_the_run_and_does_not_hang_it(
    chat_server: Any, tmp_path: Path, change_replies: Ask, bad: dict[str, Any]
) -> None:
    change_replies(lambda reply: reply._replace(**bad))
    with pytest.raises(CannotWrite, match="cannot hold what a model answered"):
        start(chat_server, small(), tmp_path / "run")


def test_a_call_without_reported_tokens_counts_at_its_dearest(
    chat_server: Any, tmp_path: Path, change_outputs: Any
) -> None:
    change_outputs(lambda _name, output: setattr(output, "usage", None))
    prices = {GOOD: Price(0.0, 1000.0), STRICT: Price(0.0, 0.0)}  # at most 0.512 for a turn
    for sent in (1, 0):  # and so they do when the run goes on
        with pytest.raises(OverBudget):
            start(chat_server, small(), tmp_path / "run", max_cost=1.0, prices=prices)
        assert chat_server.stats()["requests"] == sent
        chat_server.reset()


def test_calls_made_without_a_price_count_once_there_is_one(
    chat_server: Any, tmp_path: Path
) -> None:
    start(chat_server, small(), tmp_path / "run")
    chat_server.reset()
    prices = {GOOD: Price(0.0, 1e6), STRICT: Price(0.0, 0.0)}  # a dollar a token
    with pytest.raises(OverBudget, match=r"are spent"):
        start(chat_server, small(n=3), tmp_path / "run", max_cost=520.0, prices=prices)
    assert chat_server.stats()["requests"] == 0


def test_a_run_finds_its_files_from_another_folder_and_goes_on_where_they_moved(
    chat_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "elsewhere").mkdir()
    pack = tmp_path / "here/my pack.yaml"
    pack.write_bytes((SHIPPED / "language.en.yaml").read_bytes())
    monkeypatch.chdir(tmp_path / "here")
    start(chat_server, small(pack="my pack.yaml"), tmp_path / "run")
    monkeypatch.chdir(tmp_path / "elsewhere")
    prepared = prepare(stored_spec(tmp_path / "run"), tmp_path / "run")
    assert prepared.private
    assert "here" not in (tmp_path / "run/manifest.json").read_text()
    pack.rename("moved.yaml")
    assert start(chat_server, small(pack="moved.yaml"), tmp_path / "run").made == 0
    other = small(pack="mathematics.en")
    with pytest.raises(BadInput, match=r"other pack"):
        prepare(other, tmp_path / "run")


def test_a_world_is_not_private_because_a_folder_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "world").mkdir()
    pack = load_pack("language.en")
    prepared = prepare(small(pack="world"), tmp_path / "run", lambda _: pack)
    assert not prepared.private
    assert prepared.spec.pack == "world"


def test_what_another_model_was_asked_is_not_kept_of_this_one(
    chat_server: Any, tmp_path: Path
) -> None:
    start(chat_server, small(), tmp_path / "run")
    access = Access(base_url=chat_server.base_url, grader_base_url=chat_server.base_url)
    rows = estimate(prepare(small((WEAK,)), tmp_path / "run"), access)
    assert [(row.calls, row.kept) for row in rows] == [(4, 0), (2, 0)]
    rows = estimate(prepare(small((GOOD, WEAK), n=3), tmp_path / "run"), access)
    assert [(row.model, row.calls, row.kept) for row in rows] == [
        (GOOD, 6, 4), (WEAK, 6, 0), (STRICT, 6, 2)
    ]  # fmt: skip
    rows = estimate(prepare(small(n=1), tmp_path / "run"), access)
    assert [(row.calls, row.kept) for row in rows] == [(2, 2), (1, 1)]


def test_fewer_tries_use_what_more_tries_have_had(
    chat_server: Any, tmp_path: Path, change_replies: Ask
) -> None:
    replies = iter(["", *["a text that goes on"] * 9])

    def empty_first(reply: Response) -> Response:
        return (
            reply if "S1 =" in reply.reply else reply._replace(reply=next(replies) and reply.reply)
        )

    change_replies(empty_first)
    assert start(chat_server, small(n=1, tries=2), tmp_path / "run").made == 4
    tally = start(chat_server, small(n=1, tries=1, grading_rounds=2), tmp_path / "run")
    assert (tally.made, tally.kept) == (1, 4)


def test_keys_among_arguments_and_in_addresses_are_struck_out() -> None:
    access = Access(
        base_url="http://ann:a-long-password@127.0.0.1:1/v1",
        arguments={"api_key": "argument-key", "device": "cpu-device"},
    )
    assert access.secrets == {"a-long-password", "argument-key"}
    redact = Redactor(access.secrets)
    assert redact.known("argument-key, cpu-device") == "[key], cpu-device"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--reasoning-effort", "banana"], "one of none, minimal, low"),
        (["--timeout", "inf"], "'inf' is not a finite number"),
        (["--timeout", "nan"], "'nan' is not a finite number"),
        (["--max-cost", "nan"], "'nan' is not a finite number"),
        (["--spec", "spec.toml"], "models is 5; expected `str`"),
        (
            ["--base-url", "http://[bad/v1"],
            "the address 'http://[bad/v1' is none: give one such as",
        ),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_made(
    options: list[str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.toml").write_text("models = 5\n")
    models = [] if "--spec" in options else [GOOD]
    assert unparrot(["eval", "run", *models, "--grader", STRICT, *options]) == 2
    assert told in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "runs").exists()


def test_the_folder_of_a_very_long_name_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    name = f"openai-api/local/student-{'é' * 300}"
    assert unparrot(["eval", "run", name, "--grader", STRICT, "--dry-run", "--json"]) == 0
    folder = Path(json.loads(capsys.readouterr().out)["run"])
    folder.mkdir(parents=True)


def test_the_short_name_of_a_lab_model_has_a_price_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["eval", "run", GOOD, "--grader", "lab:exact", "--dry-run", "--json"]
    assert unparrot([*command, "--price", "lab:exact=1,1", "--price", f"{GOOD}=0,0"]) == 0
    assert json.loads(capsys.readouterr().out)["cost"] > 0


def test_skills_that_are_left_out_are_not_drawn_and_stay_left_out(tmp_path: Path) -> None:
    names = load_pack("language.en").skill_names
    spec = EvalSpec(models=(GOOD,), graders=(STRICT,), k=(2,), n=50, without=names[:60])
    prepared = prepare(spec, tmp_path / "run")
    drawn = {name for unit in prepared.units(GOOD) for name in unit.combination.skills}
    assert len(drawn) > 20
    assert drawn <= set(names[60:])
    with pytest.raises(BadInput, match="holds a run with without"):
        grown(spec, replace(spec, without=()), tmp_path)
    with pytest.raises(BadInput, match="has no skill 'ironie'"):
        prepare(replace(spec, without=("ironie",)), tmp_path / "other")
