"""The sentences on theory over measurement say what the figures say, whichever way they fell."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import polars as pl
from msgspec.structs import replace

from unparrot.analysis.theory.concentration import Concentration, concentration
from unparrot.analysis.theory.prediction import (
    ErrorLaw,
    Growth,
    GrowthPoint,
    JointPoint,
    MeasuredLaw,
    Rung,
    Theory,
    growth,
    joint_points,
)
from unparrot.core.estimate import Estimate
from unparrot.report.words.theory_words import theory_findings
from unparrot.stats.intervals import wilson
from unparrot.theory.law.power_law import fit_power

NOTHING = MeasuredLaw(1.0, (), None, "too few runs")
NO_ERRORS = ErrorLaw((), None)
NO_GROWTH = Growth(0.2, None, (), None)


def findings(
    law: MeasuredLaw,
    errors: ErrorLaw,
    curves: Sequence[Concentration],
    joint: Sequence[JointPoint],
    grown: Growth,
) -> list[str]:
    return theory_findings(Theory(law, errors, tuple(curves), (), tuple(joint), grown))


def estimate(value: float, low: float | None = None, high: float | None = None) -> Estimate:
    return Estimate(value, low, high, 0.95, "given", 10)


def curve() -> Concentration:
    rng = np.random.default_rng(1)
    frame = pl.DataFrame(
        {
            "model": "m",
            "piece": range(200),
            "skills": [[f"s{i % 10}"] for i in range(200)],
            "questions": [1] * 200,
            "wrong": (rng.random(200) < 0.2).astype(int),
        }
    )
    return concentration(frame, "m", 1, seed=1)


def test_nothing_measured_says_nothing() -> None:
    assert findings(NOTHING, NO_ERRORS, [], [], NO_GROWTH) == []


def test_curves() -> None:
    plain = replace(curve(), p_value=0.5, placed=estimate(0.1, -0.1, 0.3), above=False)
    other = replace(plain, p_value=0.01, placed=None)
    (said,) = findings(NOTHING, NO_ERRORS, [plain, other], [], NO_GROWTH)
    assert said == (
        "No measured curve lies above the sharp bound beyond chance. In 1 of 2 the failures prefer"
        " some skills or pairs beyond chance (p under 0.05 each). At the worst 25 % of skills the"
        " models stand 10 % of the way from luck to malice (intervals within -10 and 30)."
    )
    (said,) = findings(NOTHING, NO_ERRORS, [plain, replace(other, above=True)], [], NO_GROWTH)
    assert said.startswith("Beyond chance 1 of 2 measured curves lie above the sharp bound")


def test_errors_tell_whether_the_theory_is_excluded() -> None:
    def said(exponent: Estimate) -> str:
        return findings(NOTHING, ErrorLaw((), exponent), [], [], NO_GROWTH)[0]

    assert said(estimate(0.7, 0.4, 1.1)).endswith(
        "the theory assumes 1, which the interval allows."
    )
    assert said(estimate(-0.7, -0.9, -0.4)) == (
        "Errors go as the excess loss to the power −0.70 (−0.90 to −0.40); the theory assumes 1,"
        " which the interval excludes."
    )
    assert said(estimate(0.7)).endswith("0.70 (no interval); the theory assumes 1.")


def test_the_slingshot_is_not_called_off_where_it_is_not() -> None:
    rows = [("m", k, i < 2 * k) for k in (1, 2) for i in range(100)]
    frame = pl.DataFrame(
        {
            "model": [m for m, _, _ in rows],
            "skills": [["a", "b"][:k] for _, k, _ in rows],
            "questions": [1] * 200,
            "wrong": [int(f) for _, _, f in rows],
        }
    )
    points: list[JointPoint] = joint_points(frame)
    (said,) = findings(NOTHING, NO_ERRORS, [], points, NO_GROWTH)
    assert said == (
        "The slingshot is off beyond chance (95 % each) in 0 of 1 cases; the largest residual is"
        " that of m at k = 2, which fails 4.0 % where it says 4.0 %."
    )


def rung(name: str, excess: float, *earned: int) -> Rung:
    return Rung(name, excess, 0.5, tuple(wilson(m, 100) for m in earned))


def test_growth_is_told_of_the_last_model_that_could_have_failed_it() -> None:
    none, small, middle, large = (
        rung("none", 0.9, 5, 0),
        rung("small", 0.4, 100, 0),
        rung("middle", 0.1, 100, 100, 0),
        rung("large", 0.05, 100, 100, 100),
    )
    found = growth([none, small, middle, large], 0.2)
    (said,) = findings(NOTHING, NO_ERRORS, [], [], found)
    assert said.startswith(
        "From small, which reaches k = 1.8, the theory predicts k = 7.2 for middle;"
        " it reaches 2.8 ("
    )
    (said,) = findings(NOTHING, NO_ERRORS, [], [], growth([small, large], 0.2))
    assert said.endswith("k = 14.4 for large; it reaches at least 3.0, the largest k tested.")
    untold = GrowthPoint("a", estimate(2.0), False, None, None)
    assert findings(NOTHING, NO_ERRORS, [], [], Growth(0.2, "a", (untold,), None)) == []


def test_the_law_keeps_its_sign() -> None:
    fit = fit_power([1e6, 1e7, 1e8], [3.0, 2.5, 2.25], floor=2.0)
    law = MeasuredLaw(2.0, (), dataclasses.replace(fit, alpha=estimate(0.9, 0.5, 1.2)), None)
    assert findings(law, NO_ERRORS, [], [], NO_GROWTH) == [
        "Over the exact floor the loss goes as the number of parameters to the power"
        " −0.90 (−1.20 to −0.50)."
    ]
