"""Runs of language models are compared only if their marks mean the same."""

from __future__ import annotations

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
