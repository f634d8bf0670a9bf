"""The built package: what sdist and wheel hold, and the wheel installed without any extra."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import unparrot

ROOT = Path(__file__).parents[1]
REQUIRED = os.environ.get("UNPARROT_REQUIRE_PACKAGING") == "1"
PROJECT_FILES = """CHANGELOG.md CITATION.cff CONTRIBUTING.md LICENSE Makefile README.ko.md README.md
    constraints.txt docs/theory.md examples/grade_a_text.py mkdocs.yml pyproject.toml
    tests/test_packaging.py"""


def call(*command: str | Path, cwd: Path, code: int = 0) -> str:
    """Run a command apart from this environment and return all that it prints."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == code, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def require_package_index(folder: Path) -> None:
    """Skip the test, or fail it where it is required, if pip cannot fetch a small package."""
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir")
    try:
        call(*pip, "--dest", folder, "hatchling", cwd=folder)
    except AssertionError as error:
        if REQUIRED:
            raise
        pytest.skip(f"no package index can be reached: {str(error).splitlines()[-1]}")


@pytest.mark.slow
def test_wheel_works_with_base_dependencies_only(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    require_package_index(tmp_path / "index")
    # the wheel is built from the unpacked sdist, so the sdist is complete if it builds
    call(sys.executable, "-m", "build", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    (sdist,) = tmp_path.glob("*.tar.gz")
    source = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {Path(name).suffix for name in source} >= {".py", ".yaml", ".css", ".js", ".typed"}
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == source
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    assert packed >= {f"src/{name}" for name in source} | set(PROJECT_FILES.split())
    assert not any(name.startswith((".venv", "runs", "site")) for name in packed)

    call(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    python, program = tmp_path / "venv" / "bin" / "python", tmp_path / "venv" / "bin" / "unparrot"
    pip = (python, "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt")
    call(*pip, wheel, cwd=tmp_path)
    check_base_commands(program, tmp_path)
    check_missing_extras(program, tmp_path)


def check_base_commands(program: Path, folder: Path) -> None:
    """Everything but the lab's models, asking models and drawing runs on the base alone."""
    assert call(program, "--version", cwd=folder).split()[-1] == unparrot.__version__
    assert "theory" in call(program, "--help", cwd=folder)
    law = ("--preset", "hoffmann", "--params", "7e9", "--tokens", "1.4e11", "--factor", "10")
    assert "2.001" in call(program, "theory", "law", *law, cwd=folder)
    assert "language.en" in call(program, "packs", "list", cwd=folder)
    assert "sewing" in call(program, "world", "list", cwd=folder)
    shutil.copytree(ROOT / "tests" / "fixed_runs" / "lab", folder / "run")
    call(program, "analyze", "run", cwd=folder)


def check_missing_extras(program: Path, folder: Path) -> None:
    """What needs an extra says so, names the command that installs it, and exits with 3."""
    for extra, arguments in (
        ("lab", ("demo", "--budget", "quick", "--out", "quick")),
        ("eval", ("eval", "run", "openai/gpt-4o-mini", "--grader", "openai/gpt-4o")),
        ("eval", ("eval", "run", "openai/gpt-4o-mini", "--grader", "openai/gpt-4o", "--dry-run")),
        ("report", ("report", "run")),
        ("report", ("theory", "curve", "--theta", "0.05", "--k", "8", "--plot", "curve.svg")),
    ):
        assert f"pip install 'unparrot[{extra}]'" in call(program, *arguments, cwd=folder, code=3)
