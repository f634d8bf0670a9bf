"""The pocket edition of a run: models, words and training texts, small enough for its page."""

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Final

import msgspec
import torch

from unparrot.core.records import Pocket, PocketModel, atomic_write
from unparrot.lab.answers import MAX_NEW
from unparrot.lab.cells import Cell
from unparrot.lab.corpus import read_documents
from unparrot.lab.grader.as_data import grader_data
from unparrot.lab.study.spec import RunSpec, model_name
from unparrot.lab.study.work import Place
from unparrot.lab.training.checkpoint import load_model
from unparrot.lab.training.model import Llama
from unparrot.lab.training.shape import ModelShape
from unparrot.lab.world.english import CAPITALS

MOST_WEIGHTS: Final = 540_000
"""Of all models together: 1.4 MB on a page."""
MOST_READ: Final = 600
"""Most training texts: 60 kB on a page."""
MOST_SITUATIONS: Final = 12
"""For each topic."""


def write_pocket(run: RunSpec, place: Place, cells: Sequence[Cell], documents: int) -> None:
    """Write pocket.json beside the tables of a run.

    Parameters
    ----------
    run, place
        What was trained, and where.
    cells
        What was tested.
    documents
        Number of training texts.
    """
    world = run.setting.world
    situations: dict[str, dict[str, None]] = {name: {} for name in world.pack.topic_names}
    for cell in cells:
        for combination in cell.combinations:
            situations[combination.topic][world.about(combination)] = None
    read = read_documents(place.corpus)
    read = read[:: ceil(len(read) / MOST_READ)]  # of all, as the first ones may be a curriculum
    pocket = Pocket(
        models=tuple(_models(run, place)),
        vocabulary=world.vocabulary,
        capitals=tuple(i for i, word in enumerate(world.vocabulary) if word in CAPITALS),
        most_tokens=MAX_NEW,
        skills=world.pack.skills,
        held_out=run.setting.held_out(),
        situations={topic: tuple(abouts)[:MOST_SITUATIONS] for topic, abouts in situations.items()},
        read=tuple((c.topic, about, c.skills, text) for c, about, text in read),
        documents=documents,
        grader=grader_data(world.vocabulary),
    )
    content = msgspec.json.encode(pocket, order="deterministic")
    atomic_write(Path(place.tables, "pocket.json"), content)


def _models(run: RunSpec, place: Place) -> list[PocketModel]:
    """The models of the most tokens that fit: the smallest, then from the largest down."""
    trained: list[tuple[ModelShape, Path]] = []
    for shape, name in zip(run.shapes, run.shape_names, strict=True):
        folder = Path(place.models, model_name(name, run.ordered_tokens[-1]))
        if (folder / "model.safetensors").is_file():
            trained.append((run.sizes(shape), folder))
    trained.sort(key=lambda model: model[0].params)
    models: list[PocketModel] = []
    room = MOST_WEIGHTS
    for shape, folder in [*trained[:1], *trained[:0:-1]]:
        if shape.params <= room:
            sizes = (shape.params, shape.width, shape.layers, shape.heads, shape.hidden)
            models.append(PocketModel(folder.name, *sizes, halved(load_model(folder))))
            room -= shape.params
    return sorted(models, key=lambda model: model.params)


@torch.no_grad()
def halved(model: Llama) -> bytes:
    """Return the weights of a model in 16 bits, in the order of `PocketModel`."""
    layers = [weights.flatten(1) for weights in model.folded()]
    parts = [model.embedding.flatten(), torch.cat(layers, 1).flatten(), model.final_gain]
    return torch.cat(parts).cpu().numpy().astype("<f2").tobytes()
