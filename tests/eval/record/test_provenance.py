"""Who was asked, where and how: changes are refused or kept apart, and no text is bought twice."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from unparrot.core.errors import BadInput
from unparrot.eval.ask.asking import Tally
from unparrot.eval.ask.run import Access, run
from unparrot.eval.record.eval_spec import GRADING, EvalSpec
from unparrot.eval.record.journal import read_journal
from unparrot.eval.record.prepare import prepare
from unparrot.eval.wire.models import Limits, Refused

GOOD, STRICT = "openai-api/local/student-good", "openai-api/local/grader-strict"
KEY = "sk-planted-0123456789abcdef"
Test = Callable[..., Tally]


@pytest.fixture
def second_server(start_chat_server: Callable[..., Any]) -> Iterator[Any]:
    with start_chat_server(life=300.0) as server:
        yield server


@pytest.fixture
def skillmix(chat_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Test:
    """Run a small test into tmp_path/run; returns what was done."""
    monkeypatch.setenv("LOCAL_API_KEY", KEY)

    def start(*, write: bool = True, grader: str = STRICT, **values: Any) -> Tally:
        names = ("base_url", "grader_base_url", "arguments", "grader_arguments", "moved")
        urls = {"base_url": chat_server.base_url, "grader_base_url": chat_server.base_url}
        access = {**urls, **{name: values.pop(name) for name in names if name in values}}
        small = {"k": (2,), "n": 3, "rounds": 1, "grading_rounds": 2, **values}
        prepared = prepare(EvalSpec((GOOD,), (grader,), **small), tmp_path / "run")
        return run(prepared, Access(Limits(4, 20.0, 1), **access), write=write)

    return start


def spec_of(tmp_path: Path) -> dict[str, Any]:
    return json.loads((tmp_path / "run/manifest.json").read_text())["spec"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"arguments": {"responses_api": False}},
            r'the arguments \{\}, now it is \{"responses_api":"False"\}',
        ),
        ({"base_url": None}, "the address http.*, now it is http"),
    ],
    ids=["arguments", "address"],
)
def test_a_student_that_is_reached_otherwise_is_refused_before_any_call(
    skillmix: Test,
    chat_server: Any,
    second_server: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
    words: str,
) -> None:
    skillmix()
    journal = (tmp_path / "run/journal.sqlite").read_bytes()
    # an address from the environment counts like a given one
    monkeypatch.setenv("LOCAL_BASE_URL", second_server.base_url)
    chat_server.reset()
    with pytest.raises(BadInput, match=rf"holds texts of {GOOD} with {words}.*give the same"):
        skillmix(n=5, **change)
    assert chat_server.stats()["requests"] == second_server.stats()["requests"] == 0
    assert (tmp_path / "run/journal.sqlite").read_bytes() == journal


def test_models_that_have_moved_are_the_same_if_the_user_says_so(
    skillmix: Test, second_server: Any, tmp_path: Path
) -> None:
    first = skillmix()
    there = {"base_url": second_server.base_url, "grader_base_url": second_server.base_url}
    tally = skillmix(n=4, moved=True, **there)
    assert (tally.kept, tally.made) == (first.made, 2 + 2)
    assert spec_of(tmp_path)["reached"][GOOD]["address"] == second_server.base_url
    assert list(spec_of(tmp_path)["gradings"]) == [STRICT]


def content(folder: Path) -> str:
    return "".join(path.read_bytes().decode("utf-8", "replace") for path in folder.iterdir())


def test_a_key_in_the_query_of_an_address_is_no_part_of_what_is_kept(
    skillmix: Test, chat_server: Any, tmp_path: Path
) -> None:
    with pytest.raises(Refused):  # the server knows no such page
        skillmix(base_url=f"{chat_server.base_url}?api-version=3&subscription-key=simsala")
    assert "api-version=3" in content(tmp_path / "run")
    assert "simsala" not in content(tmp_path / "run")


def test_keys_and_passwords_are_no_part_of_what_is_kept(
    skillmix: Test, chat_server: Any, tmp_path: Path
) -> None:
    address = chat_server.base_url.replace("http://", "http://me:open-sesame@")
    skillmix(base_url=address, arguments={"api_key": "hunter2hunter2"})
    written = content(tmp_path / "run")
    assert "sesame" not in written
    assert "hunter2" not in written
    assert KEY not in written
    reached = spec_of(tmp_path)["reached"][GOOD]
    assert reached["arguments"] == {"api_key": "[key]"}
    # another key is no other model
    skillmix(base_url=address, arguments={"api_key": "another-key-entirely"})


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"grader_max_tokens": 4096}, "[max_tokens=4096]"),
        ({"grader_temperature": 0.0}, "[temperature=0.0]"),
        ({"grader_top_p": 0.5}, "[top_p=0.5]"),
        ({"grader_reasoning_effort": "low"}, "[reasoning_effort=low]"),
        ({"form": "schema"}, "[form=schema]"),
        ({"grader_arguments": {"responses_api": False}}, '[arguments={"responses_api":"False"}]'),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_grader_that_is_set_otherwise_grades_beside_its_earlier_self(
    skillmix: Test, chat_server: Any, tmp_path: Path, change: dict[str, Any], name: str
) -> None:
    skillmix()
    for write in (False, True):  # `eval grade`, then the same by `eval run`
        chat_server.reset()
        tally = skillmix(write=write, **change)
        assert tally.made == (0 if write else 3 * 2)
        assert set(chat_server.stats()["by_model"]) <= {"grader-strict"}, "no text is bought again"
    other = f"{STRICT} {name}"
    grades = pl.read_parquet(tmp_path / "run/grades.parquet")
    assert set(grades["grader"]) == {STRICT, other, "sentence count"}
    spec = spec_of(tmp_path)
    assert spec["grader"] == other
    assert list(spec["gradings"]) == [STRICT, other]
    assert spec["gradings"][other] != spec["gradings"][STRICT]
    # what the run began with is there still, and costs nothing
    assert skillmix(write=False).made == 0


def test_a_grader_at_another_address_is_another_grader(
    skillmix: Test, second_server: Any, tmp_path: Path
) -> None:
    skillmix()
    tally = skillmix(write=False, grader_base_url=second_server.base_url)
    assert (tally.made, second_server.stats()["requests"]) == (6, 6)
    host = second_server.base_url.removeprefix("http://").replace("/", ":")
    assert spec_of(tmp_path)["grader"] == f"{STRICT} [address={host}]"


WORDS = {
    "OpenAI": "Invalid parameter: 'response_format' of type 'json_schema' is not supported with "
    "this model.",
    "DeepSeek": "This response_format type is unavailable now",
    "Azure": "response_format value as json_schema is enabled only for api versions "
    "2024-08-01-preview and later",
    "Groq": "This model does not support response format `json_schema`.",
    "vLLM": "[{'type': 'literal_error', 'loc': ('body', 'response_format', 'type'), 'msg': \"Input "
    "should be 'text' or 'json_object'\"}]",
    "vLLM guided": "The provided JSON schema contains features not supported by xgrammar.",
    "llama.cpp": 'response_format type must be one of "text" or "json_object", but got: '
    "json_schema",
    "Together": "meta-llama/Llama-3-8b is not supported for JSON mode/function calling",
    "Google": "JSON mode is not enabled for models/gemma-3-27b-it",
    "elsewhere": "structured_outputs are not available for this deployment",
}


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_a_grader_that_takes_no_schema_marks_in_lines_and_is_asked_once(
    skillmix: Test, chat_server: Any, tmp_path: Path, words: str
) -> None:
    chat_server.control(no_schema=words)
    tally = skillmix(form="schema", n=2)
    assert (tally.failed, tally.made) == (0, 4 + 4)
    assert chat_server.stats()["by_outcome"] == {"no schema": 1, "ok": 8}
    assert words[:30] in spec_of(tmp_path)["gradings"][STRICT]["no schema"]
    chat_server.reset()
    chat_server.control(no_schema=words)
    tally = skillmix(form="schema", n=3)  # a run that goes on does not try again
    assert (tally.failed, tally.made) == (0, 2 + 2)
    assert chat_server.stats()["by_outcome"] == {"ok": 4}
    graded = pl.read_parquet(tmp_path / "run/graded.parquet")
    assert set(graded["status"]) == {"earned", "missed"}
    assert words[:30] in spec_of(tmp_path)["gradings"][STRICT]["no schema"]


def test_marks_under_a_schema_stay_when_the_schema_goes(
    skillmix: Test, chat_server: Any, tmp_path: Path
) -> None:
    skillmix(form="schema", n=2)
    chat_server.control(no_schema=WORDS["DeepSeek"])
    assert skillmix(form="schema", n=3).made == 2 + 2
    assert skillmix(form="schema", n=3).made == 0
    with read_journal(tmp_path / "run") as journal:
        forms = Counter(
            json.loads(c.id.config)["form"] for c in journal.calls() if c.id.role == "grader"
        )
    assert forms == {"schema": 4, "text": 2}


def test_any_other_fault_of_a_grader_is_no_reason_to_change_the_form(
    skillmix: Test, chat_server: Any, tmp_path: Path
) -> None:
    chat_server.control(faults={"400": 1.0}, role="grader")
    assert skillmix(form="schema", n=1).failed == 2
    assert "no schema" not in spec_of(tmp_path)["gradings"][STRICT]


def test_every_setting_of_a_grading_is_kept_with_it(skillmix: Test, tmp_path: Path) -> None:
    skillmix(n=1)
    kept = spec_of(tmp_path)["gradings"][STRICT]
    settings = {name.removeprefix("grader_") for name in GRADING}
    assert set(kept) == {"model", "address", "arguments", *settings}
