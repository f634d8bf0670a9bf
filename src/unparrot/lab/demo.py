"""The whole run of the lab: corpus, ladder, measurement, records.

``unparrot demo`` is this, the analysis of its records, and the page.

A run that was killed continues where it stopped: a finished corpus is kept, training goes on from
its last state, finished models are neither trained nor tested again, and no parrot writes twice.
"""

import dataclasses
import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import polars as pl

from unparrot.core.errors import BadInput
from unparrot.core.machine import describe_machine, package_versions
from unparrot.core.records import RunFolder, atomic_write, lock, read_json
from unparrot.core.skills import HeldOut
from unparrot.core.tables import SCHEMAS, WORLD_SCHEMA
from unparrot.lab.budget import Budget, budget
from unparrot.lab.cells import Cell, draw_cells
from unparrot.lab.corpus import Packed, Source, digest, read_documents, write_corpus
from unparrot.lab.ladder import PARROTS, Answers, Stage, Task, run_ladder
from unparrot.lab.training.checkpoint import save_tokenizer
from unparrot.lab.training.model import resolve_device
from unparrot.lab.training.train import Branch, Documents, TrainResult, TrainSpec
from unparrot.lab.world.english import World

VALID_START: Final = 1 << 40
"""Index of the first validation document; training never gets there."""
VALID_TOKENS: Final = 200_000
PACKAGES: Final = ("unparrot", "torch", "transformers", "numpy", "polars", "matplotlib")


@dataclass(frozen=True, slots=True)
class DemoSpec:
    """What determines a run.

    Parameters
    ----------
    budget
        Name of a budget (`unparrot.lab.budget.BUDGETS`).
    seed
        0 or more; it draws what is held out, the corpus, the weights and the cells.
    device
        'auto', 'cpu' or 'cuda'.

    Raises
    ------
    BadInput
        If there is no such budget, or the seed is negative.
    """

    budget: str = "standard"
    seed: int = 1
    device: str = "auto"

    def __post_init__(self) -> None:
        budget(self.budget)
        if self.seed < 0:
            raise BadInput(f"a seed is a number from 0 on, not {self.seed}")


def run_demo(
    spec: DemoSpec,
    out: Path,
    on_stage: Callable[[Stage], None] | None = None,
    plan: Budget | None = None,
    command: str = "unparrot demo",
) -> None:
    """Run everything: graded texts, tables of facts, checkpoints, manifest.

    `unparrot analyze` makes the figures of them.

    Parameters
    ----------
    spec
        What determines the run.
    out
        Folder of the run. One that holds a part of this run is continued.
    on_stage
        Called with the progress of each stage.
    plan
        Replaces the budget of the spec's name (for smaller studies).
    command
        How the run was started, for the manifest.

    Raises
    ------
    BadInput
        If `out` holds another run, or another process works on it.
    """
    demo = _Demo(spec, plan or budget(spec.budget), out, on_stage or (lambda _: None), command)
    held = lock(out / "run.lock")
    try:
        demo.run()
    finally:
        os.close(held)


class _Written(msgspec.Struct, frozen=True):
    """What corpus/packed.json says of the corpus that is there."""

    train: Packed
    valid: Packed


class _Demo:
    def __init__(
        self,
        spec: DemoSpec,
        plan: Budget,
        out: Path,
        on_stage: Callable[[Stage], None],
        command: str,
    ) -> None:
        self.spec, self.plan, self.out = spec, plan, out
        self.stage, self.command = on_stage, command
        self.run_folder = RunFolder(out)
        self.corpus = out / "corpus"
        self.world = World()
        self.timings: dict[str, float] = {}
        self.device = resolve_device(spec.device).type
        # One child generator for each purpose: adding a cell never moves the held-out pairs.
        held, cells = (np.random.default_rng([spec.seed, purpose]) for purpose in (1, 2))
        self.held_out = HeldOut.draw(
            self.world.pack, held, plan.pair_share, plan.triple_share, plan.cell_share, plan.max_k
        )
        self.cells_rng = cells
        self.source = Source(self.world, self.held_out, plan.mixture, spec.seed)

    def run(self) -> None:
        self._claim()
        with self._timed("corpus"):
            packed, valid = self._write_corpus()
        with self._timed("cells"):
            cells = draw_cells(
                self.world.pack,
                self.held_out,
                [document.combination for document in read_documents(self.corpus)],
                self.plan.ks,
                self.plan.samples,
                self.cells_rng,
                lambda done, of: self.stage(Stage("drawing what to test", done, of, "cells")),
            )
        with self._timed("training and measuring"):
            models, answers = self._ladder(cells)
        with self._timed("records"):
            self.stage(Stage("writing the records", 0, 1))
            self._record(packed, valid, cells, models, answers)
        self.run_folder.write_manifest(
            {
                "spec": self._spec,
                "command": self.command,
                "seed": self.spec.seed,
                "versions": package_versions(PACKAGES),
                "digests": {
                    "pack": self.world.pack.digest,
                    "corpus": digest(self.corpus),
                    "heldout": _digest(self.held_out),
                },
                "timings": {name: round(seconds, 2) for name, seconds in self.timings.items()},
                "machine": {**describe_machine(), "device": self.device},
            }
        )

    @property
    def _spec(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self.spec), "plan": dataclasses.asdict(self.plan)}

    def _claim(self) -> None:
        """Refuse a folder that holds another run; otherwise note what runs here."""
        path = self.out / "spec.json"
        mine = (json.dumps(self._spec, indent=1, sort_keys=True) + "\n").encode()
        if path.exists() and path.read_bytes() != mine:
            raise BadInput(
                f"{self.out} holds a run of another specification; "
                "choose another --out or delete it"
            )
        atomic_write(path, mine)

    def _write_corpus(self) -> tuple[Packed, Packed]:
        record = self.corpus / "packed.json"
        if record.exists():
            written = read_json(record, _Written, "choose another --out or delete this one")
            return written.train, written.valid
        valid = write_corpus(
            self.source, self.corpus / "valid", min(VALID_TOKENS, self.plan.tokens), VALID_START
        )
        packed = write_corpus(
            self.source,
            self.corpus,
            self.plan.tokens,
            0,
            lambda done, of: self.stage(Stage("writing the corpus", done, of, "tokens")),
        )
        atomic_write(record, msgspec.json.encode(_Written(packed, valid)))
        return packed, valid

    def _ladder(self, cells: Sequence[Cell]) -> tuple[list[TrainResult], dict[str, Answers]]:
        vocabulary = self.world.vocabulary
        starts = Documents(self.corpus).starts
        tasks: list[Task] = []
        for rung in self.plan.rungs:
            shape = rung.shape(len(vocabulary))
            name, count = _label(shape.params), rung.documents_per_step
            lengths = [max(1, int(share * (len(starts) - 1) / count)) for share in rung.shares]
            branches = tuple(
                Branch(f"{name}@{_label(int(starts[min(n * count, len(starts) - 1)]))}", n)
                for n in lengths
            )
            steps = lengths[-1]
            spec = TrainSpec(
                name=name,
                shape=shape,
                corpus=str(self.corpus),
                branches=branches,
                documents_per_step=count,
                seed=self.spec.seed,
                device=self.spec.device,
                learning_rate=rung.learning_rate,
                log_every=max(1, steps // 100),
                valid_every=max(1, steps // 8),
                checkpoint_every=max(1, steps // 6),
            )
            folder = self.out / "models"
            for branch in branches:
                save_tokenizer(folder / branch.name, vocabulary, self.world.pack.skill_names)
            fixed = tuple(cells), self.held_out, self.plan, self.spec.seed
            tasks.append(Task(spec, str(folder), *fixed))
        workers = 0 if self.device == "cuda" else None
        return run_ladder(tasks, str(self.corpus), workers, self.stage)

    def _record(
        self,
        packed: Packed,
        valid: Packed,
        cells: Sequence[Cell],
        models: Sequence[TrainResult],
        answers: dict[str, Answers],
    ) -> None:
        entropy = valid.entropy / valid.text_tokens
        luck = (valid.nats - valid.entropy) / valid.text_tokens
        shapes = [rung for rung in self.plan.rungs for _ in rung.shares]
        pack = self.world.pack
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
                        rung.layers,
                        rung.width,
                    )
                    for model, rung in zip(models, shapes, strict=True)
                ),
                *((name, "parrot", *[None] * 7) for name, _ in PARROTS),
            ],
            "cloze": [
                (model.name, piece, list(answer.skills), *answer[1:])
                for model in models
                for piece, answer in enumerate(answers[model.name].cloze)
            ],
            "parrots": [(name, parrot.rule, parrot.verbatim) for name, parrot in PARROTS],
            "heldout": self.held_out.rows(),
            "cells": [(c.k, c.split, len(c.combinations), c.imbalance) for c in cells],
            "requests": [
                (c.topic, list(c.skills), self.world.about(c))
                for c in dict.fromkeys(c for cell in cells for c in cell.combinations)
            ],
            "skills": [(s.name, s.category) for s in pack.skills],
            "training": [
                (model.name, *dataclasses.astuple(row)) for model in models for row in model.log
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
                "vocabulary": [len(self.world.vocabulary)],
                "heldout_pairs": [len(self.held_out.pairs)],
                "heldout_pairs_of": [math.comb(len(pack.skills), 2)],
                "heldout_triples": [len(self.held_out.triples)],
                "heldout_cells": [len(self.held_out.cells)],
                "max_k": [self.held_out.max_k],
                "documents": [packed.documents],
                "tokens": [packed.tokens],
                "text_tokens": [packed.text_tokens],
                "entropy": [entropy],
                "entropy_error": [abs(luck) / entropy],
            },
            schema=WORLD_SCHEMA,
        )
        for name, table in tables.items():
            self.run_folder.write_table(name, table)
        self.run_folder.write_graded(text for own in answers.values() for text in own.texts)

    @contextmanager
    def _timed(self, name: str) -> Generator[None]:
        began = time.perf_counter()
        yield
        self.timings[name] = time.perf_counter() - began


def _label(count: int) -> str:
    return f"{count / 1e6:.1f}M" if count >= 1_000_000 else f"{round(count / 1000)}k"


def _digest(held: HeldOut) -> str:
    content = [sorted(held.pairs), sorted(held.triples), sorted(held.cells), held.max_k]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
