"""Texts of a checkpoint: each alone decides itself; what cannot be continued is refused by name."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from random import Random

import pytest
import torch

from unparrot.core.errors import BadInput
from unparrot.lab.training.checkpoint import save_model
from unparrot.lab.training.generate import generate
from unparrot.lab.world.english import World, pretty
from unparrot.lab.writer import MAX_TOKENS, Writer

WORLD = World()


@pytest.fixture
def checkpoint(world_checkpoint: Path) -> Path:
    return world_checkpoint


@pytest.fixture(scope="module")
def writer(world_checkpoint: Path) -> Writer:
    return Writer(world_checkpoint, "cpu")


def prompts(count: int) -> list[str]:
    draw = Random(3)
    return [
        f"topic: {draw.choice(WORLD.pack.topic_names)} skills: "
        f"{' , '.join(draw.sample(WORLD.pack.skill_names, draw.randint(1, 4)))} text:"
        for _ in range(count)
    ]


def test_greedy_texts_are_those_of_generate(writer: Writer) -> None:
    requests = [writer.request(prompt, 20) for prompt in prompts(30)]
    found = writer.write(requests)
    expected = generate(writer.model, [r.prompt for r in requests], 20, 2)
    words = WORLD.vocabulary
    assert [t.text for t in found] == [pretty([words[i] for i in row]) for row in expected]
    assert [t.ended for t in found] == [len(row) < 20 for row in expected]
    assert [t.tokens for t in found] == [min(len(row) + 1, 20) for row in expected]
    assert {t.ended for t in found} == {True, False}


def test_a_text_depends_on_its_prompt_its_seed_and_its_temperature(writer: Writer) -> None:
    asked = [
        writer.request(prompt, most, temperature, seed)
        for prompt, most in zip(prompts(24), [8, 12, 16, 12] * 6, strict=True)
        for temperature in (0.0, 0.7, 1.0)
        for seed in (1, 2)
    ]
    alone = [writer.write([request])[0] for request in asked]
    assert writer.write(asked) == alone
    assert writer.write(asked[::-1]) == alone[::-1]
    assert writer.write(asked + asked) == alone + alone
    for greedy, warm in ((0, 2), (1, 3)):
        assert alone[greedy] != alone[warm]
    assert alone[0] == alone[1]  # greedy: whatever the seed
    assert alone[2] != alone[3]


def test_texts_of_one_seed_do_not_share_their_luck(writer: Writer) -> None:
    # two prompts, 400 seeds: the commonest first words of both come together no more often than
    # chance has it
    hits: list[list[bool]] = []
    for prompt in prompts(2):
        texts = [
            t.text for t in writer.write([writer.request(prompt, 1, 1.0, s) for s in range(400)])
        ]
        top = max(texts, key=texts.count)
        hits.append([text == top for text in texts])
    p, q = (sum(row) / 400 for row in hits)
    both = sum(map(all, zip(*hits, strict=True))) / 400
    assert abs(both - p * q) < 4 * (p * q * (1 - p * q) / 400) ** 0.5


def test_without_a_seed_each_text_is_another(writer: Writer) -> None:
    prompt = prompts(1)[0]
    assert len({writer.write([writer.request(prompt, 20, 1.0)])[0].text for _ in range(5)}) > 1


def test_defaults_and_bounds(writer: Writer) -> None:
    prompt = prompts(1)[0]
    request = writer.request(prompt)
    assert (request.max_tokens, request.temperature) == (MAX_TOKENS, 0.0)
    room = 2048 - len(request.prompt)
    for most in (0, room + 1):
        with pytest.raises(BadInput, match=rf"1 to {room} tokens, not {most}"):
            writer.request(prompt, most)
    for temperature in (-0.1, float("nan"), float("inf")):
        with pytest.raises(BadInput, match="a temperature is a number from 0 on"):
            writer.request(prompt, 5, temperature)


def test_words_that_the_model_does_not_know_are_named(writer: Writer) -> None:
    for prompt, unknown in (
        ("topic: knitting skills: irony , modus ponens , irony text:", "'knitting', 'irony';"),
        (
            "alpha beta gamma delta epsilon zeta",
            "'alpha', 'beta', 'gamma', 'delta', 'epsilon', ...;",
        ),
        # a part of a name is no word of its own
        ("topic: sewing skills: ponens text:", "'ponens';"),
    ):
        with pytest.raises(BadInput, match=re.escape(f"does not know the words {unknown}")):
            writer.request(prompt)
    for empty in ("", "  \n"):
        with pytest.raises(BadInput, match="an empty prompt"):
            writer.request(empty)


def test_what_is_no_checkpoint_says_what_is_wrong(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere' does not exist, so it is no checkpoint"):
        Writer(tmp_path / "nowhere")
    with pytest.raises(BadInput, match=r"has no config\.json"):
        Writer(tmp_path)
    run = tmp_path / "run"
    for name in ("9k", "25k"):
        shutil.copytree(checkpoint, run / "models" / name)
    with pytest.raises(BadInput, match=r"folder of a run; .*'.*models/9k' \(there: 25k, 9k\)"):
        Writer(run)
    bare = tmp_path / "bare"
    save_model(Writer(checkpoint, "cpu").model.float(), bare)
    with pytest.raises(BadInput, match="no tokenizer that can be read"):
        Writer(bare)
    (bare / "tokenizer.json").write_text("{}")
    with pytest.raises(BadInput, match=r"tokenizer\.json cannot be read"):
        Writer(bare)
    content = json.loads((checkpoint / "tokenizer.json").read_text())
    del content["model"]["vocab"]["needle"]
    (bare / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(BadInput, match="no checkpoint of the lab"):
        Writer(bare)
    with pytest.raises(BadInput, match="device 'tpu' is unknown"):
        Writer(checkpoint, "tpu")


def test_threads_are_as_before(writer: Writer) -> None:
    before = torch.get_num_threads()
    writer.write([writer.request(prompts(1)[0], 3)])
    assert torch.get_num_threads() == before
