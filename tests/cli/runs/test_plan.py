"""`unparrot plan` on the command line."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from unparrot.cli.comparison_commands import plan
from unparrot.core.errors import BadInput


def output(*arguments: str) -> str:
    return CliRunner().invoke(plan, arguments, catch_exceptions=False).stdout


BASE = ("--baseline", "0.3", "--detect", "0.1", "--k", "3")


def test_json_holds_the_assumptions_and_the_rows() -> None:
    result = json.loads(output(*BASE, "--rounds", "1..2", "--json"))
    assert result["spec"]["icc"] == 0.3
    assert [row["rounds"] for row in result["rows"]] == [1, 2]
    assert result["cheapest"] == 1
    assert "Connor" in result["source"]
    assert result["rows"][0]["combinations"] == 323


def test_the_table_fits_a_terminal_and_names_its_source() -> None:
    text = output(*BASE, "--price", "2.5", "10")
    assert max(map(len, text.splitlines()[:11])) <= 80
    assert re.search(r"Cheapest: 323 combinations, 1 round, 3,230 calls", text)
    assert "icc 0.3, match 0.15" in text
    assert "McNemar" in text
    unpaired = output(*BASE, "--unpaired", "--tests", "4", "--rounds", "1")
    assert "Fleiss" in unpaired
    assert "4 tests: each at 1.2 %" in unpaired or "4 tests: each at 1.3 %" in unpaired


def test_a_given_number_of_combinations_has_a_power(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    drawing = tmp_path / "power.svg"
    text = output(*BASE, "--rounds", "1", "--combinations", "100", "--plot", str(drawing))
    assert "0.30" in text
    assert "+18.7" in text
    assert drawing.exists()


def test_help_has_examples() -> None:
    assert "unparrot plan --baseline" in output("--help")


def test_bad_numbers_are_refused() -> None:
    with pytest.raises(BadInput, match="both shares"):
        output("--baseline", "0.3", "--detect", "0.8", "--k", "3")
    assert CliRunner().invoke(plan, ["--baseline", "0", "--detect", "0.1", "--k", "2"]).exit_code
