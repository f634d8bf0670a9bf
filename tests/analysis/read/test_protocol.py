"""Runs of language models are compared only if their marks mean the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from unparrot.analysis.read.protocol import require_same_protocol
from unparrot.core.errors import BadInput
from unparrot.core.records import RunFolder

SPEC = {"protocol": "SKILL-MIX", "grader": "g", "deduct_names": False, "rounds": 3, "tries": 2}


@pytest.fixture
def runs(tmp_path: Path) -> Any:
    def make(*specs: dict[str, Any]) -> list[Path]:
        made: list[Path] = []
        for i, spec in enumerate(specs):
            folder = RunFolder(tmp_path / f"r{i}")
            folder.write_manifest(
                {
                    **{key: {} for key in ("versions", "timings", "machine")},
                    "spec": spec,
                    "digests": {"pack": "a"},
                    "command": "",
                    "seed": 1,
                }
            )
            made.append(folder.path)
        return made

    return make


def test_the_same_protocol(runs: Any) -> None:
    assert require_same_protocol(runs(SPEC, SPEC)) == []
    assert require_same_protocol(runs({}, {})) == []


@pytest.mark.parametrize(
    ("name", "value"), [("grader", "h"), ("deduct_names", True), ("protocol", None)]
)
def test_other_marks_are_refused(runs: Any, name: str, value: object) -> None:
    with pytest.raises(BadInput, match=f"a different {name} cannot be compared"):
        require_same_protocol(runs(SPEC, SPEC | {name: value}))


def test_a_rule_that_is_not_told_of_is_no_other_rule(runs: Any) -> None:
    old = {name: value for name, value in SPEC.items() if name != "deduct_names"}
    assert require_same_protocol(runs(SPEC, old)) == []


def test_lesser_differences_are_told(runs: Any) -> None:
    (note,) = require_same_protocol(runs(SPEC, SPEC | {"rounds": 1}))
    assert "rounds" in note
    assert note.endswith("differ: 3 and 1.")


GRADING = {
    "model": "g", "address": "http://one/v1", "arguments": {}, "form": "auto", "temperature": 0.7,
    "max_tokens": 2048, "top_p": None, "reasoning_effort": None,
}  # fmt: skip
FULL = SPEC | {
    "temperature": 0.7, "top_p": None, "reasoning_effort": None, "max_tokens": 512, "n": 100,
    "prompts": {"name": "skillmix.en", "version": "1"}, "gradings": {"g": GRADING},
    "reached": {"m": {"address": "http://one/v1", "arguments": {}}}, "snapshots": {"m": ["m-1"]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"temperature": 0.0}, "temperature"),
        ({"top_p": 0.9}, "top_p"),
        ({"reasoning_effort": "high"}, "reasoning_effort"),
        ({"prompts": {"name": "skillmix.en", "version": "2"}}, "prompts"),
        ({"gradings": {"g": GRADING | {"form": "text"}}}, "grader_form"),
        ({"gradings": {"g": GRADING | {"reasoning_effort": "low"}}}, "grader_reasoning_effort"),
        ({"gradings": {"g": GRADING | {"arguments": {"a": "1"}}}}, "grader_arguments"),
        ({"reached": {"m": {"address": "http://one/v1", "arguments": {"a": "1"}}}},
         "arguments of m"),
        ({"reached": {"m": {"address": "http://one/v1", "arguments": {}, "weights": "w@2"}}}, ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_changes_the_comparison_is_refused_or_named(
    runs: Any, change: dict[str, Any], name: str
) -> None:
    both = runs(FULL, FULL | change)
    if name:
        with pytest.raises(BadInput, match=f"a different {name} cannot .*or give --anyway"):
            require_same_protocol(both)
        (note,) = require_same_protocol(both, anyway=True)
        assert name.replace("_", " ") in note
    else:  # nobody knows what the other run's were
        assert require_same_protocol(both) == []


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"max_tokens": 4096}, "The max tokens of .* differ: 512 and 4096."),
        ({"n": 50}, "The n of .* differ: 100 and 50."),
        ({"reached": {"m": {"address": "http://two/v1", "arguments": {}}}},
         "The address of m of .* differ: 'http://one/v1' and 'http://two/v1'."),
        ({"snapshots": {"m": ["m-1", "m-2"]}}, r"The snapshot of m of .* \['m-1', 'm-2'\]."),
        ({"gradings": {"g": GRADING | {"max_tokens": 99}}}, "The grader max tokens of .* 2048 and"),
    ],
    ids=["max_tokens", "n", "address", "snapshot", "grader_max_tokens"],
)  # fmt: skip
def test_what_does_not_is_named(runs: Any, change: dict[str, Any], note: str) -> None:
    (named,) = require_same_protocol(runs(FULL, FULL | change))
    assert re.match(note, named)


def test_several_differences_are_refused_together(runs: Any) -> None:
    other = FULL | {"temperature": 0.0, "top_p": 0.5}
    with pytest.raises(BadInput, match="a different temperature and top_p cannot"):
        require_same_protocol(runs(FULL, other))


def test_what_a_run_does_not_say_is_no_other_setting(runs: Any) -> None:
    (note,) = require_same_protocol(runs(SPEC, SPEC | {"temperature": 0.7}))
    assert note.endswith("differ: unknown and 0.7.")
