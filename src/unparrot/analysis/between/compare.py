"""Comparisons of two models over the same combinations: ``unparrot compare RUN RUN``.

Texts are paired by split, decoding, k, combination and sample; a text without a partner is counted
and its combination named, and never averaged in. A difference is always second minus first.

The summary of a run has every model beside every other (`all_pairs`). The p values of all pairs and
all k are one family there: Holm's adjustment runs over them together.
"""

from collections.abc import Callable, Sequence
from itertools import combinations, islice
from typing import Final, Literal

import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from unparrot.analysis.model.competence import COMPLETED_BY, Bounded, bounded
from unparrot.analysis.read.outcomes import read_outcomes
from unparrot.analysis.read.protocol import (
    Side,
    model_pairs,
    models_of,
    only,
    require_same_protocol,
)
from unparrot.analysis.resampling import DEFAULT, Resampling
from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.core.wording import plural
from unparrot.stats.multiplicity import holm
from unparrot.stats.paired import paired_mean, paired_share, sign_flip_p

Family = Literal["k", "all"]
_CELL: Final = ("split", "decoding", "k")
_KEY: Final = (*_CELL, "combination", "sample")
_METRICS: Final = ("full_marks", "skill_fraction")
# Models up to which all pairs are told; beyond, the first of the run meets every other.
MOST: Final = 6


class ComparedCell(Struct, frozen=True, forbid_unknown_fields=True):
    """Two models at one k, split and decoding. Differences are second minus first.

    Parameters
    ----------
    combinations, pairs
        Combinations with a pair of texts, and pairs of texts.
    first, second
        Share of full marks of each model, over the pairs that are not open; None without any.
    gained, lost
        Pairs in which only the second, or only the first, has full marks.
    full_marks, skill_fraction
        The differences, over the pairs whose every mark was scored; ``n`` counts pairs.
    p, p_adjusted
        Exact two-sided p of no difference in full marks (McNemar's with one text a combination),
        with open pairs decided as speaks least for a difference, and Holm's within its family of
        tests; None if every pair is open.
    without_partner
        Number of combinations that only one of the models wrote for.
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
    full_marks: Bounded
    skill_fraction: Bounded
    p: float | None
    p_adjusted: float | None
    without_partner: int
    extra_texts: int


class Comparison(Struct, frozen=True, forbid_unknown_fields=True):
    """Two models compared cell by cell.

    Parameters
    ----------
    cells
        By split, decoding and k; also those in which no text has a partner.
    family
        What Holm's adjustment runs over, in words.
    notes
        What a reader must know besides the figures.
    """

    first: str
    second: str
    family: str
    cells: tuple[ComparedCell, ...]
    notes: tuple[str, ...] = ()


class AllPairs(Struct, frozen=True, forbid_unknown_fields=True):
    """Every model of a run beside every other.

    ``tests`` counts the p values, over which the adjustment runs together; ``left_out`` says why
    some pair cannot be compared.
    """

    pairs: tuple[Comparison, ...]
    tests: int
    left_out: tuple[str, ...]


def compare_runs(
    first: Side,
    second: Side,
    *,
    sampling: Resampling = DEFAULT,
    family: Family = "k",
    split: str | None = None,
    decoding: str | None = None,
    anyway: bool = False,
) -> list[Comparison]:
    """Compare the models of two runs, or two models of one run.

    Parameters
    ----------
    first, second
        Runs, with or without the name of a model. Without names every model that both runs have is
        compared with its namesake, or the only model of one run with the only one of the other.
    sampling, family
        As for `compare_outcomes`.
    split, decoding
        Compare only texts of this split, or decoding; None for all.
    anyway
        Compare also what differs in more than the model; the notes say in what.

    Returns
    -------
    list of Comparison
        One for each pair of models.

    Raises
    ------
    BadInput
        If the runs were made with different packs or protocols, a model is not there or must be
        named, or no combination was given to both.
    """
    notes = require_same_protocol([first.run, second.run], anyway=anyway)
    a = only(read_outcomes(first.run), first.run, split, decoding)
    b = a if first.run == second.run else read_outcomes(second.run)
    b = only(b, second.run, split, decoding)
    decodings = [frame["decoding"].unique().to_list() for frame in (a, b)]
    if anyway and [len(each) for each in decodings] == [1, 1] and decodings[0] != decodings[1]:
        both = pl.lit(f"{decodings[0][0]} and {decodings[1][0]}").alias("decoding")
        a, b = a.with_columns(both), b.with_columns(both)
    compared: list[Comparison] = []
    for one, other in model_pairs(first, second, models_of(a), models_of(b)):
        same = one == other
        result = compare_outcomes(
            a.filter(pl.col("model") == one),
            b.filter(pl.col("model") == other),
            names=(f"{one} ({first.run})", f"{other} ({second.run})") if same else (one, other),
            sampling=sampling,
            family=family,
        )
        compared.append(replace(result, notes=(*notes, *result.notes)))
    return compared


def compare_outcomes(
    first: pl.DataFrame,
    second: pl.DataFrame,
    *,
    names: tuple[str, str] = ("first", "second"),
    sampling: Resampling = DEFAULT,
    family: Family = "k",
) -> Comparison:
    """Compare the outcomes of two models.

    Parameters
    ----------
    first, second
        Outcomes of one model each (`unparrot.analysis.read.outcomes`).
    names
        What to call them.
    sampling
        Level of each interval by itself; resamples and seed of the bootstrap of the skill fraction.
        A cell's figures do not depend on the other cells.
    family
        What Holm's adjustment runs over: ``'k'``, the k of one split and decoding, or ``'all'``,
        every cell.

    Raises
    ------
    BadInput
        If no combination was given to both models in the same split and decoding.
    """
    joined = _joined(first, second)
    if not joined["both"].any():
        raise BadInput(
            f"{names[0]} and {names[1]} have no text for the same combination in the same split "
            "and decoding; run them with the same seed"
        )
    cells = [_cell(own, sampling) for _, own in joined.group_by(_CELL, maintain_order=True)]
    notes = _notes(cells, joined.filter(~pl.col("shared")))
    return Comparison(*names, FAMILIES[family], tuple(_adjusted(cells, family)), notes)


FAMILIES: Final = {
    "k": "Holm over the k of one split and decoding",
    "all": "Holm over every k, split and decoding",
    "run": "Holm over all pairs, k, splits and decodings",
}


def _joined(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """One row a pair, or a text without a partner; ``both`` tells which.

    ``shared`` says whether some text of its combination has a partner.
    """
    sides = [
        frame.select(
            *_KEY,
            "topic",
            pl.col("skills").list.sort(),
            *(
                pl.col(f"{name}{end}").alias(f"{name}{end}_{side}")
                for name in _METRICS
                for end in ("", "_low", "_high")
            ),
            pl.lit(value=True).alias(f"there_{side}"),
        )
        for side, frame in (("a", _bounded(first)), ("b", _bounded(second)))
    ]
    there = pl.col("there_a").is_not_null() & pl.col("there_b").is_not_null()
    keys = [*_KEY, "topic", "skills"]
    joined = sides[0].join(sides[1], on=keys, how="full", coalesce=True)
    joined = joined.with_columns(both=there).sort(*_KEY)
    return joined.with_columns(shared=pl.col("both").any().over(*_CELL, "combination"))


def _bounded(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Add what full marks would be if every unscored mark were missed, or earned.

    The metrics themselves are left only where every mark was scored, as in
    `unparrot.analysis.model.competence`: a failure that is certain in spite of an unscored mark
    must not count where a success could not.
    """
    return outcomes.with_columns(
        pl.col("full_marks").fill_null(value=False).alias("full_marks_low"),
        pl.col("full_marks").fill_null(value=True).alias("full_marks_high"),
    ).with_columns(pl.when(pl.col("unscored") == 0).then(name).alias(name) for name in _METRICS)


def _cell(group: pl.DataFrame, sampling: Resampling) -> ComparedCell:
    split, decoding, k = group.select(_CELL).row(0)
    pairs = group.filter("both")
    without = group.filter(~pl.col("both"))
    closed = pairs.drop_nulls(["full_marks_a", "full_marks_b"])
    a, b = pl.col("full_marks_a"), pl.col("full_marks_b")
    gained, lost, first, second = closed.select(
        gained=(b & ~a).sum(), lost=(a & ~b).sum(), first=a.mean(), second=b.mean()
    ).row(0)

    def share(frame: pl.DataFrame, a: str, b: str) -> Estimate:
        first, second, clusters = (frame[name].to_numpy() for name in (a, b, "combination"))
        return paired_share(first, second, sampling.level, clusters)

    def mean(frame: pl.DataFrame, a: str, b: str) -> Estimate:
        first, second, clusters = (frame[name].to_numpy() for name in (a, b, "combination"))
        rng = sampling.rng("compare", split, decoding, str(k))
        return paired_mean(first, second, rng, sampling.level, sampling.resamples, clusters)

    return ComparedCell(
        split=split,
        decoding=decoding,
        k=k,
        combinations=pairs["combination"].n_unique(),
        pairs=pairs.height,
        first=first,
        second=second,
        gained=gained,
        lost=lost,
        full_marks=_difference(pairs, "full_marks", share),
        skill_fraction=_difference(pairs, "skill_fraction", mean),
        p=None if closed.is_empty() else _p(pairs),
        p_adjusted=None,
        without_partner=without.filter(~pl.col("shared"))["combination"].n_unique(),
        extra_texts=without.filter("shared").height,
    )


def _difference(
    pairs: pl.DataFrame, metric: str, estimate: Callable[[pl.DataFrame, str, str], Estimate]
) -> Bounded:
    a, b = f"{metric}_a", f"{metric}_b"
    closed = pairs.drop_nulls([a, b])
    worst = pairs, f"{metric}_high_a", f"{metric}_low_b"
    best = pairs, f"{metric}_low_a", f"{metric}_high_b"
    return bounded(estimate, (closed, a, b), worst, best, pairs.height - closed.height)


def _p(pairs: pl.DataFrame) -> float:
    """The largest p that the open pairs allow: 1 if they may make both models alike."""
    ends = (("low", "high"), ("high", "low"))
    sums = pairs.group_by("combination").agg(
        (pl.col(f"full_marks_{mine}_b").cast(pl.Int64) - pl.col(f"full_marks_{theirs}_a"))
        .sum()
        .alias(mine)
        for mine, theirs in ends
    )
    least, most = sums["low"].to_numpy(), sums["high"].to_numpy()
    if least.sum() < most.sum() and least.sum() <= 0 <= most.sum():
        return 1.0
    return max(sign_flip_p(least), sign_flip_p(most))


def _adjusted(cells: Sequence[ComparedCell], family: Family) -> list[ComparedCell]:
    """Add Holm's p; those of one split and decoding, or of all, are one family."""
    families: dict[object, list[int]] = {}
    for i, cell in enumerate(cells):
        if cell.p is not None:
            key = (cell.split, cell.decoding) if family == "k" else None
            families.setdefault(key, []).append(i)
    adjusted = list(cells)
    for members in families.values():
        values = holm([p for i in members if (p := cells[i].p) is not None])
        for i, value in zip(members, values, strict=True):
            adjusted[i] = replace(cells[i], p_adjusted=value)
    return adjusted


def _notes(cells: Sequence[ComparedCell], alone: pl.DataFrame) -> tuple[str, ...]:
    notes: list[str] = []
    requests = alone.unique([*_CELL, "combination"]).sort(*_CELL, "topic", "skills")
    if number := requests.height:
        some = requests.head(3).select("topic", "skills").iter_rows()
        shown = "; ".join(f"{topic}: {' + '.join(skills)}" for topic, skills in some)
        shown += "; ..." if number > 3 else ""
        notes.append(
            f"Without a partner, so not counted: {plural(number, 'combination')}: {shown}."
        )
    extra = sum(cell.extra_texts for cell in cells)
    if extra:
        notes.append(
            f"Without a partner of the same round, so not counted: {plural(extra, 'text')}."
        )
    left_open = sum(cell.full_marks.unscored for cell in cells)
    if left_open:
        notes.append(
            f"Unscored marks leave {plural(left_open, 'pair')} open: in no share; 'worst' and "
            "'best', intervals and p allow for what is open to go against or for the second model. "
            f"{COMPLETED_BY.capitalize()}."
        )
    single = [_where(c) for c in cells if c.combinations == 1]
    if single:
        notes.append(f"One combination alone, so no interval: {'; '.join(single)}.")
    empty = [_where(c) for c in cells if not c.pairs]
    if empty:
        notes.append(f"No text of one of the models: {'; '.join(empty)}.")
    return tuple(notes)


def _where(cell: ComparedCell) -> str:
    return f"{cell.split}, {cell.decoding}, k = {cell.k}"


def all_pairs(
    outcomes: pl.DataFrame, models: Sequence[str], sampling: Resampling
) -> AllPairs | None:
    """Compare the models of a run in pairs; None if it has one.

    Parameters
    ----------
    outcomes
        Of `unparrot.analysis.read.outcomes`.
    models
        Names, in the order in which they are told. With more than `MOST` of them only the pairs
        with the first are compared, whatever their results.
    sampling
        As for `compare_outcomes`.
    """
    if len(models) < 2:
        return None
    chosen = list(combinations(models, 2))
    if len(models) > MOST:
        chosen = [(models[0], other) for other in models[1:]]
    pairs: list[Comparison] = []
    left_out: list[str] = []
    for names in chosen:
        one, two = (outcomes.filter(pl.col("model") == name) for name in names)
        try:
            pairs.append(compare_outcomes(one, two, names=names, sampling=sampling))
        except BadInput as error:
            left_out.append(str(error))
    every = [cell for pair in pairs for cell in pair.cells]
    adjusted = iter(_adjusted(every, "all"))
    return AllPairs(
        tuple(
            replace(pair, family=FAMILIES["run"], cells=tuple(islice(adjusted, len(pair.cells))))
            for pair in pairs
        ),
        sum(cell.p is not None for cell in every),
        tuple(left_out),
    )
