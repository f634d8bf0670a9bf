"""A checkpoint that writes: prompts of the world as people type them in, readable texts out.

Each text has its own random numbers, made from its seed and its prompt, and is worked out in
float64, so it does not depend on what is written beside it: in float32, rounding that differs with
the size of the batch changed about one sampled text in 500.
"""

import hashlib
import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import torch
from tokenizers import Tokenizer

from unparrot.core.errors import BadInput
from unparrot.lab.training.checkpoint import BOS, EOS, SPECIALS, load_model
from unparrot.lab.training.generate import generate
from unparrot.lab.training.model import MAX_POSITIONS, resolve_device
from unparrot.lab.world.english import complete_prompt, pretty

MAX_TOKENS: Final = 512
"""Tokens of a text where the caller sets no limit, as in SKILL-MIX."""
_NAMED: Final = 5


class Request(NamedTuple):
    """What is to be continued, and how; `Writer.request` makes it."""

    prompt: tuple[int, ...]
    max_tokens: int
    temperature: float
    seed: int


class Text(NamedTuple):
    """A text, its number of tokens (with the one that ends it), and whether it came to its end."""

    text: str
    tokens: int
    ended: bool


class Writer:
    """The model and the words of a checkpoint folder.

    Parameters
    ----------
    folder
        As `unparrot.lab.training.checkpoint` writes it, for example ``runs/demo/models/64k``.
    device
        'auto', 'cpu' or 'cuda'.

    Raises
    ------
    BadInput
        If the folder is no checkpoint of the lab; of a run folder the message names the models.
    """

    def __init__(self, folder: str | Path, device: str = "auto") -> None:
        self.folder = Path(folder)
        if not (self.folder / "config.json").is_file():
            raise BadInput(_no_checkpoint(self.folder))
        # in float64 the order of sums, and so the size of a batch, can no longer decide a token
        self.model = load_model(self.folder, resolve_device(device)).double()
        self.tokenizer = _tokenizer(self.folder)
        ids: dict[str, int] = self.tokenizer.get_vocab()
        self.vocabulary: tuple[str, ...] = tuple(sorted(ids, key=ids.__getitem__))
        size = self.model.shape.vocab
        if self.vocabulary[:3] != SPECIALS or len(self.vocabulary) != size:
            raise BadInput(
                f"{self.folder} has a tokenizer of {len(self.vocabulary)} words that begin with "
                f"{list(self.vocabulary[:3])}, and a model of {size} words; it is no checkpoint of "
                "the lab"
            )

    def request(
        self,
        prompt: str,
        max_tokens: int | None = None,
        temperature: float | None = None,
        seed: int | None = None,
    ) -> Request:
        """Check what a caller asks for.

        Parameters
        ----------
        prompt
            A prompt of the world; see `unparrot.lab.world.english.complete_prompt`.
        max_tokens
            Most tokens of the text; None: `MAX_TOKENS`, or what the model has places for.
        temperature
            0 or None: always the likeliest token.
        seed
            None: another text each time (at a temperature above 0).

        Raises
        ------
        BadInput
            If the prompt has words that the model does not know, or a number is out of range.
        """
        tokens = self._encode(complete_prompt(prompt))
        room = MAX_POSITIONS - len(tokens)
        most = min(MAX_TOKENS, room) if max_tokens is None else max_tokens
        if not 1 <= most <= room:
            raise BadInput(f"a text after this prompt may have 1 to {room} tokens, not {most}")
        if temperature is not None and not 0 <= temperature < float("inf"):
            raise BadInput(f"a temperature is a number from 0 on, not {temperature}")
        return Request(
            tokens, most, temperature or 0.0, secrets.randbits(63) if seed is None else seed
        )

    def write(self, requests: Sequence[Request]) -> list[Text]:
        """Return a text for each request, in their order."""
        groups: dict[tuple[int, float], list[int]] = {}
        for i, request in enumerate(requests):
            groups.setdefault((request.max_tokens, request.temperature), []).append(i)
        texts: dict[int, Text] = {}
        for (most, temperature), members in groups.items():
            prompts = [requests[i].prompt for i in members]
            own = [_generator(requests[i]) for i in members] if temperature else None
            with _one_thread():
                written = generate(self.model, prompts, most, EOS, temperature, own)
            for i, tokens in zip(members, written, strict=True):
                text = pretty([self.vocabulary[token] for token in tokens])
                ended = len(tokens) < most
                texts[i] = Text(text, len(tokens) + ended, ended)
        return [texts[i] for i in range(len(requests))]

    def _encode(self, prompt: str) -> tuple[int, ...]:
        unknown = self._unknown(prompt)
        if unknown or not prompt.strip():
            more = ", ..." if len(unknown) > _NAMED else ""
            what = ", ".join(map(repr, unknown[:_NAMED])) + more
            raise BadInput(
                f"the model in {self.folder} "
                + (f"does not know the words {what}" if unknown else "was given an empty prompt")
                + "; a model of the lab's world reads only the world's own prompts "
                "('topic: ... skills: ... , ... text:'): use the prompts 'world' and the pack "
                "'world'"
            )
        ids: list[int] = self.tokenizer.encode(prompt).ids
        return tuple(ids if ids[:1] == [BOS] else [BOS, *ids])

    def _unknown(self, prompt: str) -> list[str]:
        """Words of the prompt that are no tokens, once each; names of several words are taken out
        first, the longest before those it begins with.
        """
        words = f" {' '.join(prompt.split())} "
        known = set(self.vocabulary)
        for name in sorted((w for w in known if " " in w), key=len, reverse=True):
            words = words.replace(f" {name} ", "  ")
        return list(dict.fromkeys(word for word in words.split() if word not in known))


def _tokenizer(folder: Path) -> Tokenizer:
    try:
        text = (folder / "tokenizer.json").read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{folder} has no tokenizer that can be read: {error}") from error
    try:
        return Tokenizer.from_str(text)
    except Exception as error:
        # the tokenizers library raises plain Exception
        raise BadInput(f"{folder / 'tokenizer.json'} cannot be read: {error}") from error


def _no_checkpoint(folder: Path) -> str:
    models = sorted(path.parent.name for path in folder.glob("models/*/config.json"))
    if models:
        return (
            f"{str(folder)!r} is the folder of a run; name one of its models, for example "
            f"{str(folder / 'models' / models[-1])!r} (there: {', '.join(models)})"
        )
    what = "has no config.json" if folder.is_dir() else "does not exist"
    return (
        f"{str(folder)!r} {what}, so it is no checkpoint; give the folder of a trained model, "
        "for example runs/demo/models/NAME after `unparrot demo`"
    )


@contextmanager
def _one_thread() -> Generator[None]:
    """Let torch use one core meanwhile: models this small gain little from two, and where other
    processes want them, threads that wait for each other are slower by a factor of ten and more.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _generator(request: Request) -> torch.Generator:
    """The random numbers of one text: from its seed and its prompt, so that two prompts of one
    seed do not share their luck.
    """
    key = f"{request.seed} {' '.join(map(str, request.prompt))}"
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big") >> 1)
