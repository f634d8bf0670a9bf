"""What the documents promise: their programs run, their links lead somewhere."""

import re
from pathlib import Path

import pytest

from unparrot.cli.main import COMMANDS

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PROGRAMS = [
    (page, number, program)
    for page in PAGES
    for number, program in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.S))
]
# drawn by the demo, so a fresh copy of the source may be without them
DRAWN = ("docs/img/",)


@pytest.mark.parametrize(
    "program", [program for *_, program in PROGRAMS], ids=[f"{p.name}-{n}" for p, n, _ in PROGRAMS]
)
def test_program_runs(
    program: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(program, "<document>", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out


def test_the_readme_has_a_program() -> None:
    assert any(page.name == "README.md" for page, *_ in PROGRAMS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if "://" not in target and not target.startswith(DRAWN):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_named_exist(page: Path) -> None:
    for command in re.findall(r"`unparrot ([a-z]+)", page.read_text()):
        assert command in COMMANDS
