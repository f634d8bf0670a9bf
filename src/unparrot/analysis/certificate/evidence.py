"""Evidence of the certificate: full marks of every model on every combination of a run.

Texts of one combination (rounds, orders of the prompt) are taken together, so that a combination
counts once however often it was asked for.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import polars as pl

from unparrot.analysis.read.outcomes import read_outcomes
from unparrot.core.errors import BadInput
from unparrot.core.skills import SkillCombination
from unparrot.core.wording import plural

_CELL = ("model", "k", "split")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The texts of a run in one decoding.

    Parameters
    ----------
    decoding
        How the texts were decoded.
    models
        In the order of the run.
    rows
        One row a model, k, split and combination, with the columns ``model``, ``k``, ``split``,
        ``combination`` (its id), ``topic``, ``skills``; ``worst`` and ``best``, the share of its
        texts with full marks if every unscored mark was missed, and if every one was earned;
        ``texts`` and ``unsettled``, the number of texts, and of those that unscored marks leave
        open; ``trained``, how often training showed the combination, null where the run does not
        say.
    """

    decoding: str
    models: tuple[str, ...]
    rows: pl.DataFrame

    @property
    def counted(self) -> bool:
        """Whether the run says of every text how often training showed its combination."""
        return not self.rows["trained"].null_count()


def combinations_of(rows: pl.DataFrame) -> list[SkillCombination]:
    """Return the combinations of some rows of `Evidence`, in their order."""
    return [
        SkillCombination(str(topic), tuple(cast(list[str], skills)))
        for topic, skills in rows.select("topic", "skills").iter_rows()
    ]


def read_evidence(
    run: Path, decoding: str | None = None, outcomes: pl.DataFrame | None = None
) -> Evidence:
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
    decodings = cast(list[str], outcomes["decoding"].unique().sort().to_list())
    primary = decoding or ("greedy" if "greedy" in decodings else decodings[0])
    if primary not in decodings or (
        decoding is None and primary != "greedy" and len(decodings) > 1
    ):
        raise BadInput(
            f"the run {run} was decoded as {', '.join(decodings)}; name one of these with "
            "--decoding"
        )
    chosen = outcomes.filter(pl.col("decoding") == primary)
    if chosen["full_marks"].null_count() == chosen.height:
        raise BadInput(
            f"unscored marks leave every one of {plural(chosen.height, 'text')} of {run} open; "
            "grade them again"
        )
    if chosen["combination"].n_unique() == 1:
        raise BadInput(
            f"the run {run} tests a single combination, which says nothing of combinations; "
            "ask for at least two, drawn at random"
        )
    full, count = pl.col("full_marks"), pl.col("trained_count")
    rows = (
        chosen.group_by(*_CELL, "combination")
        .agg(
            pl.col("topic", "skills").first(),
            worst=full.fill_null(value=False).mean(),
            best=full.fill_null(value=True).mean(),
            texts=pl.len().cast(pl.Int64),
            unsettled=full.null_count().cast(pl.Int64),
            trained=pl.when(count.null_count() == 0).then(count.min()),
            counts=count.n_unique(),
        )
        .sort(*_CELL, "combination")
    )
    odd = rows.filter(pl.col("counts") > 1)
    if not odd.is_empty():
        raise BadInput(
            f"the texts of {run} give different counts of training for one combination "
            f"({odd['skills'][0].to_list()} on {odd['topic'][0]!r}); count again"
        )
    models = cast(list[str], outcomes["model"].unique(maintain_order=True).to_list())
    return Evidence(primary, tuple(models), rows.drop("counts"))
