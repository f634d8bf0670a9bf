"""A corpus of texts tagged with their skills, as JSON lines: `unparrot theory graph --tagged FILE`.

One piece of text a line::

    {"id": "7", "skills": ["metaphor", "modus ponens"], "failed": false}

A skill named twice in a line counts as two edges. Other keys may stand beside these three and are
left alone; empty lines are skipped. Files are read and written line by line, and of what is read
only numbers are kept: 16 bytes for each text and 4 for each edge.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from unparrot.core.errors import BadInput
from unparrot.core.records import atomic_write
from unparrot.core.strictjson import shown, unique_keys
from unparrot.theory.graph.csr import SkillGraph

KEYS = ("id", "skills", "failed")


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
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            if not text.strip():
                continue
            piece = _piece(text)
        except UnicodeDecodeError as error:
            raise BadInput(f"{name}, line {number}: not UTF-8 text ({error.reason})") from error
        except BadInput as error:
            raise BadInput(f"{name}, line {number}: {error}") from error
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
    high, low = np.frombuffer(digests, dtype=np.uint64).reshape(-1, 2).T
    order = np.lexsort((low, high))
    same = (np.diff(high[order]) == 0) & (np.diff(low[order]) == 0)
    if not same.any():
        return
    places = np.flatnonzero(same)
    # order is stable, so of equal digests the earlier line comes first; tell of the first clash
    second = order[places + 1]
    at = int(np.argmin(second))
    first_line, second_line = numbers[int(order[places[at]])], numbers[int(second[at])]
    raise BadInput(
        f"{name}: lines {first_line} and {second_line} have the same id; give each text its own"
    )


def _piece(text: str) -> TaggedPiece:
    try:
        value: object = json.loads(text, object_pairs_hook=unique_keys)
    except BadInput:
        raise
    except RecursionError as error:
        raise BadInput("the JSON is nested too deeply") from error
    except ValueError as error:
        raise BadInput(f"broken JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadInput(f"a line must be a JSON object, not {shown(value)}")
    content = cast(dict[str, Any], value)
    missing = [key for key in KEYS if key not in content]
    if missing:
        raise BadInput(f"missing {', '.join(map(repr, missing))}; a line needs id, skills, failed")
    identity, skills, failed = (content[key] for key in KEYS)
    if isinstance(identity, int) and not isinstance(identity, bool):
        identity = str(identity)
    if not isinstance(identity, str):
        raise BadInput(f"'id' must be a text or a whole number, not {shown(identity)}")
    if not isinstance(failed, bool):
        raise BadInput(f"'failed' must be true or false, not {shown(failed)}")
    if not isinstance(skills, list) or not skills:
        raise BadInput(
            f"'skills' must be a list of one name or more, not {shown(content['skills'])}"
        )
    names: list[str] = []
    for skill in cast(list[object], skills):
        if not isinstance(skill, str) or not skill:
            raise BadInput(f"'skills' must hold names, not {shown(skill)}")
        names.append(skill)
    return TaggedPiece(identity, tuple(names), failed)
