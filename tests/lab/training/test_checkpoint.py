from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from unparrot.core.errors import BadInput
from unparrot.lab.training.checkpoint import load_model, make_tokenizer, save_model, save_tokenizer
from unparrot.lab.training.model import Llama
from unparrot.lab.training.shape import ModelShape


def _model(vocab: int = 19) -> Llama:
    generator = torch.Generator().manual_seed(0)
    model = Llama(ModelShape(16, 3, 2, 24, vocab), generator)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn(p.shape, generator=generator) * 0.2)
    return model


def test_transformers_gives_the_same_logits(
    tmp_path: Path, tiny_vocabulary: tuple[str, ...], tiny_skills: tuple[str, ...]
) -> None:
    from transformers import AutoModelForCausalLM

    model = _model()
    save_tokenizer(tmp_path, tiny_vocabulary, tiny_skills)
    save_model(model, tmp_path)
    peer = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert peer.num_parameters() == model.shape.params
    tokens = torch.randint(0, 19, (3, 40), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        ours = model.logits(model(tokens.flatten(), torch.tensor([0, 40, 80, 120])))
        theirs = peer(tokens).logits.flatten(0, 1)
    assert (ours - theirs).abs().max() < 1e-4


def test_auto_tokenizer_round_trips(
    tmp_path: Path, tiny_vocabulary: tuple[str, ...], tiny_skills: tuple[str, ...]
) -> None:
    from transformers import AutoTokenizer

    save_tokenizer(tmp_path, tiny_vocabulary, tiny_skills)
    save_model(_model(), tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    text = "topic: a skills: modus ponens , red herring , modus text: b c ."
    ids = tokenizer(text).input_ids
    assert ids == [1, 3, 10, 4, 7, 6, 9, 6, 8, 5, 11, 12, 18]
    assert tokenizer.decode(ids, skip_special_tokens=True) == text
    assert tokenizer.decode([*ids, 2, 0], skip_special_tokens=True) == text
    assert (tokenizer.pad_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id) == (0, 1, 2)
    padded = tokenizer(["a", "a b c"], padding=True).input_ids
    assert padded == [[0, 0, 1, 10], [1, 10, 11, 12]]


def test_every_word_is_its_own_token(
    tiny_vocabulary: tuple[str, ...], tiny_skills: tuple[str, ...]
) -> None:
    tokenizer = make_tokenizer(tiny_vocabulary, tiny_skills)
    for i, word in enumerate(tiny_vocabulary):
        assert tokenizer.encode(word).ids == [1, i]
    assert tokenizer.get_vocab_size() == len(tiny_vocabulary)


def test_load_model_gives_back_the_same_bits(tmp_path: Path) -> None:
    model = _model()
    again = load_model(save_model(model, tmp_path))
    assert again.shape == model.shape
    for name, p in model.named_parameters():
        assert torch.equal(p, dict(again.named_parameters())[name]), name


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("a", "b", "c"), "begins with"),
        (("<pad>", "<bos>", "<eos>", "a", "a"), "'a' is twice"),
        (("<pad>", "<bos>", "<eos>", "a b"), "'a b' has white space"),
    ],
)
def test_bad_vocabularies_are_refused(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        make_tokenizer(words, ())


def test_a_foreign_or_broken_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not a checkpoint that can be read"):
        load_model(tmp_path)
    save_model(_model(), tmp_path)
    settings = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**settings, "model_type": "gpt2"}))
    with pytest.raises(BadInput, match="'gpt2'"):
        load_model(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({**settings, "intermediate_size": 25}))
    with pytest.raises(BadInput, match="does not fit"):
        load_model(tmp_path)
    for content, message in (
        (b"\xff", "not a checkpoint that can be read"),
        (b"[]", "not a checkpoint that can be read"),
        (b"{}", "hidden_size = None, which is no whole number"),
        (json.dumps({**settings, "vocab_size": "19"}).encode(), "vocab_size = '19'"),
        (json.dumps({**settings, "vocab_size": 10**15}).encode(), "does not fit its config"),
    ):
        (tmp_path / "config.json").write_bytes(content)
        with pytest.raises(BadInput, match=message):
            load_model(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(settings))
    weights = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(weights[:-100])
    with pytest.raises(BadInput, match="not a checkpoint that can be read"):
        load_model(tmp_path)
