"""A soak of SKILL-MIX: 20,000 calls through every fault, and runs that are stopped while they wait.

    python benchmarks/soak_eval.py [--combinations 4000] [--stops 20] [--json]

The chat server of the tests mixes rate limits with and without Retry-After, errors, time-outs,
connections that are cut, HTML, half a JSON text, texts and grades that cannot be used, and a start
at which it refuses everyone. Checked at the end: every row is there once, memory has not grown
between the first and the last quarter of the calls, the costs in the journal are those of what the
server sent whole, and the attempts that were lost on the way are told.

Then runs against a server that hangs, refuses or is slow are sent SIGTERM at random moments, from
the start of the program to the pages: each has to be gone within 35 s, and its journal whole. At
last each run goes on to its end, and asks only for what its journal lacks.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).parents[1]
STUDENT, GRADER = "openai-api/local/student-good", "openai-api/local/grader-strict"
K, TURNS, GRADINGS = 3, 2, 3
FAULTS = {"429": 0.04, "500": 0.03, "hang": 0.002, "html": 0.02, "truncated": 0.03, "torn": 0.02,
          "garbage": 0.03, "empty": 0.02}  # fmt: skip
WITHIN = 35.0
# What the server does from shortly before a run is stopped.
HINDERED = (
    {"hang": 0.3}, {"hang": 1.0}, {"500": 1.0}, {"429": 1.0}, {"html": 1.0}, {"truncated": 1.0},
)  # fmt: skip
SLOW = 8.0


def soak(server: Any, combinations: int, folder: Path) -> dict[str, Any]:
    """Run through every fault; returns the figures, and raises AssertionError if one is wrong."""
    from unparrot.eval.ask.asking import Tally
    from unparrot.eval.ask.run import Access, run
    from unparrot.eval.record.eval_spec import EvalSpec
    from unparrot.eval.record.journal import read_journal
    from unparrot.eval.record.prepare import prepare
    from unparrot.eval.wire.models import Limits
    from unparrot.eval.wire.prices import Price

    spec = EvalSpec((STUDENT,), (GRADER,), (K,), combinations, 1, GRADINGS, tries=2)
    prices = {STUDENT: Price(1.0, 10.0), GRADER: Price(2.0, 5.0)}
    access = Access(Limits(16, 20.0, 9), server.base_url, server.base_url, prices)
    memory: list[tuple[int, float]] = []
    ended = threading.Event()

    def watch(tally: Tally) -> None:
        def sample() -> None:
            server.control(most_at_once=0, retry_after=0.05)  # a slow start: nobody is served
            time.sleep(1.0)
            server.control(most_at_once=None)
            while not ended.wait(0.5):
                wait = 0.02 if len(memory) % 2 else None  # with a Retry-After and without
                server.control(retry_after=wait)
                pages = int(Path("/proc/self/statm").read_text().split()[1])
                if not memory or tally.made > memory[-1][0]:  # the tables come later
                    memory.append((tally.made, pages * resource.getpagesize() / 2**20))

        threading.Thread(target=sample, daemon=True).start()

    began = time.perf_counter()
    try:
        tally = run(prepare(spec, folder), access, watch)
    finally:
        ended.set()
    seconds = time.perf_counter() - began
    with read_journal(folder) as journal:
        calls = list(journal.calls())
    stats = server.stats()
    keys = Counter(call.id.key for call in calls)
    answered = [call for call in calls if call.state == "answered"]
    told = Counter(tally.failures)
    cost = sum(call.cost or 0.0 for call in calls)
    sent = {f"openai-api/local/{name}": tokens for name, tokens in stats["tokens"].items()}
    served = sum(prices[name].of(*tokens) for name, tokens in sent.items())
    quarter = [mb for made, mb in memory if made < tally.made / 4][-1]
    figures = {
        "calls": tally.made,
        "requests": stats["requests"],
        "by_outcome": stats["by_outcome"],
        "failed attempts": dict(told),
        "calls without a reply": tally.failed,
        "attempts that may be billed": tally.lost,
        "cost": round(cost, 6),
        "cost by the server's count": round(served, 6),
        "memory at a quarter, and at the end, MB": [round(quarter), round(memory[-1][1])],
        "seconds": round(seconds, 1),
    }
    assert max(keys.values()) == 1
    assert len(calls) == tally.made >= combinations * (TURNS + GRADINGS) * 0.9
    whole = sum(stats["by_outcome"].get(name, 0) for name in ("ok", "garbage", "empty"))
    # on a starved machine an answer may be sent and come too late; it is told as a time-out
    late = whole - len(answered)
    assert 0 <= late <= told["timed out"] - stats["by_outcome"].get("hang", 0), figures
    assert cost <= served + 1e-6, figures
    assert late or abs(cost - served) < 1e-6, figures
    # every request is a reply or a failed attempt that was told
    assert stats["requests"] <= len(answered) + told.total(), figures
    assert memory[-1][1] < 1.15 * quarter + 10, figures
    return figures


def stop(server: Any, moments: int, folder: Path) -> dict[str, Any]:
    """Send SIGTERM at random moments; returns how long each run took to be gone."""
    rng, took, kept = Random(7), list[float](), Counter[Path]()
    environment = {**os.environ, "LOCAL_API_KEY": "none-is-needed"}

    def start(out: Path) -> subprocess.Popen[bytes]:
        command = [
            sys.executable, "-c", "from unparrot.cli.main import main; main()", "eval", "run",
            STUDENT, "--grader", GRADER, "--base-url", server.base_url, "--grader-base-url",
            server.base_url, "-k", "2", "-n", "60", "--out", str(out),
        ]  # fmt: skip
        null = subprocess.DEVNULL
        return subprocess.Popen(command, env=environment, stdout=null, stderr=null)

    for number in range(moments):
        out = folder / f"run{number % 3}"
        # it answers at first, so that there is something to lose
        faults: dict[str, float] = rng.choice((*HINDERED, {}))
        server.reset()
        server.control(faults={}, latency=0.05, retry_after=rng.choice((None, 30.0)))
        with start(out) as child:
            if number % 4:  # while it asks; others while the program starts
                wanted = rng.randint(1, 80)
                while child.poll() is None and server.stats()["requests"] < wanted:
                    time.sleep(0.05)
            server.control(faults=faults, latency=0.05 if faults else SLOW)
            time.sleep(rng.uniform(0.0, 4.0 if number % 4 else 20.0))
            child.send_signal(signal.SIGTERM)
            began = time.monotonic()
            child.wait()
            took.append(time.monotonic() - began)
        rows = _answered(out)
        does = ", ".join(faults) or "slow"
        print(f"{number}: {does}, gone after {took[-1]:.1f} s, {rows} rows", file=sys.stderr)
        assert took[-1] < WITHIN, (number, faults, took[-1])
        assert rows >= kept[out], "an answer was lost"
        kept[out] = rows
    for out, rows in kept.items():
        server.reset()
        server.control(faults={}, latency=0.0)
        with start(out) as child:
            assert child.wait() == 0
        asked = server.stats()["requests"]
        assert asked == _answered(out) - rows, (out, asked, rows)
    return {"moments": moments, "longest, seconds": round(max(took), 1)}


def _answered(out: Path) -> int:
    """The answers in a journal, which has to be whole."""
    journal = out / "journal.sqlite"
    if not journal.exists():
        return 0
    connection = sqlite3.connect(journal)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    query = "SELECT COUNT(*) FROM calls WHERE state = 'answered'"
    (rows,) = connection.execute(query).fetchone()
    connection.close()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--combinations", type=int, default=4000)
    parser.add_argument("--stops", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests" / "eval"))
    from chat_server import ChatServer  # the server of the tests

    os.environ["LOCAL_API_KEY"] = "none-is-needed"
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        if options.combinations:
            with ChatServer(life=7200.0, faults=FAULTS) as server:
                figures |= soak(server, options.combinations, Path(folder) / "soak")
        if options.stops:
            with ChatServer(life=7200.0) as server:
                figures |= stop(server, options.stops, Path(folder))
    lines = (f"{name}: {figure}" for name, figure in figures.items())
    print(json.dumps(figures) if options.json else "\n".join(lines))


if __name__ == "__main__":
    main()
