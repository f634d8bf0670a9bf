"""Boards by hand: shared ranks, what is left out, open marks, and runs that do not fit."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from unparrot.analysis.between.leaderboard import leaderboard
from unparrot.analysis.read.protocol import Side
from unparrot.core.errors import BadInput
from unparrot.core.grades import GradedText
from unparrot.core.skills import SkillCombination
from unparrot.stats.intervals import wilson
from unparrot.stats.mover import mean_share

Asked = Callable[[int, int], list[SkillCombination]]
Written = Callable[..., list[GradedText]]
RunOf = Callable[..., Path]


def right(n: int, of: int = 100) -> list[bool]:
    return [i < n for i in range(of)]


@pytest.fixture
def run(tmp_path: Path, asked: Asked, written: Written, run_of: RunOf) -> Path:
    """Four models over k = 1, 2: one ahead, two close together, one behind."""
    rng = np.random.default_rng(1)
    texts = []
    for k in (1, 2):
        items = asked(k, 100)
        for model, share in (("ahead", 0.95), ("b", 0.5), ("a", 0.52), ("behind", 0.05)):
            full = rng.permutation(right(round(100 * share) - 4 * (k - 1))).tolist()
            texts += written(model, items, full)
    return run_of(tmp_path / "run", texts)


def test_models_whose_order_is_open_share_their_ranks(run: Path) -> None:
    (board,) = leaderboard([Side(run)])
    assert [s.model for s in board.standings] == ["ahead", "a", "b", "behind"]
    assert [s.places[0].rank for s in board.standings] == ["1", "2-3", "2-3", "4"]
    assert board.standings[0].places[0].above == ("b", "a", "behind")
    assert board.standings[1].places[0].above == ("behind",)
    assert [c.title for c in board.columns] == ["overall", "k = 1", "k = 2"]
    assert [c.combinations for c in board.columns] == [200, 100, 100]
    ahead = board.standings[0]
    assert ahead.places[1].share.estimate == wilson(95, 100)
    assert ahead.places[0].share.estimate == mean_share([wilson(95, 100), wilson(91, 100)])
    assert board.notes == ()


def test_a_board_is_repeated_exactly(run: Path) -> None:
    once = leaderboard([Side(run)])
    assert once == leaderboard([Side(run)])
    # ranks of one k do not depend on which other k there are
    assert once[0].standings[0].places[1].best == 1


def test_runs_and_models_stand_on_one_board(
    run: Path, tmp_path: Path, asked: Asked, written: Written, run_of: RunOf
) -> None:
    other = run_of(
        tmp_path / "other",
        written("ahead", asked(1, 80), right(20, 80)) + written("late", asked(3, 10), right(5, 10)),
    )
    (board,) = leaderboard([Side(run, "ahead"), Side(run, "behind"), Side(other)])
    assert [s.model for s in board.standings] == [
        f"ahead ({run})", "behind", f"ahead ({other})", "late",
    ]  # fmt: skip
    one = board.columns[1]
    assert (one.title, one.combinations, one.left_out) == ("k = 1", 80, 20)
    assert board.standings[0].places[1].share.n == 80
    assert board.standings[0].places[3].rank == "none"
    late = board.standings[3]
    assert [p.rank for p in late.places] == ["none", "none", "none", "none"]
    assert late.places[3].share.estimate == wilson(5, 10)
    notes = " ".join(board.notes)
    assert "k = 1: no text of late; not part of the overall order." in notes
    assert "k = 1: left out, as not all of its models wrote for it: 20 combinations" in notes
    assert "No overall order" in notes


def test_a_run_under_two_names_is_one(run: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(run)
    assert leaderboard([Side(run), Side(tmp_path / "link")]) == leaderboard([Side(run)])


def test_a_copy_of_a_run_is_not_counted_twice(
    run: Path, tmp_path: Path, asked: Asked, written: Written, run_of: RunOf
) -> None:
    copy, (alone,) = tmp_path / "copy", leaderboard([Side(run)])
    shutil.copytree(run, copy)
    (board,) = leaderboard([Side(run), Side(copy)])
    assert board.standings == alone.standings
    assert board.columns == alone.columns
    assert f"ahead of {copy} is left out: all of its texts and marks are those of {run}, and " in (
        " ".join(board.notes)
    )
    # also one that was made before the run was done; other marks or words are another run
    partly = run_of(tmp_path / "partly", written("late", asked(1, 40), right(10, 40)))
    whole = run_of(tmp_path / "whole", written("late", asked(1, 100), right(10, 100)))
    (board,) = leaderboard([Side(partly), Side(whole)])
    assert [standing.run for standing in board.standings] == [str(whole)]
    other = run_of(tmp_path / "other", written("late", asked(1, 100), right(11, 100)))
    (board,) = leaderboard([Side(other), Side(whole)])
    assert len(board.standings) == 2


def test_every_split_and_decoding_has_its_board(
    tmp_path: Path, asked: Asked, written: Written, run_of: RunOf
) -> None:
    texts = []
    for split in ("seen", "heldout_pair"):
        for decoding in ("greedy", "t0.7"):
            for model, n in (("x", 90), ("y", 20)):
                texts += written(model, asked(2, 100), right(n), split=split, decoding=decoding)
    path = run_of(tmp_path / "run", texts)
    boards = leaderboard([Side(path)])
    assert [(b.split, b.decoding) for b in boards] == [
        ("heldout_pair", "greedy"), ("heldout_pair", "t0.7"), ("seen", "greedy"), ("seen", "t0.7"),
    ]  # fmt: skip
    (board,) = leaderboard([Side(path)], split="seen", decoding="t0.7")
    assert board == boards[3]


def test_unscored_marks_never_settle_an_order(
    tmp_path: Path, asked: Asked, written: Written, run_of: RunOf
) -> None:
    items = asked(2, 100)
    ahead: list[bool | None] = [*right(80, 60), *[None] * 40]
    behind = right(100)[50:] + right(0, 50)
    texts = written("ahead", items, ahead) + written("behind", items, behind[::-1])
    (board,) = leaderboard([Side(run_of(tmp_path / "open", texts))])
    top = board.standings[0]
    # 60 of the 60 closed texts, but 60 to 100 of all
    assert (top.model, top.places[0].share.value, top.places[0].share.n) == ("ahead", 1.0, 60)
    assert top.places[0].share.bounds == (0.6, 1.0)
    assert (top.places[0].share.low, top.places[0].share.high) == (
        wilson(60, 100).low,
        wilson(100, 100).high,
    )
    assert [s.places[0].rank for s in board.standings] == ["1-2", "1-2"]
    assert "leave 40 results open" in board.notes[0]
    closed = [mark is None or mark for mark in ahead]
    texts = written("ahead", items, closed) + written("behind", items, behind[::-1])
    (board,) = leaderboard([Side(run_of(tmp_path / "closed", texts))])
    assert [s.places[0].rank for s in board.standings] == ["1", "2"]


def test_rounds_are_clustered_and_other_metrics_ranked(
    tmp_path: Path, asked: Asked, written: Written, run_of: RunOf
) -> None:
    items = asked(2, 40)
    texts = [t for sample in range(3) for t in written("x", items, right(20, 40), sample)]
    path = run_of(tmp_path / "run", texts)
    (board,) = leaderboard([Side(path)])
    (standing,) = board.standings
    share = standing.places[0].share
    assert (share.value, share.n, share.method) == (0.5, 120, "wilson, clustered")
    assert standing.places[0].rank == "none"
    (smooth,) = leaderboard([Side(path)], metric="skill_fraction")
    # a text without its first of two skills has half of them
    assert smooth.standings[0].places[0].share.value == 0.75


def test_one_combination_ranks_nobody(
    tmp_path: Path, asked: Asked, written: Written, run_of: RunOf
) -> None:
    texts = written("x", asked(1, 1), [True]) + written("y", asked(1, 1), [False])
    (board,) = leaderboard([Side(run_of(tmp_path / "run", texts))])
    assert [s.places[0].rank for s in board.standings] == ["none", "none"]
    assert board.notes == ("k = 1: one combination alone ranks nobody.",)


def test_what_does_not_fit_is_refused_by_name(
    run: Path, tmp_path: Path, asked: Asked, written: Written, run_of: RunOf
) -> None:
    strange = run_of(
        tmp_path / "strange", written("z", asked(1, 10), right(5, 10)), {"pack": "f" * 64}
    )
    for entries, options, message in (
        ([], {}, "at least one run"),
        ([Side(run), Side(strange)], {}, "different corpus|different pack"),
        ([Side(run, "none")], {}, "no model 'none'; it has a, ahead, b, behind"),
        ([Side(run)], {"split": "new"}, "no split 'new'; it has seen"),
        ([Side(run)], {"decoding": "beam"}, "no decoding 'beam'"),
        ([Side(run)], {"metric": "score"}, "metric is one of"),
    ):
        with pytest.raises(BadInput, match=message):
            leaderboard(entries, **options)
