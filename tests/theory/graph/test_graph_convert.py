"""Skill graphs to scipy.sparse and networkx, into files, and back."""

import subprocess
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from scipy import sparse

from unparrot.core.errors import BadInput
from unparrot.theory.graph import exchange
from unparrot.theory.graph.stored import SkillGraph, skill_counts

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
    made = exchange.to_networkx(small, ["a", "b", "c"])
    assert dict(made.nodes(data=True)) == {
        "skill a": {"bipartite": 1},
        "skill b": {"bipartite": 1},
        "skill c": {"bipartite": 1},
        "piece 0": {"bipartite": 0, "failed": True},
        "piece 1": {"bipartite": 0, "failed": False},
    }
    assert made["piece 0"]["skill c"] == {"weight": 2}
    assert made["piece 0"]["skill a"] == {"weight": 1}
    assert made.number_of_edges() == 2
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
    np.testing.assert_array_equal(matrix.sum(axis=0), skill_counts(made)[0])
    np.testing.assert_array_equal(matrix[made.failed].sum(axis=0), skill_counts(made)[1])
    same(exchange.from_biadjacency(matrix, made.failed), made)
    same(exchange.from_biadjacency(matrix.tocoo(), made.failed), made)
    same(exchange.from_biadjacency(matrix.toarray(), made.failed), made)
    same(exchange.from_networkx(exchange.to_networkx(made)), made)

    exchange.write_npz(tmp_path / "graph.npz", made)
    same(exchange.read_npz(tmp_path / "graph.npz"), made)
    np.testing.assert_array_equal(
        sparse.load_npz(tmp_path / "graph.npz").toarray(), matrix.toarray()
    )

    exchange.write_graphml(tmp_path / "graph.graphml", made)
    same(exchange.from_networkx(nx.read_graphml(tmp_path / "graph.graphml")), made)


def test_networkx_agrees_on_what_a_bipartite_graph_is() -> None:
    made = graph(1)
    drawn = exchange.to_networkx(made)
    skills = [node for node, side in drawn.nodes(data="bipartite") if side == exchange.SKILL]
    assert nx.is_bipartite(drawn)
    # networkx's own biadjacency matrix, [skills, pieces]
    pieces = [f"piece {at}" for at in range(made.pieces)]
    theirs = nx.bipartite.biadjacency_matrix(drawn, skills, pieces)
    np.testing.assert_array_equal(theirs.toarray().T, exchange.to_biadjacency(made).toarray())


def test_a_piece_or_a_graph_may_be_empty() -> None:
    empty = SkillGraph(np.array([0]), np.empty(0, np.int32), np.empty(0, bool), 2)
    same(exchange.from_biadjacency(exchange.to_biadjacency(empty), empty.failed), empty)
    same(exchange.from_networkx(exchange.to_networkx(empty)), empty)


def test_an_edge_of_networkx_without_a_weight_counts_once() -> None:
    drawn = nx.Graph()
    drawn.add_node("s", bipartite=1)
    drawn.add_node("t", bipartite=0, failed=True)
    drawn.add_edge("s", "t")
    assert exchange.from_networkx(drawn).skills.tolist() == [0]


@pytest.mark.parametrize(
    ("matrix", "failed", "message"),
    [
        ([[1, -1]], [True], "counts of 0, 1, 2, ..., not -1"),
        ([[0.5, 1]], [True], "not 0.5"),
        ([[1, 1]], [True, False], r"1 pieces need as many .* shape \(2,\)"),
        ([[1, 1]], [1], "true or false failures, not int64"),
        ([1, 1], [True], r"has the shape \(pieces, skills\)"),
    ],
)
def test_bad_matrices(matrix: object, failed: object, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        exchange.from_biadjacency(np.array(matrix), np.array(failed))


def test_bad_networkx_graphs() -> None:
    def drawn(**edge: object) -> nx.Graph:
        made = nx.Graph()
        made.add_node("s", bipartite=1)
        made.add_node("t", bipartite=0, failed=True)
        made.add_edge("s", "t", **edge)
        return made

    odd = drawn()
    odd.add_node("u")
    with pytest.raises(BadInput, match=r"'u' needs bipartite = 0 \(piece\) or 1"):
        exchange.from_networkx(odd)
    odd = drawn()
    odd.add_node("u", bipartite=0)
    with pytest.raises(BadInput, match="piece 'u' needs the attribute failed"):
        exchange.from_networkx(odd)
    odd = drawn()
    odd.add_edge("s", "s")
    with pytest.raises(BadInput, match="'s' to 's' joins no piece"):
        exchange.from_networkx(odd)
    for weight in (-1, 0.5):
        with pytest.raises(BadInput, match=f"whole weight, not {weight}"):
            exchange.from_networkx(drawn(weight=weight))


def test_bad_names_and_too_large_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    made = graph(0)
    for names in (["a"], ["a"] * 9, list("abcdefghij")):
        with pytest.raises(BadInput, match="9 skills need as many different names"):
            exchange.to_networkx(made, names)
    monkeypatch.setattr("unparrot.core.machine.available_bytes", lambda: 1000)
    with pytest.raises(BadInput, match=r"nodes and .* edges in networkx need .*\.npz"):
        exchange.to_networkx(made)
    with pytest.raises(BadInput, match=r"a matrix of .* give it fewer pieces"):
        exchange.to_biadjacency(made)


def test_bad_files(tmp_path: Path) -> None:
    path = tmp_path / "graph.npz"
    with pytest.raises(BadInput, match="there is no file"):
        exchange.read_npz(path)
    path.write_bytes(b"no zip")
    with pytest.raises(BadInput, match="is no skill graph"):
        exchange.read_npz(path)
    sparse.save_npz(path, sparse.csr_array(np.eye(2)))
    with pytest.raises(BadInput, match="is no skill graph with failures"):
        exchange.read_npz(path)


def test_without_networkx_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(BadInput, match="install it with: pip install networkx") as caught:
        exchange.to_networkx(graph(0))
    assert str(caught.value).startswith("networkx is not installed")


def test_networkx_is_imported_when_it_is_used() -> None:
    code = "import sys, unparrot.theory.graph.exchange; print('networkx' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "False\n"
