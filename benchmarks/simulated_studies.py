"""Simulated studies: how often the certificate says 'shown' where it is not true, and where it is.

    python benchmarks/studies_certificate.py

A *rated study* draws a pack's rates, a corpus and combinations, and certifies one model from rates,
as `unparrot certify --rates` does. A *lab study* draws full marks of a model and of named parrots
on units (held-out pairs, say) with some texts each, and certifies the model as `unparrot certify`
does in a run of the lab.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from unparrot.analysis.certificate.beyond_bound import allowed_to_parrots, lower_limit
from unparrot.analysis.certificate.certify import LEVEL
from unparrot.analysis.certificate.corpus_rates import overlap
from unparrot.core.errors import BadInput
from unparrot.stats.bounded_mean import mean_exceeds_p

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
        The attraction that the certificate is given; None gives it enough, no less than the true
        one of any tested combination.
    slip, given_slip
        True chance that a text for an unseen combination earns full marks by accident, and what the
        certificate is given; None gives it the true one. An accident repeats in every round.
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
    given_slip: float | None = None
    overlap: bool = True
    one_theme: bool = False
    strength: float | None = None


@dataclass(frozen=True, slots=True)
class Writer:
    """A model, or a parrot, of a lab study.

    Parameters
    ----------
    strength
        Mean chance of full marks.
    alike
        Share of the units on which its texts all succeed or all fail; on the others every text has
        the chance ``strength`` for itself.
    units
        On which units it succeeds throughout: ``'same'`` for all such writers of a study,
        ``'opposite'``, where these do not, or ``'own'``.
    """

    strength: float
    alike: float = 0.3
    units: Literal["same", "opposite", "own"] = "own"


@dataclass(frozen=True, slots=True)
class LabStudy:
    """A model and named parrots, put to the same texts of several cells (k by kind of novelty).

    Parameters
    ----------
    examined, parrots
        Who writes.
    units, texts
        In each cell: units, each with at least one text, and texts, shared out evenly at random.
    cells
        Number of cells, by which the error is shared.
    """

    examined: Writer
    parrots: tuple[Writer, ...]
    units: int = 100
    texts: int = 200
    cells: int = 24

    @property
    def is_beyond(self) -> bool:
        """Whether the examined one is truly beyond the best of the parrots."""
        return self.examined.strength > max(parrot.strength for parrot in self.parrots)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the certificates of some studies say.

    Parameters
    ----------
    shown
        Shape (studies, claims): where the verdict is 'shown'.
    held, bound
        Shape (claims,), of rated studies: the mean share of the tested combinations that training
        showed, and the mean B; empty for others.
    """

    shown: Flags
    held: Floats = field(default_factory=lambda: np.zeros(0))
    bound: Floats = field(default_factory=lambda: np.zeros(0))

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
    miss = (1 - level) / len(study.ks)
    slip = study.slip if study.given_slip is None else study.given_slip
    shown = np.zeros((studies, len(study.ks)), dtype=np.bool_)
    held_shares, bounds = np.zeros(shape := (studies, len(study.ks))), np.zeros(shape)
    step = max(1, _CHUNK // (study.combinations * study.corpus.skills))
    for start in range(0, studies, step):
        rows = slice(start, min(start + step, studies))
        size = rows.stop - rows.start
        drawn = [_draw(study, k, size, rng) for k in study.ks]
        held = _held(study.corpus, drawn, rng)
        for i, (asked, flags) in enumerate(zip(drawn, held, strict=True)):
            lam, attraction = _expected(study.corpus, asked)
            rho = attraction.max(axis=1, keepdims=True) if study.rho is None else study.rho
            b = np.minimum(1.0, rho * lam).mean(axis=1)
            total = _means(study, flags, rng).sum(axis=1)
            spread = _spread(study.corpus, asked, rho) if study.overlap else 1.0
            limit = lower_limit(total, study.combinations, miss, study.rounds == 1, spread)
            shown[rows, i] = limit > allowed_to_parrots(b, slip)
            held_shares[rows, i], bounds[rows, i] = flags.mean(axis=1), b
    return Verdicts(shown, held_shares.mean(axis=0), bounds.mean(axis=0))


def run_lab(study: LabStudy, studies: int, seed: int, level: float = LEVEL) -> Verdicts:
    """Simulate and certify; see `run_rated`."""
    rng = np.random.default_rng(seed)
    miss = (1 - level) / 2 / study.cells  # the other half is for the upper limits
    shown = np.zeros(studies * study.cells, dtype=np.bool_)
    step = max(1, _CHUNK // (study.units * (1 + len(study.parrots)) * 8))
    for start in range(0, len(shown), step):
        rows = slice(start, min(start + step, len(shown)))
        shape = (rows.stop - rows.start, study.units)
        others = study.texts - study.units
        sizes = 1 + rng.multinomial(others, np.full(study.units, 1 / study.units), shape[0])
        place = rng.random(shape)
        mine = _lab_means(study.examined, sizes, place, rng)
        rest = np.stack([_lab_means(p, sizes, place, rng) for p in study.parrots], axis=1)
        differences = mine[:, None] - rest
        # 'shown' where the lower limit against every parrot is above 0, the best in sample first
        first = differences[np.arange(len(mine)), differences.mean(axis=2).argmin(axis=1)]
        likely = np.flatnonzero(first.mean(axis=1) > 0)
        likely = likely[mean_exceeds_p(first[likely]) <= miss]
        shown[rows][likely] = mean_exceeds_p(differences[likely]).max(axis=1) <= miss
    return Verdicts(shown.reshape(studies, study.cells))


def _lab_means(
    writer: Writer, sizes: NDArray[np.int64], place: Floats, rng: np.random.Generator
) -> Floats:
    """Mean full marks of a writer in every unit; ``place`` orders the units, as its 'same' does."""
    order = {"same": place, "opposite": 1 - place, "own": rng.random(sizes.shape)}[writer.units]
    throughout = rng.random(sizes.shape) < writer.alike
    chance = np.where(throughout, order < writer.strength, writer.strength)
    return rng.binomial(sizes, chance) / sizes


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
    spreads = np.ones(size)
    for i, most in enumerate(np.broadcast_to(np.ravel(rho), size).tolist()):
        shows = np.zeros((n, len(log_rates)), dtype=np.bool_)
        np.put_along_axis(shows, names[i], values=True, axis=1)
        spreads[i] = overlap(shows, log_rates, most * corpus.windows)
    return spreads


def _theme_rates(corpus: Corpus) -> Floats:
    """Share of the windows of each of four themes that show a skill; shape (4, skills)."""
    own = np.arange(corpus.skills) % _THEMES == np.arange(_THEMES)[:, None]
    weight = np.where(own, corpus.attraction, 1.0) / (corpus.attraction + _THEMES - 1) * _THEMES
    return np.minimum(1.0, corpus.rates * weight)


def _held(corpus: Corpus, drawn: list[_Asked], rng: np.random.Generator) -> list[Flags]:
    """Whether the corpus holds each combination, for every k; one corpus a study."""
    if corpus.kind == "large":
        large: list[Flags] = []
        for asked in drawn:
            lam, attraction = _expected(corpus, asked)
            large.append(rng.random(lam.shape) < -np.expm1(-attraction * lam))
        return large
    windows = int(corpus.windows)
    held = [np.zeros(asked.topics.shape, dtype=np.bool_) for asked in drawn]
    by_theme = _theme_rates(corpus).astype(np.float32)
    for s in range(len(drawn[0].topics)):
        theme = rng.integers(len(by_theme), size=windows)
        # one bit a window: a combination is held if all its bits meet in some window
        shows = rng.random((corpus.skills, windows), dtype=np.float32) < by_theme[theme].T
        bits = np.packbits(shows, axis=1)
        topic = rng.integers(corpus.topics, size=windows)
        about = np.packbits(topic == np.arange(corpus.topics)[:, None], axis=1)
        for asked, flags in zip(drawn, held, strict=True):
            together = about[asked.topics[s]]
            for j in range(asked.skills.shape[2]):
                together &= bits[asked.skills[s, :, j]]
            flags[s] = together.any(axis=1)
    return held


def _means(study: RatedStudy, held: Flags, rng: np.random.Generator) -> Floats:
    """Mean of full marks over the rounds of every combination, shape (studies, n)."""
    if study.strength is None:
        return (held | (rng.random(held.shape) < study.slip)).astype(np.float64)
    chance = rng.beta(4 * study.strength, 4 * (1 - study.strength), held.shape)
    return rng.binomial(study.rounds, chance) / study.rounds
