"""Rates of skills and topics in a corpus, measured on a sample of its windows: rates.json.

A model has tagged each window with the skills that it shows; people have labelled some of them, so
that the tags can be corrected for its errors (`unparrot.stats.misclassified`). Topics are counted
by their words. Besides the rates, the sample says how much more often skills meet in a window than
if they were independent: for pairs,

    rho_2 = sum of p_ij / sum of p_i p_j      over all pairs of skills,

which is what the mean over random combinations needs. Errors that are made at random leave
cov(marks) = (s + c - 1)^2 cov(skills), so that with the share f = 1 - c of false tags

    rho_2 = 1 + sum of cov(m_i, m_j) / sum of (m_i - f) (m_j - f),

and likewise for a skill and a topic, which has no errors. What k skills and a topic do together is
*assumed*: that pairs attract and nothing beyond them does, so that

    rho(k) = rho_2^(k (k - 1) / 2)  rho_topic^k.

So it is if windows differ in how rich in skills they are by a log-normal factor; `triples` compares
that with the triples that the tags have.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Final

import numpy as np
import polars as pl
from msgspec import Struct
from numpy.typing import NDArray

from unparrot.analysis.certificate.corpus_rates import CorpusRates
from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.core.records import RunFolder, TaggedSample, read_typed
from unparrot.stats.bootstrap import resampled_sums
from unparrot.stats.clustered import clustered_share
from unparrot.stats.intervals import wilson
from unparrot.stats.misclassified import JudgeErrors, most_rate, true_rate
from unparrot.theory.novelty.rates import read_rates

RATES: Final = "rates.json"
# Of the form of rates.json.
VERSION: Final = 1
LEVEL: Final = 0.95
# Share of the windows from which on a skill is common.
COMMON: Final = 0.05
# Of what error is left to a corpus, the parts of the attraction and of the tagger's errors; the
# rest is shared by the rates.
_OF_RHO: Final = 0.25
_OF_TAGGER: Final = 0.25
_RESAMPLES: Final = 1000
# Of them, those beyond the quantile by which the error of an attraction is taken.
_UPPER: Final = 0.025
NORMAL: Final = NormalDist()


class NamedRate(Struct, frozen=True, forbid_unknown_fields=True):
    """The rate of a skill or a topic: ``marked`` of ``n`` windows, ``unscored`` of them unknown."""

    name: str
    marked: int
    unscored: int
    n: int
    rate: Estimate


class Attraction(Struct, frozen=True, forbid_unknown_fields=True):
    """How much more often things meet in a window than if they were independent.

    ``log_error`` is the standard error of the logarithm of ``ratio``, upwards. Both are None where
    the sample is too small to say.
    """

    ratio: float | None
    log_error: float | None

    def at_most(self, miss: float) -> float | None:
        """Return the upper limit, at least 1, that the true one exceeds with chance ``miss``."""
        if self.ratio is None or self.log_error is None:
            return None
        z = NORMAL.inv_cdf(1 - miss)
        return max(1.0, self.ratio * float(np.exp(z * self.log_error)))

    def estimate(self, n: int, level: float = LEVEL) -> Estimate | None:
        """Return it with its interval."""
        if self.ratio is None or self.log_error is None:
            return None
        factor = float(np.exp(NORMAL.inv_cdf((1 + level) / 2) * self.log_error))
        return Estimate(
            self.ratio, self.ratio / factor, self.ratio * factor, level, "bootstrap of the log", n
        )


class RatesTerms(Struct, frozen=True, forbid_unknown_fields=True):
    """What a certificate took of measured rates.

    Parameters
    ----------
    error
        Chance of error that all limits of the rates and of the attraction hold but for.
    names
        Number of skills and topics whose rates are limited at once.
    words, sampled, tagger, rounds, by
        As in `MeasuredRates`.
    labels
        Tags that people checked, by which the others are corrected; 0 if they are taken as right.
    pairs, topic
        Upper limits of the attraction of two skills, and of a skill and a topic.
    triples
        How often three skills meet in the tags, over what is assumed of them.
    """

    error: float
    names: int
    words: int
    sampled: int
    tagger: str
    rounds: int
    by: str | None
    labels: int
    pairs: float | None
    topic: float | None
    triples: Estimate | None


class MeasuredRates(Struct, frozen=True, forbid_unknown_fields=True):
    """What rates.json holds.

    Parameters
    ----------
    pack, corpus
        SHA-256 of the pack, and of the windows that were tagged.
    words, windows
        Words of a window, and how many such windows the corpus has.
    sampled
        Number of windows that were tagged.
    tagger, rounds, agreement
        Who tagged, how often, and how far its rounds agree: the share of equal pairs of tags.
    by, errors
        Who labelled, and the tagger beside them; None without labels.
    sensitivity, specificity
        Of the tagger; None without labels.
    skills, topics
        In the order of the pack.
    pairs, topic, triples
        Attraction of two skills, of a skill and a topic; and how often three skills meet in the
        tags, over what their pairs would give.
    """

    version: int
    pack: str
    corpus: str
    words: int
    windows: float
    sampled: int
    tagger: str
    rounds: int
    agreement: Estimate | None
    by: str | None
    errors: JudgeErrors | None
    sensitivity: Estimate | None
    specificity: Estimate | None
    skills: tuple[NamedRate, ...]
    topics: tuple[NamedRate, ...]
    pairs: Attraction
    topic: Attraction
    triples: Attraction

    @property
    def corrected(self) -> JudgeErrors | None:
        """The tagger's errors, where there are labels enough to correct by."""
        return self.errors if self.errors is not None and self.errors.enough else None

    def at_most(self, miss: float, names: int | None = None) -> CorpusRates:
        """Return upper limits of all rates, which hold at once but for a chance of error.

        Parameters
        ----------
        miss
            That chance, the attraction's part included.
        names
            How many skills and topics are tested; None for all.
        """
        number = names or len(self.skills) + len(self.topics)
        each = miss * (1 - _OF_RHO - _OF_TAGGER) / number
        skills = {
            rate.name: most_rate(
                rate.marked + rate.unscored, rate.n, self.corrected, each, miss * _OF_TAGGER
            )
            for rate in self.skills
        }
        topics = {r.name: most_rate(r.marked, r.n, None, each, miss) for r in self.topics}
        return CorpusRates(skills, topics)

    def terms(self, miss: float, names: int) -> RatesTerms:
        """Return what a certificate says of these rates; parameters as for `at_most`."""
        own, errors = miss * _OF_RHO / 2, self.corrected
        return RatesTerms(
            miss,
            names,
            *(self.words, self.sampled, self.tagger, self.rounds, self.by),
            0 if errors is None else errors.present + errors.absent,
            self.pairs.at_most(own),
            self.topic.at_most(own),
            self.triples.estimate(self.sampled),
        )

    def rho_at_most(self, k: int, miss: float) -> float | None:
        """Return the upper limit of rho(k); None where the sample cannot give one."""
        own = miss * _OF_RHO / 2
        pairs, topic = self.pairs.at_most(own), self.topic.at_most(own)
        if pairs is None or topic is None:
            return None
        return pairs ** (k * (k - 1) / 2) * topic**k


def attractions(
    marks: NDArray[np.bool_],
    about: NDArray[np.bool_],
    errors: JudgeErrors | None,
    rng: np.random.Generator,
) -> tuple[Attraction, Attraction, Attraction]:
    """Return the attraction of two skills, of skill and topic, and of three skills over pairs.

    Parameters
    ----------
    marks, about
        Shape (windows, skills) and (windows, topics): what each window is tagged with.
    errors
        Of the tagger; None takes it to make none.
    rng
        Of the bootstrap over windows, in which the share of false tags is drawn, too.
    """
    n, skills = marks.shape
    number = marks.sum(axis=1).astype(np.float64)
    rows = np.column_stack(
        [
            marks,
            about,
            number * (number - 1) / 2,
            number * (number - 1) * (number - 2) / 6,
            number * about.sum(axis=1),
        ]
    ).astype(np.float64)
    false = np.zeros(_RESAMPLES + 1)
    if errors is not None:
        wrong = errors.absent - errors.passed
        false[0] = wrong / errors.absent
        false[1:] = rng.beta(wrong + 0.5, errors.passed + 0.5, _RESAMPLES)
    sums = np.vstack([rows.sum(axis=0), resampled_sums(rows, rng, _RESAMPLES)]) / n
    m, z = sums[:, :skills], sums[:, skills:-3]
    pairs, triples, met = sums[:, -3:].T
    one, two, three = (m**power @ np.ones(skills) for power in (1, 2, 3))
    by_chance = (one**2 - two) / 2
    by_chance_3 = (one**3 - 3 * one * two + 2 * three) / 6
    true = one - skills * false
    true_pairs = (true**2 - (two - 2 * false * one + skills * false**2)) / 2
    topics = z.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_pairs = np.where(
            (true > 0) & (true_pairs > 0), 1 + (pairs - by_chance) / true_pairs, np.nan
        )
        of_topic = np.where(true > 0, 1 + (met - topics * one) / (topics * true), np.nan)
        of_three = (triples / by_chance_3) / (pairs / by_chance) ** 3
    return _attraction(of_pairs), _attraction(of_topic), _attraction(of_three)


def _attraction(ratios: NDArray[np.float64]) -> Attraction:
    """The first is of the sample, the others of its resamples. The error is as far as they reach
    upwards, in units of a normal one: a draw of false tags beyond all marks leaves any attraction
    possible."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(ratios)
    logs[np.isnan(logs)] = np.inf
    high = float(np.quantile(logs[1:], 1 - _UPPER, method="higher"))
    if not np.isfinite([logs[0], high]).all():
        return Attraction(None, None)
    return Attraction(float(ratios[0]), max(0.0, high - float(logs[0])) / -NORMAL.inv_cdf(_UPPER))


def named_rates(
    marked: Mapping[str, int],
    unscored: Mapping[str, int],
    n: int,
    errors: JudgeErrors | None,
) -> tuple[NamedRate, ...]:
    """Return the rate of each name, from how many of n windows are marked with it.

    Windows that are ``unscored`` are left out of the rate, and count as marked in its upper limit.
    """
    return tuple(
        NamedRate(
            name,
            count,
            unscored.get(name, 0),
            n,
            true_rate(count, n - unscored.get(name, 0), errors, LEVEL),
        )
        for name, count in marked.items()
    )


def measure(folder: Path, by: str | None = None, seed: int = 1) -> MeasuredRates:
    """Return the rates of a corpus, from the sample that was tagged, and what people labelled.

    Parameters
    ----------
    folder
        Of `unparrot rates sample`.
    by
        The person whose labels count, ``person:NAME``; None for who gave most.
    seed
        Of the bootstrap.

    Raises
    ------
    BadInput
        If the folder holds no tagged sample, the person labelled nothing, or no tag was given.
    """
    again = "run `unparrot rates sample` again"
    path = folder / TaggedSample.FILE
    sample: TaggedSample = read_typed(path, TaggedSample, TaggedSample.VERSION, again)
    tags = RunFolder(folder).checked_table("tags")
    tagger = sample.taggers[0]
    own = tags.filter((pl.col("kind") == "skill") & (pl.col("tagger") == tagger))
    yes, no = (_by_window(own, own[name], sample.skills, sample.sampled) for name in ("yes", "no"))
    if not (yes + no).any():
        raise BadInput(f"{tagger} has tagged no window of {folder}: {again}")
    marked, open_ = yes > no, yes == no
    about = tags.filter(pl.col("kind") == "topic")
    shown = _by_window(about, about["yes"], tuple(sample.topics), sample.sampled) > 0
    by, errors = _judged(folder, by, sample.skills, marked, open_)
    known = errors if errors is not None and errors.enough else None
    counts = [
        dict(zip(sample.skills, x.sum(axis=0).tolist(), strict=True)) for x in (marked, open_)
    ]
    attraction = attractions(marked, shown, known, np.random.default_rng(seed))
    return MeasuredRates(
        VERSION,
        *(sample.pack, sample.corpus, sample.words, sample.windows, sample.sampled),
        *(tagger, sample.rounds, _agreement(yes, no)),
        *(by, errors),
        None if errors is None else wilson(errors.seen, errors.present),
        None if errors is None else wilson(errors.passed, errors.absent),
        named_rates(counts[0], counts[1], sample.sampled, known),
        named_rates(sample.topics, {}, sample.counted, None),
        *attraction,
    )


def _by_window(
    rows: pl.DataFrame, values: pl.Series, names: Sequence[str], windows: int
) -> NDArray[np.int64]:
    """Values of rows of tags.parquet, in a table of shape (windows, names)."""
    place = {name: i for i, name in enumerate(names)}
    table = np.zeros((windows, len(names)), np.int64)
    table[rows["window"].to_numpy(), [place[name] for name in rows["name"]]] = values.to_numpy()
    return table


def _agreement(yes: NDArray[np.int64], no: NDArray[np.int64]) -> Estimate | None:
    """The share of pairs of rounds with equal tags, whose clusters are windows."""
    equal = (yes * (yes - 1) + no * (no - 1)).sum(axis=1) / 2
    pairs = ((yes + no) * (yes + no - 1)).sum(axis=1) / 2
    return clustered_share(equal, pairs) if pairs.any() else None


def _judged(
    folder: Path,
    by: str | None,
    skills: Sequence[str],
    marked: NDArray[np.bool_],
    open_: NDArray[np.bool_],
) -> tuple[str | None, JudgeErrors | None]:
    """Who labelled, and the tagger beside these labels."""
    labels = None
    if (folder / "labels.parquet").is_file():
        table = RunFolder(folder).checked_table("labels")
        labels = table.filter(pl.col("status").is_in(["earned", "missed"]))
    if labels is None or labels.is_empty():
        if by is None:
            return None, None
        raise BadInput(f"{by} has labelled no window of {folder}; use `unparrot rates label` first")
    counts = labels["grader"].value_counts(sort=True)
    by = by or str(counts["grader"][0])
    labels = labels.filter(pl.col("grader") == by)
    if labels.is_empty():
        people = ", ".join(sorted(counts["grader"]))
        raise BadInput(f"{by} has labelled no window of {folder}; {people} has")
    place = {name: i for i, name in enumerate(skills)}
    windows = labels["text_id"].str.split(".").list.first().cast(pl.Int64).to_numpy()
    at = (windows, np.array([place[name] for name in labels["criterion"]]))
    tag, settled = marked[at], ~open_[at]
    true = (labels["status"] == "earned").to_numpy()
    seen, passed = (tag & true & settled).sum(), (~tag & ~true & settled).sum()
    return by, JudgeErrors(
        int(seen), int((true & settled).sum()), int(passed), int((~true & settled).sum())
    )


def read_measured(path: Path) -> MeasuredRates:
    """Read rates.json.

    Raises
    ------
    BadInput
        If it is absent, damaged, or of another version.
    """
    return read_typed(path, MeasuredRates, VERSION, "give the folder of `unparrot rates sample`")


def common_skills(path: Path, share: float = COMMON) -> tuple[str, ...]:
    """Return the skills that at least so many windows show, which the protocol leaves out.

    Parameters
    ----------
    path
        A rates.json, the folder of one, or a CSV file with the columns ``skill,rate``.
    share
        Of the windows.

    References
    ----------
    Yu et al. (2023), "Skill-Mix", section 6, who leave out skills of 5 % or more.
    """
    path = path / RATES if path.is_dir() else path
    if path.suffix == ".json":
        rates = {rate.name: rate.rate.value or 0.0 for rate in read_measured(path).skills}
    else:
        rates = read_rates(path, "skill")
    return tuple(name for name, rate in rates.items() if rate >= share)


def require_fit(rates: MeasuredRates, pack: str | None, longest: Sequence[int]) -> None:
    """Refuse rates of another pack than a run's, or of windows shorter than its answers.

    Parameters
    ----------
    pack
        SHA-256 of the run's pack, None where it does not say.
    longest
        Words of each of its answers. Nine of ten have to fit into a window.

    Raises
    ------
    BadInput
        Saying what does not fit.
    """
    if pack != rates.pack:
        raise BadInput(
            f"the rates are of the pack with SHA-256 {rates.pack[:12]}, the run's is "
            f"{(pack or 'not known')[:12]}: sample the corpus again with the run's pack"
        )
    usual = float(np.quantile(longest, 0.9)) if len(longest) else 0.0
    if usual > rates.words:
        raise BadInput(
            f"the windows of the rates have {rates.words} words, and a tenth of the run's answers "
            f"more than {usual:.0f}: a corpus shows more in as many words as an answer has. Sample "
            f"it again with --words {int(np.ceil(usual))}"
        )
