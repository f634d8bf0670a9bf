"""A model of the lab writes for any request: its text, the exact marks, and how new it was."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import numpy as np
import polars as pl
import pytest
import torch
from starlette.testclient import TestClient

from unparrot.core.errors import BadInput, MissingExtra
from unparrot.core.records import RunFolder
from unparrot.core.skills import HeldOut, SkillCombination
from unparrot.core.tables import SCHEMAS
from unparrot.lab.grader.exact import marks
from unparrot.lab.training.checkpoint import save_model, save_tokenizer
from unparrot.lab.training.model import Llama, ModelShape
from unparrot.lab.world.english import World
from unparrot.lab.writer import Writer
from unparrot.view import trying
from unparrot.view.trying import WAITING, Asked, Desk, drawn, novelty_of

SIZES = {"skills": 36, "topics": 20, "max_k": 4}


@pytest.fixture(scope="module")
def held_out() -> HeldOut:
    return HeldOut.draw(World().pack, np.random.default_rng(1), 0.15, 0.02, 0.05, 4)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, held_out: HeldOut) -> Path:
    """A run of the lab with a model of random weights, as far as trying it needs one."""
    world, rng = World(), Random(3)
    folder = RunFolder(tmp_path_factory.mktemp("lab") / "run")
    kinds = {key: {} for key in ("versions", "timings", "machine")}
    folder.write_manifest(
        {"spec": {}, "command": "", "seed": 1, **kinds, "digests": {"pack": world.pack.digest}}
    )
    row = [SIZES.get(name, 1) for name in SCHEMAS["world"].names()]
    rows = {"world": [row], "heldout": held_out.rows()}
    for name, content in rows.items():
        folder.write_table(name, pl.DataFrame(content, SCHEMAS[name], orient="row"))
    folder.write_graded([])
    documents = [world.draw(rng, rng.randint(1, 4)) for _ in range(3000)]
    (folder.path / "corpus").mkdir()
    table = {"topic": [d.topic for d in documents], "skills": [list(d.skills) for d in documents]}
    pl.DataFrame(table).write_parquet(folder.path / "corpus" / "documents.parquet")
    generator = torch.Generator().manual_seed(5)
    model = Llama(ModelShape(16, 2, 2, 24, len(world.vocabulary)), generator)
    with torch.no_grad():
        for weight in (model.attention_out, model.down, model.embedding):
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.5)
        model.embedding[2] *= 1.5  # <eos>
    save_tokenizer(folder.path / "models" / "16", world.vocabulary, world.pack.skill_names)
    save_model(model, folder.path / "models" / "16")
    return folder.path


@pytest.fixture
def client(run: Path, let_in: Callable[[Path], TestClient]) -> TestClient:
    return let_in(run.parent)


def page(client: TestClient, **asked: object) -> str:
    (row,) = client.get("/runs.json").json()
    answer = client.get(f"/run/{row['id']}/try", params=asked)
    assert answer.status_code == 200
    return answer.text


def test_a_text_is_what_the_model_writes_and_its_marks_are_exact(run: Path) -> None:
    combination, world = SkillCombination("sewing", ("simile", "doubt")), World()
    writer, desk = Writer(run / "models" / "16"), Desk()
    for temperature, seed in ((0.0, 1), (0.7, 2), (0.7, 3)):
        tried = desk.write(run, Asked("16", "sewing", ("simile", "doubt"), temperature, seed))
        assert tried.prompt == world.prompt(combination)
        request = writer.request(tried.prompt, None, temperature, seed)
        assert tried.card.text == writer.write([request])[0].text
        exact = marks(combination, world.about(combination), tried.card.text)
        assert tried.card.marks == exact
        assert tried.card.full_marks is all(exact.values())


def test_how_new_a_request_is_comes_from_what_was_held_out(run: Path, held_out: HeldOut) -> None:
    rows = pl.read_parquet(run / "corpus" / "documents.parquet").rows()
    texts = [(topic, frozenset(skills)) for topic, skills in rows]
    world, rng = World(), Random(8)
    seen = set[str]()
    for _ in range(400):
        asked = world.draw(rng, rng.randint(1, 6))
        split, trained, words = novelty_of(run, asked)
        seen.add(split)
        new = held_out.novelty(asked)
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
            if (a, b) not in held_out.pairs:
                number = sum({a, b} <= skills for _, skills in texts)
                assert f"{a} and {b}: together in {number:,} training texts." in words
    assert seen == {"heldout_pair", "heldout_triple", "heldout_topic", "untrained_k", "seen",
                    "new combination"}  # fmt: skip


def test_a_draw_has_a_pair_that_was_held_out(run: Path, held_out: HeldOut) -> None:
    rng = Random(1)
    for k in (2, 2, 3, 5):
        topic, skills = drawn(run, rng, k)
        assert len(set(skills)) == k
        assert held_out.novelty(SkillCombination(topic, skills)).pairs


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
        ({"topic": "sewing", "skills": "simile", "temperature": "nan"}, "a temperature is"),
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


def test_without_torch_it_says_how_to_get_it(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "unparrot.lab.writer", raising=False)
    trying._writer.cache_clear()
    with pytest.raises(MissingExtra, match=r"pip install 'unparrot\[lab\]'"):
        Desk().write(run, Asked("16", "sewing", ("simile",)))


def test_requests_are_taken_one_at_a_time_and_not_without_end(
    run: Path, monkeypatch: pytest.MonkeyPatch
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
        list(pool.map(lambda _: desk.write(run, asked), range(40)))
    assert at_once == [1] * 40
    for _ in range(WAITING):
        desk._places.acquire()
    with pytest.raises(BadInput, match="enough to do"):
        desk.write(run, asked)


def test_a_world_of_another_version_is_named(run: Path, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_table("world", RunFolder(run).read_table("world"))
    manifest = {
        "spec": {}, "command": "", "seed": 1, "versions": {}, "timings": {}, "machine": {},
        "digests": {"pack": "0" * 64},
    }  # fmt: skip
    folder.write_manifest(manifest)
    with pytest.raises(BadInput, match="another version of unparrot"):
        Desk().write(tmp_path, Asked("16", "sewing", ("simile",)))
