"""What every model did with every combination of a run: the evidence of the certificate.

Texts of one combination (rounds, orders of the prompt) are taken together, so that a combination
counts once however often it was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unparrot.analysis.read.outcomes import read_outcomes
from unparrot.core.errors import BadInput
from unparrot.core.records import RunFolder
from unparrot.core.skills import SkillCombination

PARROT: Final = "parrot"
"""The kind, in models.parquet, of the control group."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one model did with the combinations of one k, in the order of their ids.

    Parameters
    ----------
    model, k
        Whose texts, and how many skills each asks for.
    ids
        Shape (n,): the tested combinations.
    asked
        Their columns ``topic`` and ``skills``.
    worst, best
        Shape (n,), in [0, 1]: share of a combination's texts with full marks if every unscored mark
        was missed, and if every one was earned.
    trained
        Shape (n,): how often training showed the combination; None where the run does not say.
    rounds, open_rounds
        Shape (n,): number of texts, and of those whose full marks unscored marks leave open.
    """

    model: str
    k: int
    ids: tuple[str, ...]
    asked: pl.DataFrame
    worst: NDArray[np.float64]
    best: NDArray[np.float64]
    trained: NDArray[np.int64] | None
    rounds: NDArray[np.int64]
    open_rounds: NDArray[np.int64]

    @property
    def combinations(self) -> list[SkillCombination]:
        """The tested combinations, in the order of their ids."""
        return [
            SkillCombination(str(topic), tuple(cast(list[str], skills)))
            for topic, skills in self.asked.select("topic", "skills").iter_rows()
        ]

    @property
    def texts(self) -> int:
        """Number of texts."""
        return int(self.rounds.sum())

    @property
    def unsettled(self) -> int:
        """Number of texts whose full marks unscored marks leave open."""
        return int(self.open_rounds.sum())

    @property
    def single(self) -> bool:
        """Whether every combination has one text."""
        return bool((self.rounds == 1).all())

    def unseen(self) -> Evidence:
        """Return the part that training never showed.

        Raises
        ------
        BadInput
            If the run does not say what training showed.
        """
        if self.trained is None:
            raise BadInput(f"the texts of {self.model!r} at k = {self.k} have no trained_count")
        keep = np.flatnonzero(self.trained == 0)
        return Evidence(
            self.model,
            self.k,
            tuple(self.ids[i] for i in keep),
            self.asked[keep],
            self.worst[keep],
            self.best[keep],
            self.trained[keep],
            self.rounds[keep],
            self.open_rounds[keep],
        )


@dataclass(frozen=True, slots=True)
class Examination:
    """The texts of a run in one decoding, by model and k.

    Parameters
    ----------
    decoding
        How the texts were decoded.
    kinds
        The models in the order of the run, and their kind (None where the run does not say).
    ks
        Every k asked for, rising.
    tested
        By model and k; absent where a model has no texts.
    without_count
        Number of texts for which the run does not say what training showed.
    texts
        Number of texts.
    """

    decoding: str
    kinds: Mapping[str, str | None]
    ks: tuple[int, ...]
    tested: Mapping[tuple[str, int], Evidence]
    without_count: int
    texts: int

    @property
    def controls(self) -> tuple[str, ...]:
        """The parrots of the run."""
        return tuple(name for name, kind in self.kinds.items() if kind == PARROT)


def read_examination(
    run: Path, decoding: str | None = None, outcomes: pl.DataFrame | None = None
) -> Examination:
    """Return the texts of a run in its primary decoding.

    Parameters
    ----------
    run
        Folder of the run.
    decoding
        Which decoding; None takes ``'greedy'``, or the only one there is. Which one is settled
        before any result is seen, so that nobody chooses the better.
    outcomes
        What `read_outcomes` returns for the run; None reads it.

    Raises
    ------
    BadInput
        If the run has no such texts, several decodings and none called greedy, counts of training
        that contradict each other, or only marks that leave every text open.
    """
    outcomes = read_outcomes(run) if outcomes is None else outcomes
    found = cast(list[str], outcomes["decoding"].unique().sort().to_list())
    primary = decoding or ("greedy" if "greedy" in found else found[0])
    if primary not in found or (decoding is None and primary != "greedy" and len(found) > 1):
        raise BadInput(
            f"the run {run} was decoded as {', '.join(found)}; name one of these with --decoding"
        )
    chosen = outcomes.filter(pl.col("decoding") == primary)
    if chosen["full_marks"].null_count() == chosen.height:
        raise BadInput(
            f"unscored marks leave every one of the {chosen.height} texts of {run} open; "
            "grade them again"
        )
    if chosen["combination"].n_unique() == 1:
        raise BadInput(
            f"the run {run} tests a single combination, which says nothing of combinations; "
            "ask for at least two, drawn at random"
        )
    rows = (
        chosen.group_by("model", "k", "combination")
        .agg(
            pl.col("topic").first(),
            pl.col("skills").first(),
            pl.col("full_marks").fill_null(value=False).mean().alias("worst"),
            pl.col("full_marks").fill_null(value=True).mean().alias("best"),
            pl.col("full_marks").null_count().alias("unsettled"),
            pl.len().alias("texts"),
            pl.col("trained_count").min().alias("trained"),
            pl.col("trained_count").n_unique().alias("counts"),
        )
        .sort("model", "k", "combination")
    )
    odd = rows.filter(pl.col("counts") > 1)
    if not odd.is_empty():
        raise BadInput(
            f"the texts of {run} give different counts of training for one combination "
            f"({odd['skills'][0].to_list()} on {odd['topic'][0]!r}); count again"
        )
    groups = {
        (str(key[0]), int(cast(int, key[1]))): frame
        for key, frame in rows.group_by("model", "k", maintain_order=True)
    }
    names = cast(list[str], outcomes["model"].unique(maintain_order=True).to_list())
    return Examination(
        primary,
        _kinds(run, names),
        tuple(cast(list[int], outcomes["k"].unique().sort().to_list())),
        {key: _tested(*key, frame) for key, frame in groups.items()},
        chosen["trained_count"].null_count(),
        chosen.height,
    )


def _kinds(run: Path, names: list[str]) -> dict[str, str | None]:
    kinds: dict[str, str | None] = dict.fromkeys(names)
    if (run / "models.parquet").is_file():
        table = RunFolder(run).read_table("models")
        if not {"name", "kind"}.issubset(table.columns):
            raise BadInput(f"models.parquet in {run} has no columns name and kind")
        known = {str(name): str(kind) for name, kind in table.select("name", "kind").iter_rows()}
        missing = [name for name in names if name not in known]
        if missing:
            raise BadInput(f"models.parquet in {run} does not list {', '.join(missing)}")
        kinds = {name: known[name] for name in names}
    return kinds


def _tested(model: str, k: int, rows: pl.DataFrame) -> Evidence:
    return Evidence(
        model,
        k,
        tuple(cast(list[str], rows["combination"].to_list())),
        rows.select("topic", "skills"),
        rows["worst"].to_numpy(),
        rows["best"].to_numpy(),
        None if rows["trained"].null_count() else rows["trained"].to_numpy(),
        rows["texts"].cast(pl.Int64).to_numpy(),
        rows["unsettled"].cast(pl.Int64).to_numpy(),
    )
