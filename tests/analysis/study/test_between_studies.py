"""Two studies side by side: what is matched, ratios by the law, what has no match."""

from collections.abc import Sequence

import pytest

from unparrot.analysis.study.between_studies import AxisDifference, compare_studies
from unparrot.analysis.study.study_models import Measured, Study
from unparrot.core.errors import BadInput
from unparrot.core.studies import StudyRecord, Value

SIZES = ((16, 0.4), (24, 0.15), (32, 0.08))


def of(models: Sequence[Measured], **axes: tuple[Value, ...]) -> Study:
    return Study(StudyRecord(1, "made up", "", dict(axes), ()), tuple(models))


@pytest.fixture
def ladder(make):
    """A study of some seeds, each a little off the law."""

    def study(
        seeds: Sequence[int], scale: float = 0.5, louder: float = 1.0, **axes: Value
    ) -> Study:
        models = [
            make(seed, w, e * louder, scale * (1 + 0.03 * (seed % 3)), axes={"seed": seed, **axes})
            for seed in seeds
            for w, e in SIZES
        ]
        return of(models, seed=tuple(seeds), **{name: (value,) for name, value in axes.items()})

    return study


def test_shared_seeds_are_pairs(ladder) -> None:
    compared = compare_studies(ladder([1, 2, 3], rate=0.1), ladder([1, 2, 3, 4], 0.6, rate=0.2))
    assert (compared.models, compared.seeds) == (9, 3)
    assert compared.differences == (
        AxisDifference("seed", (1, 2, 3), (1, 2, 3, 4)),
        AxisDifference("rate", (0.1,), (0.2,)),
    )
    assert compared.ratio.value == pytest.approx(1.2, rel=1e-3)
    # what seeds share cancels: each has the same ratio
    assert compared.ratio.high - compared.ratio.low < 0.01
    assert compared.at_equal_excess.value == pytest.approx(1.2, rel=1e-3)
    assert compared.exponent_difference.value == pytest.approx(0, abs=1e-3)
    assert [s.ratio.value for s in compared.settings] == pytest.approx([1.2] * 3, rel=1e-3)
    assert compared.unmatched_first == ()
    assert len(compared.unmatched_second) == 3


def test_a_difference_of_the_loss_alone_is_none_at_equal_excess(ladder) -> None:
    compared = compare_studies(ladder([1, 2, 3]), ladder([1, 2, 3], louder=1.25))
    assert compared.ratio.value == pytest.approx(1.25**-0.8, rel=1e-2)
    assert compared.at_equal_excess.value == pytest.approx(1, abs=1e-3)


def test_other_seeds_are_another_sample(ladder) -> None:
    compared = compare_studies(ladder([1, 2, 3]), ladder([4, 5, 6], 0.6))
    assert compared.seeds == 0
    assert compared.ratio.value == pytest.approx(1.2, rel=1e-3)
    assert compared.ratio.n == 6
    # the spread of both counts
    assert compared.ratio.high - compared.ratio.low > 0.05


def test_one_seed_has_the_chance_of_combinations_alone(ladder) -> None:
    compared = compare_studies(ladder([1]), ladder([1], 0.6))
    assert {s.ratio.method for s in compared.settings} == {"MOVER, combinations alone"}
    assert all(s.ratio.low < s.ratio.value < s.ratio.high for s in compared.settings)
    assert compared.ratio.low is None  # three trainings


def test_a_bound_gives_no_ratio_of_its_setting(ladder) -> None:
    compared = compare_studies(ladder([1, 2, 3]), ladder([1, 2, 3], 0.1))
    assert [s.ratio is None for s in compared.settings] == [True, True, True]
    assert compared.settings[0].second.bound == "< 1"
    assert compared.ratio.value == pytest.approx(0.2, rel=1e-2)


def test_what_cannot_be_matched_is_refused(make, ladder) -> None:
    with pytest.raises(BadInput, match="no model in common"):
        compare_studies(ladder([1]), of([make(1, 99)], seed=(1,)))
    varied = of(
        [make(1, w, e, axes={"seed": 1, "skills": n}) for n in (18, 36) for w, e in SIZES],
        seed=(1,),
        skills=(18, 36),
    )
    with pytest.raises(BadInput, match="several runs"):
        compare_studies(ladder([1]), varied)
    matched = compare_studies(ladder([1], skills=18), varied)
    assert matched.models == 3
    assert len(matched.unmatched_second) == 3
