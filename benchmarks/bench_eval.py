"""How fast SKILL-MIX is carried out, beside Inspect's own `eval` on the same work.

    python benchmarks/bench_eval.py [--combinations 1000] [--large 10000] [--json]

A chat server without latency runs on loopback in a process of its own. Both sides ask it the same:
two turns for each combination of three skills, then three gradings, so five calls each. `model
layer` makes as many calls through Inspect's model layer and does nothing else: what is built on it
cannot be faster. Each side runs in a process of its own, ours first and last. `calls/s` counts from
the first call to the last answer; `whole` also the start of the program and the tables. Memory is
the most that the process had resident. `--large` runs ours once more over so many combinations.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CONNECTIONS = 16
K, GRADINGS, TURNS = 3, 3, 2
STUDENT, GRADER = "openai-api/local/student-good", "openai-api/local/grader-strict"


def ours(url: str, n: int, folder: Path) -> dict[str, float]:
    """Run `unparrot eval run`'s code."""
    from unparrot.eval.ask.run import Access, run
    from unparrot.eval.record.eval_spec import EvalSpec
    from unparrot.eval.record.journal import read_journal
    from unparrot.eval.record.prepare import prepare
    from unparrot.eval.wire.models import Limits

    spec = EvalSpec((STUDENT,), (GRADER,), k=(K,), n=n, rounds=1, grading_rounds=GRADINGS)
    access = Access(limits=Limits(CONNECTIONS), base_url=url, grader_base_url=url)
    tally = run(prepare(spec, folder), access)
    journal = read_journal(folder)
    calls = sorted((call.finished, call.latency) for call in journal.calls())
    journal.close()
    assert tally.made == len(calls) == n * (TURNS + GRADINGS)
    return {"calls": len(calls), "asking": calls[-1][0] - (calls[0][0] - calls[0][1])}


def peer(url: str, n: int, folder: Path) -> dict[str, float]:
    """Run Inspect's `eval` on the task that we give it."""
    from datetime import datetime

    from inspect_ai import eval as inspect_eval

    from unparrot.eval.inspect.inspect_task import skillmix

    (log,) = inspect_eval(
        skillmix(grader=GRADER, k=K, n=n, grading_rounds=GRADINGS, grader_base_url=url),
        model=STUDENT,
        model_base_url=url,
        display="none",
        log_dir=str(folder),
        max_connections=CONNECTIONS,
        max_samples=CONNECTIONS,
    )
    assert log.status == "success"
    began, ended = (datetime.fromisoformat(str(t)) for t in
                    (log.stats.started_at, log.stats.completed_at))  # fmt: skip
    return {"calls": n * (TURNS + GRADINGS), "asking": (ended - began).total_seconds()}


def layer(url: str, n: int, folder: Path) -> dict[str, float]:
    """Make as many calls through Inspect's model layer and do nothing else: no more can be had."""
    import asyncio
    from collections import Counter

    from inspect_ai.model import ChatMessageUser

    from unparrot.eval.protocol.conversation import turn_prompt
    from unparrot.eval.record.eval_spec import EvalSpec
    from unparrot.eval.wire.cost_limit import Budget
    from unparrot.eval.wire.models import Limits, call_config, open_model
    from unparrot.eval.wire.redaction import Redactor
    from unparrot.packs.drawing import draw_combinations
    from unparrot.packs.prompts import load_prompts
    from unparrot.packs.reading import load_pack

    del folder
    pack, prompts = load_pack("language.en"), load_prompts("skillmix.en")
    calls = n * (TURNS + GRADINGS)
    asked = [turn_prompt(prompts, pack, c, 1) for c in draw_combinations(pack, K, calls, 10)]
    config = call_config(EvalSpec((STUDENT,), (GRADER,)).student, None)

    async def all_calls() -> float:
        model = open_model(STUDENT, None, Redactor(), Limits(2 * CONNECTIONS), url)
        prompts_left, free = iter(asked), Budget(None, 0.0)

        async def worker() -> None:
            for prompt in prompts_left:
                messages = [ChatMessageUser(content=prompt)]
                await asyncio.create_task(model.ask(messages, config, free, 0, Counter()))

        await model.ask([ChatMessageUser(content="hello")], config, free, 0, Counter())
        began = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(2 * CONNECTIONS)))
        spent = time.perf_counter() - began
        await model.close()
        return spent

    return {"calls": calls, "asking": asyncio.run(all_calls())}


def side(name: str, url: str, n: int) -> dict[str, Any]:
    """Run one side in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--side", name, "--url", url, "--folder", folder]
        environment = {**os.environ, "LOCAL_API_KEY": "none-is-needed"}
        done = subprocess.run(
            [*command, "--combinations", str(n)], env=environment, capture_output=True, text=True
        )
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def run_side(name: str, url: str, n: int, folder: Path) -> None:
    """In the process of one side: run it and print its figures."""
    began, processor = time.perf_counter(), time.process_time()
    figures = {"unparrot": ours, "inspect eval": peer, "model layer": layer}[name](url, n, folder)
    print(
        json.dumps(
            {
                "side": name,
                "combinations": n,
                "calls": figures["calls"],
                "calls_a_second": figures["calls"] / figures["asking"],
                "whole_seconds": time.perf_counter() - began,
                "processor_ms_a_call": 1000 * (time.process_time() - processor) / figures["calls"],
                "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--combinations", type=int, default=1000)
    parser.add_argument("--large", type=int, default=0, help="combinations of one more run of ours")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        run_side(options.side, options.url, options.combinations, options.folder / "run")
        return
    sys.path.insert(0, str(ROOT / "tests" / "eval"))
    from chat_server import ChatServer  # the server of the tests

    rows: list[dict[str, Any]] = []
    with ChatServer(life=3600.0) as server:
        for name in ("unparrot", "inspect eval", "model layer", "unparrot"):
            server.reset()
            rows.append(side(name, server.base_url, options.combinations))
        if options.large:
            server.reset()
            rows.append(side("unparrot", server.base_url, options.large))
    first, other, bare, second = (row["calls_a_second"] for row in rows[:4])
    mine = (first + second) / 2
    ratios = {"inspect eval": mine / other, "model layer": mine / bare}
    if options.json:
        print(json.dumps({"rows": rows, "ratios": ratios}))
        return
    print(f"{'':14}{'combinations':>13}{'calls':>8}{'calls/s':>9}{'whole s':>9}"
          f"{'cpu ms/call':>12}{'memory MB':>11}")  # fmt: skip
    for row in rows:
        print(f"{row['side']:14}{row['combinations']:13,}{row['calls']:8,}"
              f"{row['calls_a_second']:9.0f}{row['whole_seconds']:9.1f}"
              f"{row['processor_ms_a_call']:12.2f}{row['memory_mb']:11.0f}")  # fmt: skip
    for name, ratio in ratios.items():
        print(f"calls a second, unparrot to {name}: {ratio:.2f}")


if __name__ == "__main__":
    main()
