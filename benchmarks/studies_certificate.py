"""How often the certificate says 'shown' of simulated copiers, parrots, guessers and composers.

    python benchmarks/studies_certificate.py [lab|rates] [--studies 1000] [--seed 1]

Every row is a regime; the tables of docs/statistics.md are printed by this. The exit code is 1 if
some regime in which nothing is beyond gives 'shown' in more than 5 % of its studies.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import replace

from simulated_studies import (
    Corpus,
    LabStudy,
    RatedStudy,
    Verdicts,
    Writer,
    run_lab,
    run_rated,
)

from unparrot.stats.limits import least_share

MIDDLE = Corpus(windows=1e5)
SMALL = Corpus(skills=12, topics=4, windows=300, kind="themes")
THEMES = Corpus(skills=20, topics=5, windows=5000, kind="themes")
WIDE = Corpus(skills=48, topics=20, windows=5000, kind="themes")

PARROTS = {
    "M = 1e3": RatedStudy(Corpus(windows=1e3)),
    "M = 1e4": RatedStudy(Corpus(windows=1e4)),
    "M = 1e5": RatedStudy(MIDDLE),
    "M = 1e6": RatedStudy(Corpus(windows=1e6)),
    "M = 1e8": RatedStudy(Corpus(windows=1e8)),
    "M = 1e5, attraction 4": RatedStudy(replace(MIDDLE, attraction=4.0)),
    "M = 1e5, attraction 32": RatedStudy(replace(MIDDLE, attraction=32.0)),
    "one k": RatedStudy(MIDDLE, ks=(4,)),
    "k from 1 to 6": RatedStudy(MIDDLE, ks=(1, 2, 3, 4, 5, 6)),
    "30 combinations": RatedStudy(MIDDLE, combinations=30),
    "300 combinations": RatedStudy(MIDDLE, combinations=300),
    "3 rounds": RatedStudy(MIDDLE, rounds=3),
    "slip 2 %": RatedStudy(MIDDLE, slip=0.02),
    "slip 10 %": RatedStudy(MIDDLE, slip=0.1),
    "themes": RatedStudy(THEMES),
    "themes, attraction 4": RatedStudy(replace(THEMES, attraction=4.0)),
    "themes, attraction 16": RatedStudy(replace(THEMES, attraction=16.0)),
    "one theme, attraction 4": RatedStudy(replace(WIDE, attraction=4.0), one_theme=True),
    "one theme, attraction 16": RatedStudy(replace(WIDE, attraction=16.0), one_theme=True),
    "12 skills, 2 a window": RatedStudy(SMALL),
    "12 skills, 4 a window": RatedStudy(replace(SMALL, windows=60, skills_a_window=4.0)),
}
UNTRUE = {
    f"attraction {true:g}, given {given:g}": RatedStudy(
        replace(MIDDLE, attraction=true), ks=(3, 4, 5), rho=given
    )
    for true, given in ((2.0, 1.0), (4.0, 1.0), (8.0, 1.0), (8.0, 4.0), (32.0, 8.0))
} | {
    f"slip {true:.0%}, given {given:.0%}": RatedStudy(MIDDLE, slip=true, given_slip=given)
    for true, given in ((0.01, 0.0), (0.05, 0.0), (0.05, 0.02))
}
UNTRUE["12 skills, 4 a window, no overlap allowed for"] = replace(
    PARROTS["12 skills, 4 a window"], overlap=False
)
STRENGTHS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8)


def named(strongest: Writer) -> tuple[Writer, ...]:
    """Five parrots: four weak ones, and the strongest."""
    return (*(Writer(share) for share in (0.0, 0.01, 0.02, strongest.strength / 2)), strongest)


COPIERS = (0.2, 0.5, 0.8)
"""Strengths of copiers: they win on clauses that fit, whoever else does."""
NOT_BEYOND = (
    {
        f"copier of {share:.0%}, a named copier of {best:.0%}": LabStudy(
            Writer(share, units="same"), named(Writer(best, units="same"))
        )
        for share in COPIERS
        for best in COPIERS
        if share <= best
    }
    | {
        f"composer of {share:.0%}, a named copier of {share:.0%}": LabStudy(
            Writer(share, 0.1), named(Writer(share))
        )
        for share in COPIERS
    }
    | {
        f"lucky guesser of {share:.0%}, as lucky a parrot": LabStudy(
            Writer(share, 0.0), named(Writer(share, 0.0))
        )
        for share in (0.01, 0.05, 0.2)
    }
    | {
        "five parrots of 50 %": LabStudy(Writer(0.5), (Writer(0.5),) * 5),
        "pairs all or nothing, the parrot's elsewhere": LabStudy(
            Writer(0.5, 1.0, "same"), named(Writer(0.5, 1.0, "opposite"))
        ),
        "pairs all or nothing, 10 of them": LabStudy(
            Writer(0.3, 1.0), named(Writer(0.3, 1.0)), units=10
        ),
        "parrot sure of 5 % of the pairs, model spread": LabStudy(
            Writer(0.05, 0.0), named(Writer(0.05, 1.0))
        ),
        "parrot sure of 20 % of the pairs, model spread": LabStudy(
            Writer(0.2, 0.0), named(Writer(0.2, 1.0))
        ),
        "the same, 20 pairs": LabStudy(Writer(0.2, 0.0), named(Writer(0.2, 1.0)), units=20),
        "the same, 20 pairs, one cell": LabStudy(
            Writer(0.2, 0.0), named(Writer(0.2, 1.0)), units=20, cells=1
        ),
        "one text a unit, 50 %": LabStudy(Writer(0.5), named(Writer(0.5)), units=200),
        "one text a unit, 50 %, one cell": LabStudy(
            Writer(0.5), named(Writer(0.5)), units=200, cells=1
        ),
        "66 cells": LabStudy(Writer(0.5), named(Writer(0.5)), cells=66),
    }
)
BEYOND = (
    ("clause copier", 0.1, (0.2, 0.5, 0.8)),
    ("clause copier", 0.5, (0.8,)),
    ("composer", 0.02, (0.05, 0.1, 0.2, 0.3, 0.5, 0.8)),
    ("composer", 0.1, (0.2, 0.3, 0.5, 0.8)),
    ("composer", 0.5, (0.6, 0.7, 0.8, 0.95)),
)
"""Who is examined, the strength of the best named parrot, and strengths."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("part", nargs="?", choices=("lab", "rates"))
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    wrong: list[str] = []
    if chosen.part != "rates":
        wrong += lab(chosen.studies, chosen.seed)
    if chosen.part != "lab":
        wrong += rates(chosen.studies, chosen.seed)
    if wrong:
        raise SystemExit(f"'shown' in more than 5 % of the studies of: {'; '.join(wrong)}")


def lab(n: int, seed: int) -> list[str]:
    """Print the tables of the lab; return the regimes with too many false verdicts."""
    wrong: list[str] = []
    print(f"Lab: nobody is beyond; 'shown' in any of 24 cells, of {n:,} studies each\n")
    _head("examined, and the best of 5 named parrots", "shown", "95 % upper limit")
    for name, study in NOT_BEYOND.items():
        assert not study.is_beyond
        verdicts = run_lab(study, n, seed)
        _row(name, *_share(verdicts))
        if verdicts.any_shown > 0.05 * n:
            wrong.append(name)
    print("\nLab: beyond the named parrots; 'shown' in a cell of 24 (100 units each)\n")
    _head("examined", "best named parrot", "strength", "200 texts", "one text a unit")
    for who, best, strengths in BEYOND:
        for strength in strengths:
            like = Writer(strength, 0.1 if who == "composer" else 0.3)
            study = LabStudy(like, named(Writer(best)))
            cells = [
                f"{run_lab(replace(study, texts=texts), max(1, n // 20), seed).shown.mean():.0%}"
                for texts in (200, 100)
            ]
            _row(who, f"{best:.0%}", f"{strength:.0%}", *cells)
    return wrong


def rates(n: int, seed: int) -> list[str]:
    """Print the tables of the parrot bound; return the regimes with too many false verdicts."""
    wrong: list[str] = []
    print(f"\nParrots certified at any k, of {n:,} studies each (at most 5 % allowed)\n")
    _head("regime", "shown", "95 % upper limit", "held by k", "B by k")
    for name, study in PARROTS.items():
        verdicts = run_rated(study, n, seed)
        _row(name, *_share(verdicts), _percents(verdicts.held), _percents(verdicts.bound))
        if verdicts.any_shown > 0.05 * n:
            wrong.append(name)

    print("\nThe same if the certificate is given less than the truth\n")
    _head("regime", "shown", "95 % upper limit")
    for name, study in UNTRUE.items():
        _row(name, *_share(run_rated(study, n, seed)))

    print("\nComposers, from rates: certified at the k with this B (one of 4 k tested)\n")
    _head("combinations, rounds", "B", *(f"q = {q:g}" for q in STRENGTHS))
    for combinations, rounds in ((30, 1), (100, 1), (100, 3), (300, 1)):
        of_strength = [
            run_rated(
                RatedStudy(MIDDLE, combinations=combinations, rounds=rounds, strength=q), n, seed
            )
            for q in STRENGTHS
        ]
        for i in (3, 2, 1):
            cells = (f"{verdicts.shown[:, i].mean():.0%}" for verdicts in of_strength)
            _row(f"{combinations}, {rounds}", f"{of_strength[0].bound[i]:.2%}", *cells)
    return wrong


def _share(verdicts: Verdicts) -> tuple[str, str]:
    upper = 1 - float(least_share(verdicts.studies - verdicts.any_shown, verdicts.studies, 0.05))
    return f"{verdicts.any_shown / verdicts.studies:.2%}", f"{upper:.2%}"


def _percents(shares: Iterable[float]) -> str:
    return " / ".join(f"{100 * share:.2g} %" if share < 0.995 else "100 %" for share in shares)


def _head(*cells: str) -> None:
    _row(*cells)
    print("|" + "---|" * len(cells))


def _row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
