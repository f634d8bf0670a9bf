"""Models, opened through Inspect's model layer: any provider that Inspect has, and the lab's own.

Inspect brings clients, keys, retries and usage of every provider. What is ours is small: one error
for each kind of fault, a count of what went wrong at each attempt, and the settings of a call in
full, since Inspect's roles inherit none.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from unparrot.core.errors import BadInput, MissingExtra, UnparrotError
from unparrot.core.skills import SkillCombination, SkillPack
from unparrot.eval.protocol.grading import Form, grading_prompt, grading_schema
from unparrot.eval.wire.prices import Price
from unparrot.eval.wire.redaction import MASK, Redactor, holds_key
from unparrot.packs.prompts import PromptSet

if TYPE_CHECKING:
    from inspect_ai.model import (
        ChatMessage,
        ChatMessageUser,
        GenerateConfig,
        Model,
        ModelOutput,
        ResponseSchema,
    )

# Providers whose models keep to a JSON schema that they are given.
SCHEMA_PROVIDERS: Final = frozenset(
    {"openai", "google", "mistral", "grok", "vllm", "sglang", "gguf"}
)
# More than any call reads or writes: a provider that reports so many reports nonsense.
MOST_TOKENS: Final = 10**12
_A_DAY: Final = 86400.0
_UNREADABLE: Final = frozenset(
    {"JSONDecodeError", "APIResponseValidationError", "RemoteProtocolError", "ReadError"}
)
_TIMED_OUT: Final = frozenset({"AttemptTimeoutError", "StreamIdleTimeoutError", "APITimeoutError"})
# What providers speak of when they refuse a JSON schema: OpenAI, Azure, Groq, DeepSeek and Together
# of the response format, vLLM of guided decoding, llama.cpp of a grammar, Google of JSON mode.
_ABOUT_SCHEMAS: Final = re.compile(
    r"(response|output)[_ ]?(format|schema|config|mime)|json[_ ]?(schema|object|mode)|"
    r"structured[_ ]?output|(guided|constrained)[_ ]?(json|decoding|output)|grammar",
    re.IGNORECASE,
)
# Statuses that no repetition mends: the key, the account or the name of the model is wrong.
FATAL: Final = frozenset({401, 402, 403, 404})


class Settings(NamedTuple):
    """What shapes an answer: recorded with every call, and part of what identifies it."""

    temperature: float
    max_tokens: int
    top_p: float | None = None
    reasoning_effort: str | None = None


class Limits(NamedTuple):
    """How calls are made; none of it shapes an answer.

    ``timeout`` (seconds) is that of one attempt, ``retries`` how often a call that failed for a
    passing reason is tried again, ``connections`` the most calls of a model at a time.
    """

    connections: int = 16
    timeout: float = 120.0
    retries: int = 6


class Refused(UnparrotError):
    """A provider will not serve the model at all: a wrong key, no credit, an unknown name."""


class NoSchema(UnparrotError):
    """A provider will not hold a model to a JSON schema; the message has its words."""


class Response(NamedTuple):
    """The end of a call: what a model wrote or, after all attempts failed, why there is no reply.

    The fields are those of `unparrot.eval.record.journal.Call`; ``kind`` and ``error`` are empty
    for a reply. Token counts are None where the provider reports none.
    """

    latency: float
    attempts: int
    reply: str = ""
    stop_reason: str = ""
    snapshot: str = ""
    error: str = ""
    kind: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class OpenModel:
    """A model that can be asked.

    Parameters
    ----------
    name
        As Inspect has it, for example ``openai/gpt-4o``; of a grader, the name of its grading.
    form
        How it gives marks, as a grader.
    price
        None if not known.
    origin
        Where it is reached, and with what arguments; keys are struck out.
    """

    name: str
    model: Model
    form: Form
    price: Price | None
    redact: Redactor
    origin: Mapping[str, Any]

    def cost(self, reply: Response) -> float | None:
        """US dollars; None without a reply, or if the price or a count of tokens is not known."""
        if self.price is None or reply.kind:
            return None
        if self.price == (0.0, 0.0):
            return 0.0
        if reply.input_tokens is None or reply.output_tokens is None:
            return None
        return self.price.of(reply.input_tokens, reply.output_tokens)

    async def ask(
        self, messages: Sequence[ChatMessage], config: GenerateConfig, failures: Counter[str]
    ) -> Response:
        """Send a conversation and wait for the reply, or for the last attempt to fail.

        Parameters
        ----------
        messages, config
            As Inspect takes them; ``config`` bounds attempts and their time.
        failures
            Every attempt that fails is counted here, by its kind.

        Raises
        ------
        Refused
            If the provider says that the key or the model is wrong.
        NoSchema
            If ``config`` has a schema and the provider says that it will not have it.
        """
        seen: list[str] = []
        _attempts.set(seen)
        started = time.perf_counter()
        try:
            output = await self.model.generate(list(messages), config=config)
        except Exception as raised:  # noqa: BLE001 - a provider's package may raise anything
            # out of retries, the last attempt is counted already
            last = raised.__cause__ if type(raised).__name__ == "RetryError" else None
            fault = fault_of(last or raised)
            seen += [] if last else [fault.kind]
            failures.update(seen)
            # Inspect's own message begins with all that was sent
            words = str(getattr(raised, "provider_message", "") or last or raised)
            words = _whole_characters(words) or type(last or raised).__name__
            message = _one_line(self.redact(words))
            if config.response_schema and _ABOUT_SCHEMAS.search(words):
                raise NoSchema(message) from None
            if fault.fatal:
                raise Refused(
                    f"{self.name} was refused ({fault.kind}): {message}. Check the key and the "
                    "name of the model"
                ) from None
            elapsed = time.perf_counter() - started
            return Response(elapsed, len(seen), error=message, kind=seen[-1])
        failures.update(seen)
        read = written = thought = None
        if (usage := output.usage) is not None:
            cached = (usage.input_tokens_cache_read or 0) + (usage.input_tokens_cache_write or 0)
            read, written = usage.input_tokens + cached, usage.output_tokens
            thought = usage.reasoning_tokens
        return Response(
            output.time if output.time is not None else time.perf_counter() - started,
            len(seen) + 1,
            self.redact.known(_whole_characters(output.completion)),
            stop_of(output),
            _whole_characters(output.model),
            input_tokens=_count(read),
            output_tokens=_count(written),
            reasoning_tokens=_count(thought),
        )

    def within(self, limits: Limits) -> Limits:
        """Return the limits of its calls: a GGUF file writes few texts at a time, and however slow
        the machine is, writing them again would take no less."""
        if not self.name.startswith("gguf/"):
            return limits
        most = self.model.api.max_connections()
        return limits._replace(connections=min(limits.connections, most), timeout=_A_DAY)

    async def close(self) -> None:
        """Close the connections; the model cannot be asked afterwards."""
        await self.model.api.aclose()


def stop_of(output: ModelOutput) -> str:
    """Return why a model stopped, by Inspect's name."""
    return str(output.stop_reason) if output.choices else "unknown"


def form_of(model: str, form: str = "auto") -> Form:
    """Return how a grader replies: ``auto`` is a JSON schema where its provider keeps to one."""
    strict = model.partition("/")[0] in SCHEMA_PROVIDERS if form == "auto" else form == "schema"
    return "schema" if strict else "text"


_attempts: ContextVar[list[str]] = ContextVar("attempts that failed, of the call of this task")


def full_name(name: str) -> str:
    """Return the name as Inspect has it: ``lab:PATH`` is short for ``lab/PATH``, and so
    is ``gguf:PATH``.

    Examples
    --------
    >>> full_name("lab:runs/demo"), full_name("openai/gpt-4o")
    ('lab/runs/demo', 'openai/gpt-4o')
    """
    return re.sub(r"^(lab|gguf):", r"\1/", name.strip())


def open_model(
    name: str,
    price: Price | None,
    redact: Redactor,
    base_url: str | None = None,
    form: str = "auto",
    arguments: Mapping[str, Any] | None = None,
) -> OpenModel:
    """Open a model by its Inspect name.

    Parameters
    ----------
    name
        ``provider/model``, as `full_name` gives it.
    price, redact
        What its tokens cost, and what keeps keys out of its errors.
    base_url
        Where the provider is reached, if not at its usual address.
    form
        How it gives marks, as `form_of` takes it.
    arguments
        More for the provider, for example ``{"device": "cpu"}``.

    Raises
    ------
    BadInput
        If the name is unknown, or a key or a file is missing.
    MissingExtra
        If inspect-ai is not installed.
    """
    try:
        from inspect_ai.model import get_model
    except ImportError as error:
        raise MissingExtra("eval", "inspect-ai") from error
    try:
        model = get_model(name, base_url=base_url, memoize=False, **dict(arguments or {}))
    except UnparrotError:
        raise
    except ModuleNotFoundError as error:
        raise BadInput(
            f"{name} needs a package that is not installed ({error.name}): pip install {error.name}"
        ) from error
    except Exception as error:  # noqa: BLE001 - a provider's package may raise anything
        raise BadInput(_cannot_open(name, redact(str(error)))) from None
    usual: Any = model.should_retry

    def should_retry(ex: BaseException) -> bool:
        fault = fault_of(ex)
        again = bool(usual(ex)) or fault.broken
        if again and (seen := _attempts.get(None)) is not None:
            seen.append(fault.kind)
        return again

    model.should_retry = should_retry  # counted by Inspect's own loop, which asks this
    api: Any = model.api
    # what the client itself goes by: an address may come from the environment, or from nobody
    address = getattr(getattr(api, "client", None), "base_url", None) or api.base_url or ""
    given = dict(arguments or {}).items()
    origin = {
        "address": redact(str(address).rstrip("/")),
        "arguments": {key: MASK if holds_key(key) else redact(str(value)) for key, value in given},
    }
    return OpenModel(name, model, form_of(name, form), price, redact, origin)


def _cannot_open(name: str, message: str) -> str:
    """What to do about a model that cannot be opened."""
    message = _one_line(re.sub(r"\[/?(?:bold|blue|red|italic)[^\]]*\]", "", message))
    message = re.sub(r"^ERROR:?\s*", "", message)
    if "should be in the format" in message or "not recognized" in message:
        return (
            f"there is no model {name!r}: write provider/model, for example openai/gpt-4o, "
            "anthropic/claude-sonnet-4-5, hf/org/model, openai-api/NAME/MODEL with --base-url, "
            "gguf:PATH for a file of llama.cpp, or lab:PATH for a model of the lab"
        )
    key = re.search(r"\b([A-Z][A-Z0-9_]*(?:_API_KEY|_TOKEN|_BASE_URL))\b", message)
    if key is None:
        return f"{name} cannot be opened: {message}"
    need = f"a key: set {key[1]} in the environment"
    if key[1].endswith("_BASE_URL"):
        need = f"an address: give --base-url (for a grader --grader-base-url), or set {key[1]}"
    return f"{name} needs {need} ({message})"


class Fault(NamedTuple):
    """What went wrong at an attempt.

    ``kind`` says it in two words. A reply that is ``broken`` could not be read and is worth asking
    for again; after a ``fatal`` fault no call of the model will succeed.
    """

    kind: str
    broken: bool
    fatal: bool


def fault_of(error: BaseException) -> Fault:
    """Return what an exception of a provider's package, or its cause, means.

    A proxy's HTML page with status 200, or a body that ends too early, is no error to Inspect's
    providers; what they then stumble over is.
    """
    chain = [error]
    while (cause := chain[-1].__cause__) is not None:
        chain.append(cause)
    name, *names = (type(each).__name__ for each in chain)
    holders = [holder for each in chain for holder in (each, getattr(each, "response", None))]
    statuses = [getattr(holder, "status_code", None) for holder in holders]
    status = next((status for status in statuses if isinstance(status, int)), None)
    broken = name in _UNREADABLE
    if isinstance(error, (AttributeError, TypeError, KeyError, IndexError)):
        broken = re.search(r"'str' object|NoneType|choices", str(error)) is not None
    if _TIMED_OUT & {name, *names}:
        kind = "timed out"
    elif status is not None:
        kind = "rate limit" if status == 429 else f"HTTP {status}"
    elif "Connect" in name or isinstance(error, ConnectionError):
        kind = "no connection"
    elif broken:
        kind = "unreadable reply"
    else:
        kind = "provider error" if name == "OpenAIResponseError" else name
    return Fault(kind, broken, status in FATAL)


def _whole_characters(text: str) -> str:
    """Return the text with halves of characters, which JSON can hold and no file, replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _count(reported: int | None) -> int | None:
    """Return a number of tokens, None if what was reported cannot be one."""
    return reported if reported is not None and 0 <= reported < MOST_TOKENS else None


def _one_line(text: str, most: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most]}..."


# --- what is sent ---------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def call_config(shape: Settings, limits: Limits, schema_k: int | None) -> GenerateConfig:
    """Return the full settings of a call, for Inspect.

    Parameters
    ----------
    shape, limits
        What shapes the answer, and how the call is made.
    schema_k
        Number of skills whose marks are asked for under a JSON schema; None for plain text.
    """
    from inspect_ai.model import GenerateConfig
    from inspect_ai.util import AdaptiveConcurrency

    most = limits.connections
    return GenerateConfig(
        **shape._asdict(),
        response_schema=None if schema_k is None else marks_schema(schema_k),
        # fewer at a time after a provider has said that it is too many
        adaptive_connections=AdaptiveConcurrency(min=1, start=most, max=most),
        attempt_timeout=max(1, round(limits.timeout)),
        max_retries=limits.retries,
    )


def marks_schema(k: int) -> ResponseSchema:
    """Return the JSON schema of the marks of k skills, for Inspect."""
    from inspect_ai.model import ResponseSchema
    from inspect_ai.util import JSONSchema

    # the schema knows skills by their number alone
    anything = SkillCombination("-", tuple(str(i) for i in range(k)))
    return ResponseSchema(
        name="marks", json_schema=JSONSchema.model_validate(grading_schema(anything)), strict=True
    )


def grading_message(
    prompts: PromptSet,
    pack: SkillPack,
    combination: SkillCombination,
    text: str,
    token: str,
    form: Form,
    grader: str,
) -> ChatMessageUser:
    """Return what a grader is sent: as `grading_prompt`, and for an exact grader the text apart."""
    from inspect_ai.model import ChatMessageUser

    about = {"topic": combination.topic, "skills": list(combination.skills), "text": text}
    exact = grader.startswith("lab/")  # reads no English
    return ChatMessageUser(
        content=grading_prompt(prompts, pack, combination, text, token, form),
        metadata={"unparrot": {**about, "token": token, "form": form}} if exact else None,
    )
