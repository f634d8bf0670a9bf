"""Runs that are killed without warning, fifty times, and runs through a storm of faults."""

import fcntl
import multiprocessing
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import termios
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from unparrot.eval.ask.run import Access, run
from unparrot.eval.record.eval_spec import EvalSpec
from unparrot.eval.record.journal import FILE, read_journal
from unparrot.eval.record.prepare import prepare
from unparrot.eval.wire.models import Limits

STUDENT, GRADER = "openai-api/local/student-good", "openai-api/local/grader-strict"
CONNECTIONS = 4
KILLS = 50
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["unparrot.eval.ask.run", "inspect_ai.model", "inspect_ai.model._providers.openai_compatible"]
)


def start(folder: Path, url: str, n: int, **limits: Any) -> None:
    """Run, or go on with, a test of two k; one text and one grading of each combination."""
    os.environ["LOCAL_API_KEY"] = "sk-0123456789abcdef0123"
    spec = EvalSpec(models=(STUDENT,), graders=(GRADER,), k=(2, 3), n=n, rounds=1, grading_rounds=1)
    access = Access(limits=Limits(CONNECTIONS, **limits), base_url=url, grader_base_url=url)
    run(prepare(spec, folder), access)


def rows(folder: Path) -> dict[str, tuple[str, str, str]]:
    journal = read_journal(folder)
    try:
        return {  # a token is drawn anew for every run
            call.id.key: (
                call.state,
                call.reply.replace(call.token, "TOKEN") if call.token else call.reply,
                call.stop_reason,
            )
            for call in journal.calls()
        }
    finally:
        journal.close()


def integrity(folder: Path) -> str:
    connection = sqlite3.connect(folder / FILE)
    try:
        return connection.execute("PRAGMA integrity_check").fetchone()[0]
    finally:
        connection.close()


@pytest.mark.slow
def test_fifty_kills_lose_nothing_and_repeat_only_what_was_under_way(
    chat_server: Any, tmp_path: Path
) -> None:
    n, rng = 300, Random(8)
    chat_server.control(latency=[0.005, 0.05])
    folder = tmp_path / "killed"
    progress: list[int] = []
    for _ in range(KILLS):
        child = FORKS.Process(target=start, args=(folder, chat_server.base_url, n))
        child.start()
        before = chat_server.stats()["requests"]
        # it is let live until it has sent something, and then for a random while
        while child.is_alive() and chat_server.stats()["requests"] == before:
            time.sleep(0.005)
        time.sleep(rng.uniform(0.0, 0.25))
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        assert child.exitcode == -signal.SIGKILL, "the run must not be over yet: raise n"
        assert integrity(folder) == "ok"
        progress.append(len(rows(folder)))
    assert progress == sorted(progress)
    assert 100 < progress[-1] < 2 * n * 3
    os.environ["LOCAL_API_KEY"] = "sk-0123456789abcdef0123"
    start(folder, chat_server.base_url, n)
    counts = chat_server.stats()
    calls = 2 * n * 3
    assert counts["distinct"] == calls
    repeated = counts["requests"] - calls
    # at most the calls in flight at each kill: those of the student and those of the grader
    assert 0 < repeated <= KILLS * 2 * CONNECTIONS
    assert integrity(folder) == "ok"

    chat_server.reset()
    undisturbed = tmp_path / "undisturbed"
    start(undisturbed, chat_server.base_url, n)
    assert chat_server.stats()["requests"] == calls
    assert rows(folder) == rows(undisturbed)
    for table in ("texts", "graded", "grades"):
        mine, theirs = (pl.read_parquet(run / f"{table}.parquet") for run in (folder, undisturbed))
        assert mine.equals(theirs), table


@pytest.mark.slow
def test_a_storm_of_faults_leaves_every_row_filled_once(
    chat_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_API_KEY", "sk-0123456789abcdef0123")
    n = 50
    chat_server.control(faults={"429": 0.10, "500": 0.10, "hang": 0.03}, retry_after=0.05)
    start(tmp_path / "storm", chat_server.base_url, n, timeout=2.0, retries=8)
    stormy = chat_server.stats()
    assert {"429", "500", "hang"} <= set(stormy["by_outcome"])
    # every content was answered, and none twice
    assert Counter(stormy["answered"]) == {"1": 2 * n * 3}
    chat_server.reset()
    start(tmp_path / "calm", chat_server.base_url, n)
    assert rows(tmp_path / "storm") == rows(tmp_path / "calm")
    assert {state for state, *_ in rows(tmp_path / "storm").values()} == {"answered"}


@pytest.mark.slow
def test_too_many_at_once_is_answered_by_fewer_at_once(
    chat_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_API_KEY", "sk-0123456789abcdef0123")
    # six at a time are served, eight may come: the rest is refused, and told when to come again
    chat_server.control(most_at_once=6, latency=0.02, retry_after=0.1)
    start(tmp_path / "run", chat_server.base_url, 30, retries=8)
    found = chat_server.stats()["by_outcome"]
    assert found["ok"] == 2 * 30 * 3
    assert {state for state, *_ in rows(tmp_path / "run").values()} == {"answered"}


def run_command(url: str, folder: Path) -> list[str]:
    """The command line of a run that takes long, and heeds SIGHUP though these tests may not."""
    code = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL);"
        "from unparrot.cli.main import main; main()"
    )
    return [
        sys.executable, "-c", code, "eval", "run", STUDENT,
        "--grader", GRADER, "--base-url", url, "--grader-base-url", url, "-n", "200",
        "--limit-connections", str(CONNECTIONS), "--out", str(folder),
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "times"),
    [(signal.SIGINT, 1), (signal.SIGINT, 2), (signal.SIGTERM, 1), (signal.SIGHUP, 1)],
)
def test_being_told_to_stop_ends_a_run_in_good_order(
    chat_server: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    times: int,
) -> None:
    monkeypatch.setenv("LOCAL_API_KEY", "sk-0123456789abcdef0123")
    chat_server.control(latency=1.0)
    command = run_command(chat_server.base_url, tmp_path / "run")
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        while chat_server.stats()["now"] < CONNECTIONS:
            time.sleep(0.02)
        for _ in range(times):
            child.send_signal(number)
            time.sleep(0.2)
        _, said = child.communicate()
    assert child.returncode == 130
    assert "the same command goes on" in said
    assert "Traceback" not in said
    counts = chat_server.stats()
    kept = len(rows(tmp_path / "run"))
    # after one Ctrl-C all that was sent is answered and kept, after two it is given up
    assert kept == counts["by_outcome"].get("ok", 0)
    assert (counts["requests"] == kept) is (times == 1)
    assert (tmp_path / "run/texts.parquet").is_file()


@pytest.mark.slow
def test_a_run_whose_terminal_is_closed_ends_in_good_order(
    chat_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_API_KEY", "sk-0123456789abcdef0123")
    chat_server.control(latency=1.0)
    command = run_command(chat_server.base_url, tmp_path / "run")
    terminal, end = pty.openpty()
    with subprocess.Popen(
        command, stdin=end, stdout=end, stderr=end, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    ) as child:  # fmt: skip
        os.close(end)
        while chat_server.stats()["now"] < CONNECTIONS:
            time.sleep(0.02)
        os.close(terminal)
        assert child.wait() != 0
    assert len(rows(tmp_path / "run")) == chat_server.stats()["by_outcome"].get("ok", 0) > 0
    assert (tmp_path / "run/texts.parquet").is_file()
