"""The scripts of what readers play with, one by one, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
import torch

from unparrot.core.records import PocketModel
from unparrot.lab.training.model import Llama
from unparrot.lab.training.shape import ModelShape


@pytest.fixture
def script(chrome: Any) -> Iterator[Callable[..., Callable[..., Any]]]:
    """Loads a script into an empty page and makes names of it known; then expressions are run."""
    chrome.get("about:blank")
    chrome.get_log("browser")

    def load(name: str, *known: str) -> Callable[..., Any]:
        content = files("unparrot.report.play").joinpath(name).read_text("utf-8")
        names = ", ".join(known)
        chrome.execute_script(f"{content}\nObject.assign(window, {{ {names} }});")
        return lambda expression, *given: chrome.execute_script(f"return {expression}", *given)

    yield load
    assert chrome.get_log("browser") == []


@torch.no_grad()
def _restored(model: PocketModel, vocabulary: int) -> Llama:
    shape = ModelShape(model.width, model.layers, model.heads, model.hidden, vocabulary)
    llama = Llama(shape, torch.Generator())
    weights = torch.from_numpy(np.frombuffer(model.weights, "<f2").astype(np.float32))
    stacked = [llama.qkv, llama.attention_out, llama.gate_up, llama.down]
    sizes = [llama.embedding.numel(), sum(w.numel() for w in stacked), shape.width]
    embedding, layers, gain = weights.split(sizes)
    llama.embedding.copy_(embedding.view_as(llama.embedding))
    parts = layers.view(shape.layers, -1).split([w[0].numel() for w in stacked], 1)
    for weight, part in zip(stacked, parts, strict=True):
        weight.copy_(part.view_as(weight))
    llama.final_gain.copy_(gain)
    return llama.double()


@pytest.fixture
def restored() -> Callable[[PocketModel, int], Llama]:
    """The model that a page computes with, in double precision: its weights have 16 bits."""
    return _restored
