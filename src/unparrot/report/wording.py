"""How numbers, splits and counts are written on the page; what is absent is 'not measured'."""

from __future__ import annotations

from unparrot.core.estimate import Estimate

ABSENT = "not measured"
SPLITS = {
    "all": "all splits",
    "seen": "seen",
    "heldout_topic": "held-out topic × skill",
    "heldout_pair": "held-out pair",
    "heldout_triple": "held-out triple",
    "untrained_k": "untrained k",
}
METRIC_NAMES = {
    "full_marks": "full marks",
    "all_skills": "all skills",
    "skill_fraction": "skill fraction",
}


def split_name(split: str) -> str:
    """Return the words for a split; one that has none keeps its name."""
    return SPLITS.get(split, split)


def percent(value: float | None) -> str:
    """Write a share in [0, 1] as a percentage.

    Examples
    --------
    >>> percent(0.125), percent(None), percent(0.996)
    ('12.5 %', 'not measured', '99.6 %')
    """
    return ABSENT if value is None else f"{100 * value:.3g} %" if value < 1 else "100 %"


def interval(estimate: Estimate) -> str:
    """Write an estimate of a share with its interval, in percent.

    Examples
    --------
    >>> interval(Estimate(0.5, 0.4, 0.6, 0.95, "wilson", 100))
    '50.0 % (40.0–60.0)'
    """
    if estimate.value is None:
        return ABSENT
    if estimate.low is None or estimate.high is None:
        return f"{100 * estimate.value:.1f} % (no interval)"
    return f"{100 * estimate.value:.1f} % ({100 * estimate.low:.1f}–{100 * estimate.high:.1f})"


def nats(value: float | None) -> str:
    """Write a number of nats with three decimals."""
    return ABSENT if value is None else f"{value:.3f}"


def count(value: int | None) -> str:
    """Write a whole number with thin spaces between thousands.

    Examples
    --------
    >>> count(None)
    'not measured'
    """
    return ABSENT if value is None else f"{value:,}".replace(",", "\u202f")


def short(value: float) -> str:
    """Write a large number in three or four characters.

    Examples
    --------
    >>> [short(x) for x in (950, 9200, 83_000, 443_000, 1_000_000, 2_500_000)]
    ['950', '9.2k', '83k', '443k', '1M', '2.5M']
    """
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            scaled = value / size
            return f"{scaled:.0f}{letter}" if scaled >= 10 else f"{scaled:.2g}{letter}"
    return f"{value:.0f}"


def seconds(value: float | None) -> str:
    """Write a duration.

    Examples
    --------
    >>> seconds(3.14159), seconds(125.0)
    ('3.1 s', '2 min 5 s')
    """
    if value is None:
        return ABSENT
    if value < 60:
        return f"{value:.1f} s"
    return f"{int(value // 60)} min {int(value % 60)} s"
