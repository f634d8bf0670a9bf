"""Skill graphs to scipy.sparse, into files, and back."""

from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from scipy import sparse

from unparrot.core.errors import BadInput
from unparrot.theory.graph import exchange
from unparrot.theory.graph.stored import SkillGraph

FIELDS = ("indptr", "skills", "failed", "skill_count")


def graph(seed: int, pieces: int = 60, skills: int = 9) -> SkillGraph:
    """Sorted pieces of 0 to 5 skills, some of them twice; skill 8 in none."""
    rng = np.random.default_rng(seed)
    degrees = rng.integers(0, 6, pieces)
    rows = [np.sort(rng.integers(0, skills - 1, d)) for d in degrees]
    return SkillGraph(
        np.concatenate(([0], np.cumsum(degrees))),
        np.concatenate(rows).astype(np.int32),
        rng.random(pieces) < 0.3,
        skills,
    )


def same(one: SkillGraph, other: SkillGraph) -> None:
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))
    for field in FIELDS[:3]:
        assert getattr(one, field).dtype == getattr(other, field).dtype


def test_by_hand() -> None:
    """Two texts: skills 2, 0, 2 (failed) and none."""
    small = SkillGraph(
        np.array([0, 3, 3]), np.array([2, 0, 2], np.int32), np.array([1, 0], bool), 3
    )
    assert exchange.to_biadjacency(small).toarray().tolist() == [[1, 0, 2], [0, 0, 0]]
    # the order of the skills in a piece is not kept
    again = exchange.from_biadjacency(exchange.to_biadjacency(small), small.failed)
    assert again.skills.tolist() == [0, 2, 2]
    assert small.skills.tolist() == [2, 0, 2]


@pytest.mark.parametrize("seed", range(4))
def test_round_trips(seed: int, tmp_path: Path) -> None:
    made = graph(seed)
    matrix = exchange.to_biadjacency(made)
    assert matrix.shape == (60, 9)
    assert matrix.has_canonical_format
    assert matrix.sum() == made.edges
    np.testing.assert_array_equal(
        matrix.sum(axis=0), np.bincount(made.skills, minlength=made.skill_count)
    )
    np.testing.assert_array_equal(
        matrix[made.failed].sum(axis=0),
        np.bincount(
            made.skills[np.repeat(made.failed, np.diff(made.indptr))], minlength=made.skill_count
        ),
    )
    same(exchange.from_biadjacency(matrix, made.failed), made)
    same(exchange.from_biadjacency(matrix.tocoo(), made.failed), made)
    same(exchange.from_biadjacency(matrix.toarray(), made.failed), made)
    path = tmp_path / "graph.npz"
    exchange.export_graph(path, made)
    with np.load(path) as arrays:
        same(exchange.from_biadjacency(sparse.load_npz(path), arrays["failed"]), made)


def test_networkx_takes_the_matrix() -> None:
    made = graph(1)
    drawn = nx.bipartite.from_biadjacency_matrix(exchange.to_biadjacency(made))
    assert nx.is_bipartite(drawn)
    degrees = [degree for node, degree in drawn.degree(weight="weight") if node >= made.pieces]
    assert degrees == np.bincount(made.skills, minlength=made.skill_count).tolist()


def test_a_piece_or_a_graph_may_be_empty() -> None:
    empty = SkillGraph(np.array([0]), np.empty(0, np.int32), np.empty(0, bool), 2)
    same(exchange.from_biadjacency(exchange.to_biadjacency(empty), empty.failed), empty)


@pytest.mark.parametrize(
    ("matrix", "failed", "message"),
    [
        ([[1, -1]], [True], "counts of 0, 1, 2, ... .*, not -1"),
        ([[0.5, 1]], [True], "not 0.5"),
        ([[1, 1]], [True, False], "2 pieces must have row bounds"),
        ([1, 1], [True], r"in the shape \(pieces, skills\), not \(2,\)"),
    ],
)
def test_bad_matrices(matrix: object, failed: object, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        exchange.from_biadjacency(np.array(matrix), np.array(failed))


def test_too_large_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unparrot.core.machine.available_bytes", lambda: 1000)
    with pytest.raises(BadInput, match=r"a matrix of .* give it fewer pieces"):
        exchange.to_biadjacency(graph(0))
