"""The published aggregator's figures.

The records carry no aggregated figures, so the reference is twofold: what the published script
itself printed for the records written here (it was run on them once; its lines are quoted), and a
recomputation mark by mark in plain Python.
"""

import math
from pathlib import Path
from random import Random
from statistics import mean, stdev
from typing import Any

import msgspec
import pytest

from unparrot.eval.published.published_figures import published_figures
from unparrot.eval.published.record_layout import read_records

PAIRS = [("tea", ("irony", "metaphor")), ("tea", ("irony", "zeugma")),
         ("hats", ("irony", "metaphor")), ("hats", ("zeugma", "metaphor"))]  # fmt: skip
# by generation round, grading round and combination: what the published code recorded
POINTS = [
    [["1.0,1.0,1.0,1.0,1.0", "1.0,0.0,1.0,1.0,1.0", "1.0,1.0", ""],
     ["1.0,1.0,1.0,1.0,0.0", "1.0,0.5,1.0,1.0,1.0", "1.0,1.0,1.0", "1.0,1.0,0.0,1.0,1.0"],
     ["0.0,1.0,1.0,1.0,1.0", "0.0,0.5,1.0,1.0,1.0", "1.0,1.0,1.0,1.0,1.0", "1.0,1.0,0.0,1.0,1.0"]],
    [["1.0,0.0,1.0,1.0,1.0", "1.0,1.0,1.0,0.0,1.0", "0.0,1.0,1.0,1.0,1.0,1.0", "1.0"],
     ["1.0,0.0,1.0,1.0,1.0", "1.0,1.0,1.0,0.0,1.0", "0.0,1.0,1.0,1.0,1.0,1.0", "11.0,1.0,1.0,1,1"],
     ["1.0,0.0,1.0,1.0,1.0", "1.0,1.0,1.0,0.0,1.0", "0.0,1.0,1.0,1.0,1.0,1.0", ""]],
]  # fmt: skip
WITHIN = [[1.0, 1.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0]]


def write(published: Any, points: list[list[list[str]]], within: list[list[float]]) -> Path:
    for r, gradings in enumerate(points):
        pairs = PAIRS[: len(gradings[0])]
        published.answers("stu", [(*pair, "Fine.") for pair in pairs], number=r + 1)
        for g, lists in enumerate(gradings):
            rows = [(*pair, "Fine.", "no", p) for pair, p in zip(pairs, lists, strict=True)]
            published.grades("stu", rows, number=r + 1, grading=g + 1, within=within[r])
    return published.root


def by_hand(points: list[list[list[str]]], within: list[list[float]], k: int) -> list[list[float]]:
    """Mean and standard error of the three metrics, one mark at a time."""
    best: list[list[float]] = [[], [], []]
    for c in range(len(points[0][0])):
        rounds: list[tuple[float, float, float]] = []
        for r, gradings in enumerate(points):
            voted = []
            for place in range(k + 3):
                said = []
                for lists in gradings:
                    alone = all("," not in item for item in lists)
                    given = lists[c].split(",") if lists[c] and not alone else []
                    said.append(float(given[place]) if place < len(given) else 0.0)
                mark = within[r][c] if place == k + 2 else mean(said)
                voted.append(float(round(mark)))  # as there, a half goes to the even number
            skills, others = sum(voted[:k]), sum(voted[k:])
            rounds.append((
                float(skills + others == k + 3),
                float(skills == k and others >= 2),
                skills / k if others == 3 else 0.0,
            ))  # fmt: skip
        for metric, values in zip(best, zip(*rounds, strict=True), strict=True):
            metric.append(max(values))
    return [[mean(m), stdev(m) / math.sqrt(len(m))] for m in best]


def test_as_the_published_script_prints_it(published: Any) -> None:
    (found,) = published_figures(read_records(write(published, POINTS, WITHIN)))
    assert (found.rounds, found.gradings, found.per_round) == (2, 3, 4)
    printed = f"[ k = 2 ][ {found.full_marks} {found.all_skills} {found.skill_fraction}  ]"
    assert printed == "[ k = 2 ][ 0.50 ± 0.289 0.75 ± 0.250 0.50 ± 0.204  ]"


@pytest.mark.parametrize("seed", range(20))
def test_against_a_recomputation_by_hand(published: Any, seed: int) -> None:
    rng = Random(seed)

    def marks() -> str:
        count = rng.choice([5, 5, 5, 5, 0, 1, 2, 6])
        return ",".join(rng.choice(["1.0", "1.0", "1.0", "0.0", "0.5"]) for _ in range(count))

    points = [[[marks() for _ in PAIRS] for _ in range(3)] for _ in range(3)]
    within = [[float(rng.random() < 0.8) for _ in PAIRS] for _ in range(3)]
    (found,) = published_figures(read_records(write(published, points, within)))
    expected = by_hand(points, within, 2)
    for figure, (value, error) in zip(
        (found.full_marks, found.all_skills, found.skill_fraction), expected, strict=True
    ):
        assert figure is not None
        assert figure.mean == pytest.approx(value, abs=1e-6)
        assert figure.error == pytest.approx(error, abs=1e-6)


def test_one_combination_has_no_standard_error(published: Any) -> None:
    (found,) = published_figures(
        read_records(write(published, [[["1.0,1.0,1.0,1.0,1.0"]]], [[1.0]]))
    )
    assert str(found.full_marks) == "1.00 ± nan"
    assert msgspec.to_builtins(found)["full_marks"] == {"mean": 1.0, "error": None}


def test_where_it_cannot_be_run(published: Any) -> None:
    root = write(published, POINTS, WITHIN)
    last = root / "k2_s10_vp_r2/stu/graded/by_gpt-4_on_text_1_3_gpt/records.csv"
    text = last.read_text()
    # the last file one row short: the rows that all have are taken
    published.grades("stu", [(*PAIRS[0], "Fine.", "no", "1.0,1.0")], number=2, grading=3)
    (found,) = published_figures(read_records(root))
    assert (found.per_round, found.problem) == (1, "")
    last.write_text(text)
    published.grades("stu", [(*PAIRS[0], "Fine.", "no", "1.0,1.0")], number=1, grading=1)
    (found,) = published_figures(read_records(root))
    assert found.full_marks is None
    assert "only 1 in another" in found.problem
    (root / "k2_s10_vp_r1").rename(root / "k2_s10_vp_r3")
    (found,) = published_figures(read_records(root))
    assert found.problem == "it cannot be run: generation round 1 has no grading round 1"
