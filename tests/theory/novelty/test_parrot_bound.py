"""The parrot bound: against enumeration, high precision, published figures and planted corpora."""

import math
from itertools import combinations, product
from statistics import mean

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from unparrot.core.errors import BadInput
from unparrot.core.skills import SkillCombination
from unparrot.theory.novelty import parrot_bound as novelty
from unparrot.theory.novelty.capped import (
    Sampling,
    TopicMean,
    bernstein,
    draw_subsets,
    log_mean_product,
    subset_table,
)
from unparrot.theory.novelty.parrot_bound import (
    CombinationSet,
    all_combinations,
    average_rates,
    flip_rho,
    listed,
    parrot_bound,
)

RATE = st.floats(1e-6, 1.0)


def lambdas(skills: list[float], topics: list[float], windows: float, k: int) -> list[float]:
    """Every expected count, one by one."""
    return [
        windows * topic * math.prod(chosen)
        for chosen, topic in product(combinations(skills, k), topics)
    ]


def spread_rates(n: int, seed: int, centre: float = -3.0) -> list[float]:
    """Rates over some orders of magnitude, as those of real skills are."""
    return np.minimum(1, np.exp(np.random.default_rng(seed).normal(centre, 1.2, n))).tolist()


@pytest.fixture
def always_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(novelty, "ENUMERATED", 0)


# --- sums over subsets ---------------------------------------------------------------------------


def test_mean_product_in_high_precision() -> None:
    rng = np.random.default_rng(2)
    rates = 10 ** rng.uniform(-12, 0, 2000)
    with mpmath.workdps(40):
        row = [mpmath.mpf(1)] + [mpmath.mpf(0)] * 20
        for rate in rates.tolist():
            for j in range(20, 0, -1):
                row[j] += row[j - 1] * mpmath.mpf(rate)
        for k in (1, 2, 7, 20):
            expected = float(mpmath.log(row[k] / mpmath.binomial(2000, k)))
            assert log_mean_product(np.log(rates), k) == pytest.approx(expected, abs=1e-10)


@given(st.lists(RATE, min_size=1, max_size=8), st.data())
def test_mean_product_is_the_mean_over_subsets(rates: list[float], data: st.DataObject) -> None:
    k = data.draw(st.integers(0, len(rates)))
    expected = mean(map(math.prod, combinations(rates, k)))
    assert math.exp(log_mean_product(np.log(rates), k)) == pytest.approx(expected, rel=1e-12)


def test_subsets_are_drawn_in_proportion_to_their_product() -> None:
    weights = np.array([0.1, 2.0, 0.7, 0.7, 3.0, 1e-3])
    table = subset_table(np.log(weights), 3)
    drawn = draw_subsets(table, 60_000, np.random.default_rng(4))
    assert (np.diff(drawn, axis=1) > 0).all()
    sets = list(combinations(range(6), 3))
    products = np.array([weights[list(s)].prod() for s in sets])
    counts = np.array([(drawn == s).all(axis=1).sum() for s in sets])
    expected = products / products.sum() * len(drawn)
    common = expected > 5
    found = np.append(counts[common], counts[~common].sum())
    due = np.append(expected[common], expected[~common].sum())
    # chi-square, at 1 in 10,000
    assert stats.chisquare(found, due).pvalue > 1e-4


@given(st.lists(RATE, min_size=1, max_size=6), st.floats(-20, 900))
def test_topic_mean(rates: list[float], log_q: float) -> None:
    expected = mean(1.0 if math.log(p) + log_q >= 0 else math.exp(log_q) * p for p in rates)
    assert TopicMean(np.array(rates))(np.array([log_q]))[0] == pytest.approx(expected, rel=1e-12)


def test_topic_mean_where_it_underflows() -> None:
    assert TopicMean(np.array([0.5, 0.25])).log(np.array([-900.0]))[0] == pytest.approx(
        -900 + math.log(0.375)
    )


# --- the bound -----------------------------------------------------------------------------------


@given(
    st.lists(RATE, min_size=3, max_size=6),
    st.lists(RATE, min_size=1, max_size=3),
    st.floats(0, 25),
    st.floats(0, 5),
    st.integers(1, 3),
)
@settings(max_examples=200)
def test_bound_is_the_mean_over_all_combinations(
    skills: list[float], topics: list[float], log_windows: float, log_rho: float, k: int
) -> None:
    windows, rho = math.exp(log_windows), math.exp(log_rho)
    expected = [rho * x for x in lambdas(skills, topics, windows, k)]
    tested = all_combinations(skills, topics, windows, k)
    bound = parrot_bound(tested, rho)
    assert bound.count == len(expected)
    assert bound.uncapped == pytest.approx(mean(expected), rel=1e-10)
    assert bound.limit == pytest.approx(mean(min(1.0, x) for x in expected), rel=1e-10)
    if not math.isclose(max(expected), 1, rel_tol=1e-9):
        assert bound.capped == (max(expected) > 1)
    # a list of the same combinations, and the averages from above (Maclaurin, Jensen)
    named_skills = {f"s{i}": p for i, p in enumerate(skills)}
    named_topics = {f"t{i}": p for i, p in enumerate(topics)}
    rows = [
        SkillCombination(t, chosen)
        for chosen, t in product(combinations(named_skills, k), named_topics)
    ]
    same = parrot_bound(listed(rows, named_skills, named_topics, windows), rho)
    assert same.limit == pytest.approx(bound.limit, rel=1e-10)
    above = parrot_bound(average_rates(mean(skills), mean(topics), windows, k), rho)
    assert above.limit >= bound.limit * (1 - 1e-9)


def test_published_bound_for_the_corpus_of_gpt_4() -> None:
    # Yu et al. (2023, section 6): rates at most 0.0144 and 0.0022, 5e10 windows; 0.07 and 0.001.
    # 0.0144^5 * 0.0022 * 5e10 = 6.1917e-10 * 1.1e8 = 0.068109
    five, six = (parrot_bound(average_rates(0.0144, 0.0022, 5e10, k)) for k in (5, 6))
    assert five.limit == pytest.approx(0.068109, rel=1e-5)
    assert six.limit == pytest.approx(0.068109 * 0.0144, rel=1e-5)
    # "more than one-third of the successes are new" where the measured ratio is 3/2 of B
    assert five.new_share(1.5 * five.limit) == pytest.approx(1 / 3)
    assert five.new_share(0.12) == pytest.approx(1 - 0.068109 / 0.12, rel=1e-5)


@pytest.mark.usefixtures("always_sampled")
def test_sampled_interval_keeps_its_level() -> None:
    skills, topics = spread_rates(18, 1), spread_rates(9, 2, -6.0)
    for windows, k in ((1e5, 3), (1e7, 4), (1e9, 5), (1e13, 5)):
        exact = mean(min(1.0, x) for x in lambdas(skills, topics, windows, k))
        tested = all_combinations(skills, topics, windows, k)
        missed, widths = 0, []
        for seed in range(100):
            bound = parrot_bound(tested, sampling=Sampling(2000, seed)).bound
            assert bound.method == "sampled, empirical Bernstein"
            assert bound.low is not None
            assert bound.high is not None
            missed += not bound.low <= exact <= bound.high
            widths.append((bound.high - bound.low) / exact)
        # at most 5 % are missed: more than 13 of 100 would happen once in 2,000
        assert missed <= 13
        assert mean(widths) < 0.5


def test_no_tilt_at_all_would_be_far_worse() -> None:
    # Nearly all of B comes from few subsets: plain sampling of 20,000 sees almost none of them.
    skills, topics = [1.0] * 5 + [1e-3] * 95, [0.5]
    tested = all_combinations(skills, topics, 10.0, 5)
    bound = parrot_bound(tested, sampling=Sampling(20_000, 1)).bound
    # by hand: j of the 5 certain skills among the 5: lambda = 5 * 1000^-(5 - j)
    exact = sum(
        math.comb(5, j) * math.comb(95, 5 - j) * min(1, 5e-3 ** (5 - j) * 5 ** (j - 4))
        for j in range(6)
    ) / math.comb(100, 5)
    assert bound.value is not None
    assert bound.low is not None
    assert bound.high is not None
    assert bound.low <= exact <= bound.high
    assert (bound.high - bound.low) / exact < 0.1


def test_bernstein_is_the_formula() -> None:
    # Maurer and Pontil, theorem 4, at delta / 2 for each side: ln(2 / (delta / 2)) = ln 80
    values = np.array([0.1, 0.4, 0.4, 0.9])
    average, half = bernstein(values, 0.95)
    variance = ((values - 0.45) ** 2).sum() / 3
    assert average == pytest.approx(0.45)
    expected = math.sqrt(2 * variance * math.log(80) / 4) + 7 * math.log(80) / 9
    assert half == pytest.approx(expected)


# --- verdict and flip ----------------------------------------------------------------------------


def test_not_shown_has_no_share_and_no_rho() -> None:
    tested = average_rates(0.0144, 0.0022, 5e10, 4)  # B = 1
    bound = parrot_bound(tested)
    assert bound.limit == 1
    assert not bound.is_beyond(1.0)
    assert bound.new_share(1.0) is None
    assert flip_rho(tested, 1.0) is None
    assert flip_rho(average_rates(0.5, 0.5, 1, 3), 0.0) is None


def flipping_sets() -> dict[str, CombinationSet]:
    skills, topics = spread_rates(12, 5), spread_rates(4, 6, -5.0)
    named = {f"s{i}": p for i, p in enumerate(skills)}
    rows = [SkillCombination("t", chosen) for chosen in list(combinations(named, 3))[::7]]
    return {
        "averages": average_rates(0.01, 0.01, 1e5, 2),
        "pack": all_combinations(skills, topics, 1e4, 3),
        "pack never capped": all_combinations(skills, topics, 2.0, 3),
        "list": listed(rows, named, {"t": 0.01}, 1e4),
    }


@pytest.mark.parametrize("name", ["averages", "pack", "pack never capped", "list"])
@pytest.mark.parametrize("share", [0.1, 0.6, 1.0])
def test_verdict_flips_at_rho(name: str, share: float) -> None:
    tested = flipping_sets()[name]
    low = parrot_bound(tested).limit
    measured = low + share * (1 - low)
    rho = flip_rho(tested, measured)
    assert rho is not None
    assert rho > 1
    assert parrot_bound(tested, rho).limit == pytest.approx(measured, rel=1e-9)
    assert parrot_bound(tested, 1 + (rho - 1) * 0.99).is_beyond(measured)
    assert not parrot_bound(tested, rho * 1.01).is_beyond(measured)


def test_sampled_flip_agrees_with_enumeration(monkeypatch: pytest.MonkeyPatch) -> None:
    skills, topics = spread_rates(18, 1), spread_rates(9, 2, -6.0)
    exact = all_combinations(skills, topics, 1e6, 4)
    monkeypatch.setattr(novelty, "ENUMERATED", 0)
    sampled = all_combinations(skills, topics, 1e6, 4)
    assert sampled.log_q is None
    for measured in (0.1, 0.3, 0.8, 1.0):
        # the verdict uses the upper end, so it flips a little earlier, never later
        flips = flip_rho(exact, measured), flip_rho(sampled, measured, Sampling(50_000, 1))
        assert flips[0] is not None
        assert flips[1] is not None
        assert 0.97 * flips[0] < flips[1] <= flips[0] * (1 + 1e-9)


# --- a corpus whose combinations are known -------------------------------------------------------


def test_planted_corpora_hold_no_more_than_the_bound() -> None:
    n, k, windows, corpora = 12, 3, 1500, 60
    skills, topics = spread_rates(n, 8, -2.2), [0.3, 0.05, 0.01]
    rng = np.random.default_rng(9)
    shares = []
    for _ in range(corpora):
        has_skill = rng.random((windows, n)) < skills
        has_topic = rng.random((windows, 3)) < topics
        seen = {
            (t, chosen)
            for row, of_topic in zip(has_skill, has_topic, strict=True)
            for chosen in combinations(np.flatnonzero(row).tolist(), k)
            for t in np.flatnonzero(of_topic).tolist()
        }
        shares.append(len(seen) / (3 * math.comb(n, k)))
    expected = np.array(lambdas(skills, topics, windows, k))
    # exactly, a combination is in the corpus with the chance 1 - (1 - lambda / M)^M
    chance = -np.expm1(windows * np.log1p(-expected / windows))
    half = stats.t.ppf(1 - 0.5e-4, corpora - 1) * np.std(shares, ddof=1) / math.sqrt(corpora)
    assert abs(mean(shares) - chance.mean()) < half
    # Poisson: within M (lambda / M)^2 of that (Le Cam), and below the bound
    assert abs(chance.mean() + np.expm1(-expected).mean()) <= (expected**2).mean() / windows
    bound = parrot_bound(all_combinations(skills, topics, windows, k)).limit
    assert mean(shares) - half < bound
    assert 0.5 * bound < mean(shares)


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.1, 0.0], [0.1], 10, 1), "skill 1 must be above 0 and at most 1, not 0.0"),
        (([0.1], [1.2], 10, 1), "topic 0 must be above 0 and at most 1, not 1.2"),
        (([0.1, math.nan], [0.1], 10, 1), "not nan"),
        (([0.1, 0.2], [0.1], 10, 3), "k = 3 skills cannot be chosen from 2"),
        (([0.1], [0.1], 10, 0), "k must be a whole number of at least 1, not 0"),
        (([0.1], [0.1], 0.5, 1), "at least 1 window, and finitely many; not 0.5"),
        (([0.1], [0.1], math.inf, 1), "not inf"),
        (([], [0.1], 10, 1), "no skill rate"),
        (([0.1], [], 10, 1), "no topic rate"),
    ],
)
def test_bad_rates_are_named(
    arguments: tuple[list[float], list[float], float, int], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        all_combinations(*arguments)


@pytest.mark.parametrize("rho", [0.99, -1.0, math.inf, math.nan])
def test_bad_rho_is_named(rho: float) -> None:
    with pytest.raises(BadInput, match=f"not {rho}"):
        parrot_bound(average_rates(0.1, 0.1, 10, 1), rho)
    with pytest.raises(BadInput, match="too large for a float"):
        parrot_bound(average_rates(0.1, 0.1, 1e200, 1), 1e200)


def test_other_bad_values_are_named() -> None:
    with pytest.raises(BadInput, match=r"from 0 to 1, not 1\.5"):
        flip_rho(average_rates(0.1, 0.1, 10, 1), 1.5)
    with pytest.raises(BadInput, match="is empty"):
        listed([], {}, {}, 10)
    pair, one = SkillCombination("t", ("a", "b")), SkillCombination("t", ("a",))
    with pytest.raises(BadInput, match=r"\[1, 2\] skills"):
        listed([pair, one], {"a": 0.1, "b": 0.1}, {"t": 0.1}, 10)
