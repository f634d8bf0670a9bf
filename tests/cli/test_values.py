"""Options of every kind with values that are none: refused by name, with the value, at once."""

import pytest

from unparrot.cli.main import run

CURVE = ["theory", "curve", "--k", "8", "--points", "2"]
PLAN = ["plan", "--baseline", "0.3", "--detect", "0.1", "--k", "3"]


@pytest.mark.parametrize("text", ["nan", "-inf", "1e400", "1,5", "", "0x10", "1 000"])
@pytest.mark.parametrize(
    ("command", "option", "more"),
    [
        (CURVE, "--theta", []),
        (["theory", "threshold", "gnp"], "--mean-degree", []),
        (["theory", "fit", __file__], "--floor", []),
        (["graders", __file__], "--pass-mark", []),
        (PLAN, "--icc", []),
        (PLAN, "--price", ["1"]),
        (["eval", "mockllm/model", "--grader", "later"], "--temperature", []),
        (["eval", "mockllm/model", "--grader", "later"], "--max-cost", []),
    ],
)
def test_no_finite_number(
    command: list[str], option: str, more: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, option, text, *more]) == 2
    error = capsys.readouterr().err
    assert f"'{option}': {text!r} is not a finite number" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["theory", "graph", "--degrees", "1e9"], "from 1 to 65,536, not 1000000000"),
        (["theory", "graph", "--degrees", "x" * 300], "is no degree from 0 up"),
        (["leaderboard", "x" * 300], "is not the folder of a run"),
        (["theory", "fit", __file__, "--resamples", "1e18"], "must be at most 1000000"),
        ([*PLAN, "--level", "1"], "must be above 0 and under 1"),
        (["graders", __file__, "--level", f"{1 - 1e-16!r}"], "must be above 0 and under 1"),
        (["theory", "fit", __file__, "--level", f"{1 - 1e-16!r}"], "must be above 0 and under 1"),
        ([*CURVE, "--theta", "1e-320"], "theta must be above 0 and under 1, not 1e-320"),
        (["theory", "slingshot", "--alpha", "1e-320"], "alpha must be above 0"),
        (
            ["theory", "curve", "--k", "1:0.1,4:0.9", "--theta", "0.1", "--tuple", "1e20"],
            "no piece has k' = 100000000000000000000 skills",
        ),
    ],
)
def test_too_small_too_large_too_long(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert message in " ".join(capsys.readouterr().err.split())
