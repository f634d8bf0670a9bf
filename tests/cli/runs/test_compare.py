"""`unparrot compare` on the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from unparrot.cli.comparison_commands import compare
from unparrot.core.errors import BadInput
from unparrot.core.grades import GradedText
from unparrot.core.skills import SkillCombination


@pytest.fixture
def run(
    tmp_path: Path,
    asked: Callable[[int, int], list[SkillCombination]],
    written: Callable[..., list[GradedText]],
    run_of: Callable[..., Path],
) -> Path:
    """Two models, two k, two decodings."""
    texts = []
    for decoding in ("greedy", "t0.7"):
        for k, old, new in ((1, 20, 30), (2, 10, 25)):
            items = asked(k, 40)
            for model, right in (("old", old), ("a:new", new)):
                full = [True] * right + [False] * (40 - right)
                texts += written(model, items, full, decoding=decoding)
    return run_of(tmp_path / "run", texts)


def output(*arguments: str) -> str:
    return CliRunner().invoke(compare, arguments, catch_exceptions=False).stdout


def test_json_has_every_cell(run: Path) -> None:
    result = json.loads(output(f"{run}:old", f"{run}:a:new", "--json", "--level", "0.9"))
    (comparison,) = result["comparisons"]
    assert (comparison["first"], comparison["second"], result["level"]) == ("old", "a:new", 0.9)
    assert [(c["k"], c["decoding"]) for c in comparison["cells"]] == [
        (1, "greedy"), (2, "greedy"), (1, "t0.7"), (2, "t0.7"),
    ]  # fmt: skip
    cell = comparison["cells"][1]
    assert cell["full_marks"]["value"] == 15 / 40
    assert cell["full_marks"]["level"] == 0.9
    assert cell["p"] == pytest.approx(2**-14)
    assert cell["p_adjusted"] == pytest.approx(2**-13)


def test_tables_fit_a_terminal_and_name_the_methods(run: Path) -> None:
    text = output(f"{run}:old", f"{run}:a:new", "--decoding", "greedy")
    tables, notes = text.split("n: combinations", 1)
    assert max(map(len, tables.splitlines())) <= 80
    assert "a:new minus old: seen, greedy" in tables
    assert "t0.7" not in tables
    assert "+37.5 (+24, +53)" in tables
    assert "Tango" in notes
    assert "Holm over the k of one split and decoding" in notes


def test_the_figure_is_written(run: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    drawing = tmp_path / "differences.svg"
    assert "The figure" in output(f"{run}:old", f"{run}:a:new", "--plot", str(drawing))
    assert drawing.exists()


def test_help_has_examples() -> None:
    assert "unparrot compare runs/old runs/new" in output("--help")


def test_bad_sides_are_refused(run: Path) -> None:
    for arguments in ([str(run)], [f"{run}/none", str(run)], [f"{run}:", str(run)]):
        assert CliRunner().invoke(compare, arguments).exit_code == 2
    with pytest.raises(BadInput, match="two different models"):
        output(str(run), str(run))
