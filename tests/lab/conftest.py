"""A tiny corpus in the format of the lab, texts that repeat the two words of their prompt; and a
tiny checkpoint of the world.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from unparrot.lab.training.checkpoint import save_model, save_tokenizer
from unparrot.lab.training.model import Llama, ModelShape
from unparrot.lab.world.english import World

TINY_VOCABULARY = (
    "<pad>", "<bos>", "<eos>", "topic:", "skills:", "text:", ",", "modus ponens", "modus",
    "red herring", "a", "b", "c", "d", "e", "f", "g", "h", ".",
)  # fmt: skip
TINY_SKILLS = ("modus ponens", "red herring", "modus")


def _write(folder: Path, rows: int, rng: np.random.Generator) -> None:
    length = 24
    shape = (rows, length)
    tokens, position = np.zeros(shape, np.uint16), np.zeros(shape, np.uint16)
    segment, loss = np.zeros(shape, np.uint8), np.zeros(shape, np.bool_)
    for r in range(rows):
        at = 0
        for number in (1, 2, 3):
            x, y = rng.integers(10, 18, 2)
            document = [1, 3, x, y, 5, x, y, 2] if number < 3 else [1, 3, x, 5, x, 2]
            n = len(document)
            tokens[r, at : at + n] = document
            segment[r, at : at + n] = number
            position[r, at : at + n] = np.arange(n) + rng.integers(0, 3)
            loss[r, at + document.index(5) : at + n - 1] = True
            at += n
    folder.mkdir(parents=True)
    for name, array in (
        ("tokens", tokens), ("position", position), ("segment", segment), ("loss", loss)
    ):  # fmt: skip
        np.save(folder / f"{name}.npy", array)


@pytest.fixture(autouse=True)
def denormals_as_before() -> Iterator[None]:
    """Training flushes denormal numbers to zero in its process, which other tests share here."""
    yield
    torch.set_flush_denormal(False)


@pytest.fixture
def tiny_corpus(tmp_path: Path) -> Path:
    """A folder with 64 rows of 24 tokens, three documents each, and valid/ with 16."""
    rng = np.random.default_rng(7)
    folder = tmp_path / "corpus"
    _write(folder, 64, rng)
    _write(folder / "valid", 16, rng)
    return folder


@pytest.fixture
def tiny_vocabulary() -> tuple[str, ...]:
    """19 words; three are skill names, two of which have a space."""
    return TINY_VOCABULARY


@pytest.fixture
def tiny_skills() -> tuple[str, ...]:
    """The skill names of `tiny_vocabulary`."""
    return TINY_SKILLS


@pytest.fixture(scope="session")
def world_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the world with random weights, some of whose texts end early."""
    world = World()
    generator = torch.Generator().manual_seed(5)
    model = Llama(ModelShape(16, 2, 2, 24, len(world.vocabulary)), generator)
    with torch.no_grad():
        for weight in (model.attention_out, model.down, model.embedding):
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.5)
        model.embedding[2] *= 2.5  # <eos>
    folder = tmp_path_factory.mktemp("world") / "16"
    save_tokenizer(folder, world.vocabulary, world.pack.skill_names)
    return save_model(model, folder)
