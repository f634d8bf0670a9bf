"""Wording of shares: limits are rounded to the side that claims less."""

import math

import numpy as np

from unparrot.core.wording import at_least, at_most


def test_printed_limits_never_claim_more_than_was_shown() -> None:
    rng = np.random.default_rng(6)
    for share in [*rng.random(300), *10 ** rng.uniform(-9, 0, 300), 1 - 1e-7, 0.0, 1.0]:
        low, high = (float(f(float(share)).removesuffix(" %")) / 100 for f in (at_least, at_most))
        assert low <= share * (1 + 1e-12)
        assert high >= share * (1 - 1e-12)
        assert high - low <= max(1.001e-5, 0.011 * share)
    assert at_least(1 - 1e-7) != "100 %"
    assert math.isclose(float(at_most(1e-9).removesuffix(" %")), 0.001)
