"""Comparisons by hand, by simulation, and of runs that cannot be compared."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest

from unparrot.analysis.between.compare import Comparison, compare_outcomes, compare_runs
from unparrot.analysis.read.outcomes import outcomes_of
from unparrot.analysis.read.protocol import Side, require_same_protocol
from unparrot.analysis.resampling import Resampling
from unparrot.core.errors import BadInput
from unparrot.core.grades import GradedText
from unparrot.core.skills import SkillCombination
from unparrot.stats.paired import paired_share, tango_limits

Asked = Callable[[int, int], list[SkillCombination]]
Written = Callable[..., list[GradedText]]
RunOf = Callable[..., Path]


def compared(first: list[GradedText], second: list[GradedText], **options: object) -> Comparison:
    return compare_outcomes(outcomes_of(first), outcomes_of(second), **options)  # type: ignore[arg-type]


def test_one_cell_by_hand(asked: Asked, written: Written) -> None:
    items = asked(2, 161)
    # 59 both, 6 only the second, 16 only the first, 80 neither (Cavo et al. 2012)
    first = [True] * 59 + [False] * 6 + [True] * 16 + [False] * 80
    second = [True] * 59 + [True] * 6 + [False] * 16 + [False] * 80
    (cell,) = compared(written("old", items, first), written("new", items, second)).cells
    assert (cell.combinations, cell.pairs, cell.gained, cell.lost) == (161, 161, 6, 16)
    assert (cell.first, cell.second) == (75 / 161, 65 / 161)
    found = cell.full_marks.estimate
    assert (found.value, found.n, found.method) == (-10 / 161, 161, "tango")
    assert (found.low, found.high) == pytest.approx((-0.1240, -0.0054), abs=5e-5)
    assert cell.p == cell.p_adjusted == pytest.approx(0.052479, abs=5e-7)
    # a text without its first of two skills has half of them
    assert cell.skill_fraction.estimate.value == pytest.approx(-5 / 161)
    assert (cell.without_partner, cell.extra_texts, cell.full_marks.worst) == (0, 0, None)


def test_rounds_of_a_combination_are_not_independent(asked: Asked, written: Written) -> None:
    items, rng = asked(2, 30), np.random.default_rng(0)
    marks = [(rng.random(30) < 0.5).tolist() for _ in range(2)]
    texts = [
        [t for sample in range(3) for t in written(name, items, full, sample)]
        for name, full in zip("ab", marks, strict=True)
    ]
    (cell,) = compared(*texts).cells
    (once,) = compared(written("a", items, marks[0]), written("b", items, marks[1])).cells
    assert (cell.combinations, cell.pairs) == (30, 90)
    assert cell.full_marks.estimate.method == "tango, effective sample"
    # rounds that all agree tell no more than one
    assert cell.full_marks.estimate.low == pytest.approx(once.full_marks.estimate.low)
    assert cell.p == pytest.approx(once.p)


def test_p_is_adjusted_over_the_k_of_a_split_or_over_all(asked: Asked, written: Written) -> None:
    first, second = [], []
    for split in ("seen", "heldout_pair"):
        for k, wins in ((1, 7), (2, 6), (3, 0)):
            items = asked(k, 40)
            first += written("a", items, [False] * 40, split=split)
            second += written("b", items, [True] * wins + [False] * (40 - wins), split=split)
    by_k = compared(first, second)
    # two-sided p of 7 : 0, 6 : 0 and nothing: 2^-6, 2^-5 and 1
    assert [c.p for c in by_k.cells[:3]] == pytest.approx([0.015625, 0.03125, 1.0])
    assert [c.p_adjusted for c in by_k.cells[:3]] == pytest.approx([0.046875, 0.0625, 1.0])
    assert by_k.family == "Holm over the k of one split and decoding"
    over_all = compared(first, second, family="all")
    assert [c.p_adjusted for c in over_all.cells[:3]] == pytest.approx([0.09375, 0.125, 1.0])
    assert "every k" in over_all.family


def test_texts_without_a_partner_are_counted_and_named(asked: Asked, written: Written) -> None:
    items = asked(2, 40)
    first = written("a", items[:30], [True] * 30) + written("a", items[:5], [False] * 5, sample=1)
    second = written("b", items[10:], [True] * 30)
    first += written("a", asked(3, 4), [True] * 4)
    result = compared(first, second)
    two, three = result.cells
    assert (two.combinations, two.pairs, two.extra_texts) == (20, 20, 0)
    assert two.first == 1.0
    assert two.without_partner == 20
    assert (three.pairs, three.first, three.p, three.p_adjusted) == (0, None, None, None)
    assert three.full_marks.estimate.value is None
    assert result.notes[0].startswith("Without a partner, so not counted: 24 combinations: topic")
    assert "topic 0: irony + metaphor;" in result.notes[0]
    assert result.notes[-1] == "No text of one of the models: seen, greedy, k = 3."
    rounds = compared(
        written("a", items, [True] * 40), second + written("b", items, [False] * 40, sample=1)
    )
    assert rounds.cells[0].extra_texts == 30
    assert "not counted: 10 combinations" in rounds.notes[0]
    assert "of the same round, so not counted: 30 texts" in rounds.notes[1]


def test_one_combination_has_no_interval(asked: Asked, written: Written) -> None:
    items = asked(2, 1)
    result = compared(written("a", items, [True]), written("b", items, [False]))
    found = result.cells[0].full_marks.estimate
    assert (found.value, found.low, result.cells[0].p) == (-1.0, None, 1.0)
    assert result.notes == ("One combination alone, so no interval: seen, greedy, k = 2.",)


def test_the_order_of_the_skills_does_not_matter(asked: Asked, written: Written) -> None:
    items = asked(3, 20)
    turned = [SkillCombination(c.topic, c.skills[::-1]) for c in items]
    (cell,) = compared(written("a", items, [True] * 20), written("b", turned, [True] * 20)).cells
    assert cell.pairs == 20


def test_open_marks_are_bounded_and_not_dropped(asked: Asked, written: Written) -> None:
    items = asked(2, 10)
    first = written("a", items, [True] * 4 + [False] * 4 + [None] * 2)
    second = written("b", items, [True] * 6 + [False] * 3 + [None])
    result = compared(first, second)
    (cell,) = result.cells
    marks = cell.full_marks
    # items 4 and 5 gained, none lost, among the eight that are closed; two are open
    assert (marks.estimate.value, marks.estimate.n, marks.unscored) == (2 / 8, 8, 2)
    # item 8 is open for a and missed by b, item 9 is open for both
    assert marks.worst is not None
    assert marks.best is not None
    assert (marks.worst.value, marks.best.value) == (0.0, 0.3)
    fraction = cell.skill_fraction
    assert fraction.unscored == 2
    assert fraction.worst is not None
    assert fraction.worst.value == pytest.approx(0.0)
    assert "leave 2 pairs open" in result.notes[0]
    # item 9 may have been lost to a, and item 8 is a tie or a loss: nothing says that they differ
    assert cell.p == 1.0
    nothing = compared(written("a", items, [None] * 10), second)
    assert nothing.cells[0].full_marks.estimate.value is None
    assert nothing.cells[0].p is None


def test_p_takes_open_pairs_as_speaks_least_for_a_difference(
    asked: Asked, written: Written
) -> None:
    items = asked(2, 20)
    first = written("a", items, [False] * 20)
    (cell,) = compared(first, written("b", items, [True] * 10 + [None] * 3 + [False] * 7)).cells
    # McNemar's: ten gained for certain, none lost, whatever the three were
    assert cell.p == pytest.approx(2 * 0.5**10)
    first = written("a", items, [False] * 10 + [True] * 2 + [False] * 8)
    (cell,) = compared(first, written("b", items, [True] * 10 + [None] * 2 + [False] * 8)).cells
    # at worst ten gained and two lost
    assert cell.p == pytest.approx(binomtest(2, 12).pvalue)


def test_a_difference_lies_within_its_bounds(asked: Asked, written: Written) -> None:
    items = asked(2, 10)
    # item 9 misses in the first: with the second open, it adds 0 or +1, never -1
    first = written("a", items, [True] * 8 + [False] * 2)
    second = written("b", items, [False] * 9 + [None])
    (cell,) = compared(first, second).cells
    for found in (cell.full_marks, cell.skill_fraction):
        assert found.worst is not None
        assert found.best is not None
        assert (found.value, found.low) == (found.worst.value, found.worst.low)
        assert found.high == found.best.high
    (turned,) = compared(second, first).cells
    assert turned.full_marks.estimate.value == 0.8


def test_a_cell_does_not_depend_on_the_others(asked: Asked, written: Written) -> None:
    rng = np.random.default_rng(3)
    items = {k: asked(k, 50) for k in (1, 2)}
    first = {k: written("a", items[k], (rng.random(50) < 0.4).tolist()) for k in items}
    second = {k: written("b", items[k], (rng.random(50) < 0.6).tolist()) for k in items}
    both = compared(first[1] + first[2], second[1] + second[2])
    alone = compared(first[2], second[2])
    assert both.cells[1].skill_fraction == alone.cells[0].skill_fraction
    again = compared(first[2], second[2], sampling=Resampling(seed=2))
    assert again.cells[0].skill_fraction != alone.cells[0].skill_fraction


def test_two_equal_models_are_seldom_told_apart(asked: Asked, written: Written) -> None:
    rng = np.random.default_rng(4)
    items, trials, wrong = asked(2, 60), 300, 0
    template = [outcomes_of(written(name, items, [True] * 60)) for name in "ab"]
    for _ in range(trials):
        easy = rng.random(60)
        frames = [
            frame.with_columns(pl.Series("full_marks", (easy + rng.random(60)) / 2 < 0.5))
            for frame in template
        ]
        (cell,) = compare_outcomes(*frames, sampling=Resampling(resamples=100)).cells
        wrong += cell.p is not None and cell.p <= 0.05
    # an exact test errs in at most 5 %; + four standard deviations of 300 trials
    assert wrong / trials < 0.05 + 0.05


def test_runs_are_compared_by_model(
    tmp_path: Path, asked: Asked, written: Written, run_of: RunOf
) -> None:
    items = asked(2, 30)
    texts = written("64k", items, [True] * 20 + [False] * 10)
    texts += written("1M", items, [True] * 25 + [False] * 5)
    one = run_of(tmp_path / "one", texts)
    two = run_of(
        tmp_path / "two", written("64k", items, [True] * 30), {"pack": "a" * 64, "corpus": "c" * 64}
    )
    (same,) = compare_runs(Side(one, "64k"), Side(one, "1M"))
    assert (same.first, same.second) == ("64k", "1M")
    assert same.cells[0].full_marks.estimate == paired_share(
        [True] * 20 + [False] * 10, [True] * 25 + [False] * 5
    )
    (namesake,) = compare_runs(Side(one), Side(two))
    assert namesake.first == f"64k ({one})"
    assert "corpus differs" in namesake.notes[0]
    (picked,) = compare_runs(Side(one, "1M"), Side(two))
    assert (picked.first, picked.second) == ("1M", "64k")
    limits = tango_limits(5, 0, 30)
    assert picked.cells[0].full_marks.estimate.low == pytest.approx(limits[0])


def test_runs_that_differ_are_compared_anyway_if_the_user_wants_it(
    tmp_path: Path, asked: Asked, written: Written, run_of: RunOf
) -> None:
    items = asked(2, 30)
    one = run_of(tmp_path / "one", written("m", items, [True] * 30))
    warm = written("m", items, [True] * 20 + [False] * 10, decoding="t0.7")
    two = run_of(tmp_path / "two", warm, {"pack": "a" * 64, "prompts": "d" * 64})
    with pytest.raises(BadInput, match=r"different prompts cannot be compared.*--anyway"):
        compare_runs(Side(one), Side(two))
    (compared,) = compare_runs(Side(one), Side(two), anyway=True)
    (cell,) = compared.cells
    assert (cell.decoding, cell.pairs, cell.first, cell.second) == (
        "greedy and t0.7", 30, 1.0, pytest.approx(2 / 3),
    )  # fmt: skip
    assert any("prompts differs" in note and "dddddddddddd" in note for note in compared.notes)


def test_what_cannot_be_compared_is_refused_by_name(
    tmp_path: Path, asked: Asked, written: Written, run_of: RunOf
) -> None:
    items = asked(2, 10)
    texts = written("64k", items, [True] * 10) + written("1M", items, [True] * 10)
    one = run_of(tmp_path / "one", texts)
    other = run_of(tmp_path / "other", texts, {"pack": "c" * 64, "corpus": "b" * 64})
    bare = run_of(tmp_path / "bare", texts, {})
    elsewhere = run_of(tmp_path / "elsewhere", written("64k", asked(3, 5), [True] * 5))
    for first, second, message in (
        (Side(one), Side(other), "different pack.*aaaaaaaaaaaa.*cccccccccccc"),
        (Side(one), Side(bare), "no digests"),
        (Side(one), Side(one), "name two different models.*1M, 64k"),
        (Side(one, "64k"), Side(one, "64k"), "two different models"),
        (Side(one, "9k"), Side(one, "64k"), "no model '9k'; it has 1M, 64k"),
        (Side(one, "64k"), Side(elsewhere), "no text for the same combination"),
        (Side(one), Side(tmp_path / "none"), "manifest.json"),
    ):
        with pytest.raises(BadInput, match=message):
            compare_runs(first, second)
    with pytest.raises(BadInput, match="no split 'unseen'; it has seen"):
        compare_runs(Side(one, "64k"), Side(one, "1M"), split="unseen")
    three = run_of(
        tmp_path / "three", written("x", items, [True] * 10) + written("y", items, [True] * 10)
    )
    with pytest.raises(BadInput, match="name the models"):
        compare_runs(Side(one), Side(three))
    with pytest.raises(BadInput, match="different rubric"):
        require_same_protocol(
            [one, run_of(tmp_path / "new", texts, {"pack": "a" * 64, "rubric": "d"})]
        )
