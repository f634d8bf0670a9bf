"""Cells against hand-worked arithmetic and a plain loop, and what unscored marks do to them."""

from collections import defaultdict
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
import pytest
from msgspec.structs import astuple, replace

from unparrot.analysis.model.competence import Bounded, Cell, competence
from unparrot.analysis.read.outcomes import outcomes_of
from unparrot.core.errors import BadInput
from unparrot.core.grades import EARNED, MISSED, GradedText, Mark
from unparrot.core.skills import CRITERIA, SkillCombination
from unparrot.stats.clustered import clustered_share
from unparrot.stats.intervals import wilson

LOST = Mark.unscored("the grader did not answer")
MARKS = {"+": EARNED, "-": MISSED, "?": LOST}


def text(
    marks: str, number: int = 0, sample: int = 0, split: str = "seen", decoding: str = "greedy"
) -> GradedText:
    """A text on topic ``number``, marked like '+-|++?': skills, then topic, sense and length."""
    skills, others = marks.split("|")
    names = tuple(f"s{i}" for i in range(len(skills)))
    given = dict(zip((*names, *CRITERIA), [MARKS[c] for c in skills + others], strict=True))
    combination = SkillCombination(f"topic {number}", names)
    return GradedText(combination, "w", given, "m", split, decoding, sample, None)


def one_cell(texts: list[GradedText]) -> Cell:
    (cell,) = competence(outcomes_of(texts))
    return cell


def test_hand_worked_cell() -> None:
    # k = 2, four combinations: full marks 1/4, all skills 2/4, fractions 1, 1/2, 0, 0,
    # skill marks 2 + 1 + 2 + 1 = 6 of 8, topic 4, sense 2, length 3 of 4
    cell = one_cell([text("++|+++", 0), text("+-|+++", 1), text("++|+-+", 2), text("-+|+--", 3)])
    assert (cell.k, cell.split, cell.decoding, cell.n, cell.combinations) == (
        2,
        "seen",
        "greedy",
        4,
        4,
    )
    assert cell.full_marks == Bounded(*astuple(wilson(1, 4)), 0, None, None)
    assert cell.all_skills.estimate == wilson(2, 4)
    assert cell.skill_fraction.estimate.value == 3 / 8
    assert cell.skill_fraction.estimate.n == 4
    assert cell.marks["skills"].estimate.value == 6 / 8
    assert [cell.marks[c].estimate for c in CRITERIA] == [wilson(4, 4), wilson(2, 4), wilson(3, 4)]
    assert (cell.pass_at_1, cell.max_at_rounds, cell.notes) == (None, None, ())


def test_rounds_worked_by_hand() -> None:
    # two combinations of two rounds: full marks 1 0 | 0 0, fractions 1 1/2 | 0 1/2
    cell = one_cell(
        [
            text("++|+++", 0, 0), text("+-|+++", 0, 1),
            text("++|-++", 1, 0), text("-+|+++", 1, 1),
        ]
    )  # fmt: skip
    assert (cell.n, cell.combinations) == (4, 2)
    assert cell.pass_at_1 is not None
    assert cell.max_at_rounds is not None
    assert (cell.pass_at_1.rounds, cell.max_at_rounds.rounds) == (1, 2)
    assert cell.full_marks.estimate.value == cell.pass_at_1.full_marks.estimate.value == 1 / 4
    assert cell.max_at_rounds.full_marks.estimate == wilson(1, 2)
    # all skills: + and two of three others: yes no | yes no
    assert cell.max_at_rounds.all_skills.estimate == wilson(2, 2)
    assert cell.pass_at_1.skill_fraction.estimate.value == 1 / 2
    assert cell.max_at_rounds.skill_fraction.estimate.value == 3 / 4


def test_pass_at_1_weighs_combinations_alike_and_the_best_is_of_the_fewest_rounds() -> None:
    # combination 0: full marks in 1 of 3 rounds; combination 1: in none of 2
    rounds = ((0, "+"), (0, "-"), (0, "-"), (1, "-"), (1, "-"))
    cell = one_cell([text(f"{skill}|+++", n, i) for i, (n, skill) in enumerate(rounds)])
    assert cell.full_marks.estimate.value == 1 / 5
    assert cell.pass_at_1 is not None
    assert cell.max_at_rounds is not None
    assert cell.pass_at_1.full_marks.estimate.value == pytest.approx((1 / 3 + 0) / 2)
    # of the three pairs of rounds of combination 0, two hold the success
    assert cell.max_at_rounds.rounds == 2
    assert cell.max_at_rounds.full_marks.estimate.value == pytest.approx((2 / 3 + 0) / 2)
    assert cell.notes == ("from 2 to 3 texts a combination",)


def test_unscored_marks_are_left_out_and_bounded() -> None:
    # open: one text that may have full marks; left out too: one that is known to have missed them
    cell = one_cell([text("++|+++", 0), text("--|+++", 1), text("+?|+++", 2), text("-?|+++", 3)])
    assert cell.unscored == 2
    full = cell.full_marks
    assert (full.value, full.n) == (1 / 2, 2)
    # the interval is that of neither reading alone: at worst one of four, at best two of four
    assert (full.low, full.high) == (wilson(1, 4).low, wilson(2, 4).high)
    assert (full.worst, full.best, full.unscored) == (wilson(1, 4), wilson(2, 4), 2)
    assert full.worst == wilson(1, 4)
    fraction = cell.skill_fraction
    assert fraction.estimate.value == 1 / 2
    assert (fraction.worst.value, fraction.best.value) == (3 / 8, 5 / 8)  # type: ignore[union-attr]
    skills = cell.marks["skills"]
    assert (skills.estimate.value, skills.unscored, skills.estimate.n) == (3 / 6, 2, 4)
    assert (skills.worst.value, skills.best.value) == (3 / 8, 5 / 8)  # type: ignore[union-attr]
    assert cell.marks["topic"] == Bounded(*astuple(wilson(4, 4)), 0, None, None)


def test_leaving_out_only_open_texts_would_lean_to_failure() -> None:
    # every mark is earned with chance 0.8 and lost with chance 0.15: full marks 0.8^5 = 0.328
    rng = np.random.default_rng(1)
    texts = [
        text("{}{}|{}{}{}".format(*rng.choice(list("+-?"), 5, p=[0.68, 0.17, 0.15])), i)
        for i in range(3000)
    ]
    full = one_cell(texts).full_marks
    assert full.estimate.low < 0.8**5 < full.estimate.high  # type: ignore[operator]
    settled = [t.full_marks for t in texts if t.full_marks is not None]
    assert np.mean(settled) < 0.8**5 - 0.05


def test_an_estimate_outside_its_bounds_moves_to_the_nearer_one() -> None:
    # both scored texts have full marks, but eight others are known to have missed them
    full = one_cell(
        [text("+|+++", i) for i in range(2)] + [text("-|?++", i) for i in range(2, 10)]
    ).full_marks
    assert full.worst == full.best == wilson(2, 10)
    assert (full.value, full.low, full.high) == astuple(wilson(2, 10))[:3]


def test_losses_that_depend_on_the_marks_cost_no_coverage() -> None:
    # what a model fails to give is known at once, its good texts wait for calls that may be lost
    rng, inside, naive = np.random.default_rng(5), 0, 0
    studies, combinations, true = 300, 40, 0.3
    template = outcomes_of(
        [text("+|+++", i, sample) for i in range(combinations) for sample in range(2)]
    )
    for _ in range(studies):
        able = rng.beta(3, 7, combinations).repeat(2)
        full = rng.random(2 * combinations) < able
        lost = rng.random(2 * combinations) < np.where(full, 0.4, 0.02)
        marks = pl.Series("topic_mark", np.where(full, 1.0, 0.0)).cast(pl.Boolean)
        marks = pl.select(pl.when(pl.lit(pl.Series(~lost))).then(pl.lit(marks))).to_series()
        frame = template.with_columns(
            topic_mark=marks,
            full_marks=marks,
            unscored=pl.Series(lost).cast(pl.Int64),
        )
        share = competence(frame)[0].full_marks
        inside += share.low <= true <= share.high  # type: ignore[operator]
        alone = clustered_share(*_scored(full, lost))
        naive += alone.low <= true <= alone.high  # type: ignore[operator]
    assert inside / studies > 0.95
    assert naive / studies < 0.7


def _scored(full: Any, lost: Any) -> tuple[Any, Any]:
    """Full marks and texts of every combination, where every mark is known."""
    by_combination = (~lost).reshape(-1, 2)
    return (full.reshape(-1, 2) & by_combination).sum(axis=1), by_combination.sum(axis=1)


def test_all_unscored_has_bounds_and_no_estimate() -> None:
    cell = one_cell([text("+|++?", 0), text("-|++?", 1)])
    assert cell.full_marks.estimate.value is None
    assert (cell.full_marks.worst, cell.full_marks.best) == (wilson(0, 2), wilson(1, 2))
    assert cell.marks["length"].estimate.n == 0
    assert cell.notes == (
        "an unscored mark in all of 2 texts: only bounds are known",
    )  # fmt: skip


def test_one_combination_is_said_to_be_one() -> None:
    assert one_cell([text("+|+++")]).notes == ("one combination: it says nothing of others",)
    rounds = one_cell([text("+|+++", 0, 0), text("-|+++", 0, 1)])
    assert rounds.full_marks.estimate.value == 0.5
    assert rounds.full_marks.estimate.low is None


def test_no_text_is_refused() -> None:
    with pytest.raises(BadInput, match="no texts"):
        competence(outcomes_of([]))


def random_texts(seed: int, n: int = 400) -> list[GradedText]:
    rng = np.random.default_rng(seed)
    sample: dict[tuple[int, int, str, str], int] = defaultdict(int)
    texts: list[GradedText] = []
    for _ in range(n):
        k, number = int(rng.integers(1, 4)), int(rng.integers(12))
        split, decoding = (
            str(rng.choice(["seen", "heldout_pair"])),
            str(rng.choice(["t0.7", "greedy"])),
        )
        marks = "".join(rng.choice(list("++-?"), k)) + "|" + "".join(rng.choice(list("+++-"), 3))
        key = (k, number, split, decoding)
        texts.append(text(marks, number, sample[key], split, decoding))
        sample[key] += 1
    return texts


def test_agrees_with_a_plain_loop_over_texts() -> None:
    texts = random_texts(2)
    cells = competence(outcomes_of(texts))
    groups: dict[tuple[str, int, str], list[GradedText]] = defaultdict(list)
    for t in texts:
        groups[t.decoding, t.combination.k, t.split].append(t)
    assert [(c.decoding, c.k, c.split) for c in cells] == sorted(
        groups, key=lambda g: (g[0] != "greedy", g[1], g[2] != "seen")
    )
    for cell in cells:
        group = groups[cell.decoding, cell.k, cell.split]
        complete = [t for t in group if all(m.status != "unscored" for m in t.marks.values())]
        assert cell.unscored == len(group) - len(complete)
        assert cell.skill_fraction.unscored == cell.unscored
        for name in ("full_marks", "all_skills", "skill_fraction"):
            bounded = getattr(cell, name)
            known = [getattr(t, name) for t in group]
            low, high = (
                float(np.mean([v or 0 for v in known])),
                float(np.mean([1 if v is None else v for v in known])),
            )
            expected = float(np.mean([getattr(t, name) for t in complete]))
            if name != "skill_fraction":
                assert bounded.worst.value == pytest.approx(low)
                assert bounded.best.value == pytest.approx(high)
                expected = min(max(expected, low), high)
            else:
                expected = min(max(expected, bounded.worst.value), bounded.best.value)
            assert bounded.estimate.value == pytest.approx(expected)
        shares: dict[str, list[float]] = defaultdict(list)
        fractions: dict[str, list[float]] = defaultdict(list)
        for t in complete:
            shares[t.combination.id].append(float(bool(t.full_marks)))
            fractions[t.combination.id].append(float(t.skill_fraction or 0))
        assert cell.pass_at_1 is not None
        once, mean = (
            cell.pass_at_1.full_marks,
            float(np.mean([np.mean(v) for v in shares.values()])),
        )
        inside = min(max(mean, once.worst.value), once.best.value)  # type: ignore[union-attr]
        assert once.estimate.value == pytest.approx(inside)
        if cell.max_at_rounds is None:
            continue
        r = cell.max_at_rounds.rounds
        best = [
            np.mean([max(c) for c in combinations(s, r)]) for s in fractions.values() if len(s) >= r
        ]
        found = cell.max_at_rounds.skill_fraction
        inside = min(max(float(np.mean(best)), found.worst.value), found.best.value)  # type: ignore[union-attr]
        assert found.estimate.value == pytest.approx(inside)
        assert found.unscored == cell.combinations - len(best)


def test_estimates_lie_within_their_bounds() -> None:
    for seed in range(5):
        for cell in competence(outcomes_of(random_texts(seed, 120))):
            for bounded in (
                cell.full_marks,
                cell.all_skills,
                cell.skill_fraction,
                *cell.marks.values(),
            ):
                if bounded.worst is None or bounded.estimate.value is None:
                    continue
                assert bounded.worst.value <= bounded.estimate.value + 1e-12  # type: ignore[operator]
                assert bounded.estimate.value <= bounded.best.value + 1e-12  # type: ignore[operator,union-attr]


def test_the_order_of_rows_changes_no_digit() -> None:
    frame = outcomes_of(random_texts(3))
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=4)
    assert competence(frame) == competence(shuffled)


def test_models_are_never_mixed() -> None:
    frame = outcomes_of(random_texts(5, 60))
    other = frame.with_columns(model=pl.lit("n"))
    together = competence(pl.concat([frame, other]))
    assert [c for c in together if c.model == "m"] == list(competence(frame))
    assert [replace(c, model="m") for c in together if c.model == "n"] == [
        replace(c, model="m") for c in competence(frame)
    ]
