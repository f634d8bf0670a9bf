"""Commands made for runs of the lab, on runs of language models: they work, or say why not."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import click
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from unparrot.analysis.certificate.certify import standing_certificate
from unparrot.cli.comparison_commands import compare, leaderboard
from unparrot.cli.run_commands import analyze, certify, graders, report
from unparrot.core.errors import BadInput
from unparrot.core.records import RunFolder
from unparrot.packs.reading import load_pack
from unparrot.report.words.certificate_words import statements

PACK = load_pack("language.en")
BOTH = ("openai/gpt-4o-mini", "openai-api/local/tiny-llama-1.1b-chat")


@pytest.fixture(scope="module")
def run(skillmix_runs: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return skillmix_runs.fabricate(tmp_path_factory.mktemp("runs") / "run", PACK)


def output(command: click.Command, *arguments: object) -> str:
    done = CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_analyze_and_report(run: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"has no summary\.json.* make it: unparrot analyze"):
        output(report, run)
    told = output(analyze, run)
    assert told.startswith("With 3 skills at once, openai/gpt-4o-mini earns full marks on ")
    summary = json.loads(output(analyze, run, "--json"))
    assert summary["headline"]["first"] == 3
    page = tmp_path / "page.html"
    assert output(report, run, "--out", page).strip() == str(page)
    assert told.partition("\n")[0] in page.read_text()


def test_graders(run: Path) -> None:
    told = output(graders, run)
    assert "Agreement of openai/gpt-4o, anthropic/claude-3-5-sonnet" in told
    with pytest.raises(BadInput, match="a run of language models, where no grader is exact"):
        output(graders, run, "--plant", "0.1", "0.1")


def test_leaderboard(run: Path, tmp_path: Path) -> None:
    page = tmp_path / "open" / "board.html"
    page.parent.mkdir(mode=0o755)
    board = json.loads(output(leaderboard, run, "--html", page, "--json"))["boards"][0]
    assert [s["model"] for s in board["standings"]] == list(BOTH)
    assert page.stat().st_mode & 0o077 != 0
    run.chmod(0o700)
    output(leaderboard, run, "--html", page)
    assert page.stat().st_mode & 0o777 == 0o600
    run.chmod(0o755)


def test_compare(run: Path, skillmix_runs: ModuleType, tmp_path: Path) -> None:
    found = json.loads(output(compare, f"{run}:{BOTH[0]}", f"{run}:{BOTH[1]}", "--json"))
    assert [cell["k"] for cell in found["comparisons"][0]["cells"]] == [2, 3]
    other = skillmix_runs.fabricate(tmp_path, PACK)
    folder = RunFolder(other)
    manifest = folder.read_manifest()
    folder.write_manifest(replace(manifest, spec=manifest.spec | {"grader": "another"}))
    with pytest.raises(BadInput, match="a different grader cannot be compared"):
        output(compare, run, other)


def test_certify(run: Path, tmp_path: Path, skillmix_runs: ModuleType) -> None:
    with pytest.raises(BadInput, match="--topics FILE, and the number of its windows"):
        output(certify, run)
    skills, topics = skillmix_runs.rates(tmp_path, PACK)
    output(certify, run, "--skills", skills, "--topics", topics, "--windows", "1e9")
    output(analyze, run)
    page = Path(output(report, run).strip()).read_text()
    assert "Is it beyond the parrot bound?" in page
    certificate = standing_certificate(run)
    assert certificate is not None
    assert statements(certificate)[0] in page
