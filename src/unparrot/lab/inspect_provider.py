"""The lab's models and its exact grader as models of Inspect: ``lab/PATH`` and ``lab/exact``.

``get_model("lab/runs/demo/models/64k")`` continues the last user message of a chat, which must be a
prompt of the world (`unparrot.lab.world.english.World.prompt`). Concurrent calls are
batched. ``get_model("lab/exact")`` grades; what it judges comes beside the message, in
``metadata={"unparrot": {...}}`` (see `exact_reply`), so nothing has to be parsed out of a prompt.

Importing this module imports inspect_ai but not torch; that comes with the first checkpoint.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, Literal, TypeVar

import anyio
import msgspec
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageUser,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    StopReason,
    modelapi,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from unparrot.core.errors import BadInput, MissingExtra
from unparrot.core.skills import CRITERIA, SkillCombination
from unparrot.lab.grader.exact import read
from unparrot.lab.world.english import World

if TYPE_CHECKING:
    from unparrot.lab.writer import Request, Text, Writer

Item = TypeVar("Item")
Result = TypeVar("Result")

EXACT: Final = "exact"
"""The name of the exact grader; a checkpoint folder of this name is reached as ``lab/./exact``."""
MOST_AT_ONCE: Final = 256
"""Texts in a batch, and connections that Inspect opens unless told otherwise."""
WAIT: Final = 0.01
"""Seconds without a further call after which a batch begins."""
_UNKNOWN_SETTINGS: Final = (
    "top_p", "top_k", "stop_seqs", "best_of", "frequency_penalty", "presence_penalty",
    "logit_bias", "logprobs", "response_schema",
)  # fmt: skip


@modelapi(name="lab")
def lab() -> type[ModelAPI]:
    """Return the class that answers for ``lab/...``."""
    return LabAPI


class LabAPI(ModelAPI):
    """A checkpoint of the lab, or its exact grader.

    Parameters
    ----------
    model_name
        Folder of a checkpoint, or ``exact``.
    device
        'auto', 'cpu' or 'cuda'.

    Raises
    ------
    BadInput
        If the folder is no checkpoint, or an argument of the model is unknown.
    MissingExtra
        If torch, safetensors or tokenizers is not installed.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig | None = None,
        device: str = "auto",
        **model_args: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config or GenerateConfig())
        if model_args:
            raise BadInput(f"lab/{model_name} knows the argument device, not {sorted(model_args)}")
        self._student = None if model_name == EXACT else _Student(model_name, device)
        self.identity = ""
        if self._student is not None:
            weights = (Path(model_name) / "model.safetensors").read_bytes()
            self.identity = f"model.safetensors@sha256:{hashlib.sha256(weights).hexdigest()}"

    async def generate(
        self,
        input: list[ChatMessage],  # noqa: A002 - Inspect's name
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """Answer the last user message."""
        del tool_choice
        prompts = [message for message in input if isinstance(message, ChatMessageUser)]
        if not prompts:
            raise BadInput(f"lab/{self.model_name} answers a user message, and there is none")
        if tools:
            raise BadInput(f"lab/{self.model_name} uses no tools; {len(tools)} were given")
        if self._student is None:
            return self._output(exact_reply(prompts[-1].metadata, prompts[-1].text), "stop", 0, 0)
        unknown = [name for name in _UNKNOWN_SETTINGS if getattr(config, name) is not None]
        if unknown or (config.num_choices or 1) > 1:
            raise BadInput(
                f"lab/{self.model_name} knows temperature, max_tokens and seed, not "
                f"{', '.join(unknown) or 'num_choices'}"
            )
        return self._output(*await self._student.answer(prompts[-1].text, config))

    def _output(self, text: str, stop: StopReason, tokens_in: int, tokens_out: int) -> ModelOutput:
        message = ChatMessageAssistant(content=text, model=self.model_name, source="generate")
        return ModelOutput(
            model=self.model_name,
            choices=[ChatCompletionChoice(message=message, stop_reason=stop)],
            usage=ModelUsage(
                input_tokens=tokens_in,
                output_tokens=tokens_out,
                total_tokens=tokens_in + tokens_out,
            ),
        )

    def max_connections(self) -> int:
        """Calls at a time, unless the caller says otherwise: as many as are written together."""
        return MOST_AT_ONCE

    def connection_key(self) -> str:
        """Every checkpoint has connections of its own."""
        return self.model_name


class _Student:
    """A checkpoint, and the batches of calls to it."""

    def __init__(self, folder: str, device: str) -> None:
        self.writer = _writer(folder, device)
        self.batches: Batches[Request, Text] = Batches(self.writer.write, MOST_AT_ONCE)

    async def answer(self, prompt: str, config: GenerateConfig) -> tuple[str, StopReason, int, int]:
        request = self.writer.request(prompt, config.max_tokens, config.temperature, config.seed)
        text = await self.batches.answer(request)
        stop: StopReason = "stop" if text.ended else "max_tokens"
        return text.text, stop, len(request.prompt), text.tokens


def _writer(folder: str, device: str) -> Writer:
    try:
        from unparrot.lab.writer import Writer
    except ModuleNotFoundError as error:
        raise MissingExtra("lab", error.name or "torch") from error
    return Writer(folder, device)


def exact_reply(metadata: Mapping[str, Any] | None, prompt: str) -> str:
    """The exact marks of a text in the form that a grader of SKILL-MIX is asked for.

    Parameters
    ----------
    metadata
        Of the user message: ``{"unparrot": {"topic": ..., "skills": [...], "text": ...,
        "token": ..., "form": "schema" or "text"}}``.
    prompt
        What the message says, to quote in an error.

    Returns
    -------
    str
        For ``text`` a line for each criterion, ``TOKEN S1 = 1``, then S2 ..., TOPIC, SENSE and
        LENGTH; for ``schema`` a JSON object of the token and, by criterion, why and the mark.

    Raises
    ------
    BadInput
        If the metadata are missing or incomplete, or name a skill or topic that the world lacks.

    Examples
    --------
    >>> from random import Random
    >>> task = {"topic": "sewing", "skills": ["metaphor"], "token": "x9", "form": "text"}
    >>> text = World().sample(SkillCombination("sewing", ("metaphor",)), Random(1).random).pretty
    >>> print(exact_reply({"unparrot": {**task, "text": text}}, ""))
    x9 S1 = 1
    x9 TOPIC = 1
    x9 SENSE = 1
    x9 LENGTH = 1
    """
    task = _task(metadata, prompt)
    combination = SkillCombination(task.topic, task.skills)
    marks, wrong = read(combination, World().about(combination), task.text)
    names = [f"S{i + 1}" for i in range(combination.k)] + [name.upper() for name in CRITERIA]
    given = list(zip(names, marks.items(), strict=True))
    if task.form == "text":
        return "\n".join(f"{task.token} {name} = {int(mark)}" for name, (_, mark) in given)
    faults = "; ".join(wrong)
    reply: dict[str, Any] = {"token": task.token}
    for name, (criterion, mark) in given:
        why = faults if criterion == "sense" and faults else f"{'' if mark else 'not '}found"
        reply[name] = {"why": why, "mark": int(mark)}
    return json.dumps(reply)


class _Task(msgspec.Struct):
    topic: str
    skills: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    text: str
    token: str
    form: Literal["schema", "text"]


def _task(metadata: Mapping[str, Any] | None, prompt: str) -> _Task:
    task: object = (metadata or {}).get("unparrot")
    if not isinstance(task, dict):
        raise BadInput(
            "lab/exact grades what stands in the metadata of the message under 'unparrot', and "
            f"there is nothing; it does not read prompts (this one begins {prompt[:40]!r})"
        )
    try:
        return msgspec.convert(task, _Task)
    except msgspec.ValidationError as error:
        raise BadInput(
            "lab/exact needs the texts topic, text and token, the list skills, and a form that is "
            f"'schema' or 'text': {error}"
        ) from error


class Batches(Generic[Item, Result]):
    """Answers items by `run`, at most `most` at a time; whoever waits longest works for all.

    Parameters
    ----------
    run
        Takes a list of items and returns as many results in their order. One call of it is under
        way at a time, in a thread. What it raises is raised to all whose items it was given.
    most
        Items in a list.
    """

    def __init__(self, run: Callable[[list[Item]], Sequence[Result]], most: int) -> None:
        self._run, self._most = run, most
        self._waiting: list[tuple[Item, Future[Result]]] = []
        self._lock = anyio.Lock()

    async def answer(self, item: Item) -> Result:
        """Return the result of an item, once it has had its turn."""
        future: Future[Result] = Future()
        self._waiting.append((item, future))
        try:
            async with self._lock:
                while not future.done():
                    await self._work()
        finally:  # answered, or given up
            self._waiting = [pair for pair in self._waiting if pair[1] is not future]
        return future.result()

    async def _work(self) -> None:
        """Answer those that wait longest, as soon as no more come for a moment."""
        count = 0
        while count < min(len(self._waiting), self._most):
            count = len(self._waiting)
            await anyio.sleep(WAIT)
        batch = self._waiting[: self._most]
        try:
            results = await anyio.to_thread.run_sync(self._run, [item for item, _ in batch])
            for (_, future), result in zip(batch, results, strict=True):
                future.set_result(result)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the callers' to see
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
        self._waiting = [pair for pair in self._waiting if not pair[1].done()]
