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
from unparrot.lab.training.model import Llama
from unparrot.lab.training.shape import ModelShape
from unparrot.lab.world.english import World

TINY_VOCABULARY = (
    "<pad>", "<bos>", "<eos>", "topic:", "skills:", "text:", ",", "modus ponens", "modus",
    "red herring", "a", "b", "c", "d", "e", "f", "g", "h", ".",
)  # fmt: skip
TINY_SKILLS = ("modus ponens", "red herring", "modus")


def _write(folder: Path, documents: int, rng: np.random.Generator) -> None:
    """Every third document has one word. The words of a prompt are uniform over 8, and given them
    a text is certain: its true nats are 0."""
    tokens: list[int] = []
    starts, prompts = [0], list[int]()
    for i in range(documents):
        x, y = rng.integers(10, 18, 2).tolist()
        prompt, text = ([1, 3, x, y, 5], [x, y, 2]) if i % 3 < 2 else ([1, 3, x, 5], [x, 2])
        tokens += prompt + text
        starts.append(len(tokens))
        prompts.append(len(prompt))
    folder.mkdir(parents=True)
    np.save(folder / "tokens.npy", np.array(tokens, np.uint16))
    np.save(folder / "starts.npy", np.array(starts))
    np.save(folder / "prompts.npy", np.array(prompts, np.uint16))
    np.save(folder / "nats.npy", np.zeros(documents))


@pytest.fixture(autouse=True)
def denormals_as_before() -> Iterator[None]:
    """Training flushes denormal numbers to zero in its process, which other tests share here."""
    yield
    torch.set_flush_denormal(False)


@pytest.fixture
def tiny_corpus(tmp_path: Path) -> Path:
    """A folder with 192 documents of 8, 8 and 6 tokens, and valid/ with 48."""
    rng = np.random.default_rng(7)
    folder = tmp_path / "corpus"
    _write(folder, 192, rng)
    _write(folder / "valid", 48, rng)
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
        model.embedding[2] *= 1.5  # <eos>
    folder = tmp_path_factory.mktemp("world") / "16"
    save_tokenizer(folder, world.vocabulary, world.pack.skill_names)
    return save_model(model, folder)
