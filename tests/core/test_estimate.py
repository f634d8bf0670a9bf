"""Estimates keep their promises."""

import msgspec
import pytest

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate

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


def test_an_estimate_goes_through_json_as_it_is() -> None:
    estimates = (Estimate(**VALID), Estimate(None, None, None, 0.95, "wilson", 0))  # type: ignore[arg-type]
    for estimate in estimates:
        assert msgspec.json.decode(msgspec.json.encode(estimate), type=Estimate) == estimate
