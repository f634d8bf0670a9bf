"""Runs of the lab made to order, for the tests of the certificate."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import polars as pl
import pytest

from unparrot.core.grades import EARNED, MISSED, GradedText, Mark
from unparrot.core.records import RunFolder
from unparrot.core.skills import SkillCombination
from unparrot.core.tables import HELDOUT_SCHEMA, MODELS_SCHEMA, PARROTS_SCHEMA

MARKS = {"1": EARNED, "0": MISSED, "?": Mark.unscored("cut off")}
HeldOut = Sequence[tuple[str, str | None, Sequence[str]]]


@pytest.fixture
def texts_of() -> Callable[..., list[GradedText]]:
    """One text a letter, with full marks (1), without (0) or open (?); pairs recur every ``pairs``
    texts, and ``trained`` says how often training showed each combination.
    """

    def make(
        model: str,
        full: str,
        *,
        k: int = 2,
        pairs: int = 1000,
        split: str = "heldout_pair",
        trained: int | None = 0,
        decoding: str = "greedy",
        sample: int = 0,
    ) -> list[GradedText]:
        texts: list[GradedText] = []
        for i, letter in enumerate(full):
            skills = tuple(f"skill {i % pairs} {j}" for j in range(k))
            marks = dict.fromkeys((*skills, "topic", "sense"), EARNED)
            where = (model, split, decoding, sample, trained)
            asked = SkillCombination(f"topic {i}", skills)
            texts.append(GradedText(asked, "words", marks | {"length": MARKS[letter]}, *where))
        return texts

    return make


@pytest.fixture
def lab_run() -> Callable[..., Path]:
    """Write texts, and tables of parrots (do they change no word?) and of what was held out."""

    def make(
        folder: Path,
        texts: Sequence[GradedText],
        parrots: Mapping[str, bool],
        held_out: HeldOut = (),
    ) -> Path:
        run = RunFolder(folder)
        run.write_graded(texts)
        names = dict.fromkeys(text.model for text in texts)
        kinds = ["parrot" if name in parrots else "transformer" for name in names]
        rows = [(*pair, *[None] * 7) for pair in zip(names, kinds, strict=True)]
        run.write_table("models", pl.DataFrame(rows, schema=MODELS_SCHEMA, orient="row"))
        rules = [(name, f"does as {name} does", verbatim) for name, verbatim in parrots.items()]
        run.write_table("parrots", pl.DataFrame(rules, schema=PARROTS_SCHEMA, orient="row"))
        held = [(kind, topic, list(skills)) for kind, topic, skills in held_out]
        run.write_table("heldout", pl.DataFrame(held, schema=HELDOUT_SCHEMA, orient="row"))
        return folder

    return make
