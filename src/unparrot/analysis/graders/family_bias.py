"""Whether graders favour texts that models of their own family wrote: a difference in differences.

A family's graders may be strict, and its models may write well; neither is a bias. Marks that its
graders give are compared with those of other graders *on the same criterion of the same text*, and
that gap over its own models' texts with the gap over the texts of others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from unparrot.analysis.resampling import Resampling
from unparrot.core.estimate import Estimate
from unparrot.stats.mover import mover_difference
from unparrot.stats.paired import paired_mean, paired_share


@dataclass(frozen=True, slots=True)
class FamilyBias:
    """How much more a family's graders give to texts of their own family.

    Parameters
    ----------
    family
        The family.
    own, other
        Mean mark of its graders less that of all others, on the same marks, over texts of its own
        models, and over texts of other models; ``n`` counts the marks.
    bias
        own - other; ``n`` counts the texts.
    """

    family: str
    own: Estimate
    other: Estimate
    bias: Estimate

    def as_dict(self) -> dict[str, Any]:
        """Return the bias as plain data that JSON can hold."""
        return {
            "family": self.family,
            "own": self.own.as_dict(),
            "other": self.other.as_dict(),
            "bias": self.bias.as_dict(),
        }


def family_bias(votes: pl.DataFrame, sampling: Resampling) -> list[FamilyBias]:
    """Return the bias of every family that grades texts of its own and of other families.

    Parameters
    ----------
    votes
        As from `unparrot.analysis.read.grader_marks.verdicts`. Marks without a grader of the family, or
        without one of another, tell nothing and do not count.
    sampling
        Level, resamples and seed.

    Notes
    -----
    Each gap has the interval of a paired difference clustered by text: Tango's score interval where
    marks are 0 or 1, a bootstrap where several graders of a family make them means. The two are of
    different texts, so their distances are squared and added (Zou and Donner 2008).
    """
    scored = votes.drop_nulls("earned").with_columns(pl.col("earned").cast(pl.Float64))
    found: list[FamilyBias] = []
    for family in scored["family"].unique().sort().to_list():
        inside = pl.col("family") == family
        marks = (
            scored.group_by("text_id", "criterion", "student_family", maintain_order=True)
            .agg(
                pl.col("earned").filter(inside).mean().alias("mine"),
                pl.col("earned").filter(~inside).mean().alias("theirs"),
            )
            .drop_nulls(["mine", "theirs"])
        )
        at_home = pl.col("student_family") == family
        sides = marks.filter(at_home), marks.filter(~at_home)
        if all(side.height for side in sides):
            own, other = (
                _gap(side, sampling, str(family), where)
                for side, where in zip(sides, ("own", "other"), strict=True)
            )
            texts = marks["text_id"].n_unique()
            found.append(FamilyBias(str(family), own, other, _difference(own, other, texts)))
    return found


def _gap(marks: pl.DataFrame, sampling: Resampling, *name: str) -> Estimate:
    theirs, mine = marks["theirs"].to_numpy(), marks["mine"].to_numpy()
    texts: list[str] = marks["text_id"].to_list()
    if all(((values == 0) | (values == 1)).all() for values in (theirs, mine)):
        return paired_share(theirs, mine, sampling.level, texts)
    rng = sampling.rng("family", *name)
    return paired_mean(theirs, mine, rng, sampling.level, sampling.resamples, texts)


def _difference(own: Estimate, other: Estimate, texts: int) -> Estimate:
    method = "difference in differences"
    value = (own.value or 0.0) - (other.value or 0.0)
    if own.low is None or other.low is None:
        return Estimate(value, None, None, own.level, method, texts)
    low, high = mover_difference(own, other)
    return Estimate(value, min(low, value), max(high, value), own.level, method, texts)
