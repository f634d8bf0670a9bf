"""Agreement of graders with each other and from round to round, and bias for their own family
and for long texts.

Agreement is measured for all marks, for each criterion, for each skill and for full marks;
intervals are over texts.

*Family bias* is a difference in differences. A family's graders may be strict, and its models may
write well; neither is a bias. Marks that its graders give are compared with those of other graders
*on the same criterion of the same text*, and that gap over its own models' texts with the gap over
the texts of others.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from typing import Final, Literal, NamedTuple, cast

import numpy as np
import polars as pl
from msgspec import Struct
from msgspec.structs import asdict

from unparrot.analysis.resampling import Resampling
from unparrot.core.estimate import Estimate
from unparrot.core.skills import CRITERIA
from unparrot.stats.agreement import Agreement, agreement
from unparrot.stats.mover import mover_difference
from unparrot.stats.paired import paired_mean, paired_share

Scope = Literal["all", "criterion", "skill", "full marks"]
ALL_SKILLS: Final = "skills"  # name of the criterion that stands for every skill


class AgreementRow(Agreement, frozen=True):
    """The agreement of some raters on some of the marks.

    Parameters
    ----------
    between
        'graders', 'rounds' (of one grader).
    raters
        Names of the graders, or of the grader and its rounds.
    scope, name
        'all' marks, a 'criterion' (all skills count as one), a single 'skill', or 'full marks'.
    raw, kappa, alpha, ac1, units
        As in `unparrot.stats.agreement.Agreement`; a unit is a mark.
    earned
        Share of earned marks by rater; None for one that gave none.
    """

    between: Literal["graders", "rounds"]
    raters: tuple[str, ...]
    scope: Scope
    name: str
    earned: dict[str, float | None]


def between_graders(
    votes: pl.DataFrame,
    sampling: Resampling,
    whole: pl.DataFrame | None = None,
    *,
    skills: bool = True,
) -> list[AgreementRow]:
    """Return the agreement of every pair of graders, and of all of them if there are more.

    Parameters
    ----------
    votes
        As from `unparrot.analysis.read.grader_marks.verdicts`.
    sampling
        Level, resamples and seed.
    whole
        As from `full_marks` beside it; None leaves full marks out.
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
    kinds = units["kind"].unique(maintain_order=True)
    if len(kinds) == 1 and kinds[0] not in ("skill", *CRITERIA):
        return parts  # the items of a table of ratings, rated for one thing
    if whole is not None:
        parts.append(Part("full marks", "full marks", _wide(whole, ("text_id",))))
    for kind in dict.fromkeys(("skill", *CRITERIA, *kinds)):
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
    for raters, part in product(groups, parts):
        marks = part.units.select(raters)
        ratings = marks.to_numpy().astype(np.float64)
        if not ((~np.isnan(ratings)).sum(1) >= 2).any():
            continue
        measured = agreement(
            ratings,
            sampling.rng(between, part.scope, part.name, *raters),
            clusters=part.units["text_id"].to_numpy(),
            level=sampling.level,
            resamples=sampling.resamples,
        )
        rows.append(
            AgreementRow(
                **asdict(measured),
                between=between,
                raters=tuple(raters),
                scope=part.scope,
                name=part.name,
                earned=marks.mean().row(0, named=True),
            )
        )
    return rows


# Bias for the own family


class FamilyBias(Struct, frozen=True, forbid_unknown_fields=True):
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


def family_bias(votes: pl.DataFrame, sampling: Resampling) -> list[FamilyBias]:
    """Return the bias of every family that grades texts of its own and of other families.

    Parameters
    ----------
    votes
        As from `unparrot.analysis.read.grader_marks.verdicts`. Marks without a grader of the
        family, or without one of another, tell nothing and do not count.
    sampling
        Level, resamples and seed.

    Notes
    -----
    Each gap has the interval of a paired difference clustered by text: Tango's score interval where
    marks are 0 or 1, a bootstrap where several graders of a family make them means. The two are of
    different texts, so their distances are squared and added (Zou and Donner 2008).
    """
    at_home = pl.col("student_family") == pl.col("judge")
    return [
        FamilyBias(family, *gaps)
        for family, gaps in _contrasts(votes, pl.col("family"), at_home, sampling)
    ]


class LengthBias(Struct, frozen=True, forbid_unknown_fields=True):
    """How much more a grader gives to long texts than other graders do.

    Parameters
    ----------
    grader, words
        Who, and the median length of the texts.
    longer, shorter
        Mean mark of the grader less that of all others, on the same marks, over texts that are
        longer than that and over the rest; ``n`` counts the marks.
    bias
        longer - shorter; ``n`` counts the texts.
    """

    grader: str
    words: float
    longer: Estimate
    shorter: Estimate
    bias: Estimate


def length_bias(votes: pl.DataFrame, texts: pl.DataFrame, sampling: Resampling) -> list[LengthBias]:
    """Return the bias of every grader for long texts, as `family_bias` does for its family.

    Long texts may be better; what others give to the same texts takes account of that.

    Parameters
    ----------
    votes
        As from `unparrot.analysis.read.grader_marks.verdicts`.
    texts
        ``text_id`` and ``text``; empty ones do not count.
    sampling
        Level, resamples and seed.
    """
    words = texts.select("text_id", words=pl.col("text").str.count_matches(r"\S+"))
    marked = votes.join(words.filter(pl.col("words") > 0), on="text_id", maintain_order="left")
    median = cast(float | None, marked.unique("text_id")["words"].median())
    if median is None:
        return []
    long = pl.col("words") > median
    return [
        LengthBias(grader, median, *gaps)
        for grader, gaps in _contrasts(marked, pl.col("grader"), long, sampling, "words")
    ]


def _contrasts(
    votes: pl.DataFrame, judge: pl.Expr, inside: pl.Expr, sampling: Resampling, *columns: str
) -> Iterator[tuple[str, tuple[Estimate, Estimate, Estimate]]]:
    """Yield each judge's gap to all others inside and outside, and the difference of the two."""
    scored = votes.drop_nulls("earned").with_columns(pl.col("earned").cast(pl.Float64), judge=judge)
    keys = ["text_id", "criterion", "student_family", *columns]
    for name in scored["judge"].unique().sort().to_list():
        mine = pl.col("judge") == name
        marks = (
            scored.group_by(keys, maintain_order=True)
            .agg(
                pl.col("earned").filter(mine).mean().alias("mine"),
                pl.col("earned").filter(~mine).mean().alias("theirs"),
            )
            .drop_nulls(["mine", "theirs"])
            .with_columns(judge=pl.lit(name))
        )
        sides = marks.filter(inside), marks.filter(~inside)
        if all(side.height for side in sides):
            own, other = (
                _gap(side, sampling, str(name), where)
                for side, where in zip(sides, ("own", "other"), strict=True)
            )
            value, ends = (own.value or 0.0) - (other.value or 0.0), (None, None)
            if own.low is not None and other.low is not None:
                low, high = mover_difference(own, other)
                ends = min(low, value), max(high, value)
            method, texts = "difference in differences", marks["text_id"].n_unique()
            yield str(name), (own, other, Estimate(value, *ends, own.level, method, texts))


def _gap(marks: pl.DataFrame, sampling: Resampling, *name: str) -> Estimate:
    theirs, mine = marks["theirs"].to_numpy(), marks["mine"].to_numpy()
    texts: list[str] = marks["text_id"].to_list()
    if all(((values == 0) | (values == 1)).all() for values in (theirs, mine)):
        return paired_share(theirs, mine, sampling.level, texts)
    rng = sampling.rng("family", *name)
    return paired_mean(theirs, mine, rng, sampling.level, sampling.resamples, texts)
