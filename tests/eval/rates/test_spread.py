"""A corpus read on a Ray cluster of two nodes: the windows and topics of one machine."""

import gzip
import json
import os
import signal
import threading
import time
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from unparrot.core.cluster.ray_cluster import joined
from unparrot.core.errors import BadInput
from unparrot.eval.rates import tagging
from unparrot.eval.rates.spread import on_cluster
from unparrot.eval.rates.tagging import topics_in
from unparrot.eval.rates.windows import draw_windows
from unparrot.packs.reading import load_pack

PACK = load_pack("mathematics.en")


def corpus(folder: Path) -> list[Path]:
    """Files of every kind, those that are read through large enough to be interrupted."""
    rng = Random(4)
    names = [*PACK.topic_names, *("w" * i for i in range(1, 14))]
    documents = [" ".join(rng.choices(names, k=rng.randint(0, 300))) for _ in range(3000)]
    lines = "".join(json.dumps({"text": text}) + "\n" for text in documents)
    (folder / "a.txt").write_text("\n".join(documents))
    (folder / "b.jsonl").write_text(lines)
    pl.DataFrame({"text": documents}).write_parquet(folder / "c.parquet", row_group_size=700)
    for i in range(8):
        (folder / f"d{i}.jsonl.gz").write_bytes(gzip.compress(4 * lines.encode(), 1))
    return [folder]


@pytest.mark.slow
def test_windows_and_topics_are_those_of_one_machine_even_if_a_worker_dies(
    loopback_cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tagging, "_AT_ONCE", 300)
    (tmp_path / "web").mkdir()
    corpus(tmp_path / "web")
    paths = [Path("web")]  # nodes work in the folder of the driver
    here = draw_windows(paths, 3000, 30, 1)
    killed: list[int] = []

    def kill() -> None:
        while not (busy := [pid for node in (0, 1) for pid in loopback_cluster.workers(node)]):
            time.sleep(0.01)
        os.kill(busy[0], signal.SIGKILL)
        killed.append(busy[0])

    killer = threading.Thread(target=kill)
    with joined(loopback_cluster.address) as cluster:
        killer.start()
        there = draw_windows(paths, 3000, 30, 1, spread=on_cluster(cluster))
        killer.join()
        assert killed
        topics = topics_in(there, PACK, on_cluster(cluster))
    assert there == here
    assert topics == topics_in(here, PACK)
    assert len(topics) == 3000


@pytest.mark.slow
def test_what_is_wrong_with_a_file_is_told_with_the_node(
    loopback_cluster: Any, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("a\0b c\0d " * 50)
    with (
        joined(loopback_cluster.address) as cluster,
        pytest.raises(BadInput, match=r"a\.txt, near byte .* zero bytes; .* \(on the node .*"),
    ):
        draw_windows([tmp_path], 5, 5, 1, spread=on_cluster(cluster))
