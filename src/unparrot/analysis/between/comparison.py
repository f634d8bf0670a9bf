"""What a comparison of two models says: differences by k, split and decoding, with their p values.

A difference is always second minus first.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from unparrot.core.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference, second minus first, over the pairs whose every mark was scored.

    Parameters
    ----------
    estimate
        With its interval; ``n`` counts the pairs. Where it would lie outside ``worst`` and
        ``best``, the closed pairs are not like the others, and it is the nearer of the two.
    open_pairs
        Pairs left open.
    worst, best
        What it would be over all pairs if every unscored mark went against the second model and for
        the first, and the other way round; None without open pairs.
    """

    estimate: Estimate
    open_pairs: int
    worst: Estimate | None
    best: Estimate | None

    def as_dict(self) -> dict[str, Any]:
        """Return the difference as plain data that JSON can hold."""
        return {
            **self.estimate.as_dict(),
            "unscored": self.open_pairs,
            "worst": self.worst and self.worst.as_dict(),
            "best": self.best and self.best.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class Cell:
    """The comparison at one k, split and decoding.

    Parameters
    ----------
    split, decoding, k
        Which texts.
    combinations, pairs
        Combinations with a pair of texts, and pairs of texts.
    first, second
        Share of full marks of each model, over the pairs that are not open; None without any.
    gained, lost
        Pairs in which only the second, or only the first, has full marks.
    full_marks, skill_fraction
        The differences.
    p, p_adjusted
        Exact two-sided p of no difference in full marks (McNemar's with one text a combination),
        over the pairs that are not open, and Holm's within its family of tests.
    without_partner
        Combinations, as 'topic: skill + skill', that only one of the models wrote for.
    extra_texts
        Texts of combinations that both wrote for, without a partner of the same sample number.
    """

    split: str
    decoding: str
    k: int
    combinations: int
    pairs: int
    first: float | None
    second: float | None
    gained: int
    lost: int
    full_marks: Difference
    skill_fraction: Difference
    p: float | None
    p_adjusted: float | None
    without_partner: tuple[str, ...]
    extra_texts: int

    def as_dict(self) -> dict[str, Any]:
        """Return the cell as plain data that JSON can hold."""
        return asdict(self) | {
            "full_marks": self.full_marks.as_dict(),
            "skill_fraction": self.skill_fraction.as_dict(),
            "without_partner": list(self.without_partner),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models compared cell by cell.

    Parameters
    ----------
    first, second
        Names of the models.
    cells
        By split, decoding and k; also those in which no text has a partner.
    family
        What Holm's adjustment runs over, in words.
    notes
        What a reader must know besides the figures.
    """

    first: str
    second: str
    cells: tuple[Cell, ...]
    family: str
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as plain data that JSON can hold."""
        return {
            "first": self.first,
            "second": self.second,
            "family": self.family,
            "cells": [cell.as_dict() for cell in self.cells],
            "notes": list(self.notes),
        }
