"""Measuring: what is written is graded as the grader does, and cloze answers are counted right."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from unparrot.core.errors import BadInput
from unparrot.core.skills import HeldOut, SkillCombination
from unparrot.lab import grader
from unparrot.lab.cells import Cell, draw_cells
from unparrot.lab.corpus import Mixture, Source, write_corpus
from unparrot.lab.measure import (
    MAX_NEW,
    Progress,
    answer_cloze,
    write_with_model,
    write_with_parrot,
)
from unparrot.lab.training.checkpoint import load_model, save_checkpoint
from unparrot.lab.training.generate import generate
from unparrot.lab.training.model import Llama, ModelShape
from unparrot.lab.world import World


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def held_out(world: World) -> HeldOut:
    return HeldOut.draw(world.pack, np.random.default_rng(1))


@pytest.fixture(scope="module")
def checkpoint(world: World, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An untrained model of the world's vocabulary that does not only repeat its last word."""
    shape = ModelShape(8, 1, 1, 16, len(world.vocabulary))
    model = Llama(shape, torch.Generator().manual_seed(4))
    with torch.no_grad():
        model.final_gain.normal_(generator=torch.Generator().manual_seed(5))
    folder = tmp_path_factory.mktemp("model")
    save_checkpoint(model, folder, world.vocabulary, world.pack.skill_names)
    return str(folder)


@pytest.fixture(scope="module")
def corpus(world: World, held_out: HeldOut, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(Source(world, held_out, Mixture(), 1), folder, 20_000)
    return folder


@pytest.fixture(scope="module")
def cells(world: World, held_out: HeldOut) -> list[Cell]:
    source = Source(world, held_out, Mixture(), 1)
    seen = [source.document(i).combination for i in range(300)]
    return draw_cells(world.pack, held_out, seen, (3, 1), 3, np.random.default_rng(2))


def silent(_: object) -> None:
    return None


def test_greedy_texts_do_not_depend_on_the_seed_and_sampled_ones_do(
    checkpoint: str, cells: list[Cell], world: World
) -> None:
    told: list[object] = []
    decodings = ("greedy", "t0.7")
    one, again, other = (
        write_with_model("m", checkpoint, cells, decodings, seed, False, "cpu", told.append)
        for seed in (1, 1, 2)
    )
    assert one == again
    for decoding in decodings:
        a, b = ([w for w in run if w.decoding == decoding] for run in (one, other))
        assert [(w.cell, w.item) for w in a] == [(w.cell, w.item) for w in b]
        assert (a == b) == (decoding == "greedy")
        wanted = {(c, i) for c, cell in enumerate(cells) for i in range(len(cell.combinations))}
        assert len(a) == len(wanted)
        assert {(w.cell, w.item) for w in a} == wanted
    assert told[-1] == Progress("m", len(one), len(one))
    known = set(world.vocabulary)
    for w in one:
        combination = cells[w.cell].combinations[w.item]
        assert w.marks == tuple(grader.marks(combination, w.text).values())
        assert set(w.text.split(" ")) <= known | {p for n in known for p in n.split()} | {""}


def test_a_text_belongs_to_its_own_prompt(checkpoint: str, cells: list[Cell], world: World) -> None:
    ids = {token: i for i, token in enumerate(world.vocabulary)}
    model = load_model(checkpoint)
    for w in write_with_model("m", checkpoint, cells, ("greedy",), 1, False, "cpu", silent)[::5]:
        prompt = [ids[t] for t in world.prompt_tokens(cells[w.cell].combinations[w.item])]
        (alone,) = generate(model, [prompt], 4 * MAX_NEW, ids["<eos>"])
        assert w.text == " ".join(world.vocabulary[t] for t in alone)


def test_a_model_of_another_vocabulary_is_refused(
    tmp_path: Path,
    cells: list[Cell],
    tiny_vocabulary: tuple[str, ...],
    tiny_skills: tuple[str, ...],
) -> None:
    model = Llama(ModelShape(8, 1, 1, 16, len(tiny_vocabulary)), torch.Generator())
    save_checkpoint(model, tmp_path, tiny_vocabulary, tiny_skills)
    with pytest.raises(BadInput, match=r"has 19 tokens, this world \d+; train it again"):
        write_with_model("m", str(tmp_path), cells, ("greedy",), 1, False, "cpu", silent)


@pytest.mark.parametrize("kind", ["ngram", "splice"])
def test_parrots_write_for_every_cell(kind: str, corpus: Path, cells: list[Cell]) -> None:
    ask = ("ngram" if kind == "ngram" else "splice", str(corpus), cells, ("greedy", "t0.7"))
    one, again, other = (write_with_parrot("p", *ask, seed, silent) for seed in (1, 1, 2))
    assert one == again
    assert [w for w in one if w.decoding == "greedy"] == [
        w for w in other if w.decoding == "greedy"
    ]
    assert one != other
    for decoding in ("greedy", "t0.7"):
        assert [(w.cell, w.item) for w in one if w.decoding == decoding] == [
            (c, i) for c, cell in enumerate(cells) for i in range(len(cell.combinations))
        ]
    for w in one:
        combination = cells[w.cell].combinations[w.item]
        assert w.marks == tuple(grader.marks(combination, w.text).values())
        assert len(w.marks) == combination.k + 3
        assert w.text.strip()


def test_parrots_and_cells_do_not_depend_on_the_hash_seed_of_the_process(corpus: Path) -> None:
    code = """
import sys
from pathlib import Path
from random import Random
from hashlib import sha256
from numpy.random import default_rng
from unparrot.core.skills import HeldOut
from unparrot.lab.cells import draw_cells
from unparrot.lab.corpus import read_documents
from unparrot.lab.parrots import NgramParrot, SpliceParrot
from unparrot.lab.world import World
pack = World().pack
held_out = HeldOut.draw(pack, default_rng(1))
documents = read_documents(Path(sys.argv[1]))
cells = draw_cells(pack, held_out, [c for c, _ in documents], (3,), 40, default_rng(2))
print(sha256(repr(cells).encode()).hexdigest())
for parrot in (SpliceParrot(documents), NgramParrot(documents)):
    asked = [c for cell in cells for c in cell.combinations]
    texts = [parrot.write(c, rng) for c in asked for rng in (None, Random(c.id))]
    texts.append(repr(getattr(parrot, "_pieces", "")))  # which skills a sentence passes for
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


def test_a_splicing_parrot_earns_full_marks_on_what_it_has_read(
    corpus: Path, world: World, held_out: HeldOut
) -> None:
    source = Source(world, held_out, Mixture(), 1)
    read = tuple(source.document(i).combination for i in range(5))
    cell = Cell(3, "seen", read, 0.0)
    for w in write_with_parrot("p", "splice", str(corpus), [cell], ("greedy",), 1, silent):
        assert all(w.marks)


def test_cloze_places_by_hand(world: World) -> None:
    text = world.sample(SkillCombination("chess", ("metaphor",)), Random(1).random)
    assert text.pretty == "With the knight in hand Clara is a peacock, so proud is she."
    # that a peacock is proud, and that Clara is a she
    assert [text.words[i] for i in text.cloze] == ["proud", "she"]
    text = world.sample(SkillCombination("sewing", ("modus ponens",)), Random(1).random)
    assert text.pretty == (
        "Hugo finds the thimble light; whatever is light is clean, so it is clean."
    )
    # the rule takes up the first 'light', and the conclusion follows from both
    assert [(i, text.words[i]) for i in text.cloze] == [(8, "light"), (15, "clean")]


def test_cloze_answers_are_those_to_each_document_alone(
    checkpoint: str, world: World, held_out: HeldOut
) -> None:
    start, pieces = 1 << 41, 140  # more than one batch
    found = answer_cloze(checkpoint, held_out, Mixture(), 9, start, pieces, False, "cpu")
    assert len(found) == pieces
    source = Source(world, held_out, Mixture(), 9)
    ids = {token: i for i, token in enumerate(world.vocabulary)}
    model = load_model(checkpoint)
    for i in (0, 1, 50, 127, 128, 139):
        document = source.document(start + i)
        prompt = world.prompt_tokens(document.combination)
        tokens = torch.tensor([[ids[t] for t in (*prompt, *document.words)]])
        with torch.no_grad():
            hidden = model(tokens, torch.arange(tokens.shape[1])[None], torch.ones_like(tokens))
            best = model.logits(hidden)[0].argmax(-1)
        wrong = sum(
            world.vocabulary[int(best[len(prompt) + at - 1])] != document.words[at]
            for at in document.cloze
        )
        assert found[i].skills == document.combination.skills
        assert found[i].questions == len(document.cloze)
        assert found[i].wrong == wrong


def test_an_untrained_model_fails_nearly_every_piece(checkpoint: str, held_out: HeldOut) -> None:
    found = answer_cloze(checkpoint, held_out, Mixture(), 9, 0, 100, False, "cpu")
    asked = [c for c in found if c.questions]
    assert len(asked) > 90
    assert sum(c.wrong > 0 for c in asked) / len(asked) > 0.95
