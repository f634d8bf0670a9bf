"""The rate of something from the marks of an imperfect judge whose errors are known by labels.

A judge that sees what is there with sensitivity s, and passes over what is not with specificity c,
marks a share t = p s + (1 - p) (1 - c) of all, so that the rate is

    p = (t + c - 1) / (s + c - 1),

Rogan and Gladen's estimator. Its interval is put together from Wilson's for t, s and c by the
method of variance estimates recovery (see `unparrot.stats.mover`): p is worked out again with each
of them at the end of its interval that moves it most, and the three moves are added at right
angles. An upper limit that must hold for certain has all three at their exact limits at once.

References
----------
Rogan and Gladen (1978), "Estimating prevalence from the results of a screening test", American
Journal of Epidemiology 107. Lang and Reiczigel (2014), "Confidence limits for prevalence of disease
adjusted for estimated sensitivity and specificity", Preventive Veterinary Medicine 113, for how the
normal interval fails. Zou and Donner (2008), Statistics in Medicine 27, for the method.
"""

import math
from typing import NamedTuple

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.stats.intervals import widened, wilson, wilson_limits
from unparrot.stats.limits import least_share

# Labels of what is there, and of what is not, below which nothing is corrected.
LEAST_LABELS = 5


class JudgeErrors(NamedTuple):
    """A judge beside labels: ``seen`` of ``present`` were marked, ``passed`` of ``absent`` not."""

    seen: int
    present: int
    passed: int
    absent: int

    @property
    def enough(self) -> bool:
        """Whether there are labels enough of both kinds to correct by."""
        return min(self.present, self.absent) >= LEAST_LABELS


def true_rate(marked: int, n: int, errors: JudgeErrors | None, level: float = 0.95) -> Estimate:
    """Return a rate corrected for the errors of the judge, with its interval.

    Parameters
    ----------
    marked, n
        How many of n independent cases the judge marked.
    errors
        Of the judge, from labels of other cases, or of these; None takes it to make none.
    level
        Confidence level in (0, 1).

    Raises
    ------
    BadInput
        If the numbers are out of range, or there are not labels enough.

    Notes
    -----
    A judge that does no better than chance, as far as its labels say, leaves any rate possible.
    The upper end is above 0 also where nothing was marked.

    Examples
    --------
    >>> rate = true_rate(260, 2000, JudgeErrors(34, 40, 152, 160))
    >>> round(rate.value, 3), round(rate.low, 3), round(rate.high, 3)
    (0.1, 0.042, 0.139)
    """
    shown = wilson(marked, n, level)
    if errors is None or shown.value is None:
        return shown
    _check(errors)
    t, s, c = shown.value, errors.seen / errors.present, errors.passed / errors.absent
    (t_low, t_high), (s_low, s_high), (c_low, c_high) = (
        wilson_limits(share, size, level)
        for share, size in ((t, n), (s, errors.present), (c, errors.absent))
    )
    p = _rate(t, s, c)
    if not math.isfinite(p):
        return Estimate(t, 0.0, 1.0, level, "rogan-gladen", n)
    above = math.hypot(
        *(max(0.0, _rate(*at) - p) for at in ((t_high, s, c), (t, s_low, c), (t, s, c_high)))
    )
    below = math.hypot(
        *(max(0.0, p - _rate(*at)) for at in ((t_low, s, c), (t, s_high, c), (t, s, c_low)))
    )
    value = min(1.0, max(0.0, p))
    high = min(1.0, value + above) if math.isfinite(above) else 1.0
    low = max(0.0, p - below) if math.isfinite(below) else 0.0
    return widened(value, low, high, level, "rogan-gladen", n)


def most_rate(
    marked: int, n: int, errors: JudgeErrors | None, miss: float, miss_errors: float
) -> float:
    """Return an upper limit of a rate, which holds but for the chances of error it is given.

    Parameters
    ----------
    marked, n, errors
        As for `true_rate`.
    miss
        Greatest probability, in (0, 0.25), that the share marked lies above its own limit.
    miss_errors
        Greatest probability that sensitivity or specificity lies outside of its limit. They are the
        same for every rate of one judge, and so is this chance.

    Examples
    --------
    >>> round(most_rate(0, 2000, None, 0.05, 0.05), 5)
    0.0015
    """
    t = _most(marked, n, miss)
    if errors is None:
        return t
    _check(errors)
    s = float(least_share(errors.seen, errors.present, miss_errors / 2))
    c = _most(errors.passed, errors.absent, miss_errors / 2)
    return min(1.0, max(_most(0, n, miss), _rate(t, s, c)))


def _most(successes: int, n: int, miss: float) -> float:
    return 1.0 - float(least_share(n - successes, n, miss))


def _rate(t: float, s: float, c: float) -> float:
    """The rate, infinite for a judge no better than chance."""
    return (t + c - 1) / (s + c - 1) if s + c > 1 else math.inf


def _check(errors: JudgeErrors) -> None:
    if not (0 <= errors.seen <= errors.present and 0 <= errors.passed <= errors.absent):
        raise BadInput(f"a judge cannot see more than there is: {errors}")
    if not errors.enough:
        raise BadInput(
            f"too few labels to correct by: {errors.present} of what is there and {errors.absent} "
            f"of what is not; give at least {LEAST_LABELS} of both"
        )
