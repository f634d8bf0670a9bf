"""The rules of the house that a reader can rely on, held over the source itself.

core <- stats <- {theory, lab, eval}, and eval sees packs too; analysis sees core, stats and theory;
report sees core and analysis; only cli sees all. theory, lab and eval never import each other.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import unparrot

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "unparrot"

MAY_IMPORT = {
    "core": {"core"},
    "stats": {"core", "stats"},
    "theory": {"core", "stats", "theory"},
    "lab": {"core", "stats", "lab"},
    "eval": {"core", "stats", "packs", "eval"},
    "analysis": {"core", "stats", "theory", "analysis"},
    "report": {"core", "analysis", "report"},
    "packs": {"core", "packs"},
}
"""Packages of ours that each may import; cli may import all."""

FORBIDDEN_STEMS = {"utils", "util", "common", "helpers", "helper", "misc"}
FORBIDDEN_CLASS_ENDINGS = ("Manager", "Engine", "Handler")
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "joblib", "shelve"}
MOST_LINES = 400

MODULES = sorted(SOURCE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def label(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(path: Path) -> Iterator[str]:
    """Every module that the file imports anywhere, with the names taken from it."""
    package = list(path.relative_to(SOURCE.parent).with_suffix("").parts[:-1])
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{module}.{alias.name}"


def owner(name: str) -> str | None:
    """The package of ours that an imported name belongs to; '' for `unparrot` itself."""
    parts = name.split(".")
    if parts[0] != "unparrot":
        return None
    return parts[1] if len(parts) > 1 and parts[1] in {*MAY_IMPORT, "cli"} else ""


def violations(package: str, names: Iterator[str]) -> list[str]:
    allowed = MAY_IMPORT[package]
    return [
        name
        for name in names
        if (target := owner(name)) is not None
        and target not in allowed
        # the version is the one thing the package itself lends out
        and name != "unparrot.__version__"
    ]


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_module_imports_only_what_its_package_may(path: Path) -> None:
    parts = path.relative_to(SOURCE).parts
    if len(parts) > 1 and parts[0] != "cli":
        assert parts[0] in MAY_IMPORT, f"{parts[0]} has no place in the architecture"
        assert violations(parts[0], imported(path)) == []


@pytest.mark.parametrize(
    ("package", "name", "allowed"),
    [
        ("stats", "unparrot.core.errors.BadInput", True),
        ("core", "unparrot.stats.intervals.wilson", False),
        ("report", "unparrot.lab", False),
        ("lab", "unparrot.eval.dataset", False),
        ("eval", "unparrot.packs.reading.load_pack", True),
        ("packs", "unparrot.eval.protocol.grading", False),
        ("analysis", "unparrot.lab.world", False),
        ("lab", "unparrot.RunFolder", False),
        ("lab", "unparrot.__version__", True),
        ("core", "numpy", True),
    ],
)
def test_the_rule_itself(package: str, name: str, allowed: bool) -> None:
    assert (violations(package, iter([name])) == []) is allowed


@pytest.mark.parametrize("path", [*MODULES, *TESTS], ids=label)
def test_file_is_short_and_named_for_what_it_holds(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= MOST_LINES
    assert path.stem not in FORBIDDEN_STEMS
    assert not FORBIDDEN_STEMS.intersection(path.relative_to(ROOT).parts)


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
