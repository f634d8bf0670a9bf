"""A model of a run of the lab writes for any request, and the lab's exact grader marks the text.

Models write in one thread, one request at a time. With the text comes how new the request is: what
of it the run kept out of training, and, where the corpus is there, how often training had it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

import polars as pl
from msgspec import Struct

from unparrot.analysis.examples import Example
from unparrot.core.errors import BadInput, MissingExtra
from unparrot.core.records import RunFolder
from unparrot.core.skills import HeldOut, SkillCombination
from unparrot.core.wording import count, listed

if TYPE_CHECKING:
    from unparrot.lab.world.english import World
    from unparrot.lab.writer import Writer

WAITING: Final = 8
"""Requests that may wait for their turn."""
_OPEN: Final = 3
"""Models that are kept in memory."""


class Asked(Struct, frozen=True):
    """A request: who is to write, about what, which skills in which order, and how."""

    model: str
    topic: str
    skills: tuple[str, ...]
    temperature: float = 0.0
    seed: int = 1


class Tried(Struct, frozen=True):
    """A text as cards show it, the prompt, what is wrong with its sense, and how new it was."""

    card: Example
    prompt: str
    faults: tuple[str, ...]
    novelty: tuple[str, ...]


class Desk:
    """Where models write, one request after the other."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "writer")
        self._places = threading.BoundedSemaphore(WAITING)

    def write(self, run: Path, asked: Asked) -> Tried:
        """Have a model write, and mark the text.

        Raises
        ------
        BadInput
            If the run has no such model, the world lacks the topic or a skill, or too many wait.
        MissingExtra
            If torch, safetensors or tokenizers is not installed.
        """
        world = world_of(run)
        combination = SkillCombination(asked.topic, asked.skills)
        for names, known in ((asked.skills, world.pack.skill_names),
                             ((asked.topic,), world.pack.topic_names)):  # fmt: skip
            if strange := next((name for name in names if name not in known), None):
                raise BadInput(f"the world of this run has no {strange[:80]!r}")
        if asked.model not in (names := models_of(run)):
            raise BadInput(f"the run has no model {asked.model[:80]!r}; it has {listed(names)}")
        if not self._places.acquire(blocking=False):
            raise BadInput("the models have enough to do; try again in a moment")
        try:
            written = self._thread.submit(_write, run / "models" / asked.model, world, combination,
                                          asked)  # fmt: skip
            text, prompt = written.result()
        finally:
            self._places.release()
        from unparrot.lab.grader.exact import read

        about = world.about(combination)
        marks, faults = read(combination, about, text)
        split, trained, words = novelty_of(run, combination)
        card = Example(
            asked.model,
            "greedy" if not asked.temperature else f"t{asked.temperature:g}",
            split,
            combination.k,
            combination.topic,
            combination.skills,
            text,
            dict(marks),
            all(marks.values()),
            trained,
            "",
            about,
        )
        return Tried(card, prompt, tuple(faults), tuple(words))


def _write(
    checkpoint: Path, world: World, combination: SkillCombination, asked: Asked
) -> tuple[str, str]:
    """The text of a model, and the prompt that it continues."""
    writer = _writer(checkpoint, (checkpoint / "model.safetensors").stat().st_mtime_ns)
    prompt = world.prompt(combination)
    request = writer.request(prompt, None, asked.temperature, asked.seed)
    return writer.write([request])[0].text, prompt


@lru_cache(maxsize=_OPEN)
def _writer(checkpoint: Path, stamp: int) -> Writer:
    del stamp
    try:
        from unparrot.lab.writer import Writer
    except ModuleNotFoundError as error:
        raise MissingExtra("lab", error.name or "torch") from error
    return Writer(checkpoint)


def models_of(run: Path) -> list[str]:
    """The models of a run whose checkpoints are there, in the order of its table."""
    there = {path.parent.name for path in run.glob("models/*/config.json")}
    try:
        named: list[str] = RunFolder(run).checked_table("models")["name"].to_list()
    except BadInput:  # the run goes on
        named = []
    return [name for name in named if name in there] + sorted(there - set(named))


def world_of(run: Path) -> World:
    """The world of a run.

    Raises
    ------
    BadInput
        If the run has no records yet, or its world is that of another version.
    """
    from unparrot.lab.world.english import World

    folder = RunFolder(run)
    sizes = folder.checked_table("world").row(0, named=True)
    world = World(sizes["skills"], sizes["topics"])
    if folder.read_manifest().digests.get("pack") != world.pack.digest:
        raise BadInput(
            "The world of this run is that of another version of unparrot, whose grader would be "
            "needed: its models cannot be tried here."
        )
    return world


def novelty_of(run: Path, asked: SkillCombination) -> tuple[str, int | None, list[str]]:
    """How new a request is to the models of a run.

    Returns
    -------
    split
        In what way, as a split is called; 'new combination' if nothing of it was held out and yet
        training never had all of it.
    trained
        How often training had the topic with just these skills; None if the corpus is not there.
    words
        What was held out, and how often training had each pair.
    """
    held_out = _held_out(run)
    new = held_out.novelty(asked)
    documents = run / "corpus" / "documents.parquet"
    pairs = list(asked.pairs())
    trained, together = _counts(documents, asked, pairs) if documents.is_file() else (None, None)
    words: list[str] = []
    if new.untrained_k:
        words.append(f"{asked.k} skills at once; training had at most {held_out.max_k}.")
    for i, pair in enumerate(pairs):
        if pair in held_out.pairs:
            words.append(f"{listed(pair)}: held out, never together in training.")
        elif together is not None:
            words.append(f"{listed(pair)}: together in {count(together[i])} training texts.")
    words += [
        f"{listed(triple)}: held out, never all three together in training."
        for triple in asked.triples()
        if triple in held_out.triples
    ]
    words += [
        f"{skill} about {asked.topic}: held out, never in training."
        for skill in asked.skills
        if (asked.topic, skill) in held_out.cells
    ]
    splits = {
        "heldout_pair": new.pairs,
        "heldout_triple": new.triples,
        "heldout_topic": new.cells,
        "untrained_k": new.untrained_k,
        "new combination": trained == 0,
        "unknown": trained is None,
    }
    return next((split for split, is_so in splits.items() if is_so), "seen"), trained, words


def _held_out(run: Path) -> HeldOut:
    folder = RunFolder(run)
    max_k = folder.checked_table("world")["max_k"].item()
    kept: dict[str, set[tuple[str, ...]]] = {"pair": set(), "triple": set(), "cell": set()}
    for kind, topic, skills in folder.checked_table("heldout").iter_rows():
        kept[kind].add(tuple(skills) if topic is None else (topic, *skills))
    return HeldOut(*(frozenset(rows) for rows in kept.values()), max_k)  # type: ignore[arg-type]


def _counts(
    documents: Path, asked: SkillCombination, pairs: Sequence[tuple[str, str]]
) -> tuple[int, list[int]]:
    """How many training texts have the topic and just these skills, and how many each pair."""
    skills = pl.col("skills")
    has = {name: skills.list.contains(name) for name in asked.skills}
    exact = pl.all_horizontal(has.values()) & (skills.list.len() == asked.k)
    counts = pl.scan_parquet(documents, glob=False).select(
        (exact & (pl.col("topic") == asked.topic)).sum().alias("exact"),
        *((has[a] & has[b]).sum().alias(f"{i}") for i, (a, b) in enumerate(pairs)),
    )
    exactly, *together = counts.collect().row(0)
    return exactly, together


def drawn(run: Path, rng: Random, k: int) -> tuple[str, tuple[str, ...]]:
    """A random topic, and k skills with a pair that training never showed together, if any."""
    pack, held_out = world_of(run).pack, _held_out(run)
    pairs = sorted(held_out.pairs) or list(combinations(pack.skill_names, 2))
    start = rng.choice(pairs)[:k]
    others = [name for name in pack.skill_names if name not in start]
    skills = [*start, *rng.sample(others, max(0, min(k, len(pack.skills)) - len(start)))]
    rng.shuffle(skills)
    return rng.choice(pack.topic_names), tuple(skills)
