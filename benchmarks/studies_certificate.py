"""How often the certificate says 'shown' of simulated parrots and composers.

    python benchmarks/studies_certificate.py [--studies 2000] [--seed 1]

Every row is a regime; the tables of docs/statistics.md are printed by this.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import replace

from simulated_studies import (
    Corpus,
    CountedStudy,
    RatedStudy,
    Verdicts,
    run_counted,
    run_rated,
)

from unparrot.stats.limits import greatest_share

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
    f"attraction {true:g}, told {told:g}": RatedStudy(
        replace(MIDDLE, attraction=true), ks=(3, 4, 5), rho=told
    )
    for true, told in ((2.0, 1.0), (4.0, 1.0), (8.0, 1.0), (8.0, 4.0), (32.0, 8.0))
} | {
    f"slip {true:.0%}, told {told:.0%}": RatedStudy(MIDDLE, slip=true, told_slip=told)
    for true, told in ((0.01, 0.0), (0.05, 0.0), (0.05, 0.02))
}
UNTRUE["12 skills, 4 a window, no overlap allowed for"] = replace(
    PARROTS["12 skills, 4 a window"], overlap=False
)
STRENGTHS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    n, seed = chosen.studies, chosen.seed

    print(f"Parrots certified at any k, of {n:,} studies each (at most 5 % allowed)\n")
    _head("regime", "shown", "95 % upper limit", "seen by k", "B by k")
    for name, study in PARROTS.items():
        found = run_rated(study, n, seed)
        _row(name, *_share(found), _percents(found.seen), _percents(found.told))

    print("\nThe same if the certificate is told less than the truth\n")
    _head("regime", "shown", "95 % upper limit")
    for name, study in UNTRUE.items():
        _row(name, *_share(run_rated(study, n, seed)))

    print("\nLab: a parrot as lucky as the luckiest control; 600 combinations, k from 1 to 6\n")
    _head("luck", "shown", "95 % upper limit", "mean bound")
    for luck in (0.0, 0.01, 0.05, 0.2):
        found = run_counted(CountedStudy(controls=(0.0, luck), examined=luck), n, seed)
        _row(f"{luck:.0%}", *_share(found), _percents(found.told[:1]))

    print("\nLab: a parrot luckier than the only other control, whose luck is 0\n")
    _head("its luck", "combinations", "shown", "with no luck granted")
    for luck in (0.01, 0.02, 0.05, 0.08):
        for combinations in (600, 5000):
            study = CountedStudy(combinations=combinations, controls=(0.0,), examined=luck)
            strict = run_counted(replace(study, granted=0.0), n, seed)
            shown, alone = _share(run_counted(study, n, seed))[0], _share(strict)[0]
            _row(f"{luck:.0%}", str(combinations), shown, alone)

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
            cells = (f"{found.shown[:, i].mean():.0%}" for found in of_strength)
            b = f"{of_strength[0].told[i]:.2%}"
            _row(f"{combinations}, {rounds}", b, *cells)

    print("\nComposers in the lab: certified at one k, beside a parrot with 1 % luck\n")
    lab = (0.05, 0.08, 0.1, 0.15, 0.2, 0.3)
    _head("combinations", "bound", *(f"q = {q:g}" for q in lab))
    for combinations in (100, 200, 400, 800):
        of_strength = [
            run_counted(CountedStudy(combinations=combinations, examined=q), n, seed) for q in lab
        ]
        cells = (f"{found.shown[:, 0].mean():.0%}" for found in of_strength)
        _row(str(combinations), f"{of_strength[0].told[0]:.1%}", *cells)


def _share(found: Verdicts) -> tuple[str, str]:
    upper = float(greatest_share(found.any_shown, found.studies, 0.05))
    return f"{found.any_shown / found.studies:.2%}", f"{upper:.2%}"


def _percents(shares: Iterable[float]) -> str:
    return " / ".join(f"{100 * share:.2g} %" if share < 0.995 else "100 %" for share in shares)


def _head(*cells: str) -> None:
    _row(*cells)
    print("|" + "---|" * len(cells))


def _row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
