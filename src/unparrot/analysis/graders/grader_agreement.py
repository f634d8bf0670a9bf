"""How far graders agree with each other, and with themselves from round to round.

For all marks, for each criterion, for each skill and for full marks; intervals are over texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import polars as pl

from unparrot.analysis.resampling import Resampling
from unparrot.core.skills import CRITERIA
from unparrot.stats.agreement import Agreement, agreement

Scope = Literal["all", "criterion", "skill", "full marks"]
ALL_SKILLS: Final = "skills"
"""Name of the criterion that stands for every skill."""


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """The agreement of some raters on some of the marks.

    Parameters
    ----------
    between
        'graders', 'rounds' (of one grader).
    raters
        Names of the graders, or of the grader and its rounds.
    scope, name
        'all' marks, a 'criterion' (all skills count as one), a single 'skill', or 'full marks'.
    found
        The figures; categories of its base rates are missed and earned.
    """

    between: Literal["graders", "rounds"]
    raters: tuple[str, ...]
    scope: Scope
    name: str
    found: Agreement

    def as_dict(self) -> dict[str, Any]:
        """Return the row as plain data that JSON can hold."""
        found = self.found
        rates: list[float] = found.base_rates[:, 1].tolist()
        return {
            "between": self.between,
            "raters": list(self.raters),
            "scope": self.scope,
            "name": self.name,
            "units": found.units,
            "raw": found.raw.as_dict(),
            "kappa": found.kappa and found.kappa.as_dict(),
            "alpha": found.alpha and found.alpha.as_dict(),
            "ac1": found.ac1 and found.ac1.as_dict(),
            "earned": {
                rater: None if np.isnan(rate) else rate
                for rater, rate in zip(self.raters, rates, strict=True)
            },
        }


def between_graders(
    votes: pl.DataFrame, whole: pl.DataFrame | None, sampling: Resampling, *, skills: bool = True
) -> list[AgreementRow]:
    """Return the agreement of every pair of graders, and of all of them if there are more.

    Parameters
    ----------
    votes, whole
        As from `unparrot.analysis.read.grader_marks.verdicts` and `full_marks`; None leaves full marks out.
    sampling
        Level, resamples and seed.
    skills
        Also tell every skill apart.
    """
    names: list[str] = votes["grader"].unique(maintain_order=True).to_list()
    groups = [list(pair) for pair in combinations(names, 2)]
    if len(names) > 2:
        groups.append(names)
    return _rows("graders", groups, scopes(votes, whole, skills=skills), sampling)


def between_rounds(
    grades: pl.DataFrame, sampling: Resampling, *, skills: bool = True
) -> list[AgreementRow]:
    """Return the agreement of the rounds, all together, of each grader that has several.

    Parameters
    ----------
    grades
        Marks, without rounds that are copies of others.
    sampling
        Level, resamples and seed.
    skills
        Also tell every skill apart.
    """
    rows: list[AgreementRow] = []
    for _, group in grades.group_by("grader", maintain_order=True):
        marks = group.sort("round", maintain_order=True).with_columns(
            pl.format("{} round {}", "grader", "round").alias("grader"),
            pl.when(pl.col("status") != "unscored")
            .then(pl.col("status") == "earned")
            .alias("earned"),
        )
        names: list[str] = marks["grader"].unique(maintain_order=True).to_list()
        if len(names) > 1:
            rows += _rows("rounds", [names], scopes(marks, skills=skills), sampling)
    return rows


class Part(NamedTuple):
    """Some of the units: their texts, and one column of marks for each rater."""

    scope: Scope
    name: str
    units: pl.DataFrame


def _wide(marks: pl.DataFrame, index: Sequence[str]) -> pl.DataFrame:
    """One row a unit, one column a rater: 1 earned, 0 missed, null none."""
    return marks.with_columns(pl.col("earned").cast(pl.Float64)).pivot(
        on="grader", index=list(index), values="earned", maintain_order=True
    )


def scopes(
    marks: pl.DataFrame, whole: pl.DataFrame | None = None, *, skills: bool = True
) -> list[Part]:
    """Return all marks, each criterion and each skill, and full marks if they are given.

    Parameters
    ----------
    marks
        ``text_id``, ``criterion``, ``kind``, ``grader`` and ``earned``.
    whole
        ``text_id``, ``grader`` and ``earned`` of whole texts.
    skills
        Also return every skill by itself.
    """
    units = _wide(marks, ("text_id", "criterion", "kind"))
    parts = [Part("all", "all marks", units)]
    if whole is not None:
        parts.append(Part("full marks", "full marks", _wide(whole, ("text_id",))))
    for kind in ("skill", *CRITERIA):
        name = ALL_SKILLS if kind == "skill" else kind
        parts.append(Part("criterion", name, units.filter(pl.col("kind") == kind)))
    single = units.filter(pl.col("kind") == "skill") if skills else units.clear()
    for (skill,), group in single.sort("criterion").group_by("criterion", maintain_order=True):
        parts.append(Part("skill", str(skill), group))
    return parts


def _rows(
    between: Literal["graders", "rounds"],
    groups: Sequence[Sequence[str]],
    parts: Sequence[Part],
    sampling: Resampling,
) -> list[AgreementRow]:
    rows: list[AgreementRow] = []
    for raters in groups:
        for part in parts:
            ratings = part.units.select(raters).to_numpy().astype(np.float64)
            if not ((~np.isnan(ratings)).sum(1) >= 2).any():
                continue
            found = agreement(
                ratings,
                sampling.rng(between, part.scope, part.name, *raters),
                clusters=part.units["text_id"].to_numpy(),
                level=sampling.level,
                resamples=sampling.resamples,
            )
            rows.append(AgreementRow(between, tuple(raters), part.scope, part.name, found))
    return rows
