"""A skill graph for other programs, and back: scipy.sparse, networkx, and files for both.

`unparrot theory graph --export FILE` writes .npz (scipy), .graphml (networkx and most graph
programs) or .jsonl (`corpus`). A skill that a piece holds twice becomes a count of 2; the order of
the skills in a piece is not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from unparrot.core.errors import BadInput, MissingExtra
from unparrot.core.machine import require_bytes
from unparrot.core.records import atomic_write
from unparrot.theory.graph.csr import SkillGraph
from unparrot.theory.graph.exchange import pieces_of, write_pieces

PIECE, SKILL = 0, 1
"""The networkx attribute ``bipartite`` of the two kinds of nodes."""

ENDINGS = (".npz", ".graphml", ".jsonl")

_NODE_BYTES, _EDGE_BYTES = 700, 800  # what networkx takes for each, measured with Python 3.11


class MissingNetworkx(MissingExtra):
    """networkx, which no part of this package needs but this one, is not installed."""

    def __init__(self) -> None:
        super().__init__("lab", "networkx")
        self.args = ("networkx is not installed; install it with: pip install networkx",)

    def __str__(self) -> str:
        """Return the message."""
        return str(self.args[0])


def to_biadjacency(graph: SkillGraph) -> Any:
    """Return the biadjacency matrix: how often each piece holds each skill.

    Returns
    -------
    scipy.sparse.csr_array
        Int64 [pieces, skills], sorted. The failures are ``graph.failed``; a matrix has no place for
        them.

    Raises
    ------
    BadInput
        If it needs more memory than there is.
    """
    require_bytes(
        20 * graph.edges + 8 * graph.pieces,
        f"a matrix of {graph.edges:,} edges",
        "give it fewer pieces",
    )
    matrix: Any = sparse.csr_array(
        (np.ones(graph.edges, np.int64), graph.skills.copy(), graph.indptr.copy()),
        shape=(graph.pieces, graph.skill_count),
    )
    matrix.sum_duplicates()
    return matrix


def from_biadjacency(matrix: Any, failed: NDArray[np.bool_]) -> SkillGraph:
    """Return the skill graph of a biadjacency matrix.

    Parameters
    ----------
    matrix
        A scipy.sparse matrix or array, or a dense one, [pieces, skills], of whole counts of at
        least 0.
    failed
        Bool [pieces].

    Raises
    ------
    BadInput
        If a count is negative or not whole, or the failures do not fit.
    """
    if np.ndim(matrix) != 2 and getattr(matrix, "ndim", 0) != 2:
        raise BadInput(f"a biadjacency matrix has the shape (pieces, skills), not {matrix!r}")
    rows: Any = sparse.csr_array(matrix, copy=True)
    rows.sum_duplicates()
    counts = cast(NDArray[Any], rows.data)
    whole = counts.astype(np.int64)
    if (whole != counts).any() or (whole < 0).any():
        wrong = counts[(whole != counts) | (whole < 0)][0]
        raise BadInput(f"a biadjacency matrix holds counts of 0, 1, 2, ..., not {wrong}")
    fails = np.asarray(failed)
    if fails.dtype != np.bool_ or fails.shape != (rows.shape[0],):
        raise BadInput(
            f"{rows.shape[0]} pieces need as many true or false failures, not {fails.dtype} of the "
            f"shape {fails.shape}"
        )
    ends = np.concatenate(([0], np.cumsum(whole)))
    return SkillGraph(
        indptr=ends[rows.indptr].astype(np.int64),
        skills=np.repeat(rows.indices, whole).astype(np.int32),
        failed=fails,
        skill_count=int(rows.shape[1]),
    )


def to_networkx(graph: SkillGraph, names: Sequence[str] | None = None) -> Any:
    """Return the graph as a bipartite ``networkx.Graph``.

    Nodes are the texts ``'piece 0'``, ... (attributes ``bipartite`` = 0 and ``failed``) and
    ``'skill 0'``, ... or by their names (``bipartite`` = 1); edges have their count as ``weight``.

    Parameters
    ----------
    graph
        The graph.
    names
        Name of each skill, all different; None numbers them.

    Raises
    ------
    MissingNetworkx
        If networkx is not installed.
    BadInput
        If the names do not fit, or the graph is too large for networkx and this memory.
    """
    networkx = _networkx()
    labels = [str(skill) for skill in range(graph.skill_count)] if names is None else names
    if len(set(labels)) != graph.skill_count or len(labels) != graph.skill_count:
        raise BadInput(f"{graph.skill_count} skills need as many different names, one each")
    nodes = graph.pieces + graph.skill_count
    require_bytes(
        _NODE_BYTES * nodes + _EDGE_BYTES * graph.edges,
        f"{nodes:,} nodes and {graph.edges:,} edges in networkx",
        "give it fewer pieces, or export .npz",
    )
    made = networkx.Graph()
    for skill in labels:
        made.add_node(f"skill {skill}", bipartite=SKILL)
    rows = to_biadjacency(graph)
    for piece, failed in enumerate(graph.failed.tolist()):
        node = f"piece {piece}"
        made.add_node(node, bipartite=PIECE, failed=failed)
        for at in range(int(rows.indptr[piece]), int(rows.indptr[piece + 1])):
            made.add_edge(node, f"skill {labels[rows.indices[at]]}", weight=int(rows.data[at]))
    return made


def from_networkx(graph: Any) -> SkillGraph:
    """Return the skill graph of a bipartite ``networkx.Graph``.

    Parameters
    ----------
    graph
        Every node has ``bipartite`` 0 (a piece, with ``failed`` true or false) or 1 (a skill).
        Edges join the two kinds; ``weight`` is their count, 1 if not given. Pieces and skills are
        numbered in the order of the nodes.

    Raises
    ------
    BadInput
        If any of that does not hold; the message names the node or the edge.
    """
    number: tuple[dict[Any, int], dict[Any, int]] = ({}, {})
    failed: list[bool] = []
    for node, attributes in graph.nodes(data=True):
        side = attributes.get("bipartite")
        if side not in (PIECE, SKILL):
            raise BadInput(f"node {node!r} needs bipartite = 0 (piece) or 1 (skill), not {side!r}")
        number[side][node] = len(number[side])
        if side == PIECE:
            if not isinstance(attributes.get("failed"), bool):
                raise BadInput(f"piece {node!r} needs the attribute failed, true or false")
            failed.append(attributes["failed"])
    pieces, skills = number
    edges = np.empty((graph.number_of_edges(), 3), np.int64)
    for at, (one, other, attributes) in enumerate(graph.edges(data=True)):
        if (one in skills) == (other in skills):
            raise BadInput(f"the edge {one!r} to {other!r} joins no piece to a skill")
        piece, skill = (other, one) if one in skills else (one, other)
        count = attributes.get("weight", 1)
        if count != int(count) or count < 0:
            raise BadInput(f"the edge {one!r} to {other!r} needs a whole weight, not {count!r}")
        edges[at] = pieces[piece], skills[skill], int(count)
    matrix = sparse.coo_array(
        (edges[:, 2], (edges[:, 0], edges[:, 1])), shape=(len(pieces), len(skills))
    )
    return from_biadjacency(matrix, np.array(failed, dtype=np.bool_))


def write_npz(path: Path, graph: SkillGraph) -> None:
    """Write the biadjacency matrix so that `scipy.sparse.load_npz` reads it, with ``failed``."""
    rows = to_biadjacency(graph)

    def write(temporary: Path) -> None:
        np.savez(
            temporary,
            format=np.array(b"csr"),
            shape=np.array(rows.shape),
            data=rows.data,
            indices=rows.indices,
            indptr=rows.indptr,
            failed=graph.failed,
        )

    atomic_write(path, write)


def read_npz(path: Path) -> SkillGraph:
    """Read what `write_npz` wrote.

    Raises
    ------
    BadInput
        If the file is not there or has no matrix or no ``failed``.
    """
    if not path.is_file():
        raise BadInput(f"there is no file {path}")
    try:
        matrix = sparse.load_npz(path)
        with np.load(path, allow_pickle=False) as arrays:
            failed = arrays["failed"]
    except (ValueError, KeyError, OSError) as error:
        raise BadInput(f"{path} is no skill graph with failures: {error}") from error
    return from_biadjacency(matrix, failed)


def write_graphml(path: Path, graph: SkillGraph, names: Sequence[str] | None = None) -> None:
    """Write the graph of `to_networkx` as GraphML."""
    made, networkx = to_networkx(graph, names), _networkx()

    def write(temporary: Path) -> None:
        networkx.write_graphml(made, temporary)

    atomic_write(path, write)


def export_graph(path: Path, graph: SkillGraph, names: Sequence[str] | None = None) -> None:
    """Write a graph into a file whose ending says how: .npz, .graphml or .jsonl (`corpus`).

    Raises
    ------
    BadInput
        If the ending is another one (see `require_ending`), or the graph is too large for it.
    MissingNetworkx
        For .graphml without networkx.
    """
    ending = require_ending(path)
    if ending == ".npz":
        write_npz(path, graph)
    elif ending == ".graphml":
        write_graphml(path, graph, names)
    else:
        write_pieces(path, pieces_of(graph, names))


def require_ending(path: Path) -> str:
    """Return the ending of a file to export to.

    Raises
    ------
    BadInput
        If it is none of those that `export_graph` knows.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise BadInput(f"cannot export to {path}: name a file that ends in {', '.join(ENDINGS)}")
    return ending


def _networkx() -> ModuleType:
    try:
        import networkx as nx  # pyright: ignore[reportMissingTypeStubs]
    except ImportError as error:
        raise MissingNetworkx from error
    return nx
