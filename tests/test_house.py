"""Rules over the source: import contracts that bite, names, sizes, docstrings, public names.

The contracts themselves stand in ``pyproject.toml`` and `make check` runs them (``lint-imports``).
Here each is shown a violation of its own, and what no contract can express is checked directly.
"""

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import unparrot

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "unparrot"
PACKAGES = ("analysis", "cli", "core", "eval", "lab", "packs", "report", "stats", "theory", "view")

FORBIDDEN_STEMS = {"utils", "util", "common", "helpers", "helper", "misc"}
FORBIDDEN_CLASS_ENDINGS = ("Manager", "Engine", "Handler")
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "joblib", "shelve"}

MOST_FILES = 14
"""Python files in one folder: more than that no longer fits the map in its docstring."""
MOST_LINES = 900
"""Lines of one file, docstrings and comments included."""
MOST_SHARED_NAMES = 15
"""File names that may occur more than once in the source."""

MODULES = sorted(SOURCE.rglob("*.py"))
FOLDERS = sorted({path.parent for path in MODULES})
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def label(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(path: Path) -> Iterator[str]:
    """Every absolute module name that the file imports anywhere."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.fixture(scope="module")
def skeleton(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with the folders of ours and two empty files in each, under our contracts."""
    root = tmp_path_factory.mktemp("skeleton")
    # what the layers ignore in ours matches nothing here
    settings = (ROOT / "pyproject.toml").read_text("utf-8")
    ignoring = "ignore_imports = ["
    settings = settings.replace(ignoring, f'unmatched_ignore_imports_alerting = "none"\n{ignoring}')
    (root / "pyproject.toml").write_text(settings, "utf-8")
    for folder in PACKAGES:
        (root / "unparrot" / folder).mkdir(parents=True)
        for name in ("__init__", "one", "two"):
            (root / "unparrot" / folder / f"{name}.py").touch()
    (root / "unparrot" / "__init__.py").touch()
    return root


@pytest.mark.parametrize(
    ("importer", "statement", "contract"),
    [
        ("stats/one", "import unparrot.core.one", None),
        ("eval/one", "import unparrot.packs.one", None),
        ("lab/one", "import unparrot.stats.one", None),
        ("cli/one", "import unparrot.report.one, unparrot.lab.one, unparrot.packs.one", None),
        ("core/one", "import unparrot.stats.one", "layers"),
        ("packs/one", "import unparrot.eval.one", "layers"),
        ("lab/one", "import unparrot.eval.one", "layers"),
        ("theory/one", "def later():\n    import unparrot.lab.one", "layers"),
        ("analysis/one", "import unparrot.report.one", "layers"),
        ("analysis/one", "import unparrot.lab.one", "analysis-reads-records"),
        ("report/one", "import unparrot.lab.one", "report-draws"),
        ("report/one", "import unparrot.stats.one", "report-draws"),
        ("lab/one", "import unparrot.packs.one", "packs-for-eval"),
        ("core/one", "import unparrot.core.two", "no-cycles"),
    ],
)
def test_contracts_refuse_what_they_are_for(
    skeleton: Path, importer: str, statement: str, contract: str | None
) -> None:
    back = skeleton / "unparrot" / "core" / "two.py"
    back.write_text("import unparrot.core.one\n" if contract == "no-cycles" else "", "utf-8")
    path = skeleton / "unparrot" / f"{importer}.py"
    path.write_text(statement + "\n", "utf-8")
    arguments = ["--no-cache", "--no-logo", *(["--contract", contract] if contract else [])]
    command = f"from importlinter.cli import lint_imports_command as run; run({arguments!r})"
    try:
        checked = subprocess.run(
            [sys.executable, "-c", command],
            cwd=skeleton,
            env={"PYTHONPATH": str(skeleton)},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        path.write_text("", "utf-8")
    assert checked.returncode == (0 if contract is None else 1), checked.stdout + checked.stderr
    assert ("BROKEN" in checked.stdout) is (contract is not None)


def test_every_package_has_a_place() -> None:
    assert {path.parent.name for path in SOURCE.glob("*/__init__.py")} == set(PACKAGES)


@pytest.mark.parametrize("path", [*MODULES, *TESTS], ids=label)
def test_file_is_named_for_what_it_holds(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= MOST_LINES
    assert path.stem not in FORBIDDEN_STEMS
    assert not FORBIDDEN_STEMS.intersection(path.relative_to(ROOT).parts)


@pytest.mark.parametrize("folder", FOLDERS, ids=label)
def test_folder_is_no_wider_than_its_map(folder: Path) -> None:
    files = sorted(path.name for path in folder.glob("*.py"))
    assert len(files) <= MOST_FILES, files


@pytest.mark.parametrize("folder", [path for path in FOLDERS if path != SOURCE], ids=label)
def test_map_of_a_folder_names_all_that_is_in_it(folder: Path) -> None:
    """A map has lines `name - what is in it`, for modules and folders, in reading order."""
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))) or ""
    names = re.findall(r"^\s*(\w+)/?\s+-\s", docstring, re.M)
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    folders = {path.parent.name for path in folder.glob("*/__init__.py")}
    assert set(names) == modules | folders


def test_file_names_are_unique_enough_to_search_for() -> None:
    names = Counter(path.name for path in MODULES if path.name != "__init__.py")
    shared = sorted(name for name, count in names.items() if count > 1)
    assert len(shared) <= MOST_SHARED_NAMES, shared


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_module_says_what_it_is_and_avoids_what_must_not_exist(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree), "a module opens with what it is"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            assert not node.name.endswith(FORBIDDEN_CLASS_ENDINGS), node.name
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"bare except in line {node.lineno}"
    assert not FORBIDDEN_MODULES.intersection(name.partition(".")[0] for name in imported(path))


@pytest.mark.parametrize("path", [path for path in MODULES if path.parent != SOURCE], ids=label)
def test_the_public_list_is_for_users(path: Path) -> None:
    """Inside the package each name is imported from its home; only the version is lent out."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            assert "unparrot" not in [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "unparrot":
            assert {alias.name for alias in node.names} <= {"__version__", *PACKAGES}


@pytest.mark.parametrize("path", TESTS, ids=label)
def test_tests_mirror_the_source(path: Path) -> None:
    parts = path.relative_to(ROOT / "tests").parts
    if path.name.startswith("test_") and len(parts) > 1:
        assert (SOURCE / parts[0]).is_dir(), f"there is no package {parts[0]} to test"


def test_public_names_are_there() -> None:
    assert set(unparrot.__all__) <= set(dir(unparrot))
    for name in unparrot.__all__:
        assert getattr(unparrot, name) is not None
    with pytest.raises(AttributeError, match="nothing_of_ours"):
        unparrot.nothing_of_ours  # noqa: B018
