"""The documents: programs run, links, commands and modules exist, the site is self-contained."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import unparrot
from unparrot.cli.main import COMMANDS

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
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


def test_the_readme_shows_and_links_the_examples() -> None:
    shown = [program for page, _, program in PROGRAMS if page.name == "README.md"]
    texts = [path.read_text().split('"""\n\n', 1)[1] for path in EXAMPLES]
    assert shown
    assert all(program in texts for program in shown)
    readme = (ROOT / "README.md").read_text()
    for path in EXAMPLES:
        assert f"](examples/{path.name})" in readme


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if "://" not in target and not target.startswith(DRAWN):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_named_exist(page: Path) -> None:
    for command in re.findall(r"`unparrot ([a-z]+)", page.read_text()):
        assert command in COMMANDS


def exists(name: str) -> bool:
    """Whether a dotted name below unparrot is a module of ours, or defined in one."""
    parts = name.split(".")
    for depth in range(len(parts), 0, -1):
        path = ROOT.joinpath("src", *parts[:depth])
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if not path.exists():
            continue
        if depth == len(parts):
            return True
        if depth == 1:
            return parts[1] in unparrot.__all__
        nodes = list(ast.walk(ast.parse(path.read_text())))
        names = {getattr(node, "name", None) or getattr(node, "id", None) for node in nodes}
        return parts[depth] in names
    return False


@pytest.mark.parametrize(
    "path",
    [*PAGES, *sorted((ROOT / "src").rglob("*.py")), *sorted((ROOT / "benchmarks").glob("*.py"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_names_of_modules_are_up_to_date(path: Path) -> None:
    for name in re.findall(r"`(unparrot(?:\.[A-Za-z_]\w*)+)", path.read_text()):
        assert exists(name), name


@pytest.mark.slow
def test_site_builds_and_asks_no_other_host_for_anything(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet")
    done = subprocess.run(
        [*command, "--site-dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    pages = sorted(tmp_path.rglob("*.html"))
    assert {"index.html", "commands/eval.html", "api/index.html"} <= {
        str(page.relative_to(tmp_path)) for page in pages
    }
    assert "unparrot eval grade" in (tmp_path / "commands" / "eval.html").read_text()
    for page in pages:
        # a link may lead elsewhere; nothing is loaded from there
        for tag in re.findall(r"<(?:link|script|img|iframe|source)\b[^>]*>", page.read_text()):
            assert "//" not in re.sub(r'rel="(?:canonical|edit)".*', "", tag), (page.name, tag)
    for sheet in tmp_path.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(?:https?:)?//", sheet.read_text()), sheet.name
