"""All models of a run in pairs, with one family of tests."""

from __future__ import annotations

import pytest

from unparrot.analysis.between.compare import MOST, all_pairs, compare_outcomes
from unparrot.analysis.read.outcomes import outcomes_of
from unparrot.analysis.resampling import DEFAULT
from unparrot.stats.multiplicity import holm


def outcomes(asked, written, good: dict[str, int]):
    texts = []
    for k in (2, 3):
        items = asked(k, 12)
        for model, some in good.items():
            texts += written(model, items, [i < some for i in range(12)], decoding="t0.7")
    return outcomes_of(texts)


def test_pairs_are_those_of_compare_and_holm_runs_over_all(asked, written) -> None:
    frame = outcomes(asked, written, {"a": 12, "b": 6, "c": 1})
    found = all_pairs(frame, ["a", "b", "c"], DEFAULT)
    assert found is not None
    assert [(p.first, p.second) for p in found.pairs] == [
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    ]
    cells = [cell for pair in found.pairs for cell in pair.cells]
    assert found.tests == len(cells) == 6
    assert [c.p_adjusted for c in cells] == holm([c.p for c in cells])
    one, two = (frame.filter(model=name) for name in "ab")
    alone = compare_outcomes(one, two).cells[0]
    assert cells[0].full_marks == alone.full_marks
    assert cells[0].full_marks.value == pytest.approx(-0.5)
    assert cells[0].without_partner == 0
    assert found.left_out == ()


def test_one_model_has_nobody_to_meet(asked, written) -> None:
    assert all_pairs(outcomes(asked, written, {"a": 3}), ["a"], DEFAULT) is None


def test_of_many_models_the_first_meets_the_others(asked, written) -> None:
    names = [f"m{i}" for i in range(MOST + 1)]
    found = all_pairs(outcomes(asked, written, dict.fromkeys(names, 4)), names, DEFAULT)
    assert found is not None
    assert [(p.first, p.second) for p in found.pairs] == [("m0", n) for n in names[1:]]


def test_models_of_different_combinations_are_left_out_by_name(asked, written) -> None:
    texts = written("a", asked(2, 4), [True] * 4) + written("b", asked(3, 4), [True] * 4)
    found = all_pairs(outcomes_of(texts), ["a", "b"], DEFAULT)
    assert found is not None
    assert found.pairs == ()
    assert "no text for the same combination" in found.left_out[0]
