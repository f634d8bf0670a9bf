"""How many skills a model can combine: the largest k with enough full marks, with an interval.

It is what SKILL-MIX reports of language models, which are asked at a few k. Where many k are asked,
as in the lab, k is estimated by `unparrot.analysis.theory.growth`.

References
----------
Yu et al. (2023), "Skill-Mix", section 5.
"""

from collections.abc import Sequence

import polars as pl
from msgspec import Struct

from unparrot.analysis.model.competence import competence
from unparrot.core.errors import BadInput


class Saturation(Struct, frozen=True, forbid_unknown_fields=True):
    """The largest k up to which every measured k has at least a threshold of full marks.

    Parameters
    ----------
    threshold
        Share of full marks in (0, 1].
    k
        The largest such k; 0 if already the smallest measured one falls short. Its interval is
        ``low`` to ``high``.
    at_least
        True if the interval reaches the largest measured k: the true one may lie beyond it.
    worst, best
        k if every unscored mark had been missed, or earned.
    open
        Whether it is a k without any fully scored text that ends it: k is then at least what it is.
    notes
        What a reader must know, for example a k that was not measured.
    """

    threshold: float
    decoding: str
    k: int
    low: int
    high: int
    level: float
    at_least: bool
    worst: int
    best: int
    open: bool
    notes: tuple[str, ...]


def saturation(
    outcomes: pl.DataFrame,
    *,
    threshold: float = 0.2,
    decoding: str = "greedy",
    splits: Sequence[str],
    level: float = 0.95,
) -> Saturation:
    """Find the largest k up to which every measured k reaches the threshold of full marks.

    Parameters
    ----------
    outcomes
        Of `unparrot.analysis.read.outcomes`, of one model.
    threshold
        Share of full marks in (0, 1].
    decoding, splits
        Which texts count. At each k only one of the splits may have texts.
    level
        Confidence level in (0, 1).

    Raises
    ------
    BadInput
        If the texts are of several models, none is left, two splits share a k, or a number is out
        of range.

    Notes
    -----
    The interval is the set of k that the intervals at each k allow: every k up to ``low`` reaches
    the threshold with its lower limit, and ``high`` is the last before an upper limit falls short
    of it. The true k is under ``low`` only if a lower limit at one k, the first that truly falls
    short, is wrong: that has probability (1 - level) / 2 however many k there are. It is above
    ``high`` if any upper limit up to it is wrong, which the k near the threshold decide.
    """
    if not 0 < threshold <= 1:
        raise BadInput(f"the threshold is a share above 0 and up to 1, not {threshold!r}")
    models = outcomes["model"].unique().to_list()
    if len(models) > 1:
        raise BadInput(f"saturation is that of one model; these texts are of {sorted(models)}")
    texts = outcomes.filter((pl.col("decoding") == decoding) & pl.col("split").is_in(list(splits)))
    if texts.is_empty():
        raise BadInput(
            f"no text of {', '.join(models)} was decoded {decoding!r} in the splits "
            f"{list(splits)}; there are "
            f"{sorted(outcomes['decoding'].unique())} and {sorted(outcomes['split'].unique())}"
        )
    cells = competence(texts, level)
    ks = [cell.k for cell in cells]
    if len(set(ks)) < len(ks):
        twice = min(k for k in ks if ks.count(k) > 1)
        raise BadInput(f"several of the splits {list(splits)} have k = {twice}; name one of them")
    full = [cell.full_marks for cell in cells]
    missing = sorted(set(range(ks[0], ks[-1])) - set(ks))
    notes = [f"k = {k} was not measured" for k in missing]
    notes += [f"k = {cell.k}: {note}" for cell in cells for note in cell.notes]
    reached = _reached(ks, [b.value for b in full], threshold)
    after = next((b for k, b in zip(ks, full, strict=True) if k > reached), None)
    low = _reached(ks, [b.low for b in full], threshold)
    # where nothing is known, nothing is excluded
    high = _reached(ks, [1.0 if b.high is None else b.high for b in full], threshold)
    return Saturation(
        decoding=decoding,
        threshold=threshold,
        k=reached,
        low=low,
        high=high,
        level=level,
        at_least=high == ks[-1],
        worst=_reached(ks, [(b.worst or b).value for b in full], threshold),
        best=_reached(ks, [(b.best or b).value for b in full], threshold),
        open=after is not None and after.value is None,
        notes=tuple(notes),
    )


def _reached(ks: Sequence[int], shares: Sequence[float | None], threshold: float) -> int:
    reached = 0
    for k, share in zip(ks, shares, strict=True):
        if share is None or share < threshold:
            break
        reached = k
    return reached
