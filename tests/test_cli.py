"""The command line's frame: light help, and exit codes that scripts can rely on."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from unparrot import __version__
from unparrot.cli import main as entry
from unparrot.cli.lazy import LazyGroup
from unparrot.core.errors import BadInput, MissingExtra, UnparrotError

HEAVY = ("numpy", "scipy", "polars", "numba", "torch", "transformers", "matplotlib", "rich")


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(argument: str) -> None:
    code = (
        "import sys; from unparrot.cli.main import run; code = run(sys.argv[1:]);"
        f"print(code, sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    result = python(code, argument)
    assert result.stdout.splitlines()[-1] == "0 []", result.stderr


def test_help_lists_every_command_with_its_line() -> None:
    result = python("from unparrot.cli.main import main; main()", "--help")
    assert result.returncode == 0
    for name, (_, line) in entry.COMMANDS.items():
        assert f"  {name} " in result.stdout
        assert line in result.stdout


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run(["--version"]) == 0
    assert capsys.readouterr().out == f"unparrot, version {__version__}\n"


@pytest.mark.parametrize("name", list(entry.COMMANDS))
def test_every_command_explains_itself_with_an_example(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry.run([name, "--help"]) == 0
    assert "Example" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["no-such-command"], ["--no-such-option"], []])
def test_bad_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run(arguments) == 2
    assert "Usage: unparrot" in capsys.readouterr().err


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, BaseException]]:
    """Add a command that raises what the test puts under 'error'."""
    raised: dict[str, BaseException] = {}

    @click.command()
    def fail() -> None:
        raise raised["error"]

    group = LazyGroup("unparrot", "", {}, help="")
    monkeypatch.setattr(group, "get_command", lambda *_: fail)
    monkeypatch.setattr(entry, "cli", group)
    return raised


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (BadInput("line 3: no skill 'irnoy'"), 2, "unparrot: line 3: no skill 'irnoy'\n"),
        (UnparrotError("the disk is full"), 1, "unparrot: the disk is full\n"),
        (
            FileNotFoundError(2, "No such file", "x.json"),
            1,
            "cannot read or write x.json: no such file or directory\n",
        ),
        (MissingExtra("lab", "torch"), 3, "pip install 'unparrot[lab]'\n"),
        (ModuleNotFoundError("no", name="torch.nn"), 3, "pip install 'unparrot[lab]'\n"),
        (ModuleNotFoundError("no", name="matplotlib"), 3, "pip install 'unparrot[report]'\n"),
        (click.FileError("x.json", "it is a folder"), 2, "it is a folder\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (click.Abort(), 130, "interrupted\n"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_errors_become_one_message_and_a_code(
    failing: dict[str, BaseException],
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    message: str,
) -> None:
    failing["error"] = error
    assert entry.run(["fail"]) == code
    captured = capsys.readouterr()
    assert captured.err.endswith(message)
    assert captured.out == ""
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    "error", [ModuleNotFoundError("no", name="unparrot.typo"), KeyError("a bug"), OSError("a bug")]
)
def test_faults_of_ours_keep_their_traceback(
    failing: dict[str, BaseException], error: Exception
) -> None:
    failing["error"] = error
    with pytest.raises(type(error)):
        entry.run(["fail"])


def test_a_command_may_choose_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    @click.pass_context
    def choose(ctx: click.Context) -> None:
        ctx.exit(7)

    group = LazyGroup("unparrot", "", {}, help="")
    monkeypatch.setattr(group, "get_command", lambda *_: choose)
    monkeypatch.setattr(entry, "cli", group)
    assert entry.run(["choose"]) == 7


def test_a_target_that_is_no_command_is_a_fault_of_ours() -> None:
    group = LazyGroup("g", "concurrent", {"x": ("futures:wait", "")}, help="")
    with pytest.raises(TypeError, match="futures:wait"):
        group.get_command(click.Context(group), "x")
    assert group.get_command(click.Context(group), "y") is None


@pytest.mark.parametrize("as_json", [False, True])
def test_report_says_where_the_page_is(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    as_json: bool,
) -> None:
    asked: list[tuple[Path, Path | None]] = []

    def write_page(run: Path, out: Path | None) -> Path:
        asked.append((run, out))
        return run / "report.html"

    monkeypatch.setattr("unparrot.report.page.write_page", write_page)
    assert entry.run(["report", str(tmp_path), *(["--json"] if as_json else [])]) == 0
    assert asked == [(tmp_path, None)]
    printed = capsys.readouterr().out
    expected = str(tmp_path / "report.html")
    assert (json.loads(printed)["page"] if as_json else printed.strip()) == expected


def test_report_of_no_run_is_bad_input(tmp_path: Path) -> None:
    assert entry.run(["report", str(tmp_path / "absent")]) == 2
    assert entry.run(["report", str(tmp_path)]) == 2


@pytest.mark.parametrize(
    ("arguments", "closed", "code"),
    [
        ("packs list", "| (exec <&-; sleep 1)", 1),
        ("packs list --help", "| (exec <&-; sleep 1)", 1),
        ("packs list", ">&-", 1),
        ("packs list --help", ">&-", 1),
        ("nonsense", ">&-", 2),
        ("packs list", ">/dev/full", 1),
        ("world sample --json", ">/dev/full", 1),
        ("packs list", "2>&- <&-", 0),
        ("analyze nowhere", "2>&-", 2),
        ("analyze nowhere", "2>/dev/full", 2),
        ("nonsense", "2>&- >&- <&-", 2),
        ("analyze nowhere", "2>&1 | (exec <&-; sleep 1)", 2),
    ],
)
def test_closed_and_full_streams_end_a_command_in_good_order(
    arguments: str, closed: str, code: int, tmp_path: Path
) -> None:
    program = f"{sys.executable} -c 'from unparrot.cli.main import main; main()'"
    script = f"ulimit -n 64; {program} {arguments} {closed}; exit ${{PIPESTATUS[0]}}"
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    for environment in (buffered, {**buffered, "PYTHONUNBUFFERED": "1"}):
        done = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, cwd=tmp_path, env=environment
        )
        assert done.returncode == code
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr
        if code == 1 and "|" not in closed:
            assert done.stderr.startswith("unparrot: cannot write")
            assert done.stderr.count("\n") == 1


def test_what_the_encoding_lacks_is_printed_as_an_escape(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text(
        "item,rater,mark\n" + "".join(f"t{i},{who},1\n" for i in range(9) for who in ("ann", "zoë"))
    )
    program = "from unparrot.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "graders", "ratings.csv", "--resamples", "100"],
        capture_output=True, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "zo\\xeb" in done.stdout


def test_too_many_open_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    code = (
        "import resource; from unparrot.cli.main import main; import unparrot.cli.packs.looking;"
        "held = [open('/dev/null') for _ in range(20)];"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (held[-1].fileno() + 1,) * 2); main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "packs", "show", "language.en"],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("unparrot: cannot read")
    assert "too many open files" in done.stderr
    assert len(done.stderr.splitlines()) == 1
