"""How often a certificate by measured rates says 'shown' of parrots, and what measuring costs.

    python benchmarks/studies_rates.py [--studies 1000] [--seed 1] [--kind lab]

Every study draws a corpus whose windows are counted, combinations of its skills and topics, a
parrot that earns full marks on just those that some window holds, and composers that earn them with
a fixed chance; samples 2,000 windows, has a planted tagger mark them and a person label 200; and
certifies all by `unparrot.analysis.certificate`, as `unparrot certify --rates` does. Beside it
stand certificates of the same corpus with nothing to estimate: by its true rates and attraction,
and by counting which combinations it holds. The exit code is 1 if parrots are 'shown' in more than
5 % of the studies of some kind of corpus.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unparrot.analysis.certificate.beyond_bound import claims_beyond_bound, lower_limit
from unparrot.analysis.certificate.corpus_rates import CorpusRates
from unparrot.analysis.certificate.evidence import Evidence
from unparrot.analysis.certificate.measured_rates import (
    VERSION,
    MeasuredRates,
    attractions,
    named_rates,
)
from unparrot.core.skills import SkillCombination
from unparrot.stats.misclassified import JudgeErrors

Flags = NDArray[np.bool_]
Kind = Literal["independent", "rich", "themes", "lab"]

LEVEL: Final = 0.95
KS: Final = (4, 5, 6)
COMBINATIONS: Final = 100
PARROT: Final = "parrot"
STRENGTHS: Final = (0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True, slots=True)
class TaggedStudy:
    """A corpus and how it is tagged.

    Parameters
    ----------
    kind
        ``'independent'``: skills come independently. ``'rich'``: windows differ in their richness
        by a log-normal factor, as the certificate assumes. ``'themes'``: every window has one of
        four themes, whose skills are three times as frequent in it. ``'lab'``: as documents of the
        lab are drawn: one to six skills, each pair of a twentieth of all pairs never together, and
        one topic.
    skills, topics, windows
        Of the corpus.
    sampled, labelled
        Windows that are tagged, and of these labelled.
    sensitivity, specificity
        Of the tagger.
    """

    kind: Kind = "independent"
    skills: int = 20
    topics: int = 5
    windows: int = 20_000
    sampled: int = 2000
    labelled: int = 200
    sensitivity: float = 0.85
    specificity: float = 0.95


def corpus_of(study: TaggedStudy, rng: np.random.Generator) -> tuple[Flags, Flags]:
    """Draw what each window shows: skills, and topics."""
    size, n = study.windows, study.skills
    rates = np.arange(1, n + 1) ** -0.5
    rates *= 2.0 / rates.sum()
    if study.kind == "lab":
        number = rng.choice(6, size, p=[0.35, 0.3, 0.2, 0.1, 0.04, 0.01]) + 1
        order = rng.gumbel(size=(size, n)) + np.log(rates)
        shown = (-order).argsort(axis=1).argsort(axis=1) < number[:, None]
        pairs = np.array([(i, j) for i in range(n) for j in range(i)])
        held_out = pairs[rng.choice(len(pairs), len(pairs) // 20, replace=False)]
        apart = (shown[:, held_out[:, 0]] & shown[:, held_out[:, 1]]).any(axis=1)
        shown = shown[~apart]
        about = np.eye(study.topics, dtype=np.bool_)[rng.integers(0, study.topics, len(shown))]
        return shown, about
    factor = np.ones((size, n))
    if study.kind == "rich":
        factor *= np.exp(0.4 * rng.normal(size=(size, 1)) - 0.08)
    elif study.kind == "themes":
        theme = rng.integers(0, 4, (size, 1)) == np.arange(n) % 4
        factor = np.where(theme, 3.0, 1.0) / 1.5
    topics = np.full(study.topics, 1 / study.topics)
    return rng.random((size, n)) < rates * factor, rng.random((size, study.topics)) < topics


def measured(
    study: TaggedStudy, shown: Flags, about: Flags, rng: np.random.Generator
) -> MeasuredRates:
    """Sample, tag and label the corpus."""
    drawn = rng.integers(0, len(shown), study.sampled)
    true, topics = shown[drawn], about[drawn]
    chance = np.where(true, study.sensitivity, 1 - study.specificity)
    tags = rng.random(true.shape) < chance
    # a person sees half of the skills of each window that is labelled
    asked = np.zeros_like(true)
    asked[: study.labelled, ::2] = True
    counts = ((tags & true), true, (~tags & ~true), ~true)
    errors = JudgeErrors(*(int((flags & asked).sum()) for flags in counts))
    return MeasuredRates(
        *(VERSION, "", "", 30, float(len(shown)), study.sampled, "planted", 1, None),
        *("person:planted", errors, None, None),
        named_rates(_counts("s", tags), {}, study.sampled, errors),
        named_rates(_counts("t", topics), {}, study.sampled, None),
        *attractions(tags, topics, errors, rng),
    )


def _counts(letter: str, flags: Flags) -> dict[str, int]:
    return {f"{letter}{i}": int(count) for i, count in enumerate(flags.sum(axis=0))}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the three certificates of a study say: whether each writer is 'shown', by k; shape
    (certificates, writers, k), the certificates by measured rates, true rates, counting."""

    shown: Flags


def certified(study: TaggedStudy, rng: np.random.Generator) -> Outcome:
    """Draw a study and certify its writers."""
    shown, about = corpus_of(study, rng)
    writers = (PARROT, *(f"composer {strength:g}" for strength in STRENGTHS))
    asked = {k: _combinations(study, k, rng) for k in KS}
    held = {
        k: np.array([(shown[:, skills].all(axis=1) & about[:, t]).any() for skills, t in each])
        for k, each in asked.items()
    }
    rows = [
        (writer, k, "random", c.id, c.topic, list(c.skills), float(mark), 1, 0)
        for k in KS
        for i, writer in enumerate(writers)
        for c, mark in zip(
            [SkillCombination(f"t{t}", tuple(f"s{s}" for s in skills)) for skills, t in asked[k]],
            held[k] if i == 0 else rng.random(COMBINATIONS) < STRENGTHS[i - 1],
            strict=True,
        )
    ]
    columns = ["model", "k", "split", "combination", "topic", "skills", "worst", "texts"]
    frame = pl.DataFrame(rows, [*columns, "unsettled"], orient="row")
    windows = float(len(shown))
    by_sample = claims_beyond_bound(
        Evidence("greedy", writers, frame), measured(study, shown, about, rng), windows, 1, 0, LEVEL
    )[0]
    true = CorpusRates(
        {f"s{i}": float(rate) for i, rate in enumerate(shown.mean(axis=0))},
        {f"t{i}": float(rate) for i, rate in enumerate(about.mean(axis=0))},
    )
    by_rates = [
        claim
        for k in KS
        for claim in claims_beyond_bound(
            Evidence("greedy", writers, frame.filter(pl.col("k") == k)),
            true,
            windows,
            _attraction(shown, about, asked[k]),
            0,
            1 - (1 - LEVEL) / len(KS),
        )[0]
    ]
    verdicts = np.zeros((3, len(writers), len(KS)), dtype=np.bool_)
    for certificate, claims in enumerate((by_sample, by_rates)):
        for claim in claims:
            verdicts[certificate, writers.index(claim.model), KS.index(claim.k)] = claim.shown
    miss = (1 - LEVEL) / len(KS) / len(writers)
    for j, k in enumerate(KS):
        own = frame.filter(pl.col("k") == k)
        for i, writer in enumerate(writers):
            total = float(own.filter(pl.col("model") == writer)["worst"].sum())
            limit = float(lower_limit(total, COMBINATIONS, miss, single=True))
            verdicts[2, i, j] = limit > held[k].mean()
    return Outcome(verdicts)


def _combinations(
    study: TaggedStudy, k: int, rng: np.random.Generator
) -> list[tuple[list[int], int]]:
    """Different combinations of k skills and a topic."""
    drawn: dict[tuple[tuple[int, ...], int], None] = {}
    while len(drawn) < COMBINATIONS:
        skills = tuple(sorted(rng.choice(study.skills, k, replace=False).tolist()))
        drawn[skills, int(rng.integers(0, study.topics))] = None
    return [(list(skills), topic) for skills, topic in drawn]


def _attraction(shown: Flags, about: Flags, asked: list[tuple[list[int], int]]) -> float:
    """How often the combinations are in the corpus, over what independent skills would give."""
    p, z = shown.mean(axis=0), about.mean(axis=0)
    expected = sum(float(z[t] * np.prod(p[skills])) for skills, t in asked)
    met = sum(float((shown[:, skills].all(axis=1) & about[:, t]).mean()) for skills, t in asked)
    return max(1.0, met / expected)


def run(study: TaggedStudy, studies: int, seed: int) -> Flags:
    """Return the verdicts of some studies, shape (studies, certificates, writers, k)."""
    streams = np.random.SeedSequence(seed).spawn(studies)
    return np.array([certified(study, np.random.default_rng(each)).shown for each in streams])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=get_args(Kind))
    chosen = parser.parse_args()
    wrong: list[str] = []
    for kind in [chosen.kind] if chosen.kind else get_args(Kind):
        verdicts = run(TaggedStudy(kind), chosen.studies, chosen.seed)
        false = verdicts[:, :, 0].any(axis=2).sum(axis=0)
        print(f"{kind}: {chosen.studies} corpora")
        print(f"{'certificate by':<16}{'parrot shown':>14}", end="")
        print("".join(f"{f'{s:.0%}, k = {k}':>13}" for s in STRENGTHS for k in KS))
        for i, name in enumerate(("measured rates", "true rates", "counting")):
            power = verdicts[:, i, 1:].mean(axis=0).ravel()
            print(f"{name:<16}{false[i]:>8} {false[i] / chosen.studies:>4.1%}", end="")
            print("".join(f"{share:>13.0%}" for share in power))
        if false[0] > 0.05 * chosen.studies + 2 * math.sqrt(0.0475 * chosen.studies):
            wrong.append(kind)
    if wrong:
        raise SystemExit(f"'shown' of parrots in more than 5 % of the studies: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
