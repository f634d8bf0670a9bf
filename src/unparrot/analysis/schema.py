"""The files that analysis writes, typed: summary.json, certificate.json and comparisons.

A summary is a `LabSummary` or a `SkillMixSummary`; `read_summary` reads one strictly. Shares lie in
[0, 1], losses are in nats a token, and a value that is not known is None. A field is called here as
it is called in the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.theory.law.power_law import PowerFit

VERSION: Final = 2
"""Of the form of summary.json; a summary of another version is analyzed anew."""
METRICS: Final = ("full_marks", "all_skills", "skill_fraction")
Metric = Literal["full_marks", "all_skills", "skill_fraction"]


# What models did, cell by cell


class Bounded(Estimate, frozen=True):
    """An estimate, and what it would be if everything unscored had been missed, or earned.

    Parameters
    ----------
    value, low, high, level, method, n
        The estimate over what was scored; without a value if nothing was. Where it lies outside
        ``worst`` and ``best``, what was scored is not like the rest: it is the nearer of the two.
    unscored
        How many texts the estimate leaves out (single marks: how many marks; the best of several
        rounds: how many combinations; a difference: how many pairs).
    worst, best
        Over everything, with what is open counted against, or for, the model (of a difference:
        the second model); None if nothing is unscored.
    """

    unscored: int
    worst: Estimate | None
    best: Estimate | None

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The values at worst and at best; None if nothing is unscored."""
        if self.worst is None or self.best is None:
            return None
        if self.worst.value is None or self.best.value is None:
            return None
        return self.worst.value, self.best.value


class Rounds(Struct, frozen=True, forbid_unknown_fields=True):
    """The three metrics over several rounds of each combination: of one round, or the best of r.

    ``rounds`` is r: 1 for pass@1, where every combination weighs the same. For the best of r it
    is the smallest number of rounds that a combination has; where one has more, the mean of the
    best over all choices of r of them (Chen et al. 2021, "Evaluating Large Language Models Trained
    on Code", equation 1, which is that mean for passes). A best of several is no probability of
    success: it stands beside pass@1, never in its place.
    """

    rounds: int
    full_marks: Bounded
    all_skills: Bounded
    skill_fraction: Bounded


class Cell(Struct, frozen=True, forbid_unknown_fields=True):
    """One model at one k, split and decoding.

    Parameters
    ----------
    n, combinations
        Numbers of texts and of combinations.
    unscored
        Number of texts with an unscored mark.
    full_marks, all_skills, skill_fraction
        Shares of texts, and the mean fraction.
    marks
        Share of the marks earned: ``skills`` (all together), ``topic``, ``sense``, ``length``.
    pass_at_1, max_at_rounds
        Only where some combination has several texts. ``max_at_rounds`` also needs two of every
        combination.
    notes
        What a reader must know of this cell, for example that it has one combination.
    """

    k: int
    split: str
    decoding: str
    n: int
    combinations: int
    unscored: int
    full_marks: Bounded
    all_skills: Bounded
    skill_fraction: Bounded
    marks: dict[str, Bounded]
    pass_at_1: Rounds | None = None
    max_at_rounds: Rounds | None = None
    notes: tuple[str, ...] = ()

    def metric(self, name: str) -> Bounded:
        """Return one of `METRICS`."""
        metrics = (self.full_marks, self.all_skills, self.skill_fraction)
        return metrics[METRICS.index(name)]


class Point(Struct, frozen=True, forbid_unknown_fields=True):
    """The metrics at one k, sharp and smooth together.

    ``implied`` is the share of full marks that the marks would give if they were earned
    independently of each other: the rate of the skill marks to the power k, times the rates of
    topic, sense and length. None if a mark was never scored.
    """

    k: int
    full_marks: Bounded
    all_skills: Bounded
    skill_fraction: Bounded
    implied: float | None


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
    shares
        How often each value of k came out when the combinations were drawn anew.
    points
        The metrics at every measured k.
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
    shares: dict[int, float]
    points: tuple[Point, ...]
    notes: tuple[str, ...]


class SkillRate(Struct, frozen=True, forbid_unknown_fields=True):
    """How often a skill earned its mark in the texts of one model and split that asked for it.

    ``split`` may be ``'all'``; ``k`` is None where texts of every k are taken together.
    """

    skill: str
    category: str
    split: str
    earned: Bounded
    k: int | None = None


class CategoryRate(Struct, frozen=True, forbid_unknown_fields=True):
    """How often the skills of one category earned their marks, over all splits."""

    category: str
    earned: Bounded


class CompositionGap(Struct, frozen=True, forbid_unknown_fields=True):
    """Measured full marks at one k, split and decoding over the product of the single rates.

    Parameters
    ----------
    measured
        Full marks.
    predicted
        The product: of the single-skill rates and of topic, sense and length, all at k = 1,
        averaged over the combinations. None if it is not known, see ``reason``.
    gap
        Measured over predicted. None, or without an interval, for the ``reason`` given.
    gap_of_skills
        The same, with topic, sense and length as often earned as they were at this k: what is left
        of the gap if only the skills are held against the model.
    worst, best
        The gap if every unscored mark at k had been missed, or earned, and every one at k = 1 the
        other way; None if there is none.
    reason
        Why there is no gap, or no interval; empty otherwise.
    """

    k: int
    split: str
    decoding: str
    measured: Bounded
    predicted: Estimate | None
    gap: Estimate | None
    gap_of_skills: Estimate | None
    worst: float | None
    best: float | None
    reason: str


class SkillCompetence(Struct, frozen=True, forbid_unknown_fields=True):
    """Share of the cloze pieces with one skill that a model answered without a mistake."""

    skill: str
    competence: Estimate


class PairCompetence(Struct, frozen=True, forbid_unknown_fields=True):
    """The same of the pieces with both of two skills."""

    skills: tuple[str, str]
    competence: Estimate


class Cloze(Struct, frozen=True, forbid_unknown_fields=True):
    """Cloze pieces of one model.

    Parameters
    ----------
    theta
        Share of the pieces that are failed: at least one question answered wrongly.
    pieces, questions, wrong
        Numbers of pieces with a question, of their questions, and of wrong answers.
    per_skill, per_pair
        Competences by skill, and by pair of skills that enough pieces hold.
    """

    theta: Estimate
    pieces: int
    questions: int
    wrong: int
    per_skill: tuple[SkillCompetence, ...]
    per_pair: tuple[PairCompetence, ...]


class Model(Struct, frozen=True, forbid_unknown_fields=True):
    """One model of a run: what it is, and its figures.

    Parameters
    ----------
    kind
        ``'transformer'`` or ``'parrot'`` in the lab, else ``'language model'``.
    params, tokens, loss, entropy, excess, layers, width
        Of a trained model of the lab: size, training tokens, loss on text of the world, the exact
        entropy of that text, and loss less entropy.
    cells
        By decoding (greedy first), k and split.
    per_skill
        Rates of single skills; empty for a private pack.
    saturation, composition
        The largest k with enough full marks, and the composition gaps of k above 1.
    cloze
        None without cloze pieces.
    per_category
        Rates of whole categories, of language models alone.
    """

    name: str
    kind: str
    cells: tuple[Cell, ...]
    saturation: Saturation
    per_skill: tuple[SkillRate, ...] = ()
    composition: tuple[CompositionGap, ...] = ()
    params: int | None = None
    tokens: int | None = None
    loss: float | None = None
    entropy: float | None = None
    excess: float | None = None
    layers: int | None = None
    width: int | None = None
    cloze: Cloze | None = None
    per_category: tuple[CategoryRate, ...] = ()

    @property
    def is_parrot(self) -> bool:
        """Whether this is one of the control group."""
        return self.kind == "parrot"

    def cell(self, k: int, split: str, decoding: str) -> Cell | None:
        """Return the cell, or None if it was not measured."""
        for cell in self.cells:
            if (cell.k, cell.split, cell.decoding) == (k, split, decoding):
                return cell
        return None


# Several models


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """From one model to the next: how much each metric rises, in shares, each with an interval.

    ``implied`` is the rise of what the rates of the single marks multiply up to, ``together`` the
    rise of full marks less that of ``implied``.
    """

    before: str
    after: str
    full_marks: Estimate
    skill_fraction: Estimate
    mark_share: Estimate
    implied: Estimate
    together: Estimate


Leap = Literal["no rise", "metric", "both", "open", "not compared"]


class Emergence(Struct, frozen=True, forbid_unknown_fields=True):
    """The steps of a ladder of models at one k, split and decoding.

    Parameters
    ----------
    n, combinations
        Texts and combinations that every model was marked on in full; ``left_out`` texts were not.
    steps
        From each model to the next larger one; none if fewer than two combinations are left.
    largest
        Number of the step in which full marks rise most, from 0; None without steps.
    sharpness, smooth_sharpness
        Share of the whole rise of full marks, and of the share of marks, that falls in that step;
        None unless both rise from the first model to the last.
    verdict
        ``no rise``: no full marks were gained in the largest step beyond chance. ``metric``: the
        smooth metric is less sharp there, beyond chance. ``both``: it rises there beyond chance,
        and its sharpness falls short of theirs by less than a margin, beyond chance. ``open``: the
        data do not settle it, or there are too few combinations. ``not compared``: without steps.
    """

    k: int
    split: str
    decoding: str
    n: int
    combinations: int
    left_out: int
    steps: tuple[Step, ...]
    largest: int | None
    sharpness: Estimate | None
    smooth_sharpness: Estimate | None
    verdict: Leap
    statement: str


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
        over the pairs that are not open, and Holm's within its family of tests.
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


class ComparisonFile(Struct, frozen=True, forbid_unknown_fields=True):
    """What ``unparrot compare --json`` prints; ``level`` is that of each interval by itself."""

    level: float
    comparisons: tuple[Comparison, ...]


# Graders


class AgreementRow(Struct, frozen=True, forbid_unknown_fields=True):
    """The agreement of some raters on some of the marks.

    Parameters
    ----------
    between
        'graders', 'rounds' (of one grader).
    raters
        Names of the graders, or of the grader and its rounds.
    scope, name
        'all' marks, a 'criterion' (all skills count as one), a single 'skill', or 'full marks'.
    units
        Number of marks that at least two of the raters gave.
    raw, kappa, alpha, ac1
        As in `unparrot.stats.agreement.Agreement`.
    earned
        Share of earned marks by rater; None for one that gave none.
    """

    between: Literal["graders", "rounds"]
    raters: tuple[str, ...]
    scope: Literal["all", "criterion", "skill", "full marks"]
    name: str
    units: int
    raw: Estimate
    kappa: Estimate | None
    alpha: Estimate | None
    ac1: Estimate | None
    earned: dict[str, float | None]


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


class Copies(Struct, frozen=True, forbid_unknown_fields=True):
    """Two rounds of a grader that say the same throughout, and over how many marks."""

    grader: str
    first: int
    second: int
    marks: int


class Voting(Struct, frozen=True, forbid_unknown_fields=True):
    """How the rounds of a grader came to their verdicts.

    Parameters
    ----------
    verdicts
        Texts times criteria, of which ``agreed`` (every mark that exists is the same), ``split``
        (most of them are), ``ties`` and ``silent`` (no round scored it).
    marks, abstained
        All marks, and those of them that are unscored.
    """

    grader: str
    rounds: int
    verdicts: int
    agreed: int
    split: int
    ties: int
    silent: int
    marks: int
    abstained: int


class OtherGrader(Struct, frozen=True, forbid_unknown_fields=True):
    """Full marks of one model by the marks that count, and had another grader decided.

    ``difference`` is ``instead`` less ``decided``, over the texts that the other grader graded.
    """

    grader: str
    model: str
    split: str
    decoding: str
    k: int
    texts: int
    decided: float | None
    instead: float | None
    difference: Bounded


class Instruments(Struct, frozen=True, forbid_unknown_fields=True):
    """The graders of a run as instruments, in brief.

    ``deciding`` is the grader whose majority the marks that count are; None if nobody knows.
    """

    graders: tuple[str, ...]
    deciding: str | None
    agreement: tuple[AgreementRow, ...]
    voting: tuple[Voting, ...]
    identical_rounds: tuple[Copies, ...]
    family_bias: tuple[FamilyBias, ...]
    if_another_decided: tuple[OtherGrader, ...]


class UnscoredModel(Struct, frozen=True, forbid_unknown_fields=True):
    """Unscored marks of one model: texts, marks, and the unscored ones among both, by kind."""

    model: str
    texts: int
    texts_unscored: int
    marks: int
    unscored: int
    kinds: dict[str, int]


class UnscoredReason(Struct, frozen=True, forbid_unknown_fields=True):
    """How many marks and texts a reason leaves unscored; ``by_model`` in the order of models."""

    reason: str
    marks: int
    texts: int
    by_model: tuple[int, ...]


class Unscored(Struct, frozen=True, forbid_unknown_fields=True):
    """Which marks nobody could give, and why; the most frequent reason first."""

    models: tuple[UnscoredModel, ...]
    reasons: tuple[UnscoredReason, ...]


# The certificate


class ClaimEvidence(Struct, frozen=True, forbid_unknown_fields=True):
    """What a claim rests on.

    Parameters
    ----------
    combinations, texts, unsettled
        Number of combinations that the claim is put to, of their texts, and of texts whose full
        marks unscored marks leave open (they count against the model).
    full_marks, a_lo
        Measured share (the mean over combinations) and its lower limit.
    B, slip, bound
        The share of the combinations that training showed at most; the share of the others that
        luck may pass; and what both allow a parrot.
    slip_measured, slip_of
        Upper limit of the luckiest other parrot, and its name; None if there is none.
    spread
        How much more the number of seen combinations varies than if none overlapped.
    new_at_least
        Share of the successes that are neither recall nor luck; None if not shown.
    """

    combinations: int
    texts: int
    unsettled: int
    full_marks: float
    a_lo: float
    B: float
    slip: float
    slip_measured: float | None
    slip_of: str | None
    bound: float
    spread: float
    new_at_least: float | None


class Robustness(Struct, frozen=True, forbid_unknown_fields=True):
    """The B, the slip and the rho up to which the verdict is 'shown'; None where there is none."""

    B: float | None
    slip: float | None
    rho: float | None


class Claim(Struct, frozen=True, forbid_unknown_fields=True):
    """What is certified of one model at one k, or why nothing is.

    Parameters
    ----------
    kind
        Of the model; None if the run does not say.
    verdict
        Whether the lower limit exceeds the bound.
    reason
        Why there is no evidence; None if there is some.
    combinations, shown_in_training
        Number of combinations tested, and of those that training showed (None if not known).
    """

    model: str
    kind: str | None
    k: int
    verdict: Literal["shown", "not shown"]
    reason: str | None
    combinations: int
    shown_in_training: int | None
    evidence: ClaimEvidence | None
    robustness: Robustness
    sentence: str

    @property
    def shown(self) -> bool:
        """Whether the verdict is 'shown'."""
        return self.verdict == "shown"


class Terms(Struct, frozen=True, forbid_unknown_fields=True):
    """On what terms claims were made.

    Parameters
    ----------
    level
        Probability that all limits hold at once.
    decoding
        Which texts were examined.
    source
        Where B comes from: counted in the corpus itself, or worked out from rates.
    windows, rho
        M and the attraction of skills; None if B was counted.
    slip
        The slip that was granted beforehand.
    controls
        The parrots that measured slip.
    multiplicity, claims, control_limits, error_of_a_claim, error_of_a_control
        How the error is shared, among how many limits, and what is left to each; None without any.
    """

    level: float
    decoding: str
    source: Literal["counted", "rates"]
    windows: float | None
    rho: float | None
    slip: float
    controls: tuple[str, ...]
    multiplicity: str
    claims: int
    control_limits: int
    error_of_a_claim: float | None
    error_of_a_control: float | None


class Table(Struct, frozen=True, forbid_unknown_fields=True):
    """A table in words."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Certificate(Struct, frozen=True, forbid_unknown_fields=True):
    """The certificate of a run: a claim a model and k, their terms, and what they rest on.

    ``hashes`` are SHA-256 of the tables, pack and corpus; None where the run does not name one.
    """

    meaning: str
    verdict: str
    sentences: tuple[str, ...]
    grid: Table
    table: Table
    assumptions: tuple[str, ...]
    rows: tuple[Claim, ...]
    terms: Terms
    hashes: dict[str, str | None]


# Theory over measurement


class LawPoint(Struct, frozen=True, forbid_unknown_fields=True):
    """One model: parameters, and loss over the floor."""

    model: str
    params: int
    excess: float


class MeasuredLaw(Struct, frozen=True, forbid_unknown_fields=True):
    """L = E + A N^-alpha over the ladder, with the exact floor E; ``reason`` says why not."""

    floor: float
    points: tuple[LawPoint, ...]
    fit: PowerFit | None
    reason: str | None


class ErrorPoint(Struct, frozen=True, forbid_unknown_fields=True):
    """One model: excess loss of a mean piece in nats, failed share, and the limit of that share.

    ``limit`` is None if the measured loss is not above the floor: it is then within its error of
    the floor, and sets no limit.
    """

    model: str
    excess: float
    theta: Estimate
    limit: float | None


class ErrorLaw(Struct, frozen=True, forbid_unknown_fields=True):
    """The points of a ladder, and the exponent b of theta ~ excess^b between them.

    ``exponent`` is None with fewer than two models that fail some pieces and not all; its interval
    is None with two. Its ``n`` counts models.
    """

    points: tuple[ErrorPoint, ...]
    exponent: Estimate | None


class Concentration(Struct, frozen=True, forbid_unknown_fields=True):
    """One model's failures on tuples of one size.

    Parameters
    ----------
    tuple_size
        1 for skills, 2 for pairs.
    pieces, tuples
        Pieces that hold at least one tuple, and tuples that some piece holds.
    theta
        Share of those pieces that are failed, by number of skills of the piece.
    luck
        Share of the edges that are failed: the curve if failures did not look at the skills.
    alpha
        Shares of the tuples, rising.
    worst
        Failure rate of the edges of the worst share alpha as it was measured; too high, as the
        ranking picks the unlucky too.
    cross_fitted
        The same with ranking and measuring on different pieces; too low where pieces are few.
    sharp, classic
        The bounds, mixed over the sizes of pieces at the measured failure rate of each size.
    p_value
        Share of random placements of the failures (within pieces of one size) that are at least as
        uneven over the tuples, by the chi-square distance from one rate; small: the failures prefer
        some skills.
    placed
        (cross-fitted - luck) / (sharp - luck) at the worst quarter of the tuples: 0 is luck, 1 is
        malice; None where sharp leaves no room. Its interval is normal, with the spread over random
        halves of the pieces (the delete-half jackknife; wide rather than narrow), and covers chance
        alone: being made of the cross-fitted curve, the value is itself too low where pieces are
        few.
    above
        Whether the cross-fitted curve lies above sharp beyond chance: at some alpha under 1 even
        its lower Wilson limit does (size of the sample: alpha times the pieces; level divided
        among the alphas).
    """

    model: str
    tuple_size: int
    pieces: int
    tuples: int
    theta: dict[int, float]
    luck: float
    alpha: tuple[float, ...]
    worst: tuple[float, ...]
    cross_fitted: tuple[float, ...]
    sharp: tuple[float, ...]
    classic: tuple[float, ...]
    p_value: float
    placed: Estimate | None
    above: bool


class JointPoint(Struct, frozen=True, forbid_unknown_fields=True):
    """One model at one k.

    Parameters
    ----------
    model, k
        Whose pieces, and how many skills they hold.
    exponent
        x = -k ln(1 - theta_1) of the model; None if it fails every piece of one skill.
    predicted
        1 - (1 - theta_1)^k.
    measured
        Share of the pieces of k skills that were failed.
    residual
        Measured - predicted, with MOVER's interval (`stats.mover`) from the Wilson intervals of the
        pieces of both sizes; so failing none of few pieces is not taken for certainty.
    """

    model: str
    k: int
    exponent: float | None
    predicted: float
    measured: Estimate
    residual: Estimate


class GrowthPoint(Struct, frozen=True, forbid_unknown_fields=True):
    """One model: the k at which full marks fall through the threshold, and what was predicted.

    ``measured`` is interpolated between whole k, as the ends of its interval are, from the limits
    of full marks at each k; ``beyond`` says that it lies beyond the largest k tested, which is then
    told in its place. The predictions are None up to the model from which they start
    (`Growth.start`), and where a model, or that one, has no excess loss, or fails no piece or all.
    """

    model: str
    measured: Estimate
    beyond: bool
    by_excess: float | None
    by_theta: float | None


class Growth(Struct, frozen=True, forbid_unknown_fields=True):
    """The points of a ladder and the exponent b of k ~ excess^b; the theory says -1.

    ``start`` names the model that the predictions start from: the first that reaches the threshold
    with one skill. None if there is none, or if its own k lies beyond the largest tested.
    """

    threshold: float
    start: str | None
    points: tuple[GrowthPoint, ...]
    exponent: Estimate | None


class Theory(Struct, frozen=True, forbid_unknown_fields=True):
    """Every prediction of the theory beside what the models of a run did.

    ``untold`` says why a model has no performance curve of some size of tuple.
    """

    law: MeasuredLaw
    errors: ErrorLaw
    curves: tuple[Concentration, ...]
    untold: tuple[str, ...]
    joint: tuple[JointPoint, ...]
    growth: Growth
    findings: tuple[str, ...]


# What a run was, and the summaries


class HeldOut(Struct, frozen=True, forbid_unknown_fields=True):
    """What training never shows: ``pairs`` of ``pairs_of`` pairs of skills, triples, and cells of
    topic and skill; and the largest number of skills that a training text has."""

    pairs: int
    pairs_of: int
    triples: int
    cells: int
    max_k: int


class World(Struct, frozen=True, forbid_unknown_fields=True):
    """The synthetic world; the exact entropy of its text, with its error, in nats a token."""

    skills: int
    topics: int
    vocabulary: int
    entropy: float
    entropy_error: float
    heldout: HeldOut


class Corpus(Struct, frozen=True, forbid_unknown_fields=True):
    """Training texts, tokens with the marks between texts, and tokens of texts alone."""

    documents: int
    tokens: int
    text_tokens: int


class TestCell(Struct, frozen=True, forbid_unknown_fields=True):
    """Combinations drawn at one k and split, and how unevenly they use the skills."""

    k: int
    split: str
    n: int
    imbalance: float


class Example(Struct, frozen=True, forbid_unknown_fields=True):
    """One generated text with its marks: true for earned, false for missed, None for unscored."""

    model: str
    decoding: str
    split: str
    k: int
    topic: str
    skills: tuple[str, ...]
    text: str
    marks: dict[str, bool | None]
    full_marks: bool | None
    trained_count: int | None
    text_id: str | None = None


class BestParrot(Struct, frozen=True, forbid_unknown_fields=True):
    """The parrot with the most full marks on the combinations of the headline."""

    name: str
    estimate: Bounded


class LabHeadline(Struct, frozen=True, forbid_unknown_fields=True):
    """The finding of a lab run: full marks of the largest transformer on held-out pairs, greedy.

    ``model`` is None if the run has no transformer, ``estimate`` if it was not measured there.
    """

    sentence: str
    model: str | None
    k: int
    split: str
    estimate: Bounded | None
    parrot: BestParrot | None


class HeadlineShare(Struct, frozen=True, forbid_unknown_fields=True):
    """Full marks of one model at both k of a headline; None where it was not asked."""

    model: str
    first: Bounded | None
    last: Bounded | None


class SkillMixHeadline(Struct, frozen=True, forbid_unknown_fields=True):
    """The finding of a run of language models: full marks at two k, the last None if it has one."""

    sentence: str
    first: int
    last: int | None
    told: tuple[HeadlineShare, ...]


class Combinations(Struct, frozen=True, forbid_unknown_fields=True):
    """Number of combinations that were asked for at one k."""

    k: int
    n: int


class Run(Struct, frozen=True, forbid_unknown_fields=True):
    """What was asked of language models, in short.

    Parameters
    ----------
    spec
        The specification of the manifest; of a private pack only what may be known.
    models, silent
        Models that wrote texts, and models of the run without any.
    texts, combinations
        Number of texts, and of combinations by k.
    """

    spec: dict[str, Any]
    models: tuple[str, ...]
    silent: tuple[str, ...]
    texts: int
    combinations: tuple[Combinations, ...]

    @property
    def grader(self) -> str | None:
        """Whose marks decide; None if the run does not say."""
        return self.spec.get("grader")

    @property
    def pack(self) -> dict[str, Any]:
        """Name, version, digest and sizes of the pack, as far as they may be known."""
        return self.spec.get("pack") or {}


class Spent(Struct, frozen=True, forbid_unknown_fields=True):
    """Calls, tokens, dollars and seconds; None where nobody reported some of it."""

    calls: int | None
    attempts: int | None
    failed: int | None
    unusable: int | None
    input_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    cost: float | None
    seconds: float | None


class Latency(Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds that ``n`` calls took: the median, and what nine tenths of them did not exceed."""

    n: int
    median: float
    nine_tenths: float


class SpentRow(Spent, frozen=True):
    """What one model spent in one role; ``latency`` is None where no call says."""

    model: str
    role: str
    latency: Latency | None


class UnusableReplies(Struct, frozen=True, forbid_unknown_fields=True):
    """Number of calls of one step whose replies were of no use, for one reason."""

    step: str
    reason: str
    calls: int


class Usage(Struct, frozen=True, forbid_unknown_fields=True):
    """What a run of language models cost, by model and role.

    ``known_cost`` is the dollars of the rows whose cost is known; None if that is none.
    """

    rows: tuple[SpentRow, ...]
    total: Spent
    known_cost: float | None
    texts: int
    unusable: tuple[UnusableReplies, ...]


class LabSummary(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="lab"):
    """summary.json of a run of the lab; its models from small to large, then the parrots."""

    version: int
    title: str
    seed: int
    budget: str
    world: World
    corpus: Corpus
    cells: tuple[TestCell, ...]
    models: tuple[Model, ...]
    emergence: tuple[Emergence, ...]
    certificate: Certificate | None
    theory: Theory | None
    examples: tuple[Example, ...]
    headline: LabHeadline


class SkillMixSummary(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="SKILL-MIX"
):
    """summary.json of a run of language models by the SKILL-MIX protocol.

    ``private`` says that nothing of the pack may become known but its hash and its sizes: skills
    and topics have numbers for names then, and there are no examples.
    """

    version: int
    title: str
    seed: int
    private: bool
    run: Run
    models: tuple[Model, ...]
    comparison: AllPairs | None
    unscored: Unscored
    graders: Instruments | None
    certificate: Certificate | None
    usage: Usage | None
    examples: tuple[Example, ...]
    headline: SkillMixHeadline


Summary = LabSummary | SkillMixSummary


class _Versioned(Struct):
    version: int = 1


def read_summary(run: Path) -> Summary:
    """Read summary.json from the folder of a run.

    Raises
    ------
    BadInput
        If it is absent, was made by another version, or is not what it should be; the message
        names the file and the field, and says what to do.
    """
    path = run / "summary.json"
    if not path.is_file():
        raise BadInput(
            f"{str(run)!r} has no summary.json; give the folder of a finished run, "
            f"for example runs/demo, or make it: unparrot analyze {run}"
        )
    content = path.read_bytes()
    try:
        version = msgspec.json.decode(content, type=_Versioned).version
        if version != VERSION:
            raise BadInput(
                f"{path} was made by {'an older' if version < VERSION else 'a newer'} version: "
                f"run `unparrot analyze {run}`"
            )
        return msgspec.json.decode(content, type=Summary)
    except msgspec.MsgspecError as error:
        raise BadInput(
            f"{path} is not a summary ({error}); run `unparrot analyze {run}`"
        ) from error
