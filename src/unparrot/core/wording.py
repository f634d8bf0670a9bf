"""How numbers, splits and counts are written on the page; what is absent is 'not measured'."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from unparrot.core.estimate import Estimate

ABSENT = "not measured"
LONGEST_LABEL = 22  # letters that fit beside a line of a figure
SPLITS = {
    "all": "all splits",
    "seen": "seen",
    "heldout_topic": "held-out topic × skill",
    "heldout_pair": "held-out pair",
    "heldout_triple": "held-out triple",
    "untrained_k": "untrained k",
    "unknown": "all combinations",
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


def short_names(names: Sequence[str]) -> list[str]:
    """Return names as figures write them: without the provider, and cut in the middle if long.

    A name whose short form another shares is left as it is.

    Examples
    --------
    >>> short_names(["openai/gpt-4o", "lab/runs/demo/463k", "meta/llama-3.1-405b-instruct"])
    ['gpt-4o', '463k', 'llama-3.1-…5b-instruct']
    >>> short_names(["a/gpt-4o", "b/gpt-4o"])
    ['a/gpt-4o', 'b/gpt-4o']
    """
    shorts = [_cut(name.rpartition("/")[2] or name) for name in names]
    times = Counter(shorts)
    return [short if times[short] == 1 else name for name, short in zip(names, shorts, strict=True)]


def _cut(name: str) -> str:
    if len(name) <= LONGEST_LABEL:
        return name
    half = (LONGEST_LABEL - 1) // 2
    return f"{name[:half]}…{name[-(LONGEST_LABEL - 1 - half) :]}"


def dollars(value: float | None) -> str:
    """Write an amount of US dollars.

    Examples
    --------
    >>> dollars(12.3456), dollars(0.00123), dollars(0.0), dollars(None)
    ('$12.35', '$0.0012', '$0.00', 'not measured')
    """
    if value is None:
        return ABSENT
    return f"${value:,.2f}" if value == 0 or value >= 0.1 else f"${value:.2g}"


def points(estimate: Estimate) -> str:
    """Write a difference of shares with its interval, in points of a hundred.

    Examples
    --------
    >>> points(Estimate(-0.125, -0.25, 0.0, 0.95, "tango", 80))
    '−12.5 (−25.0 to +0.0)'
    """
    if estimate.value is None:
        return ABSENT
    if estimate.low is None or estimate.high is None:
        return f"{_signed(estimate.value)} (no interval)"
    return f"{_signed(estimate.value)} ({_signed(estimate.low)} to {_signed(estimate.high)})"


def _signed(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", "−")


def p_value(p: float | None) -> str:
    """Write a p value.

    Examples
    --------
    >>> p_value(0.0312), p_value(0.00002), p_value(None)
    ('0.031', '< 0.001', 'not measured')
    """
    if p is None:
        return ABSENT
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
