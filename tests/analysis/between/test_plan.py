"""The plan's calls, tokens and cost by hand."""

import pytest

from unparrot.analysis.between.plan import PlanSpec, Prices, cheapest, plan
from unparrot.core.errors import BadInput


def test_calls_tokens_and_cost_by_hand() -> None:
    spec = PlanSpec(
        0.3,
        0.1,
        k=3,
        combinations=10,
        grading_rounds=3,
        answer_tokens=50,
        prices=Prices(1.0, 2.0, 3.0, 4.0),
    )
    (row,) = plan(spec, [2])
    # two models, 10 combinations, 2 rounds
    assert row["texts"] == 40
    assert (row["generation_calls"], row["grading_calls"], row["calls"]) == (80, 120, 200)
    # a text: 190 + 3 * 70 = 400 read, 50 written; then 400 + 50 + 100 read and 50 written
    # a grading: 240 + 210 + 30 read, 35 * 6 written
    assert row["tokens_in"] == 40 * 950 + 120 * 480
    assert row["tokens_out"] == 40 * 100 + 120 * 210
    by_hand = 40 * (950 * 1 + 100 * 2) + 120 * (480 * 3 + 210 * 4)
    assert row["cost"] == pytest.approx(by_hand / 1e6)
    assert row["combinations"] == 10
    assert row["power"] < 0.3


def test_more_rounds_need_fewer_combinations_and_more_calls() -> None:
    rows = plan(PlanSpec(0.3, 0.1, k=3), [1, 2, 3])
    assert [r["combinations"] for r in rows] == sorted(
        (r["combinations"] for r in rows), reverse=True
    )
    assert [r["calls"] for r in rows] == sorted(r["calls"] for r in rows)
    assert cheapest(rows)["rounds"] == 1
    assert all(r["power"] >= 0.8 and r["detectable"] == 0.1 for r in rows)


def test_several_tests_one_model_and_no_grading() -> None:
    (one,) = plan(PlanSpec(0.3, 0.1, k=3), [1])
    (many,) = plan(PlanSpec(0.3, 0.1, k=3, tests=5), [1])
    assert many["combinations"] > one["combinations"]
    assert PlanSpec(0.3, 0.1, k=3, tests=5).design(1).alpha == pytest.approx(0.01)
    (single,) = plan(PlanSpec(0.3, 0.1, k=3, models=1, grading_rounds=0), [1])
    assert single["texts"] * 2 == one["texts"]
    assert single["calls"] == 2 * single["texts"]


def test_the_default_match_fits_any_shares() -> None:
    assert PlanSpec(0.3, 0.1, k=2).design(2).match == pytest.approx(0.15)
    # 1 % against 98 %: nothing but a correlation near 0 is possible
    assert PlanSpec(0.01, 0.97, k=2).design(1).match < 0.02


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "k must be at least 1"),
        ({"tests": 0}, "tests"),
        ({"grading_rounds": -1}, "grading rounds"),
        ({"models": 3}, "1 or 2"),
        ({"power": 1.0}, "power"),
        ({"level": 0.0}, "level"),
    ],
)
def test_bad_plans_are_named(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        PlanSpec(**({"baseline": 0.3, "detect": 0.1, "k": 3} | arguments))


def test_bad_tokens_prices_and_rounds_are_named() -> None:
    with pytest.raises(BadInput, match="answer"):
        PlanSpec(0.3, 0.1, k=3, answer_tokens=-1)
    with pytest.raises(BadInput, match="grader_in"):
        PlanSpec(0.3, 0.1, k=3, prices=Prices(grader_in=float("nan")))
    with pytest.raises(BadInput, match="at least one"):
        plan(PlanSpec(0.3, 0.1, k=3), [])
