"""Checkpoints in the format of transformers: a folder that its Auto classes load offline.

config.json, generation_config.json, model.safetensors, tokenizer.json, tokenizer_config.json.
Nothing is rounded: `load_model` gives back the bits that `save_model` was given.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file  # pyright: ignore[reportUnknownVariableType]
from tokenizers import AddedToken, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from torch import Tensor

from unparrot.core.errors import BadInput
from unparrot.core.records import atomic_write, write_json
from unparrot.lab.training.model import MAX_POSITIONS, NORM_EPS, ROPE_THETA, Llama
from unparrot.lab.training.shape import ModelShape

PAD, BOS, EOS = 0, 1, 2
SPECIALS = ("<pad>", "<bos>", "<eos>")
# the fields of a `ModelShape` in config.json
_SIZES = (
    "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size"
)  # fmt: skip
# a chat is the last thing that the user said, as it stands; the tokenizer puts <bos> in front
CHAT_TEMPLATE = (
    "{{ (messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | list)[-1] }}"
)


def save_model(model: Llama, folder: str | Path) -> Path:
    """Write config.json, generation_config.json and model.safetensors; return the folder."""
    folder = Path(folder)
    write_json(folder / "config.json", config(model.shape))
    tokens = {"bos_token_id": BOS, "eos_token_id": EOS, "pad_token_id": PAD}
    write_json(folder / "generation_config.json", {**tokens, "do_sample": False})
    tensors = {name: w.cpu().contiguous() for name, w in export(model).items()}
    atomic_write(
        folder / "model.safetensors", lambda path: save_file(tensors, path, {"format": "pt"})
    )
    return folder


def config(shape: ModelShape) -> dict[str, Any]:
    """Return config.json of the `transformers.LlamaForCausalLM` that computes the same."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": shape.vocab,
        "hidden_size": shape.width,
        "intermediate_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.heads,
        "head_dim": shape.head_size,
        "hidden_act": "silu",
        "max_position_embeddings": MAX_POSITIONS,
        "rms_norm_eps": NORM_EPS,
        "rope_theta": ROPE_THETA,
        "rope_parameters": {"rope_type": "default", "rope_theta": ROPE_THETA},
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": True,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "pad_token_id": PAD,
        "torch_dtype": "float32",
    }


def export(model: Llama) -> dict[str, Tensor]:
    """Return copies of the weights, under the names of transformers."""
    return {name: w.detach().clone() for name, w in _named(model).items()}


def _named(model: Llama) -> dict[str, Tensor]:
    """Views of the weights, by their names in transformers."""
    named: dict[str, Tensor] = {
        "model.embed_tokens.weight": model.embedding,
        "model.norm.weight": model.final_gain,
    }
    for i in range(model.shape.layers):
        at = f"model.layers.{i}"
        qkvo = (*model.qkv[i].chunk(3), model.attention_out[i])
        named |= {f"{at}.self_attn.{x}_proj.weight": w for x, w in zip("qkvo", qkvo, strict=True)}
        gate, up = model.gate_up[i].chunk(2)
        for x, w in (("gate", gate), ("up", up), ("down", model.down[i])):
            named[f"{at}.mlp.{x}_proj.weight"] = w
        named[f"{at}.input_layernorm.weight"] = model.gains[i, 0]
        named[f"{at}.post_attention_layernorm.weight"] = model.gains[i, 1]
    return named


def load_model(folder: str | Path, device: torch.device | None = None) -> Llama:
    """Read back a folder written by `save_model`.

    Raises
    ------
    BadInput
        If it cannot be read or holds another kind of model.
    """
    folder = Path(folder)
    try:
        settings = msgspec.json.decode((folder / "config.json").read_bytes(), type=dict[str, Any])
        tensors = load_file(folder / "model.safetensors")
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, SafetensorError) as error:
        raise BadInput(f"{folder} is not a checkpoint that can be read: {error}") from error
    for name in _SIZES:
        if type(settings.get(name)) is not int:
            raise BadInput(
                f"{folder / 'config.json'} has {name} = {settings.get(name)!r}, which is no whole "
                "number; is it a Llama checkpoint?"
            )
    shape = ModelShape(*(settings[name] for name in _SIZES))
    for key, value in config(shape).items():
        if key not in ("torch_dtype", "rope_parameters") and settings.get(key) != value:
            raise BadInput(
                f"{folder / 'config.json'} has {key} = {settings.get(key)!r}; only {value!r} "
                f"is supported"
            )
    weights = sum(tensor.numel() for tensor in tensors.values())
    if weights != shape.params:  # before there is memory for as many
        raise BadInput(
            f"{folder / 'model.safetensors'} does not fit its config: it has {weights} weights, "
            f"not {shape.params}"
        )
    model = Llama(shape, torch.Generator())
    _fill(model, tensors, folder)
    return model.to(device) if device is not None else model


@torch.no_grad()
def _fill(model: Llama, tensors: dict[str, Tensor], folder: Path) -> None:
    weights = _named(model)
    expected = {name: w.shape for name, w in weights.items()}
    given = {name: w.shape for name, w in tensors.items()}
    if given != expected:
        wrong = sorted(set(given.items()) ^ set(expected.items()))
        raise BadInput(f"{folder / 'model.safetensors'} does not fit its config: {wrong[0]}")
    for name, weight in weights.items():
        weight.copy_(tensors[name])


def make_tokenizer(vocabulary: Sequence[str], skill_names: Collection[str]) -> Tokenizer:
    """A word-level tokenizer: the id of a word is its index in `vocabulary`.

    Words are separated by white space. A skill name of several words is one token. Encoding puts
    <bos> in front and nothing behind; decoding joins with single spaces. An unknown word is an
    error of the tokenizers library.

    Raises
    ------
    BadInput
        If the first three words are not <pad> <bos> <eos>, a word occurs twice, or a word has white
        space in it and is not a skill name.
    """
    if tuple(vocabulary[:3]) != SPECIALS:
        raise BadInput(f"the vocabulary begins with {list(vocabulary[:3])}; wanted {SPECIALS}")
    ids = {word: i for i, word in enumerate(vocabulary)}
    if len(ids) != len(vocabulary):
        twice = next(w for i, w in enumerate(vocabulary) if ids[w] != i)
        raise BadInput(f"{twice!r} is twice in the vocabulary; keep one")
    spaced = [word for word in vocabulary if len(word.split()) != 1]
    for word in spaced:
        if word not in skill_names:
            raise BadInput(f"{word!r} has white space but is no skill name; split it into words")
    tokenizer = Tokenizer(WordLevel(ids))
    tokenizer.pre_tokenizer = WhitespaceSplit()  # pyright: ignore
    tokenizer.add_special_tokens([AddedToken(w, special=True, normalized=False) for w in SPECIALS])
    # longest first, so that a name that begins with another one is found whole
    spaced.sort(key=len, reverse=True)
    tokenizer.add_tokens([AddedToken(w, single_word=True, normalized=False) for w in spaced])
    tokenizer.post_processor = TemplateProcessing(  # pyright: ignore
        single="<bos> $A", pair="<bos> $A $B", special_tokens=[("<bos>", BOS)]
    )
    return tokenizer


def save_tokenizer(
    folder: str | Path, vocabulary: Sequence[str], skill_names: Collection[str]
) -> Path:
    """Write tokenizer.json and tokenizer_config.json; see `make_tokenizer`, `CHAT_TEMPLATE`."""
    folder = Path(folder)
    text: str = make_tokenizer(vocabulary, skill_names).to_str(pretty=True)
    atomic_write(folder / "tokenizer.json", text.encode())
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<bos>",
        "eos_token": "<eos>",
        "pad_token": "<pad>",
        "padding_side": "left",
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
        "model_max_length": MAX_POSITIONS,
    }
    write_json(folder / "tokenizer_config.json", settings)
    return folder
