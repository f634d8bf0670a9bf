"""Simulated studies: does the certificate ever certify a parrot, and how often a composer?

    python benchmarks/studies_certificate.py

A *rated study* draws a pack's rates, a corpus and combinations, and certifies one model from rates,
as `unparrot certify --rates` does. A *counted study* knows what training showed and measures luck
by control parrots, as `unparrot certify` does with a run of the lab. Both use the arithmetic of
`unparrot.analysis.certificate.claims`, a thousand studies at a time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from unparrot.analysis.certificate.claims import (
    LEAST_LUCK,
    LEVEL,
    ErrorShares,
    lower_limit,
    overlap,
    parrot_limit,
    upper_limit,
)
from unparrot.core.errors import BadInput

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_CHUNK: Final = 4_000_000
"""Random numbers held at once."""
_THEMES: Final = 4
_LISTED: Final = 20_000
"""Combinations of a pack up to which all are listed and drawn without replacement."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """A pack of skills and topics, and the windows of a corpus.

    Parameters
    ----------
    skills, topics
        Size of the pack. The rate of a skill falls as rank^-0.5; topics are equally frequent.
    skills_a_window
        Mean number of skills in a window, that is, the sum of their rates.
    windows
        M.
    attraction
        How much more often the skills of a combination meet than if they were independent; every
        tested combination has all of it, the worst case.
    kind
        ``'large'``: combinations are seen independently, with the chance ``1 - exp(-lambda)``.
        ``'themes'``: every window is drawn, and has one of four themes that makes its quarter of
        the skills ``attraction`` times as frequent as the others, so that combinations are seen
        together. M is at most 100,000 there.
    """

    skills: int = 50
    topics: int = 20
    skills_a_window: float = 2.0
    windows: float = 1e6
    attraction: float = 1.0
    kind: Literal["large", "themes"] = "large"

    def __post_init__(self) -> None:
        if not 1 <= self.windows <= (1e5 if self.kind == "themes" else 1e300):
            raise BadInput(f"a corpus of kind {self.kind!r} cannot have {self.windows!r} windows")
        if self.attraction < 1:
            raise BadInput(f"attraction is at least 1, not {self.attraction!r}")

    @property
    def rates(self) -> Floats:
        """Shape (skills,): share of the windows that show each skill."""
        weights = np.arange(1, self.skills + 1) ** -0.5
        return np.minimum(0.5, weights / weights.sum() * self.skills_a_window)


@dataclass(frozen=True, slots=True)
class RatedStudy:
    """One model, tested at several k, certified from the true rates of its corpus.

    Parameters
    ----------
    corpus
        What it was trained on.
    ks
        Numbers of skills.
    combinations, rounds
        How many combinations of each k, and texts of each.
    rho
        The attraction that the certificate is told; None tells it enough, no less than the true
        one of any tested combination.
    slip, told_slip
        True chance that a text for an unseen combination earns full marks by accident, and what the
        certificate is told; None tells it the true one. An accident repeats in every round.
    overlap
        Whether the certificate allows for combinations that are seen together; it always does,
        and without shows what that is for.
    one_theme
        Test only skills of the first theme, which attract each other.
    strength
        None for a parrot: it succeeds on what its corpus holds, and by accident. Else a composer's
        mean chance of full marks on combinations it never saw; the single chances spread around it
        as a Beta distribution with parameters that sum to 4.
    """

    corpus: Corpus
    ks: tuple[int, ...] = (2, 3, 4, 5)
    combinations: int = 100
    rounds: int = 1
    rho: float | None = None
    slip: float = 0.0
    told_slip: float | None = None
    overlap: bool = True
    one_theme: bool = False
    strength: float | None = None


@dataclass(frozen=True, slots=True)
class CountedStudy:
    """One model and several control parrots, tested on combinations that training never showed.

    Parameters
    ----------
    ks, combinations
        Numbers of skills, and unseen combinations of each k; one text each.
    controls
        Chance of an accidental success of each control; the certificate knows none of them.
    examined
        Chance of full marks of the examined model on unseen combinations.
    granted
        Luck that is granted however little the controls have.
    models
        Number of models of the run, by which the error is shared; the others are not simulated.
    """

    ks: tuple[int, ...] = (1, 2, 3, 4, 5, 6)
    combinations: int = 600
    controls: tuple[float, ...] = (0.0, 0.01)
    examined: float = 0.01
    granted: float = LEAST_LUCK
    models: int = 6


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the certificate said.

    Parameters
    ----------
    shown
        Shape (studies, ks): where it said 'shown'.
    seen
        Shape (ks,): mean share of the tested combinations that training showed.
    told
        Shape (ks,): mean B of the certificate.
    """

    shown: Flags
    seen: Floats
    told: Floats

    @property
    def studies(self) -> int:
        """Number of studies."""
        return len(self.shown)

    @property
    def any_shown(self) -> int:
        """Number of studies in which it said 'shown' at one k or more."""
        return int(self.shown.any(axis=1).sum())


def run_rated(study: RatedStudy, studies: int, seed: int, level: float = LEVEL) -> Verdicts:
    """Simulate and certify.

    Parameters
    ----------
    study
        What every study is like.
    studies
        How many.
    seed
        The same seed gives the same studies.
    level
        Level of the certificate.
    """
    rng = np.random.default_rng(seed)
    miss = ErrorShares(len(study.ks), 0, level).claim
    told_slip = study.slip if study.told_slip is None else study.told_slip
    shown = np.zeros((studies, len(study.ks)), dtype=np.bool_)
    seen, told = np.zeros(shape := (studies, len(study.ks))), np.zeros(shape)
    step = max(1, _CHUNK // (study.combinations * study.corpus.skills))
    for start in range(0, studies, step):
        rows = slice(start, min(start + step, studies))
        size = rows.stop - rows.start
        drawn = [_draw(study, k, size, rng) for k in study.ks]
        held = _held(study.corpus, drawn, rng)
        for i, (asked, found) in enumerate(zip(drawn, held, strict=True)):
            lam, attraction = _expected(study.corpus, asked)
            rho = attraction.max(axis=1, keepdims=True) if study.rho is None else study.rho
            b = np.minimum(1.0, rho * lam).mean(axis=1)
            total = _means(study, found, rng).sum(axis=1)
            spread = _spread(study.corpus, asked, rho) if study.overlap else 1.0
            limit = lower_limit(total, study.combinations, miss, study.rounds == 1, spread)
            shown[rows, i] = limit > parrot_limit(b, told_slip)
            seen[rows, i], told[rows, i] = found.mean(axis=1), b
    return Verdicts(shown, seen.mean(axis=0), told.mean(axis=0))


def run_counted(study: CountedStudy, studies: int, seed: int, level: float = LEVEL) -> Verdicts:
    """Simulate and certify; see `run_rated`."""
    rng = np.random.default_rng(seed)
    ks, n = len(study.ks), study.combinations
    parrots = len(study.controls)
    errors = ErrorShares(study.models * ks, parrots * ks, level)
    luck = rng.binomial(n, study.controls, (studies, ks, parrots))
    slip = upper_limit(luck, n, errors.control, single=True).max(axis=2)
    slip = np.maximum(slip, study.granted)
    earned = rng.binomial(n, study.examined, (studies, ks))
    shown = lower_limit(earned, n, errors.claim, single=True) > parrot_limit(0.0, slip)
    return Verdicts(shown, np.zeros(ks), slip.mean(axis=0))


@dataclass(frozen=True, slots=True)
class _Asked:
    """Combinations: skills, shape (studies, n, k), and topics, shape (studies, n)."""

    skills: NDArray[np.int64]
    topics: NDArray[np.int64]


def _draw(study: RatedStudy, k: int, size: int, rng: np.random.Generator) -> _Asked:
    """Combinations drawn evenly; of a small pack, different ones."""
    corpus, n = study.corpus, study.combinations
    pool = np.arange(0, corpus.skills, _THEMES if study.one_theme else 1)
    every = math.comb(len(pool), k) * corpus.topics
    if n > every:
        raise BadInput(f"{n} combinations of k = {k} were asked for; the pack has {every}")
    if every <= _LISTED:
        sets = np.array(list(combinations(pool.tolist(), k)))
        keys = rng.random((size, every), dtype=np.float32)
        chosen = np.argpartition(keys, min(n, every - 1), axis=1)[:, :n]
        return _Asked(sets[chosen // corpus.topics], chosen % corpus.topics)
    order = rng.random((size, n, len(pool)), dtype=np.float32)
    skills = pool[np.argpartition(order, k, axis=2)[:, :, :k]]
    topics = rng.integers(corpus.topics, size=(size, n))
    return _Asked(skills, topics)


def _expected(corpus: Corpus, asked: _Asked) -> tuple[Floats, Floats]:
    """Expected windows if skills were independent, and by how much attraction multiplies them.

    Both have the shape (studies, n).
    """
    lam = corpus.windows / corpus.topics * corpus.rates[asked.skills].prod(axis=2)
    if corpus.kind == "large":
        return lam, np.full_like(lam, corpus.attraction)
    by_theme = _theme_rates(corpus)[:, asked.skills].prod(axis=3)
    return lam, by_theme.mean(axis=0) / corpus.rates[asked.skills].prod(axis=2)


def _spread(corpus: Corpus, asked: _Asked, rho: Floats | float) -> Floats:
    """How much the overlap of the combinations adds to the variance; shape (studies,)."""
    size, n, _ = asked.skills.shape
    log_rates = np.log(np.append(corpus.rates, np.full(corpus.topics, 1 / corpus.topics)))
    names = np.append(asked.skills, corpus.skills + asked.topics[:, :, None], axis=2)
    found = np.ones(size)
    for i, most in enumerate(np.broadcast_to(np.ravel(rho), size).tolist()):
        shows = np.zeros((n, len(log_rates)), dtype=np.bool_)
        np.put_along_axis(shows, names[i], values=True, axis=1)
        found[i] = overlap(shows, log_rates, most * corpus.windows)
    return found


def _theme_rates(corpus: Corpus) -> Floats:
    """Share of the windows of each of four themes that show a skill; shape (4, skills)."""
    own = np.arange(corpus.skills) % _THEMES == np.arange(_THEMES)[:, None]
    weight = np.where(own, corpus.attraction, 1.0) / (corpus.attraction + _THEMES - 1) * _THEMES
    return np.minimum(1.0, corpus.rates * weight)


def _held(corpus: Corpus, drawn: list[_Asked], rng: np.random.Generator) -> list[Flags]:
    """Whether the corpus holds each combination, for every k; one corpus a study."""
    if corpus.kind == "large":
        held: list[Flags] = []
        for asked in drawn:
            lam, attraction = _expected(corpus, asked)
            held.append(rng.random(lam.shape) < -np.expm1(-attraction * lam))
        return held
    windows = int(corpus.windows)
    found = [np.zeros(asked.topics.shape, dtype=np.bool_) for asked in drawn]
    by_theme = _theme_rates(corpus).astype(np.float32)
    for s in range(len(drawn[0].topics)):
        theme = rng.integers(len(by_theme), size=windows)
        # one bit a window: a combination is held if all its bits meet in some window
        shows = rng.random((corpus.skills, windows), dtype=np.float32) < by_theme[theme].T
        bits = np.packbits(shows, axis=1)
        topic = rng.integers(corpus.topics, size=windows)
        about = np.packbits(topic == np.arange(corpus.topics)[:, None], axis=1)
        for asked, flags in zip(drawn, found, strict=True):
            together = about[asked.topics[s]]
            for j in range(asked.skills.shape[2]):
                together &= bits[asked.skills[s, :, j]]
            flags[s] = together.any(axis=1)
    return found


def _means(study: RatedStudy, held: Flags, rng: np.random.Generator) -> Floats:
    """Mean of full marks over the rounds of every combination, shape (studies, n)."""
    if study.strength is None:
        return (held | (rng.random(held.shape) < study.slip)).astype(np.float64)
    chance = rng.beta(4 * study.strength, 4 * (1 - study.strength), held.shape)
    return rng.binomial(study.rounds, chance) / study.rounds
