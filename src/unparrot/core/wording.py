"""Wording of numbers: percentages, points, intervals, dollars, p values, counts, absent values.

Every page, sentence and table writes its numbers with these functions, so that a share reads the
same wherever it stands. Functions of an `Estimate` take ``narrow=True`` for a column of a
terminal's table, whose heading holds the unit: ``50.0 (40, 60)`` in place of
``50.0 % (40.0–60.0)``, and ``none`` in place of ``not measured``.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from itertools import groupby
from typing import Final

from unparrot.core.estimate import Estimate

ABSENT: Final = "not measured"
ABSENT_NARROW: Final = "none"
# Cell of a table that does not apply, for example the evidence of a claim that was not made.
NOTHING: Final = "–"
SPLITS: Final = {
    "all": "all splits",
    "seen": "seen",
    "heldout_topic": "held-out topic × skill",
    "heldout_pair": "held-out pair",
    "heldout_triple": "held-out triple",
    "untrained_k": "untrained k",
    "unknown": "all combinations",
}
METRIC_NAMES: Final = {
    "full_marks": "full marks",
    "all_skills": "all skills",
    "skill_fraction": "skill fraction",
}
_LONGEST_LABEL: Final = 22  # letters that fit beside a line of a figure


def split_name(split: str) -> str:
    """Return the words for a split; one that has none keeps its name."""
    return SPLITS.get(split, split)


# --- shares -----------------------------------------------------------------------------------


def percent(share: float | None) -> str:
    """Write a share as a percentage of three digits, and 99.99 % not as 100 %.

    Examples
    --------
    >>> percent(0.125), percent(0.0), percent(0.99988), percent(None)
    ('12.5 %', '0 %', '99.99 %', 'not measured')
    """
    # what arithmetic leaves of a whole, 0.9999999999999999, is the whole
    return _rounded(None if share is None else round(share, 12), ROUND_HALF_EVEN)


def at_least(share: float | None) -> str:
    """Write a lower limit of a share, rounded down.

    Examples
    --------
    >>> at_least(0.07079), at_least(1.0)
    ('7.07 %', '100 %')
    """
    return _rounded(share, ROUND_FLOOR)


def at_most(share: float | None) -> str:
    """Write an upper limit of a share, rounded up.

    Examples
    --------
    >>> at_most(0.07071), at_most(0.0)
    ('7.08 %', '0 %')
    """
    return _rounded(share, ROUND_CEILING)


def _rounded(share: float | None, rounding: str) -> str:
    if share is None:
        return ABSENT
    value = Decimal(repr(100 * share))
    # three digits, to a thousandth of a per cent, and as many nines as keep 99.99 % from being all
    digits = max(-3, min(value.adjusted(), 1) - 2) if value else 0
    if 99 < value < 100:
        digits = min(digits, (100 - value).adjusted())
    rounded = value.quantize(Decimal(1).scaleb(digits), rounding=rounding)
    return f"{rounded.normalize():f} %"


def given(share: float) -> str:
    """Write a share that was chosen, such as a confidence level, in full.

    Examples
    --------
    >>> given(0.95), given(0.9973)
    ('95 %', '99.73 %')
    """
    return f"{100 * share:g} %"


def hundredths(share: float | None, digits: int = 1) -> str:
    """Write a share in percent without the sign, for a column whose heading holds it.

    Examples
    --------
    >>> hundredths(0.1254), hundredths(0.1254, digits=0), hundredths(None)
    ('12.5', '13', 'none')
    """
    return ABSENT_NARROW if share is None else f"{100 * share:.{digits}f}"


# --- estimates --------------------------------------------------------------------------------


def interval(estimate: Estimate | None, *, narrow: bool = False) -> str:
    """Write an estimate of a share with its interval, in percent.

    Examples
    --------
    >>> half = Estimate(0.5, 0.4, 0.6, 0.95, "wilson", 100)
    >>> interval(half), interval(half, narrow=True), interval(None)
    ('50.0 % (40.0–60.0)', '50.0 (40, 60)', 'not measured')
    """
    if narrow:
        return _narrow(estimate, 100, "")
    return _prose(estimate, 100, ".1f", " %", "–")


def bounded(estimate: Estimate, bounds: tuple[float, float] | None, *, narrow: bool = False) -> str:
    """Write an estimate of a share and, after a semicolon, its bounds where marks are unscored.

    ``bounds`` are what the share would be had every unscored mark been missed, or earned.

    Examples
    --------
    >>> bounded(Estimate(0.5, 0.4, 0.6, 0.95, "wilson", 100), (0.3, 0.7))
    '50.0 % (40.0–60.0); 30.0 to 70.0'
    """
    words = interval(estimate, narrow=narrow)
    if bounds is None:
        return words
    return f"{words}; {100 * bounds[0]:.1f} to {100 * bounds[1]:.1f}"


def rough(estimate: Estimate) -> str:
    """Write an estimate of a share with its interval in a sentence, in whole percent.

    Examples
    --------
    >>> rough(Estimate(0.5, 0.404, 0.596, 0.95, "wilson", 100))
    '50 % (40 to 60)'
    >>> rough(Estimate(0.996, 0.991, 0.9988, 0.95, "wilson", 2000))  # not all of them
    '99.6 % (99 to 99.9)'
    >>> rough(Estimate(0.01, 0.00177, 0.0545, 0.95, "wilson", 100))
    '1 % (0.2 to 5)'
    """
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return _prose(estimate, 100, ".0f", " %")
    value, low, high = (_whole(x) for x in (estimate.value, estimate.low, estimate.high))
    return f"{value} % ({low} to {high})"


def _whole(share: float) -> str:
    """Write whole percent; with more digits what would be none, or all, by rounding alone."""
    rounded = f"{100 * share:.0f}"
    if rounded == "0" and share > 0:
        return f"{100 * share:.1g}"
    return rounded if rounded not in ("0", "100") else percent(share).removesuffix(" %")


def points(estimate: Estimate | None, *, narrow: bool = False) -> str:
    """Write a difference of shares with its interval, in points of a hundred.

    Examples
    --------
    >>> less = Estimate(-0.125, -0.25, 0.0, 0.95, "tango", 80)
    >>> points(less), points(less, narrow=True)
    ('−12.5 (−25.0 to +0.0)', '-12.5 (-25, +0)')
    """
    if narrow:
        return _narrow(estimate, 100, "+")
    return _prose(estimate, 100, "+.1f").replace("-", "−")


def number(estimate: Estimate | None, digits: int = 2, *, narrow: bool = False) -> str:
    """Write an estimate that is not a share, for example a coefficient, with its interval.

    Examples
    --------
    >>> kappa = Estimate(0.5, -0.04, 0.61, 0.95, "bootstrap", 80)
    >>> number(kappa), number(kappa, 1), number(kappa, narrow=True)
    ('0.50 (−0.04 to 0.61)', '0.5 (−0.0 to 0.6)', '0.50 (-0.04, 0.61)')
    """
    if narrow:
        return _narrow(estimate, 1, "")
    return _prose(estimate, 1, f".{digits}f").replace("-", "−")


def _prose(
    estimate: Estimate | None, scale: int, form: str, unit: str = "", between: str = " to "
) -> str:
    """Write a value with its unit, and the ends of its interval in brackets."""
    if estimate is None or estimate.value is None:
        return ABSENT
    value = f"{scale * estimate.value:{form}}{unit}"
    if estimate.low is None or estimate.high is None:
        return f"{value} (no interval)"
    return f"{value} ({scale * estimate.low:{form}}{between}{scale * estimate.high:{form}})"


def _narrow(estimate: Estimate | None, scale: int, sign: str) -> str:
    """Write a value and its interval for a narrow column, in ASCII."""
    if estimate is None or estimate.value is None:
        return ABSENT_NARROW
    first, digits = (1, 0) if scale == 100 else (2, 2)
    value = f"{scale * estimate.value:{sign}.{first}f}"
    if estimate.low is None or estimate.high is None:
        return value
    ends = (f"{scale * x:{sign}.{digits}f}" for x in (estimate.low, estimate.high))
    return f"{value} ({', '.join(ends)})"


def p_value(p: float | None, *, narrow: bool = False) -> str:
    """Write a p value.

    Examples
    --------
    >>> p_value(0.0312), p_value(0.00002), p_value(None), p_value(0.00002, narrow=True)
    ('0.031', '< 0.001', 'not measured', '<.001')
    """
    if p is None:
        return ABSENT_NARROW if narrow else ABSENT
    if p < 0.001:
        return "<.001" if narrow else "< 0.001"
    return f"{p:.3f}"


# --- counts and amounts -----------------------------------------------------------------------


def count(value: int | None) -> str:
    """Write a whole number with thin spaces between thousands.

    Examples
    --------
    >>> count(12345) == "12\u202f345", count(None)
    (True, 'not measured')
    """
    return ABSENT if value is None else f"{value:,}".replace(",", "\u202f")


def plural(number: int, noun: str) -> str:
    """Write a count and what it counts, as a terminal or a message has it.

    Examples
    --------
    >>> plural(1, "combination"), plural(1200, "text"), plural(0, "reply")
    ('1 combination', '1,200 texts', '0 replies')
    """
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("y") else f"{number:,} {noun}s"


def part_of(some: int, whole: int) -> str:
    """Write a count and which share of the whole it is; the count alone of a whole of 0.

    Examples
    --------
    >>> part_of(3, 24), part_of(0, 0)
    ('3 (12.5 %)', '0')
    """
    return f"{count(some)} ({percent(some / whole)})" if whole else count(some)


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


def nats(value: float | None) -> str:
    """Write a number of nats with three decimals."""
    return ABSENT if value is None else f"{value:.3f}"


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


def duration(seconds: float) -> str:
    """Return a length of time as people say it.

    Examples
    --------
    >>> duration(42.4), duration(3700), duration(200000)
    ('42 s', '1 h 1 min', '2 d 7 h')
    """
    whole = round(seconds)
    units = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))
    for size, name, part, smaller in units:
        if whole >= size:
            return f"{whole // size} {name} {whole % size // part} {smaller}"
    return f"{whole} s"


def disk_size(size: int) -> str:
    """Return a size on disk, in bytes, with its unit.

    Examples
    --------
    >>> disk_size(4_200), disk_size(17_000_000), disk_size(2_500_000_000)
    ('4 kB', '17 MB', '2.5 GB')
    """
    if size >= 1_000_000_000:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.0f} MB" if size >= 1_000_000 else f"{size / 1e3:.0f} kB"


def dollars(value: float | None, *, narrow: bool = False) -> str:
    """Write an amount of US dollars: cents, and of less than ten cents two digits.

    Examples
    --------
    >>> dollars(1234.567), dollars(0.00123), dollars(0.0), dollars(None)
    ('$1,234.57', '$0.0012', '$0.00', 'not measured')
    """
    if value is None:
        return ABSENT_NARROW if narrow else ABSENT
    return f"${value:,.2f}" if value == 0 or value >= 0.1 else f"${value:.2g}"


# --- words ------------------------------------------------------------------------------------


def listed(items: Sequence[object]) -> str:
    """Write a list as prose does.

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    words = [str(item) for item in items]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def printable(text: str) -> str:
    """Return the text with what could steer a terminal, or turn its order, made visible.

    Examples
    --------
    >>> printable("red \\x1b[31m, turned \\u202e")
    'red \\\\x1b[31m, turned \\\\u202e'
    """
    plain = text.replace("\r\n", "\n").replace("\t", "    ")
    steering = {s for s in set(plain) if unicodedata.category(s)[0] == "C"} - set("\n\u200c\u200d")
    return plain.translate({ord(s): s.encode("unicode_escape").decode() for s in steering})


def ranges(numbers: Sequence[int]) -> str:
    """Write rising whole numbers; three or more in a row as a range.

    Examples
    --------
    >>> ranges([1, 2, 3, 5, 6])
    '1 to 3, 5 and 6'
    """
    words: list[object] = []
    for _, places in groupby(enumerate(numbers), lambda place: place[1] - place[0]):
        run = [n for _, n in places]
        words += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else run
    return listed(words)


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
    if len(name) <= _LONGEST_LABEL:
        return name
    half = (_LONGEST_LABEL - 1) // 2
    return f"{name[:half]}…{name[-(_LONGEST_LABEL - 1 - half) :]}"
