"""Skill graphs in files and for other programs: tagged corpora, scipy.sparse, networkx, and back.

`unparrot theory graph --export FILE` writes .npz (scipy), .graphml (networkx and most graph
programs) or .jsonl. A skill that a piece holds twice becomes a count of 2; the order of the skills
in a piece is kept by .jsonl alone.

A corpus of texts tagged with their skills (`--tagged FILE`) has one piece of text a line::

    {"id": "7", "skills": ["metaphor", "modus ponens"], "failed": false}

A skill named twice in a line counts as two edges. Other keys may stand beside these three and are
left alone; empty lines are skipped. Files are read and written line by line, and of what is read
only numbers are kept: 16 bytes for each text and 4 for each edge.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from unparrot.core.errors import BadInput
from unparrot.core.machine import require_bytes
from unparrot.core.records import atomic_write
from unparrot.core.strictjson import names_in, read_lines, shown
from unparrot.theory.graph.stored import SkillGraph

KEYS = ("id", "skills", "failed")
PIECE, SKILL = 0, 1  # the networkx attribute ``bipartite`` of the two kinds of nodes

_NODE_BYTES, _EDGE_BYTES = 700, 800  # what networkx takes for each, measured with Python 3.11


@dataclass(frozen=True, slots=True)
class TaggedPiece:
    """One line: a text by its id, the skills it shows, and whether the model failed it."""

    id: str
    skills: tuple[str, ...]
    failed: bool


@dataclass(frozen=True, slots=True, eq=False)
class TaggedCorpus:
    """A tagged corpus as a skill graph.

    Parameters
    ----------
    names
        Name of each skill; its place is its number in the graph.
    graph
        The pieces in the order of the file.
    """

    names: tuple[str, ...]
    graph: SkillGraph


def read_pieces(lines: Iterable[bytes], name: str) -> Iterator[TaggedPiece]:
    """Read the lines one by one.

    Parameters
    ----------
    lines
        Lines in UTF-8, as a file opened for reading bytes gives them; a byte-order mark is allowed.
    name
        What messages call the source, for example the path.

    Raises
    ------
    BadInput
        With the number of the line (from 1): not UTF-8, not a JSON object, a key that is missing
        or given twice, a value of another type, no skill. After the last line: an id that two
        lines share, or no line at all.
    """
    seen, numbers = bytearray(), array("q")
    for number, piece in read_lines(lines, name, KEYS, _piece):
        seen += blake2b(piece.id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        numbers.append(number)
        yield piece
    if not numbers:
        raise BadInput(
            f"{name} holds no text; give one a line: "
            '{"id": "1", "skills": ["metaphor"], "failed": false}'
        )
    _require_distinct(seen, numbers, name)


def read_corpus(path: Path, names: Sequence[str] | None = None) -> TaggedCorpus:
    """Read a file of tagged texts into a skill graph.

    Parameters
    ----------
    path
        The JSON lines.
    names
        All skills, those without a text too; None takes them from the file, in order of
        appearance.

    Raises
    ------
    BadInput
        As `read_pieces`; also if a skill is not among ``names``, or a name stands there twice.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "tagged.jsonl"
    ...     _ = write_pieces(path, [TaggedPiece("a", ("simile", "hyperbole"), True)])
    ...     corpus = read_corpus(path)
    >>> corpus.names, corpus.graph.skills.tolist(), corpus.graph.failed.tolist()
    (('simile', 'hyperbole'), [0, 1], [True])
    """
    number: dict[str, int] = {}
    for skill in names or ():
        if skill in number:
            raise BadInput(f"the skill {skill!r} is named twice; name each once")
        number[skill] = len(number)
    indptr, skills, failed = array("q", [0]), array("i"), bytearray()
    with _opened(path) as lines:
        for piece in read_pieces(lines, str(path)):
            for skill in piece.skills:
                at = number.setdefault(skill, len(number)) if names is None else number.get(skill)
                if at is None:
                    raise BadInput(
                        f"{path}: text {piece.id!r} has the skill {skill!r}, which is not among "
                        f"the {len(number)} given"
                    )
                skills.append(at)
            indptr.append(len(skills))
            failed.append(piece.failed)
    graph = SkillGraph(
        indptr=np.frombuffer(indptr, dtype=np.int64),
        skills=np.frombuffer(skills, dtype=np.int32),
        failed=np.frombuffer(failed, dtype=np.bool_),
        skill_count=len(number),
    )
    return TaggedCorpus(tuple(number), graph)


def write_pieces(path: Path, pieces: Iterable[TaggedPiece]) -> int:
    """Write texts as JSON lines, atomically, and return how many.

    Raises
    ------
    BadInput
        If a text has no skill.
    """
    count = 0

    def write(temporary: Path) -> None:
        nonlocal count
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            for piece in pieces:
                if not piece.skills:
                    raise BadInput(f"text {piece.id!r} has no skill; leave it out")
                line = {"id": piece.id, "skills": piece.skills, "failed": piece.failed}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                count += 1

    atomic_write(path, write)
    return count


def pieces_of(graph: SkillGraph, names: Sequence[str] | None = None) -> Iterator[TaggedPiece]:
    """Yield the pieces of a graph as texts, to be written by `write_pieces`.

    Their ids are their numbers. Pieces without a skill have no line in a corpus and are left out.

    Parameters
    ----------
    graph
        The graph.
    names
        Name of each skill; None names them by their numbers.

    Raises
    ------
    BadInput
        If there is not one name for each skill.
    """
    labels = [str(skill) for skill in range(graph.skill_count)] if names is None else list(names)
    if len(labels) != graph.skill_count:
        raise BadInput(f"{len(labels)} names for {graph.skill_count} skills; give one each")
    for at in range(len(graph.failed)):
        first, last = int(graph.indptr[at]), int(graph.indptr[at + 1])
        if last > first:
            numbers = cast(list[int], graph.skills[first:last].tolist())
            skills = tuple(labels[skill] for skill in numbers)
            yield TaggedPiece(str(at), skills, bool(graph.failed[at]))


def _opened(path: Path) -> IO[bytes]:
    if not path.is_file():
        raise BadInput(f"there is no file {path}; name a file of tagged texts, one JSON line each")
    return path.open("rb")


def _require_distinct(digests: bytearray, numbers: array[int], name: str) -> None:
    """Refuse ids that occur twice; 128 bits of digest stand for each, so that ids need no room."""
    _, first, which = np.unique(
        np.frombuffer(digests, dtype="S16"), return_index=True, return_inverse=True
    )
    repeated = np.flatnonzero(first[which] != np.arange(len(which)))
    if len(repeated):
        at = int(repeated[0])
        first_line, second_line = numbers[int(first[which[at]])], numbers[at]
        raise BadInput(
            f"{name}: lines {first_line} and {second_line} have the same id; give each text its own"
        )


def _piece(content: dict[str, Any]) -> TaggedPiece:
    identity, skills, failed = (content[key] for key in KEYS)
    if not isinstance(identity, str | int) or isinstance(identity, bool):
        raise BadInput(f"'id' must be a text or a whole number, not {shown(identity)}")
    if not isinstance(failed, bool):
        raise BadInput(f"'failed' must be true or false, not {shown(failed)}")
    return TaggedPiece(str(identity), names_in(skills), failed)


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
    BadInput
        If networkx is not installed, the names do not fit, or the graph is too large for networkx
        and this memory.
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
    made.add_nodes_from((f"skill {skill}" for skill in labels), bipartite=SKILL)
    for piece, failed in enumerate(graph.failed.tolist()):
        made.add_node(f"piece {piece}", bipartite=PIECE, failed=failed)
    cells = to_biadjacency(graph).tocoo()
    for piece, skill, count in zip(cells.row, cells.col, cells.data.tolist(), strict=True):
        made.add_edge(f"piece {piece}", f"skill {labels[skill]}", weight=count)
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
    arrays = {"data": rows.data, "indices": rows.indices, "indptr": rows.indptr}
    arrays |= {"format": np.array(b"csr"), "shape": np.array(rows.shape), "failed": graph.failed}
    atomic_write(path, lambda temporary: np.savez(temporary, **arrays))


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
    made = to_networkx(graph, names)
    atomic_write(path, lambda temporary: _networkx().write_graphml(made, temporary))


_WRITERS: dict[str, Callable[[Path, SkillGraph, Sequence[str] | None], object]] = {
    ".npz": lambda path, graph, _: write_npz(path, graph),
    ".graphml": write_graphml,
    ".jsonl": lambda path, graph, names: write_pieces(path, pieces_of(graph, names)),
}


def export_graph(path: Path, graph: SkillGraph, names: Sequence[str] | None = None) -> None:
    """Write a graph into a file whose ending says how: .npz, .graphml or .jsonl.

    Raises
    ------
    BadInput
        If the ending is another one (see `require_ending`), the graph is too large for it, or
        networkx is not installed (.graphml).
    """
    require_ending(path)
    _WRITERS[path.suffix.lower()](path, graph, names)


def require_ending(path: Path) -> None:
    """Raise `BadInput` if a file does not end as one that `export_graph` writes."""
    if path.suffix.lower() not in _WRITERS:
        raise BadInput(f"cannot export to {path}: name a file that ends in {', '.join(_WRITERS)}")


def _networkx() -> ModuleType:
    try:
        import networkx as nx  # pyright: ignore[reportMissingTypeStubs]
    except ImportError as error:
        raise BadInput(
            "networkx is not installed; install it with: pip install networkx (or export .npz)"
        ) from error
    return nx
