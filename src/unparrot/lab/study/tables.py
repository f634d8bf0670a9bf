"""The records of a run: its tables and its manifest, made of what its cells have left on disk."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import polars as pl

from unparrot.core.machine import describe_machine, package_versions
from unparrot.core.records import RunFolder, read_json
from unparrot.core.skills import HeldOut
from unparrot.core.tables import SCHEMAS, WORLD_SCHEMA
from unparrot.lab.answers import PARROTS, Answers, answers_of, answers_of_parrot, read_answers
from unparrot.lab.corpus import digest
from unparrot.lab.study.pocket import write_pocket
from unparrot.lab.study.spec import RunSpec, model_name
from unparrot.lab.study.work import Place, cells_of, read_corpus, read_tests
from unparrot.lab.training.train import RESULT, TrainResult

FILES: Final = (
    "manifest.json", "models.parquet", "cloze.parquet", "parrots.parquet", "heldout.parquet",
    "cells.parquet", "requests.parquet", "skills.parquet", "training.parquet", "world.parquet",
    "texts.parquet", "graded.parquet", "pocket.json",
)  # fmt: skip
"""What a run has when its tables are written."""
PACKAGES: Final = ("unparrot", "torch", "transformers", "numpy", "polars", "matplotlib")


def write_tables(
    run: RunSpec,
    place: Place,
    command: str,
    device: str,
    timings: Mapping[str, float] | None = None,
) -> bool:
    """Write the tables and the manifest of a run, unless they are there and of the same cells.

    Parameters
    ----------
    run, place
        What was trained and tested, and where.
    command, device
        How the run was started and where it was trained, for the manifest.
    timings
        Seconds of its stages, likewise.

    Returns
    -------
    bool
        Whether the run has tables: cells that are not done have no rows, and without a trained
        model nothing is written.

    Raises
    ------
    BadInput
        If what a cell left cannot be read.
    """
    done = {cell.name.partition("/")[2] for cell in cells_of(run, place) if cell.done}
    trained = [
        (shape, model_name(name, tokens))
        for shape, name in zip(run.shapes, run.shape_names, strict=True)
        if name in done
        for tokens in run.ordered_tokens
    ]
    corpus = read_corpus(place)
    if not trained or corpus is None:
        return False
    folder = RunFolder(Path(place.tables))
    plan = {"plan": msgspec.to_builtins(run), "cells": sorted(done)}
    if all((folder.path / name).exists() for name in FILES):
        known = folder.read_manifest().spec
        if all(known.get(name) == value for name, value in plan.items()):
            return True
    parrots = PARROTS if "parrots" in done else ()
    models: list[tuple[TrainResult, int, int]] = []
    answers: dict[str, Answers] = {}
    for shape, name in trained:
        model = Path(place.models, name)
        remedy = f"delete {model}, and it is trained anew"
        sizes = run.sizes(shape)
        result = read_json(model / RESULT, TrainResult, remedy)
        models.append((dataclasses.replace(result, name=name), sizes.layers, sizes.width))
        answers[name] = read_answers(answers_of(model))
    for name, _ in parrots:
        answers[name] = read_answers(answers_of_parrot(Path(place.data), name))
    cells, held_out, world = read_tests(place), run.setting.held_out(), run.setting.world
    packed, valid, pack = corpus.train, corpus.valid, world.pack
    entropy = valid.entropy / valid.text_tokens
    luck = (valid.nats - valid.entropy) / valid.text_tokens
    rows: dict[str, Sequence[Sequence[object]]] = {
        "models": [
            *(
                (
                    model.name,
                    "transformer",
                    model.params,
                    model.tokens,
                    # Model and truth are compared on the same texts: what these happened to
                    # cost the truth above its expectation cancels out (a control variate).
                    entropy + model.valid.excess,
                    entropy,
                    model.valid.excess_error,
                    layers,
                    width,
                )
                for model, layers, width in models
            ),
            *((name, "parrot", *[None] * 7) for name, _ in parrots),
        ],
        "cloze": [
            (model.name, piece, list(answer.skills), *answer[1:])
            for model, *_ in models
            for piece, answer in enumerate(answers[model.name].cloze)
        ],
        "parrots": [(name, parrot.rule, parrot.verbatim) for name, parrot in parrots],
        "heldout": held_out.rows(),
        "cells": [(c.k, c.split, len(c.combinations), c.imbalance) for c in cells],
        "requests": [
            (c.topic, list(c.skills), world.about(c))
            for c in dict.fromkeys(c for cell in cells for c in cell.combinations)
        ],
        "skills": [(s.name, s.category) for s in pack.skills],
        "training": [
            (model.name, *dataclasses.astuple(row)) for model, *_ in models for row in model.log
        ],
    }
    tables = {
        name: pl.DataFrame(content, schema=SCHEMAS[name], orient="row")
        for name, content in rows.items()
    }
    tables["world"] = pl.DataFrame(
        {
            "skills": [len(pack.skills)],
            "topics": [len(pack.topics)],
            "vocabulary": [len(world.vocabulary)],
            "heldout_pairs": [len(held_out.pairs)],
            "heldout_pairs_of": [math.comb(len(pack.skills), 2)],
            "heldout_triples": [len(held_out.triples)],
            "heldout_cells": [len(held_out.cells)],
            "max_k": [held_out.max_k],
            "documents": [packed.documents],
            "tokens": [packed.tokens],
            "text_tokens": [packed.text_tokens],
            "entropy": [entropy],
            "entropy_error": [abs(luck) / entropy],
        },
        schema=WORLD_SCHEMA,
    )
    for name, table in tables.items():
        folder.write_table(name, table)
    write_pocket(run, place, cells, packed.documents)
    folder.write_graded(text for own in answers.values() for text in own.texts)
    folder.write_manifest(
        {
            "spec": {**plan, "device": device},
            "command": command,
            "seed": run.setting.seed,
            "versions": package_versions(PACKAGES),
            "digests": {
                "pack": pack.digest,
                "corpus": digest(place.corpus),
                "heldout": _digest(held_out),
            },
            "timings": {name: round(seconds, 2) for name, seconds in (timings or {}).items()},
            "machine": {**describe_machine(), "device": device},
        }
    )
    return True


def _digest(held: HeldOut) -> str:
    content = [sorted(held.pairs), sorted(held.triples), sorted(held.cells), held.max_k]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
