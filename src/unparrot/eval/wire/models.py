"""Models, opened through Inspect's model layer: any provider that Inspect has, and the lab's own.

Inspect brings clients, keys and usage of every provider. What is ours: the attempts at a call, at
the model's pace and within the budget, and the settings of a call in full, since Inspect's roles
inherit none.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from unparrot.core.errors import BadInput, MissingExtra, UnparrotError
from unparrot.core.skills import SkillCombination, SkillPack
from unparrot.core.wording import duration
from unparrot.eval.protocol.conversation import LEFT_OUT
from unparrot.eval.protocol.grading import Form, grading_prompt, grading_schema
from unparrot.eval.wire.cost_limit import Budget
from unparrot.eval.wire.faults import LONGEST_PAUSE, MAY_BE_BILLED, Fault, fault_of
from unparrot.eval.wire.pace import Pace, backoff
from unparrot.eval.wire.prices import FREE, Price
from unparrot.eval.wire.raw_replies import keep_words, mend_replies, settled
from unparrot.eval.wire.redaction import MASK, Redactor, holds_key
from unparrot.packs.prompts import PromptSet

if TYPE_CHECKING:
    from inspect_ai.model import (
        ChatMessage,
        ChatMessageUser,
        Content,
        GenerateConfig,
        Model,
        ModelOutput,
        ResponseSchema,
    )

# Providers whose models keep to a JSON schema that they are given.
SCHEMA_PROVIDERS: Final = frozenset(
    {"openai", "google", "mistral", "grok", "vllm", "sglang", "gguf"}
)
# Providers whose batch service Inspect's model layer knows.
BATCH_PROVIDERS: Final = ("anthropic", "google", "grok", "openai", "together")
# More than any call reads or writes: a provider that reports so many reports nonsense.
MOST_TOKENS: Final = 10**12
# Letters of a reply that are kept and shown, half of them from its end: far beyond what any text or
# grading takes.
MOST_REPLY: Final = 100_000
_A_DAY: Final = 86400.0
# What providers speak of when they refuse a JSON schema: OpenAI, Azure, Groq, DeepSeek and Together
# of the response format, vLLM of guided decoding, llama.cpp of a grammar, Google of JSON mode.
_ABOUT_SCHEMAS: Final = re.compile(
    r"(response|output)[_ ]?(format|schema|config|mime)|json[_ ]?(schema|object|mode)|"
    r"structured[_ ]?output|(guided|constrained)[_ ]?(json|decoding|output)|grammar",
    re.IGNORECASE,
)
# Connections that Inspect may open: the pace of a model keeps them to fewer.
UNBOUND: Final = 10_000


class Settings(NamedTuple):
    """What shapes an answer: recorded with every call, and part of what identifies it."""

    temperature: float | None
    max_tokens: int | None
    top_p: float | None = None
    reasoning_effort: str | None = None


class Limits(NamedTuple):
    """How calls are made; none of it shapes an answer.

    ``timeout`` (seconds) is that of one attempt, ``retries`` how often a call that failed for a
    passing reason is tried again, ``connections`` the most calls of a model at a time. ``batch``:
    they go to the provider's batch service, so many in one batch at most.
    """

    connections: int = 16
    timeout: float = 120.0
    retries: int = 6
    batch: bool = False


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
    cost: float | None = None


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
    pace
        How fast it is asked.
    """

    name: str
    model: Model
    form: Form
    price: Price | None
    redact: Redactor
    origin: Mapping[str, Any]
    pace: Pace

    async def ask(
        self,
        messages: Sequence[ChatMessage],
        config: GenerateConfig,
        budget: Budget,
        retries: int,
        failures: Counter[str],
    ) -> Response:
        """Send a conversation and wait for the reply, or for the last attempt to fail.

        Parameters
        ----------
        messages, config
            As Inspect takes them.
        budget
            Holds back what each attempt can cost.
        retries
            How often an attempt that failed for a passing reason is made again.
        failures
            Every attempt that fails is counted here, by its kind.

        Raises
        ------
        Refused
            If the provider will serve no call of the model: a wrong key or setting, no credit.
        NoSchema
            If ``config`` has a schema and the provider says that it will not have it.
        UnparrotError
            If the calls were halted before an attempt could be made, or the budget is used up.
        """
        from inspect_ai.log._transcript import Transcript, init_transcript

        # Inspect would keep what each attempt sent and got, which takes a tenth of a call's work
        init_transcript(Transcript(log_model_api=False))
        pace, seconds, size = self.pace, 0.0, sum(len(each.text.encode()) for each in messages)
        for attempts in count(1):
            async with (
                pace.turn(),
                budget.hold(self.name, self.price, size, config.max_tokens) as hold,
            ):
                pace.check()  # the budget may have kept it waiting
                if config.response_schema and pace.no_schema:
                    raise NoSchema(pace.no_schema)
                sent = time.perf_counter()
                try:
                    async with asyncio.timeout(pace.patience):
                        output = await self.model.generate(list(messages), config=config)
                    output = settled(output)
                except Exception as raised:  # noqa: BLE001 - a provider's package may raise anything
                    fault, again, wait = self._fault(raised, time.perf_counter() - sent)
                else:
                    took = time.perf_counter() - sent if output.time is None else output.time
                    reply = self._read(output, took, attempts)
                    pace.note_reply(took, reply.output_tokens)
                    hold.known = True
                    hold.bill = reply.cost or 0.0
                    if reply.cost is None:
                        hold.bill = budget.likely(self.name, hold)
                    return reply
                if fault.kind == "content filter":
                    return Response(seconds, attempts, stop_reason="content_filter")
                failures[fault.kind] += 1
                seconds += time.perf_counter() - sent
                timed_out = fault.kind == "timed out"
                if timed_out or fault.kind == "rate limit":
                    pace.note_overload(sent, timed_out=timed_out, wait=wait)
                if fault.kind in MAY_BE_BILLED:
                    budget.lose(self.name, hold)
                pause = max(wait, backoff(attempts)) if again and attempts <= retries else 0.0
                if not pace.answered and fault.kind in ("timed out", "no connection"):
                    # nobody else is sent to a server that may not be there
                    await pace.wait(pause)
                    pause = 0.0
            if config.response_schema and refuses_schema(fault.words):
                pace.no_schema = fault.words
                raise NoSchema(fault.words)
            tried = attempts > retries
            if why := self._refusal(fault, attempts, tried=tried):
                pace.halt(why)
                raise why
            if pause:
                await pace.wait(pause)
            if not again or tried or pace.halted:
                return Response(seconds, attempts, error=fault.words, kind=fault.kind)
        raise AssertionError("the attempts are without end")

    def _refusal(self, fault: Fault, attempts: int, *, tried: bool) -> Refused | None:
        """Why no call of the model will succeed, if a fault says so. ``tried``: it was the last
        attempt."""
        name, words = self.name, fault.words
        if fault.cure:
            return Refused(f"{name} was refused ({fault.kind}): {words}; {fault.cure}")
        if self.pace.answered:
            return None
        if fault.kind == "no connection" and (tried or attempts > 1):
            return Refused(
                f"{name} cannot be reached ({words}): check the address and that the server is up"
            )
        if fault.kind == "timed out" and tried:
            return Refused(
                f"{name} has not answered once in {attempts} attempts ({words}): check that the "
                "server works, or give it a longer --timeout"
            )
        return None

    def _fault(self, raised: Exception, took: float) -> tuple[Fault, bool, float]:
        """What went wrong, whether to ask again, and how long the provider asks to wait."""
        if type(raised).__name__ == "RetryError" and isinstance(raised.__cause__, Exception):
            raised = raised.__cause__  # Inspect's own loop makes one attempt and is out of them
        fault = fault_of(raised)
        again = fault.broken or isinstance(raised, TimeoutError)
        words = f"no reply in {took:.0f} s" if isinstance(raised, TimeoutError) else fault.words
        fault = fault._replace(words=_one_line(self.redact(_whole_characters(words))))
        again = again or bool(self.model.should_retry(raised))
        decision: Any = self.model.api.should_retry(raised)
        if decision and getattr(decision, "kind", "") == "rate_limit":
            fault = fault._replace(kind="rate limit")  # whose status is none of HTTP
        wait: float = getattr(decision, "retry_after", None) or 0.0
        if wait > LONGEST_PAUSE:
            cure = f"it asks to wait {duration(wait)}; give the same command again then"
            fault = fault._replace(cure=fault.cure or cure)
        return fault, again, wait

    def _read(self, output: ModelOutput, took: float, attempts: int) -> Response:
        """The reply, with the tokens and the cost that were reported."""
        read = written = thought = cost = None
        reply, stop = written_of(output), stop_of(output)
        if (usage := output.usage) is not None:
            cached = (usage.input_tokens_cache_read or 0) + (usage.input_tokens_cache_write or 0)
            # no prompt has 0 tokens, and no text
            read = _count(usage.input_tokens + cached) or None
            written, thought = _count(usage.output_tokens), _count(usage.reasoning_tokens)
            if written is not None and thought is not None and thought > written:
                written += thought  # a provider that counts its thinking apart
            if not written and reply:
                written = None
        if self.price == (0.0, 0.0):
            cost = 0.0
        elif self.price is not None and read is not None and written is not None:
            cost = self.price.of(read, written)
        if (more := len(reply) - MOST_REPLY) > 0:
            half = MOST_REPLY // 2
            reply = f"{reply[:half]}\n{LEFT_OUT.format(f'{more:,}')}\n{reply[-half:]}"
        return Response(
            took,
            attempts,
            self.redact.known(_whole_characters(reply)),
            stop,
            _whole_characters(output.model)[:MOST_REPLY],
            input_tokens=read,
            output_tokens=written,
            reasoning_tokens=thought,
            cost=cost,
        )

    async def close(self) -> None:
        """Close the connections; the model cannot be asked afterwards."""
        await self.model.api.aclose()


def written_of(output: ModelOutput) -> str:
    """Return what a model wrote, after what it thought, if that came apart, between think tags.

    An output for which nothing was billed because of its prompt has the provider's words, not the
    model's.
    """
    if output.usage is None and stop_of(output) in ("content_filter", "model_length"):
        return ""
    parts = _parts(output)
    thoughts = [each for each in parts if each.type == "reasoning"]
    passages = [each.summary or "" if each.redacted else each.reasoning for each in thoughts]
    thought = "\n".join(passages).replace("</think>", "").strip()
    return f"<think>\n{thought}\n</think>\n\n{output.completion}" if thought else output.completion


def stop_of(output: ModelOutput) -> str:
    """Return why a model stopped, by Inspect's name; what is marked as a refusal is filtered."""
    refused = any(each.type == "text" and each.refusal for each in _parts(output))
    return "content_filter" if refused else str(output.stop_reason) if output.choices else "unknown"


def _parts(output: ModelOutput) -> Sequence[Content]:
    content = output.message.content if output.choices else ""
    return () if isinstance(content, str) else content


def form_of(model: str, form: str = "auto") -> Form:
    """Return how a grader replies: ``auto`` is a JSON schema where its provider keeps to one."""
    strict = model.partition("/")[0] in SCHEMA_PROVIDERS if form == "auto" else form == "schema"
    return "schema" if strict else "text"


def refuses_schema(words: str) -> bool:
    """Whether a provider's words on a call under a JSON schema are about that schema."""
    return _ABOUT_SCHEMAS.search(words) is not None


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
    limits: Limits,
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
    limits
        How many calls it may have at a time, and how long each may take.
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
    api: Any = model.api
    odd = re.search(r"[^!-~]", str(api.api_key or ""))
    if odd:
        raise BadInput(
            f"the key of {name} holds {odd[0]!r}, which no key does: set "
            f"{' or '.join(api.api_key_vars) or 'it'} again, without spaces and line breaks"
        )
    keep_words(api)
    client: Any = getattr(api, "client", None)
    # attempts are made again by `OpenModel.ask` alone, at the pace of the model
    if hasattr(client, "max_retries"):
        client.max_retries = 0
        with suppress(AttributeError, KeyError):  # a client of a package other than openai
            mend_replies(client._client)
    # what the client itself goes by: an address may come from the environment, or from nobody
    address = getattr(client, "base_url", None) or api.base_url or ""
    weights: str = getattr(api, "identity", "")  # of a model in files of the user's
    origin = {
        **({"weights": weights} if weights else {"address": redact(str(address).rstrip("/"))}),
        **arguments_of(arguments, redact),
    }
    most, timeout = limits.connections, limits.timeout
    if limits.batch and _has_batches(name):
        timeout = None
    if name.startswith("gguf/"):
        # a file writes few texts at a time, and however slow, writing them again takes no less
        most, timeout = min(most, api.max_connections()), _A_DAY
    pace = Pace(name, most, timeout)
    return OpenModel(name, model, form_of(name, form), price, redact, origin, pace)


def arguments_of(arguments: Mapping[str, Any] | None, redact: Redactor) -> dict[str, Any]:
    """Return the part of a model's origin that is known before it is opened."""
    # threads say how fast a model writes, not what
    given = [(key, value) for key, value in dict(arguments or {}).items() if key != "threads"]
    return {
        "arguments": {key: MASK if holds_key(key) else redact(str(value)) for key, value in given}
    }


def _has_batches(name: str) -> bool:
    """Whether calls of a model can go in batches; one on the user's own machine needs none.

    Raises
    ------
    BadInput
        If its provider sells none, or not by the route that its name takes.
    """
    provider, route = name.split("/")[:2]
    if name.startswith(FREE):
        return False
    if provider not in BATCH_PROVIDERS or route in {"azure", "bedrock", "vertex"}:
        raise BadInput(
            f"there is no batch service for {name}; the providers with one are "
            f"{', '.join(BATCH_PROVIDERS)}: leave --batch out, or name another model"
        )
    return True


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
def call_config(
    shape: Settings, schema_k: int | None, kind: type[SkillCombination] = SkillCombination
) -> GenerateConfig:
    """Return the full settings of a call, for Inspect.

    Parameters
    ----------
    shape
        What shapes the answer.
    schema_k
        Number of skills whose marks are asked for under a JSON schema; None for plain text.
    kind
        Of what is marked.
    """
    from inspect_ai.model import GenerateConfig

    return GenerateConfig(
        **shape._asdict(),
        response_schema=None if schema_k is None else marks_schema(schema_k, kind),
        # `Pace` decides on both
        max_connections=UNBOUND,
        max_retries=0,
    )


def marks_schema(k: int, kind: type[SkillCombination] = SkillCombination) -> ResponseSchema:
    """Return the JSON schema of the marks of k skills, for Inspect."""
    from inspect_ai.model import ResponseSchema
    from inspect_ai.util import JSONSchema

    # the schema knows skills by their number alone
    anything = kind("-", tuple(str(i) for i in range(k)))
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
    fault: str = "",
) -> ChatMessageUser:
    """Return what a grader is sent: as `grading_prompt`, and for an exact grader the text apart.

    ``fault`` is what was wrong with its last reply, as `unparrot.eval.protocol.grading.faults` has
    it.
    """
    from inspect_ai.model import ChatMessageUser

    about = {"topic": combination.topic, "skills": list(combination.skills), "text": text}
    exact = grader.startswith("lab/")  # reads no English
    return ChatMessageUser(
        content=grading_prompt(prompts, pack, combination, text, token, form) + fault,
        metadata={"unparrot": {**about, "token": token, "form": form}} if exact else None,
    )
