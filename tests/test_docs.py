"""The documents: programs run, links, commands and modules exist, the site is self-contained."""

import ast
import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

import unparrot
from unparrot.cli.main import COMMANDS, cli, run

ROOT = Path(__file__).parents[1]
CHANGES = ROOT / "CHANGELOG.md"
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


def test_citation_and_changes_are_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == unparrot.__version__
    assert citation["license"] == "Apache-2.0"
    assert all(reference["authors"] for reference in citation["references"])
    assert re.search(rf"^## .*\b{re.escape(unparrot.__version__)}", CHANGES.read_text(), re.M)


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
        package = path / "__init__.py"
        path = package if package.exists() else path.with_suffix(".py")
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


def shell_blocks(page: str) -> list[tuple[str, str]]:
    """Return each `$ command` of the page's console blocks with the output shown below it."""
    text = (ROOT / "docs" / page).read_text()
    blocks = "".join(re.findall(r"```console\n(.*?)```", text, re.S))
    return re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", blocks, re.M)


@pytest.mark.parametrize(
    ("page", "command", "output"),
    [
        (page, *block)
        for page in ("world.md", "packs.md")
        for block in shell_blocks(page)
        if block[0].startswith("unparrot")
    ],
    ids=lambda value: value if value.startswith("unparrot") else "",
)
def test_command_prints_what_the_page_shows(
    page: str,
    command: str,
    output: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in shell_blocks(page):
        if name.startswith("cat "):
            (tmp_path / name.removeprefix("cat ")).write_text(content)
    for pack in re.findall(
        r"```yaml\n# tea.yaml\n(.*?)```", (ROOT / "docs" / page).read_text(), re.S
    ):
        (tmp_path / "tea.yaml").write_text("# tea.yaml\n" + pack)
        slips = pack.replace("A third of the chest", "After steeping, a third of the chest")
        (tmp_path / "slips.yaml").write_text("# tea.yaml\n" + slips + "  - Sickrooms\n")
    run(shlex.split(command)[1:])
    printed = capsys.readouterr()
    assert (printed.out + printed.err).split() == output.split()


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda p: p.stem)
def test_benchmark_imports_what_is_there(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unparrot"):
            for alias in node.names:
                assert exists(f"{node.module}.{alias.name}"), (node.lineno, alias.name)


@pytest.mark.slow
def test_site_builds_and_asks_no_other_host_for_anything(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert (site / "index.html") in pages
    root = click.Context(cli, info_name="unparrot")
    for name in cli.list_commands(root):
        text = (site / "commands" / f"{name}.html").read_text()
        command = cli.get_command(root, name)
        for subcommand in getattr(command, "commands", ()):
            assert f'id="unparrot-{name}-{subcommand}"' in text
    reference = (site / "api" / "index.html").read_text()
    assert all(f'id="unparrot.{name}"' in reference for name in unparrot.__all__ if name[0] != "_")
    assert (site / "explore.html").read_text().count("data-bench=") == 3
    assert (site / "play" / "touch.js").stat().st_size
    searched = (site / "search" / "search_index.json").read_text()
    assert "Ask the models" in searched
    assert "H4sI" not in searched, "the models are in the index of the search"
    for page in pages:
        # a link may lead elsewhere; nothing is loaded from there
        for tag in re.findall(r"<(?:link|script|img|iframe|source)\b[^>]*>", page.read_text()):
            assert "//" not in re.sub(r'rel="(?:canonical|edit)".*', "", tag), (page.name, tag)
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(?:https?:)?//", sheet.read_text()), sheet.name
