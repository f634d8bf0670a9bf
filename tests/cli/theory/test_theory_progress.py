"""The time that long simulations take, told while they run."""

import re

import pytest

from unparrot.cli.main import run
from unparrot.core import progress

LINE = re.compile(r"^(.+): \S+ % done, about .+ left; Ctrl-C stops it$")


@pytest.mark.parametrize(
    ("arguments", "works"),
    [
        (["threshold", "gnp", "--n", "1000", "--trials", "5"], {"random graphs"}),
        (["graph", "--pieces", "4e6"], {"skill graph"}),
        (
            ["peel", "--skills", "1e4", "--pieces", "1e6"],
            {"skill graph", "peeling", "peeling, most skills known"},
        ),
    ],
)
def test_every_step_may_tell_the_time_left(
    arguments: list[str],
    works: set[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("FIRST", "EVERY"):
        monkeypatch.setattr(progress, name, 0.0)
    assert run(["theory", *arguments]) == 0
    lines = [LINE.match(line) for line in capsys.readouterr().err.splitlines()]
    assert {line[1] if line else None for line in lines} == works
