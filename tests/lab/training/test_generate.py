from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch

from unparrot.core.errors import BadInput
from unparrot.lab.training.checkpoint import save_model, save_tokenizer
from unparrot.lab.training.generate import generate
from unparrot.lab.training.model import Llama
from unparrot.lab.training.shape import ModelShape

EOS = 2


def _model() -> Llama:
    """Random weights, large enough that texts differ and end at different lengths."""
    generator = torch.Generator().manual_seed(5)
    model = Llama(ModelShape(16, 2, 2, 24, 19), generator)
    with torch.no_grad():
        for weight in (model.attention_out, model.down, model.embedding):
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.5)
    return model


def _prompts(count: int) -> list[list[int]]:
    generator = torch.Generator().manual_seed(9)
    lengths = torch.randint(1, 12, (count,), generator=generator).tolist()
    return [[1, *torch.randint(3, 19, (n,), generator=generator).tolist()] for n in lengths]


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])  # compiled, and in torch
def test_greedy_equals_transformers(
    kind: torch.dtype,
    tmp_path: Path,
    tiny_vocabulary: tuple[str, ...],
    tiny_skills: tuple[str, ...],
) -> None:
    from transformers import AutoModelForCausalLM

    model, prompts = _model(), _prompts(40)
    save_tokenizer(tmp_path, tiny_vocabulary, tiny_skills)
    save_model(model, tmp_path)
    peer = AutoModelForCausalLM.from_pretrained(tmp_path)
    found = generate(model.to(kind), prompts, 30, EOS, batch=16)
    for prompt, text in zip(prompts, found, strict=True):
        ids = torch.tensor([prompt])
        whole = peer.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=30)
        expected = whole[0, len(prompt) :].tolist()
        assert text == (expected[: expected.index(EOS)] if EOS in expected else expected)
    lengths = {len(text) for text in found}
    assert len(lengths) > 2  # rows did leave the batch at different times
    assert min(lengths) < 30


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_a_text_does_not_depend_on_its_batch(temperature: float) -> None:
    model, prompts = _model().double(), _prompts(50)
    runs = [
        generate(model, prompts, 20, EOS, temperature, _generators(50, 3), batch=batch)
        for batch in (1, 7, 50)
    ]
    assert runs[0] == runs[1] == runs[2]


def test_sampling_follows_the_distribution() -> None:
    model = _model()
    prompt, count = [1, 3, 12], 4000
    texts = generate(model, [prompt] * count, 1, EOS, 0.7, _generators(count, 11))
    found = Counter(text[0] if text else EOS for text in texts)
    with torch.no_grad():
        hidden = model(torch.tensor(prompt), torch.tensor([0, 3]))
        p = torch.softmax(model.logits(hidden)[-1] / 0.7, -1)
    for token in range(19):  # five standard errors of a binomial
        expected = float(p[token])
        error = (expected * (1 - expected) / count) ** 0.5
        assert abs(found[token] / count - expected) < 5 * error + 1e-9


def test_the_generators_decide() -> None:
    model, prompts = _model(), _prompts(10)
    a, b, c = (generate(model, prompts, 20, EOS, 1.0, _generators(10, s)) for s in (1, 1, 2))
    assert a == b != c


def test_each_prompt_has_its_own_generator() -> None:
    model, prompts = _model(), _prompts(12)

    def own(count: int = 12) -> list[torch.Generator]:
        return [torch.Generator().manual_seed(i) for i in range(count)]

    together = generate(model, prompts, 20, EOS, 1.0, own())
    alone = [
        generate(model, [prompt], 20, EOS, 1.0, [generator])[0]
        for prompt, generator in zip(prompts, own(), strict=True)
    ]
    assert together == alone
    turned = generate(model, prompts[::-1], 20, EOS, 1.0, own()[::-1])
    assert turned == together[::-1]
    same = generate(model, [prompts[0]] * 12, 20, EOS, 1.0, own())
    assert len(set(map(tuple, same))) > 6
    with pytest.raises(BadInput, match="11 generators for 12 prompts"):
        generate(model, prompts, 20, EOS, 1.0, own(11))


def test_a_cache_that_grows_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model, prompts = _model().double(), _prompts(20)
    expected = generate(model, prompts, 60, EOS)
    assert max(map(len, expected)) > 40
    monkeypatch.setattr("unparrot.lab.training.generate.GROW", 7)
    assert generate(model, prompts, 60, EOS) == expected


def _generators(count: int, seed: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(count * seed + i) for i in range(count)]


def test_a_decoded_text_does_not_depend_on_its_neighbours() -> None:
    """To the bit: the products of `decode` have one shape, whatever stands in their rows."""
    model, prompts = _model(), _prompts(60)
    together = generate(model, prompts, 60, EOS)
    assert [generate(model, [prompt], 60, EOS)[0] for prompt in prompts] == together
    assert generate(model, prompts[::-1], 60, EOS) == together[::-1]
    assert max(map(len, together)) > 40
    assert min(map(len, together)) < 10
    shorter = generate(model, prompts, 3, EOS)
    assert shorter == [text[:3] for text in together]


def test_bad_requests_are_refused() -> None:
    model = _model()
    for prompts, options, message in (
        ([[]], {}, "prompt 0 is empty"),
        ([[1], [1, 19]], {}, r"prompt 1 has a token outside 0\.\.18"),
        ([[1] * 2040], {}, "more than 2048"),
        ([[1]], {"temperature": 0.5}, "torch.Generator"),
        ([[1]], {"temperature": -1.0}, "temperature -1.0"),
    ):
        with pytest.raises(BadInput, match=message):
            generate(model, prompts, 10, EOS, **options)
    assert generate(model, [], 10, EOS) == []
