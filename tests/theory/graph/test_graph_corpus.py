"""The tagged corpus: what is read, written, refused, and counted."""

import json
import tracemalloc
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from unparrot.core.errors import BadInput
from unparrot.theory.graph.exchange import export_graph, read_corpus
from unparrot.theory.graph.stored import SkillGraph, tuple_counts
from unparrot.theory.graph.tuples import rank_table, unrank

GOOD = {"id": "a", "skills": ["simile", "hyperbole"], "failed": True}


def random_graph(
    seed: int, pieces: int = 400, skills: int = 12, repeats: bool = True
) -> SkillGraph:
    rng = np.random.default_rng(seed)
    degrees = rng.integers(1, 6, pieces)
    rows = [rng.choice(skills, d, replace=repeats) for d in degrees]
    return SkillGraph(
        np.concatenate(([0], np.cumsum(degrees))),
        np.concatenate(rows).astype(np.int32),
        rng.random(pieces) < 0.3,
        skills,
    )


def write(path: Path, *lines: bytes | dict[str, object]) -> Path:
    path.write_bytes(
        b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    )
    return path


def test_a_corpus_is_read(tmp_path: Path) -> None:
    lines = [
        {"id": "Zoë 🦜", "skills": ['é"', "b", 'é"'], "failed": True},
        {"id": '"\n\\', "skills": ["b"], "failed": False},
        {"id": "?", "skills": ["c" * 300], "failed": False},
    ]
    corpus = read_corpus(write(tmp_path / "tagged.jsonl", *lines))
    assert corpus.names == ('é"', "b", "c" * 300)
    assert corpus.graph.indptr.tolist() == [0, 3, 4, 5]
    assert corpus.graph.skills.tolist() == [0, 1, 0, 1, 2]
    assert corpus.graph.failed.tolist() == [True, False, False]
    assert corpus.graph.skills.dtype == np.int32
    path = tmp_path / "new" / "again.jsonl"
    export_graph(path, corpus.graph, corpus.names)
    again = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert again == [{**line, "id": str(at)} for at, line in enumerate(lines)]


@pytest.mark.parametrize("seed", range(3))
def test_a_graph_survives_its_file(seed: int, tmp_path: Path) -> None:
    graph = random_graph(seed)
    path = tmp_path / "tagged.jsonl"
    names = [f"skill {s}" for s in range(12)]
    export_graph(path, graph, names)
    again = read_corpus(path)
    assert sorted(again.names) == sorted(names)
    for field in ("indptr", "failed", "skill_count"):
        np.testing.assert_array_equal(getattr(again.graph, field), getattr(graph, field))
    drawn = [again.names[s] for s in again.graph.skills]
    assert drawn == [names[s] for s in graph.skills]


def test_pieces_without_skills_have_no_line(tmp_path: Path) -> None:
    graph = SkillGraph(np.array([0, 0, 1, 1]), np.array([2], np.int32), np.array([True] * 3), 3)
    path = tmp_path / "graph.jsonl"
    export_graph(path, graph)
    assert path.read_text() == '{"id": "1", "skills": ["2"], "failed": true}\n'


def test_other_keys_empty_lines_numbers_as_ids_and_a_byte_order_mark_do_no_harm(
    tmp_path: Path,
) -> None:
    lines = [
        b'\xef\xbb\xbf{"id": 7, "skills": ["a"], "failed": true, "text": "Tea."}\r\n',
        b"\r\n",
        b'{"failed": false, "skills": ["a"], "id": "8"}',
    ]
    corpus = read_corpus(write(tmp_path / "tagged.jsonl", *lines))
    assert corpus.names == ("a",)
    assert corpus.graph.failed.tolist() == [True, False]


BAD = {
    "broken": (b'{"id": ', "broken JSON"),
    "too deep": (b"[" * 100_000, "nested too deeply"),
    "not an object": (b"[1]", r"must be a JSON object, not \[1\]"),
    "missing": (b'{"id": "x"}', "missing 'skills', 'failed'"),
    "double key": (b'{"id": "a", "id": "b"}', "'id' occurs twice"),
    "id": ({**GOOD, "id": None}, "'id' must be a text or a whole number, not null"),
    "id true": ({**GOOD, "id": True}, "'id' must be a text or a whole number, not true"),
    "skills": ({**GOOD, "skills": "simile"}, 'list of one name or more, not "simile"'),
    "no skill": ({**GOOD, "skills": []}, r"list of one name or more, not \[\]"),
    "skill": ({**GOOD, "skills": ["a", 3]}, "must hold names, not 3"),
    "nameless": ({**GOOD, "skills": [""]}, 'must hold names, not ""'),
    "failed": ({**GOOD, "failed": 1}, "'failed' must be true or false, not 1"),
    "long": ({**GOOD, "failed": "x" * 99}, r'not "x{56}\.\.\.$'),
    "bytes": (b"\xff\xfe", "not UTF-8"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_is_named(name: str, tmp_path: Path) -> None:
    bad, message = BAD[name]
    path = write(tmp_path / "tagged.jsonl", GOOD, b"", bad)
    with pytest.raises(BadInput, match=message) as caught:
        read_corpus(path)
    assert str(caught.value).startswith(f"{path}, line 3: ")


def test_ids_must_differ(tmp_path: Path) -> None:
    lines = [{**GOOD, "id": str(at)} for at in range(50)]
    lines[40] = lines[30]
    lines[45] = lines[10]
    with pytest.raises(BadInput, match="lines 31 and 41 have the same id"):
        read_corpus(write(tmp_path / "tagged.jsonl", *lines))
    with pytest.raises(BadInput, match="lines 1 and 2 have"):
        read_corpus(write(tmp_path / "two.jsonl", {**GOOD, "id": 1}, {**GOOD, "id": "1"}))


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no text; give one a line"):
        read_corpus(write(tmp_path / "tagged.jsonl", content))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no file"):
        read_corpus(tmp_path / "absent.jsonl")


def test_reading_keeps_numbers_only(tmp_path: Path) -> None:
    """6,000 texts of 300 letters: what stays is 16 bytes a text for its id, and the graph."""
    skills = ["a", "b", "c"]
    texts = ({"id": f"{at:0300}", "skills": skills, "failed": at % 2 == 0} for at in range(6_000))
    path = write(tmp_path / "tagged.jsonl", *texts)
    tracemalloc.start()
    try:
        graph = read_corpus(path).graph
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert graph.pieces == 6_000
    assert peak < 6_000 * 160  # the ids alone are twice that


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_counts_by_brute_force(repeats: bool, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unparrot.theory.graph.stored._CHUNK", 200)
    graph = random_graph(size, repeats=repeats)
    degree: Counter[tuple[int, ...]] = Counter()
    failed: Counter[tuple[int, ...]] = Counter()
    for at in range(graph.pieces):
        piece = sorted(graph.skills[graph.indptr[at] : graph.indptr[at + 1]].tolist())
        degree.update(combinations(piece, size))
        if graph.failed[at]:
            failed.update(combinations(piece, size))
    counts = tuple_counts(graph, size)
    members = unrank(counts.ids, rank_table(12, size, repeats))
    assert (np.diff(counts.ids) > 0).all()
    found = list(map(tuple, members.tolist()))
    assert dict(zip(found, counts.degree.tolist(), strict=True)) == dict(degree)
    assert dict(zip(found, counts.failed.tolist(), strict=True)) == {m: failed[m] for m in degree}
    np.testing.assert_allclose(counts.weights, counts.degree / sum(degree.values()))
    assert counts.sampled is None


def test_counts_that_cannot_be_made() -> None:
    graph = random_graph(0)
    with pytest.raises(BadInput, match="no piece has 6 skills"):
        tuple_counts(graph, 6)
    many = SkillGraph(np.array([0, 9]), np.arange(9, dtype=np.int32), np.array([True]), 10**6)
    with pytest.raises(BadInput, match="more than can be numbered"):
        tuple_counts(many, 9)


def test_names_of_every_kind_survive_an_export(tmp_path: Path) -> None:
    names = (
        *("a<b>&amp;\"'", "]]>", "שלום\u202eabc", "a\u2028b", "\\u0041"),
        *("x" * 100_000, "é", "e\u0301", "🦜" * 3, " padded ", "null", "NaN", "0"),
    )
    path, again = tmp_path / "texts.jsonl", tmp_path / "again.jsonl"
    lines = [{"id": i, "skills": [n, names[0]], "failed": not i} for i, n in enumerate(names)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    corpus = read_corpus(path)
    assert corpus.names == names
    export_graph(again, corpus.graph, corpus.names)
    assert read_corpus(again).names == names
    assert read_corpus(again).graph.skills.tolist() == corpus.graph.skills.tolist()
