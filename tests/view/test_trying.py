"""A model of the lab writes for any request: its text, the exact marks, and how new it was."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import polars as pl
import pytest
from starlette.testclient import TestClient

from unparrot.core.errors import BadInput, MissingExtra
from unparrot.core.records import RunFolder
from unparrot.core.skills import HeldOut, SkillCombination
from unparrot.lab.grader.exact import marks
from unparrot.lab.world.english import World
from unparrot.lab.writer import Writer
from unparrot.view import trying
from unparrot.view.trying import WAITING, Asked, Desk, drawn, novelty_of


@pytest.fixture
def client(lab_run: Path, let_in: Callable[[Path], TestClient]) -> TestClient:
    return let_in(lab_run.parent)


def page(client: TestClient, **asked: object) -> str:
    (row,) = client.get("/runs.json").json()
    answer = client.get(f"/run/{row['id']}/try", params=asked)
    assert answer.status_code == 200
    return answer.text


def test_a_text_is_what_the_model_writes_and_its_marks_are_exact(lab_run: Path) -> None:
    combination, world = SkillCombination("sewing", ("simile", "doubt")), World()
    writer, desk = Writer(lab_run / "models" / "16"), Desk()
    for temperature, seed in ((0.0, 1), (0.7, 2), (0.7, 3)):
        tried = desk.write(lab_run, Asked("16", "sewing", ("simile", "doubt"), temperature, seed))
        assert tried.prompt == world.prompt(combination)
        request = writer.request(tried.prompt, None, temperature, seed)
        assert tried.card.text == writer.write([request])[0].text
        exact = marks(combination, world.about(combination), tried.card.text)
        assert tried.card.marks == exact
        assert tried.card.full_marks is all(exact.values())


def test_how_new_a_request_is_comes_from_what_was_held_out(
    lab_run: Path, lab_held_out: HeldOut
) -> None:
    rows = pl.read_parquet(lab_run / "corpus" / "documents.parquet").rows()
    texts = [(topic, frozenset(skills)) for topic, skills in rows]
    world, rng = World(), Random(8)
    seen = set[str]()
    for _ in range(400):
        asked = world.draw(rng, rng.randint(1, 6))
        split, trained, words = novelty_of(lab_run, asked)
        seen.add(split)
        new = lab_held_out.novelty(asked)
        assert trained == texts.count((asked.topic, frozenset(asked.skills)))
        kinds = ("pair", "triple", "topic")
        for kind, number in zip(kinds, (new.pairs, new.triples, new.cells), strict=True):
            phrase = {"pair": "never together", "triple": "never all three", "topic": "about"}[kind]
            # a held-out triple has no held-out pair
            assert sum(f": held out, {phrase}" in w or (kind == "topic" and "about" in w)
                       for w in words) == number  # fmt: skip
        assert any("at most 4" in word for word in words) == new.untrained_k
        assert new.is_new == (split in ("heldout_pair", "heldout_triple", "heldout_topic",
                                        "untrained_k"))  # fmt: skip
        for a, b in asked.pairs():
            if (a, b) not in lab_held_out.pairs:
                number = sum({a, b} <= skills for _, skills in texts)
                assert f"{a} and {b}: together in {number:,} training texts." in words
    assert seen == {"heldout_pair", "heldout_triple", "heldout_topic", "untrained_k", "seen",
                    "new combination"}  # fmt: skip


def test_a_draw_has_a_pair_that_was_held_out(lab_run: Path, lab_held_out: HeldOut) -> None:
    rng = Random(1)
    for k in (2, 2, 3, 5):
        topic, skills = drawn(lab_run, rng, k)
        assert len(set(skills)) == k
        assert lab_held_out.novelty(SkillCombination(topic, skills)).pairs


def test_the_page_shows_text_and_marks(client: TestClient) -> None:
    written = page(client, model="16", topic="sewing", skills=["simile", "doubt"])
    for criterion in ("simile", "doubt", "topic", "sense", "length"):
        assert re.search(rf"class=\"chip (earned|missed)\"[^>]*>[✓✗] {criterion}<", written)
    # the skills that were asked for come first, in their order
    boxes = re.findall(r'name="skills" value="([^"]*)"( checked)?', written)
    assert [name for name, _ in boxes[:2]] == ["simile", "doubt"]
    assert [bool(checked) for _, checked in boxes] == [True] * 2 + [False] * 34
    assert "<blockquote" in page(client, draw="1")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"model": "../../secret", "topic": "sewing", "skills": "simile"}, "has no model"),
        ({"model": "16", "topic": "<b>", "skills": "simile"}, "has no &#x27;&lt;b&gt;&#x27;"),
        ({"model": "16", "topic": "sewing", "skills": "irony<script>"}, "has no"),
        ({"model": "16", "topic": "sewing", "skills": ["simile", "simile"]}, "each skill once"),
        ({"topic": "sewing", "skills": "simile", "temperature": "nan"}, "not &#x27;nan&#x27;"),
        ({"topic": "sewing", "skills": "simile", "temperature": "warm"}, "not &#x27;warm&#x27;"),
        ({"model": "16", "topic": "sewing"}, "Tick a skill"),
        ({"topic": "sewing", "skills": "simile", "temperature": "-1"}, "a temperature is"),
        ({"topic": "sewing", "skills": list(World().pack.skill_names)}, "seed"),
    ],
)
def test_what_cannot_be_asked_is_said(
    client: TestClient, asked: dict[str, object], words: str
) -> None:
    written = page(client, **asked)
    if words == "seed":  # all skills at once is a request like others
        assert "<blockquote" in written
    else:
        assert words in written
        assert 'role="alert"' in written
        assert "<script>" not in written


@pytest.mark.parametrize("seed", ["-1", "1.5", "9" * 30, "\u0665"])
def test_a_seed_that_is_none_is_not_taken_for_another(client: TestClient, seed: str) -> None:
    (row,) = client.get("/runs.json").json()
    asked = {"model": "16", "topic": "sewing", "skills": "simile", "seed": seed}
    answer = client.get(f"/run/{row['id']}/try", params=asked)
    assert answer.status_code == 400
    assert f"not &#x27;{seed}&#x27;" in answer.text


def test_without_torch_it_says_how_to_get_it(
    lab_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "unparrot.lab.writer", raising=False)
    trying._writer.cache_clear()
    with pytest.raises(MissingExtra, match=r"pip install 'unparrot\[lab\]'"):
        Desk().write(lab_run, Asked("16", "sewing", ("simile",)))


def test_requests_are_taken_one_at_a_time_and_not_without_end(
    lab_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once: list[int] = []
    working = [0]

    def write(*_: object) -> tuple[str, str]:
        working[0] += 1
        at_once.append(working[0])
        working[0] -= 1
        return "", ""

    monkeypatch.setattr(trying, "_write", write)
    desk, asked = Desk(), Asked("16", "sewing", ("simile",))
    with ThreadPoolExecutor(WAITING) as pool:
        list(pool.map(lambda _: desk.write(lab_run, asked), range(40)))
    assert at_once == [1] * 40
    for _ in range(WAITING):
        desk._places.acquire()
    with pytest.raises(BadInput, match="enough to do"):
        desk.write(lab_run, asked)


def test_a_world_of_another_version_is_named(lab_run: Path, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_table("world", RunFolder(lab_run).read_table("world"))
    manifest = {
        "spec": {}, "command": "", "seed": 1, "versions": {}, "timings": {}, "machine": {},
        "digests": {"pack": "0" * 64},
    }  # fmt: skip
    folder.write_manifest(manifest)
    with pytest.raises(BadInput, match="another version of unparrot"):
        Desk().write(tmp_path, Asked("16", "sewing", ("simile",)))
