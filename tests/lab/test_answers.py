"""Answers: what is written is graded as the grader does, and cloze answers are counted right."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from unparrot.core.errors import BadInput
from unparrot.core.skills import HeldOut
from unparrot.lab.answers import (
    CLOZE_START,
    MAX_NEW,
    PARROTS,
    answer_cloze,
    measure,
    measure_parrot,
    write_with_model,
    write_with_parrot,
)
from unparrot.lab.cells import Cell, draw_cells, questions
from unparrot.lab.corpus import Mixture, Source, write_corpus
from unparrot.lab.grader import exact
from unparrot.lab.parrots.parrot import Parrot
from unparrot.lab.study.work import PARROTS as TOGETHER
from unparrot.lab.training.checkpoint import load_model, save_model, save_tokenizer
from unparrot.lab.training.forecast import Progress
from unparrot.lab.training.generate import generate
from unparrot.lab.training.model import Llama
from unparrot.lab.training.shape import ModelShape
from unparrot.lab.world.english import World, pretty


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def held_out(world: World) -> HeldOut:
    return HeldOut.draw(world.pack, np.random.default_rng(1), 0.15, 0.02, 0.05, 8)


@pytest.fixture(scope="module")
def checkpoint(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained model of the world's vocabulary that does not only repeat its last word."""
    shape = ModelShape(8, 1, 1, 16, len(world.vocabulary))
    model = Llama(shape, torch.Generator().manual_seed(4))
    with torch.no_grad():
        model.final_gain.normal_(generator=torch.Generator().manual_seed(5))
    folder = tmp_path_factory.mktemp("model")
    save_tokenizer(folder, world.vocabulary, world.pack.skill_names)
    save_model(model, folder)
    return folder


@pytest.fixture(scope="module")
def corpus(world: World, held_out: HeldOut, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(Source(world, held_out, Mixture(), 1), folder, 20_000)
    return folder


@pytest.fixture(scope="module")
def cells(world: World, held_out: HeldOut) -> list[Cell]:
    own = source(held_out)
    seen = [own.document(i).combination for i in range(300)]
    return draw_cells(world.pack, held_out, seen, (3, 1), 3, np.random.default_rng(2))


def source(held_out: HeldOut, seed: int = 1) -> Source:
    return Source(World(), held_out, Mixture(), seed)


def test_texts_are_greedy_and_graded_as_the_grader_does(
    checkpoint: Path, cells: list[Cell], held_out: HeldOut, world: World
) -> None:
    events: list[object] = []
    one = write_with_model(checkpoint, cells, emit=events.append)
    asked = {(q.combination, q.split, q.trained_count) for q in questions(cells)}
    assert {(t.combination, t.split, t.trained_count) for t in one} == asked
    assert len(one) == len(asked)
    assert {t.decoding for t in one} == {"greedy"}
    assert events[-1] == Progress(1.0, f"{checkpoint.name} writes text {len(one)} of {len(one)}")
    for text in one:
        # the text as people write it means what the words mean that were graded
        assert text.marks == exact.grade(text.combination, world.about(text.combination), text.text)


def test_a_text_belongs_to_its_own_prompt(
    checkpoint: Path, cells: list[Cell], held_out: HeldOut, world: World
) -> None:
    ids = {token: i for i, token in enumerate(world.vocabulary)}
    model = load_model(checkpoint)
    for text in write_with_model(checkpoint, cells)[::5]:
        prompt = [ids[t] for t in world.prompt_tokens(text.combination)]
        (alone,) = generate(model, [prompt], 4 * MAX_NEW, ids["<eos>"])
        words = " ".join(world.vocabulary[t] for t in alone)
        assert text.text == pretty(words.split())


def test_a_model_of_another_vocabulary_is_refused(
    tmp_path: Path,
    cells: list[Cell],
    held_out: HeldOut,
    tiny_vocabulary: tuple[str, ...],
    tiny_skills: tuple[str, ...],
) -> None:
    model = Llama(ModelShape(8, 1, 1, 16, len(tiny_vocabulary)), torch.Generator())
    save_tokenizer(tmp_path, tiny_vocabulary, tiny_skills)
    save_model(model, tmp_path)
    with pytest.raises(BadInput, match=r"has 19 tokens, this world \d+; train it again"):
        write_with_model(tmp_path, cells)


def test_what_was_measured_is_kept_for_as_long_as_nothing_else_is_asked(
    checkpoint: Path, cells: list[Cell], held_out: HeldOut, tmp_path: Path
) -> None:
    shutil.copytree(checkpoint, tmp_path / "m")
    copy, own = tmp_path / "m", source(held_out)
    events: list[object] = []
    first = measure(copy, cells, own, 1)
    assert measure(copy, cells, own, 1, emit=events.append) == first
    assert events == [Progress(1.0)], "read back, not measured again"
    assert (first.texts, first.cloze) == (
        write_with_model(copy, cells),
        answer_cloze(copy, own, 1),
    )
    fewer = measure(copy, cells[1:], own, 1)
    assert 0 < len(fewer.texts) < len(first.texts)
    assert len(measure(copy, cells, own, 2).cloze) == 2


def test_a_parrot_is_kept_beside_its_corpus(corpus: Path, cells: list[Cell]) -> None:
    asked = ("sentence splicer", dict(PARROTS)["sentence splicer"], str(corpus))
    first = measure_parrot(*asked, cells)
    (kept,) = (corpus.parent / "parrots").iterdir()
    before = kept.stat().st_mtime_ns
    assert measure_parrot(*asked, cells) == first
    assert kept.stat().st_mtime_ns == before
    assert measure_parrot(*asked, cells[1:]) != first
    for broken in (kept.read_bytes()[:-9], b"", gzip.compress(b"\x80")):
        kept.write_bytes(broken)
        with pytest.raises(BadInput, match=f"^{kept} .*delete it"):
            measure_parrot(*asked, cells)
        assert kept.read_bytes() == broken
    kept.unlink()


def test_every_parrot_is_in_one_group_of_those_that_read_together() -> None:
    assert [name for names in TOGETHER for name in names] == [name for name, _ in PARROTS]


@pytest.mark.parametrize(("name", "kind"), PARROTS)
def test_parrots_write_for_every_cell(
    name: str,
    kind: type[Parrot],
    corpus: Path,
    cells: list[Cell],
    world: World,
) -> None:
    texts, again = (write_with_parrot(name, kind, str(corpus), cells) for _ in range(2))
    assert texts == again
    assert [(t.combination, t.split) for t in texts] == [
        (q.combination, q.split) for q in questions(cells)
    ]
    for text in texts:
        assert text.model == name
        assert text.marks == exact.grade(text.combination, world.about(text.combination), text.text)


def test_parrots_and_cells_do_not_depend_on_the_hash_seed_of_the_process(corpus: Path) -> None:
    code = """
import sys
from pathlib import Path
from hashlib import sha256
from numpy.random import default_rng
from unparrot.core.skills import HeldOut
from unparrot.lab.cells import draw_cells
from unparrot.lab.corpus import read_documents
from unparrot.lab.answers import PARROTS
from unparrot.lab.world.english import World
pack = World().pack
held_out = HeldOut.draw(pack, default_rng(1), 0.15, 0.02, 0.05, 8)
documents = read_documents(Path(sys.argv[1]))
cells = draw_cells(pack, held_out, [d.combination for d in documents], (3,), 40, default_rng(2))
print(sha256(repr(cells).encode()).hexdigest())
asked = [c for cell in cells for c in cell.combinations]
for _, kind in PARROTS:
    parrot = kind(documents)
    texts = [parrot.write(c, World().about(c)) for c in asked]
    print(sha256("|".join(texts).encode()).hexdigest())
"""
    said = {
        subprocess.run(
            [sys.executable, "-c", code, str(corpus)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
        ).stdout
        for seed in (1, 2, 3)
    }
    assert len(said) == 1


def test_cloze_answers_are_those_to_each_document_alone(
    checkpoint: Path, world: World, held_out: HeldOut
) -> None:
    pieces = 140  # more than one batch
    answers = answer_cloze(checkpoint, source(held_out, 9), pieces)
    assert len(answers) == pieces
    documents = source(held_out, 9)
    ids = {token: i for i, token in enumerate(world.vocabulary)}
    model = load_model(checkpoint)
    for i in (0, 1, 50, 127, 128, 139):
        document = documents.document(CLOZE_START + i, True)
        prompt = world.prompt_tokens(document.combination, document.situation)
        tokens = torch.tensor([ids[t] for t in (*prompt, *document.text.words)])
        with torch.no_grad():
            best = model.logits(model(tokens, torch.tensor([0, len(tokens)]))).argmax(-1)
        wrong = sum(
            world.vocabulary[int(best[len(prompt) + at - 1])] != document.text.words[at]
            for at in document.text.cloze
        )
        assert answers[i].skills == document.combination.skills
        assert answers[i].questions == len(document.text.cloze)
        assert answers[i].wrong == wrong


def test_an_untrained_model_fails_nearly_every_piece(checkpoint: Path, held_out: HeldOut) -> None:
    asked = [c for c in answer_cloze(checkpoint, source(held_out, 9), 100) if c.questions]
    assert len(asked) > 90
    assert sum(c.wrong > 0 for c in asked) / len(asked) > 0.95
