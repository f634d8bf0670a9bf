"""How long `unparrot view` takes to answer, alone and to 200 readers at once.

    python benchmarks/bench_view.py [--json] [--texts 100000] [--readers 200]

The app is a process of its own on loopback, over a made-up run of the lab with so many texts of 4
skills and 8 models, and a run of language models with a journal on which a person marks. Seconds of
each kind of request: of the first one (``first``), of single ones one after the other (``alone``,
the median of 20), and where all readers ask at once, each its own page (``median``, ``p95`` and
``most`` of so many). ``errors`` counts answers other than 200. A mark is on disk when it is
answered.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl

from unparrot.core.records import RunFolder
from unparrot.core.skills import CRITERIA
from unparrot.core.tables import GRADED_SCHEMA, TEXTS_SCHEMA

WORDS = (
    "the", "seamstress", "told", "needle", "hem", "dye", "cloth", "guild", "bolt", "bobbin",
    "thread", "queen", "bee", "road",
)  # fmt: skip
K = 4


def write_run(path: Path, n: int, seed: int) -> None:
    """Write the texts and marks of a run of the lab, and its manifest."""
    rng = np.random.default_rng(seed)
    places = np.arange(n)
    words = rng.choice(WORDS, (n, 30))
    texts = pl.DataFrame(
        {
            "text_id": [f"{i:016x}" for i in places],
            "model": [f"{64 * (1 + i % 8)}k" for i in places],
            "split": rng.choice(["seen", "heldout_pair", "heldout_topic"], n),
            "decoding": ["greedy"] * n,
            "k": [K] * n,
            "topic": rng.choice(["sewing", "chess", "baking"], n),
            "skills": [[f"skill {j}" for j in rng.choice(30, K, replace=False)] for _ in places],
            "sample": [0] * n,
            "trained_count": [0] * n,
            "text": [" ".join(row) for row in words],
            "no_text": [None] * n,
        },
        TEXTS_SCHEMA,
    )
    both = pl.concat_list("skills", pl.lit(list(CRITERIA), pl.List(pl.String)))
    criterion = pl.col("criterion")
    other = criterion.is_in(CRITERIA)
    graded = (
        texts.select("text_id", both.alias("criterion"))
        .explode("criterion")
        .with_columns(
            kind=pl.when(other).then(criterion).otherwise(pl.lit("skill")),
            status=pl.Series(rng.choice(["earned", "missed"], n * (K + 3), p=[0.9, 0.1])),
            reason=pl.lit(""),
        )
    )
    path.mkdir()
    texts.write_parquet(path / "texts.parquet")
    graded.cast(dict(GRADED_SCHEMA)).write_parquet(path / "graded.parquet")  # type: ignore[arg-type]
    kinds = ("spec", "versions", "digests", "timings", "machine")
    RunFolder(path).write_manifest({"command": "", "seed": seed, **{kind: {} for kind in kinds}})


def write_journal(path: Path) -> None:
    """Write a run of language models by the module of the tests."""
    place = Path(__file__).parents[1] / "tests" / "journal_runs.py"
    spec = importlib.util.spec_from_file_location(place.stem, place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.fabricate(path, n=20)


async def timed(ask: Callable[[int], Awaitable[httpx.Response]], i: int) -> tuple[float, int]:
    """Seconds until an answer, and its status."""
    began = time.perf_counter()
    answer = await ask(i)
    return time.perf_counter() - began, answer.status_code


async def measure(address: str, readers: int) -> list[dict[str, Any]]:
    """Ask for each kind of page."""
    host = address.partition("/?")[0]
    # the app ends what was idle for 5 s; a client that used it then would fail
    limits = httpx.Limits(max_connections=None, keepalive_expiry=2)
    async with httpx.AsyncClient(
        base_url=host, headers={"Origin": host}, limits=limits, timeout=600
    ) as client:
        await client.get(address)
        ids = {row["name"]: f"/run/{row['id']}" for row in (await client.get("/runs.json")).json()}
        sheet = f"{ids['journal']}/mark.json"
        texts = (await client.get(f"{sheet}?by=ada&n=40")).json()
        sample = {"by": "ada", "n": 40, "seed": 1}

        def get(path: Callable[[int], str]) -> Callable[[int], Awaitable[httpx.Response]]:
            return lambda i: client.get(path(i))

        async def mark(i: int) -> httpx.Response:
            text = texts[i % len(texts)]
            point = text["points"][i % len(text["points"])]["name"]
            sent = {"sample": sample, "text": text["id"], "point": point, "mark": "10"[i % 2]}
            return await client.post(sheet, json=sent)

        search = f"{ids['lab']}/texts"
        kinds = {
            "list of runs": get(lambda _: "/"),
            "state of runs, JSON": get(lambda _: "/runs.json"),
            "texts, a page": get(lambda i: f"{search}?start={20 * (i % 100)}"),
            "texts, two words": get(lambda i: f"{search}?words={WORDS[i % 14]}+{WORDS[i % 13]}"),
            "texts, full marks of a model": get(lambda i: f"{search}?marks=full&model=64k&i={i}"),
            "one text": get(lambda i: f"{ids['lab']}/text/{i:016x}"),
            "a mark, on disk": mark,
        }
        rows: list[dict[str, Any]] = []
        for name, ask in kinds.items():
            first, *alone = [await timed(ask, i) for i in range(21)]
            together = await asyncio.gather(*(timed(ask, i) for i in range(readers)))
            seconds = sorted(each for each, _ in together)
            rows.append(
                {
                    "request": name,
                    "first": first[0],
                    "alone": statistics.median(each for each, _ in alone),
                    "median": statistics.median(seconds),
                    "p95": seconds[int(0.95 * (len(seconds) - 1))],
                    "most": seconds[-1],
                    "errors": sum(status != 200 for _, status in (first, *alone, *together)),
                }
            )
        return rows


def main() -> None:
    """Print the seconds of each kind of request."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_run(Path(folder, "lab"), options.texts, options.seed)
        write_journal(Path(folder, "journal"))
        command = "from unparrot.cli.main import main; main()"
        arguments = ["view", folder, "--no-open", "--port", "0"]
        with subprocess.Popen(
            [sys.executable, "-c", command, *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        ) as app:
            assert app.stdout is not None
            try:
                rows = asyncio.run(measure(app.stdout.readline().strip(), options.readers))
            finally:
                app.terminate()
    if options.json:
        print(json.dumps({"texts": options.texts, "readers": options.readers, "rows": rows}))
        return
    print(f"{options.texts:,} texts, {options.readers} readers; seconds")
    heads = ("first", "alone", "median", "p95", "most")
    print(f"{'':30}" + "".join(f"{head:>8}" for head in heads) + "  errors")
    for row in rows:
        cells = "".join(f"{row[head]:8.3f}" for head in heads)
        print(f"{row['request']:30}{cells}{row['errors']:8}")


if __name__ == "__main__":
    main()
