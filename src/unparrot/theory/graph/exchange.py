"""Skill graphs in files and for other programs: tagged corpora, scipy.sparse, and back.

`unparrot theory graph --export FILE` writes .npz (`scipy.sparse.load_npz`; from there
`networkx.bipartite.from_biadjacency_matrix` makes a graph) or .jsonl. A skill that a piece holds
twice becomes a count of 2; the order of the skills in a piece is kept by .jsonl alone.

A corpus of texts tagged with their skills (`--tagged FILE`) has one piece of text a line::

    {"id": "7", "skills": ["metaphor", "modus ponens"], "failed": false}

A skill named twice in a line counts as two edges. Other keys may stand beside these three and are
left alone; empty lines are skipped. Files are read and written line by line, and of what is read
only numbers are kept: 16 bytes for each text and 4 for each edge.
"""

import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from unparrot.core.errors import BadInput
from unparrot.core.inputs import names_in, opened, read_lines, shown
from unparrot.core.machine import require_bytes
from unparrot.core.records import atomic_write
from unparrot.theory.graph.stored import SkillGraph

KEYS = ("id", "skills", "failed")


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


def read_corpus(path: Path) -> TaggedCorpus:
    """Read a file of tagged texts into a skill graph, its skills in order of appearance.

    Raises
    ------
    BadInput
        If there is no such file, or no line in it; with the number of the line (from 1): not UTF-8,
        not a JSON object, a key that is missing or given twice, a value of another type, no skill.
        After the last line: an id that two lines share.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "tagged.jsonl"
    ...     _ = path.write_text('{"id": 1, "skills": ["simile", "hyperbole"], "failed": true}')
    ...     corpus = read_corpus(path)
    >>> corpus.names, corpus.graph.skills.tolist(), corpus.graph.failed.tolist()
    (('simile', 'hyperbole'), [0, 1], [True])
    """
    number: dict[str, int] = {}
    indptr, skills, failed = array("q", [0]), array("i"), bytearray()
    # 128 bits of digest stand for each id, so that ids need no room
    digests, line_numbers = bytearray(), array("q")
    with opened(path) as lines:
        for line, (identity, named, fails) in read_lines(lines, str(path), KEYS, _piece):
            digests += blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=16).digest()
            line_numbers.append(line)
            skills.extend(number.setdefault(skill, len(number)) for skill in named)
            indptr.append(len(skills))
            failed.append(fails)
    if not line_numbers:
        raise BadInput(
            f"{path} holds no text; give one a line: "
            '{"id": "1", "skills": ["metaphor"], "failed": false}'
        )
    ids = np.frombuffer(digests, dtype="S16")
    _, first, which = np.unique(ids, return_index=True, return_inverse=True)
    repeated = np.flatnonzero(first[which] != np.arange(len(which)))
    if len(repeated):
        later = int(repeated[0])
        pair = f"lines {line_numbers[int(first[which[later]])]} and {line_numbers[later]}"
        raise BadInput(f"{path}: {pair} have the same id; give each text its own")
    graph = SkillGraph(
        indptr=np.frombuffer(indptr, dtype=np.int64),
        skills=np.frombuffer(skills, dtype=np.int32),
        failed=np.frombuffer(failed, dtype=np.bool_),
        skill_count=len(number),
    )
    return TaggedCorpus(tuple(number), graph)


def _piece(content: dict[str, Any]) -> tuple[str, tuple[str, ...], bool]:
    """A text's id, the skills it shows, and whether the model failed it."""
    identity, skills, failed = (content[key] for key in KEYS)
    if not isinstance(identity, str | int) or isinstance(identity, bool):
        raise BadInput(f"'id' must be a text or a whole number, not {shown(identity)}")
    if not isinstance(failed, bool):
        raise BadInput(f"'failed' must be true or false, not {shown(failed)}")
    return str(identity), names_in(skills), failed


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
        If the matrix is none, a count is negative or not whole, or the failures do not fit.
    """
    rows: Any = sparse.csr_array(matrix, copy=True)
    rows.sum_duplicates()
    counts = rows.data.astype(np.int64)
    wrong = rows.data[(counts != rows.data) | (counts < 0)]
    if rows.ndim != 2 or len(wrong):
        raise BadInput(
            "a biadjacency matrix holds counts of 0, 1, 2, ... in the shape (pieces, skills), not "
            f"{wrong[0] if len(wrong) else rows.shape}"
        )
    ends = np.concatenate(([0], np.cumsum(counts)))
    skills = np.repeat(rows.indices, counts).astype(np.int32)
    return SkillGraph(ends[rows.indptr].astype(np.int64), skills, failed, rows.shape[1])


def export_graph(path: Path, graph: SkillGraph, names: Sequence[str] | None = None) -> None:
    """Write a graph into a file whose ending says how: .npz or .jsonl.

    `scipy.sparse.load_npz` reads the first, which holds ``failed`` too. The second is a tagged
    corpus whose ids are the numbers of the pieces; those without a skill have no line in it.

    Parameters
    ----------
    path
        The file.
    graph
        The graph.
    names
        Name of each skill; None names them by their numbers.

    Raises
    ------
    BadInput
        If the ending is another one (see `require_ending`), or the graph is too large for it.
    """
    require_ending(path)
    if path.suffix.lower() == ".jsonl":
        labels = [*map(str, range(graph.skill_count))] if names is None else names
        atomic_write(path, lambda temporary: _write_lines(temporary, graph, labels))
        return
    rows = to_biadjacency(graph)
    arrays = {"data": rows.data, "indices": rows.indices, "indptr": rows.indptr}
    arrays |= {"format": np.array(b"csr"), "shape": np.array(rows.shape), "failed": graph.failed}
    atomic_write(path, lambda temporary: np.savez(temporary, **arrays))


def _write_lines(path: Path, graph: SkillGraph, names: Sequence[str]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for at in range(graph.pieces):
            skills = graph.skills[graph.indptr[at] : graph.indptr[at + 1]].tolist()
            if skills:
                values = str(at), [names[skill] for skill in skills], bool(graph.failed[at])
                line = dict(zip(KEYS, values, strict=True))
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


def require_ending(path: Path) -> None:
    """Raise `BadInput` if a file does not end as one that `export_graph` writes."""
    if path.suffix.lower() not in (".npz", ".jsonl"):
        raise BadInput(f"cannot export to {path}: name a file that ends in .npz or .jsonl")
