"""Estimates and curves keep their promises."""

import json

import pytest

from unparrot.core.errors import BadInput
from unparrot.core.estimate import CompetenceCurve, Estimate

VALID = {"value": 0.5, "low": 0.4, "high": 0.6, "level": 0.95, "method": "wilson", "n": 10}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"low": 0.55}, "low <= value <= high"),
        ({"high": 0.45}, "low <= value <= high"),
        ({"value": None}, "exactly if"),
        ({"n": 0}, "exactly if"),
        ({"n": -1}, "-1"),
        ({"low": None}, "both ends"),
        ({"value": float("nan")}, "finite"),
        ({"high": float("inf")}, "finite"),
        ({"level": 95}, "95"),
        ({"method": ""}, "method"),
        ({"value": None, "n": 0}, "low <= value <= high"),
    ],
)
def test_rejects_what_is_no_estimate(change: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Estimate(**{**VALID, **change})  # type: ignore[arg-type]


def test_as_dict_is_plain_json() -> None:
    assert json.loads(json.dumps(Estimate(**VALID).as_dict())) == VALID  # type: ignore[arg-type]
    nothing = Estimate(None, None, None, 0.95, "wilson", 0)
    assert nothing.as_dict()["value"] is None


def curve(*points: tuple[int, float | None]) -> CompetenceCurve:
    estimates = tuple(
        (k, Estimate(v, None, None, 0.95, "given", 0 if v is None else 10)) for k, v in points
    )
    return CompetenceCurve("64k", "seen", "greedy", "full_marks", estimates)


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([(1, 0.9), (2, 0.5), (3, 0.2), (4, 0.19)], 3),  # 0.2 itself reaches 0.2
        ([(1, 0.1), (2, 0.9)], 0),  # counted from k = 1 without a gap
        ([(1, 0.9), (3, 0.9)], 1),
        ([(1, 0.9), (2, None), (3, 0.9)], 1),
        ([(2, 0.9)], 0),
        ([], 0),
    ],
)
def test_largest_k(points: list[tuple[int, float | None]], expected: int) -> None:
    assert curve(*points).largest_k(0.2) == expected


def test_k_rises_from_one() -> None:
    assert curve((1, 0.5), (4, 0.1)).ks == (1, 4)
    for points in ([(0, 0.5)], [(2, 0.5), (2, 0.5)], [(2, 0.5), (1, 0.5)]):
        with pytest.raises(BadInput, match="rise"):
            curve(*points)
