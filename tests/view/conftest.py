"""The app over folders of made-up runs: asked in this process, or as a process of its own."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from types import ModuleType

import httpx
import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient

from unparrot.analysis.summary import analyze
from unparrot.core.records import RunFolder
from unparrot.core.skills import HeldOut
from unparrot.core.tables import SCHEMAS
from unparrot.lab.world.english import World
from unparrot.packs.reading import load_pack
from unparrot.view.guard import Guard
from unparrot.view.routes import make_app

TOKEN = "t" * 43
PORT = 8470
HOST = f"http://127.0.0.1:{PORT}"
SIZES = {"skills": 36, "topics": 20, "max_k": 4}


def client_of(root: Path) -> TestClient:
    """A client that has been let in, and whose requests come from the app's own pages."""
    client = TestClient(
        Guard(make_app([root], root / ".scratch"), TOKEN, PORT),
        base_url=HOST,
        headers={"Origin": HOST},
    )
    client.cookies.set(f"unparrot-{PORT}", TOKEN)
    return client


@pytest.fixture
def let_in() -> Callable[[Path], TestClient]:
    """Makes a client for the runs below a folder."""
    return client_of


@pytest.fixture(scope="session")
def shelf(
    skillmix_runs: ModuleType,
    journal_runs: ModuleType,
    ladder_runs: ModuleType,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Runs of every kind: ``tables`` without a journal, ``journal``, and ``ladder`` of the lab."""
    root = tmp_path_factory.mktemp("shelf")
    pack = load_pack("language.en")
    skillmix_runs.fabricate(root / "tables", pack, skillmix_runs.Shape((2, 3), 30, 2, 2))
    analyze(root / "tables")
    journal_runs.fabricate(root / "some" / "journal")
    analyze(root / "some" / "journal")
    ladder_runs.write_ladder_run(root / "ladder", combinations=40)
    analyze(root / "ladder")
    return root


@pytest.fixture
def client(shelf: Path) -> TestClient:
    """A client for these runs."""
    return client_of(shelf)


@pytest.fixture
def run_ids(client: TestClient) -> dict[str, str]:
    """The names of these runs in addresses."""
    return {row["name"]: row["id"] for row in client.get("/runs.json").json()}


@pytest.fixture(scope="session")
def lab_held_out() -> HeldOut:
    return HeldOut.draw(World().pack, np.random.default_rng(1), 0.15, 0.02, 0.05, 4)


@pytest.fixture(scope="session")
def lab_run(tmp_path_factory: pytest.TempPathFactory, lab_held_out: HeldOut) -> Path:
    """A run of the lab with a model of random weights, as far as trying it needs one."""
    import torch

    from unparrot.lab.training.checkpoint import save_model, save_tokenizer
    from unparrot.lab.training.model import Llama, ModelShape

    world, rng = World(), Random(3)
    folder = RunFolder(tmp_path_factory.mktemp("lab") / "run")
    kinds = {key: {} for key in ("versions", "timings", "machine")}
    folder.write_manifest(
        {"spec": {}, "command": "", "seed": 1, **kinds, "digests": {"pack": world.pack.digest}}
    )
    row = [SIZES.get(name, 1) for name in SCHEMAS["world"].names()]
    rows = {"world": [row], "heldout": lab_held_out.rows()}
    for name, content in rows.items():
        folder.write_table(name, pl.DataFrame(content, SCHEMAS[name], orient="row"))
    folder.write_graded([])
    documents = [world.draw(rng, rng.randint(1, 4)) for _ in range(3000)]
    (folder.path / "corpus").mkdir()
    table = {"topic": [d.topic for d in documents], "skills": [list(d.skills) for d in documents]}
    pl.DataFrame(table).write_parquet(folder.path / "corpus" / "documents.parquet")
    generator = torch.Generator().manual_seed(5)
    model = Llama(ModelShape(16, 2, 2, 24, len(world.vocabulary)), generator)
    with torch.no_grad():
        for weight in (model.attention_out, model.down, model.embedding):
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.5)
        model.embedding[2] *= 1.5  # <eos>
    save_tokenizer(folder.path / "models" / "16", world.vocabulary, world.pack.skill_names)
    save_model(model, folder.path / "models" / "16")
    return folder.path


class App:
    """`unparrot view` as a process."""

    def __init__(self, folder: Path, *arguments: str, prefix: tuple[str, ...] = ()) -> None:
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-c", "from unparrot.cli.main import main; main()",
             "view", str(folder), "--no-open", *(arguments or ("--port", "0"))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self.clients: list[httpx.Client] = []
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], 120)[0]
        self.address = self.process.stdout.readline().strip()
        match = re.fullmatch(r"(http://127\.0\.0\.1:(\d+))/\?token=([\w-]{43})", self.address)
        assert match, self.address
        self.host, self.port, self.token = match[1], int(match[2]), match[3]

    def client(self) -> httpx.Client:
        """A client that has been let in."""
        client = httpx.Client(base_url=self.host, headers={"Origin": self.host}, timeout=60)
        self.clients.append(client)
        assert client.get(f"/?token={self.token}").status_code == 200
        return client


@pytest.fixture
def start_app() -> Iterator[Callable[..., App]]:
    """Starts the app over a folder; what still runs at the end is killed."""
    apps: list[App] = []

    def start(folder: Path, *arguments: str, prefix: tuple[str, ...] = ()) -> App:
        apps.append(App(folder, *arguments, prefix=prefix))
        return apps[-1]

    yield start
    for app in apps:
        for client in app.clients:
            client.close()
        app.process.kill()
        app.process.communicate()
