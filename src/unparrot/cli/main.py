"""The entry point of the command line: `unparrot --help`.

Commands are imported when they are used, and every error that unparrot raises on purpose becomes
one message on stderr here. Exit codes:

    0    done
    1    something failed that the input is not to blame for
    2    bad input or usage
    3    an extra is not installed; the message names the command that installs it
    130  interrupted
"""

import errno
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TextIO, cast

import click

from unparrot import __version__
from unparrot.cli.lazy import LazyGroup
from unparrot.core.errors import BadInput, MissingExtra, UnparrotError, refusal
from unparrot.core.progress import LOG

# Errors of the system that no reading can meet.
WRITING = (errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EBADF)
OK, FAILED, BAD_INPUT, NO_EXTRA, INTERRUPTED = 0, 1, 2, 3, 130

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("lab.demo", "Train a ladder of tiny models, test them, and write the page."),
    "world": ("world_commands", "List, sample and grade the texts of the synthetic world."),
    "lab": ("lab:lab_group", "Print the figures of a run of the lab."),
    "theory": ("theory", "From loss to errors to competence: bounds and simulations."),
    "analyze": ("run_commands", "Every figure of a run, with intervals: summary.json."),
    "certify": ("run_commands", "Is a model beyond the parrots? The certificate of a run."),
    "compare": ("comparison_commands", "Two models on the same combinations, with intervals."),
    "leaderboard": ("comparison_commands", "Rank the models of runs, ties where unsettled."),
    "graders": ("run_commands", "How far the graders of a run can be trusted."),
    "plan": ("comparison_commands", "How many combinations, calls and money a comparison takes."),
    "eval": ("eval:eval_group", "Does a model combine skills? SKILL-MIX for any model."),
    "rates": ("rates:rates_group", "How often a corpus shows each skill, for a certificate."),
    "packs": ("packs:packs_group", "Packs of skills and topics: list, check, draw, draft."),
    "view": ("view_command", "Runs in the browser: pages, texts, marking, trying models."),
    "report": ("run_commands", "Write the page of a run: one self-contained HTML file."),
}

# The extra that brings each package that is not part of the base installation.
EXTRA_OF_PACKAGE = {
    "torch": "lab",
    "safetensors": "lab",
    "tokenizers": "lab",
    "matplotlib": "report",
    "genai_prices": "eval",
    "inspect_ai": "eval",
    "openai": "eval",
    "sentencex": "eval",
    "starlette": "view",
    "uvicorn": "view",
    "ray": "cluster",
    "xllamacpp": "local",
    "zstandard": "eval",
}

cli = LazyGroup(
    "unparrot",
    "unparrot.cli",
    COMMANDS,
    help="""Does a language model combine skills in ways it never saw, and does scale explain it?

\b
Examples:
  unparrot demo                  train four tiny models and see for yourself
  unparrot world sample --k 3    read texts of the world they are trained on
  unparrot eval MODEL --grader MODEL -k 2..5 --dry-run   what testing a model would take
  unparrot report runs/demo      write the page of a run again
""",
)
cli = click.version_option(__version__, prog_name="unparrot")(cli)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code.

    Parameters
    ----------
    arguments
        What follows the program's name; None for those of this process.
    """
    LOG.handlers, LOG.propagate = [_OnScreen()], False
    LOG.setLevel(logging.INFO)
    try:
        code: object = cli.main(
            args=None if arguments is None else list(arguments),
            prog_name="unparrot",
            standalone_mode=False,
        )
    except click.ClickException as error:
        error.show()
        return BAD_INPUT
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except UnparrotError as error:
        blame = BAD_INPUT if isinstance(error, BadInput) else FAILED
        return _fail(error, NO_EXTRA if isinstance(error, MissingExtra) else blame)
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRA_OF_PACKAGE:
            raise
        return _fail(MissingExtra(EXTRA_OF_PACKAGE[package], package), NO_EXTRA)
    except Exception as error:
        if (reason := refusal(error)) is None:
            raise
        does = "write" if getattr(error, "errno", None) in WRITING else "read or write"
        place = getattr(error, "filename", None) or "a file or what is printed"
        return _fail(f"cannot {does} {place}: {reason}", FAILED)
    # outside standalone mode click returns the code given to ctx.exit, and --help's 0
    return code if isinstance(code, int) and not isinstance(code, bool) else OK


class _OnScreen(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        click.echo(record.getMessage(), err=True)


def _fail(error: Exception | str, code: int) -> int:
    click.echo(f"unparrot: {error}", err=True)
    return code


class _Unheard:
    """A stream whose failures are nobody's: who closed it, or filled its disk, reads no errors."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def main() -> None:
    """Run the command line of this process and leave with its exit code."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # no file that is opened later may take its place
            # and what cannot be printed is an error, as on a full disk
            null = os.open(os.devnull, os.O_RDONLY if name == "stdout" else os.O_RDWR)
            setattr(sys, name, os.fdopen(null, "r" if name == "stdin" else "w"))
    # what the encoding lacks is written as an escape
    cast(Any, sys.stdout).reconfigure(errors="backslashreplace")
    sys.stderr = cast(TextIO, _Unheard(sys.stderr))
    code = run()
    try:
        sys.stdout.flush()
    except OSError as error:
        code = code or _fail(f"cannot write what is printed: {refusal(error)}", FAILED)
        # Python would try again to write it, and complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
