"""Faults of an attempt: what an exception of any provider's package means, and what to do then."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, cast

from unparrot.eval.wire.raw_replies import FailedReply

# Kinds by names of exceptions, anywhere in the chain; the first that fits.
_KINDS: Final = {
    "no connection": {"ConnectError", "ConnectTimeout", "ConnectionRefusedError"},
    "connection lost": {"RemoteProtocolError", "ReadError", "IncompleteRead"},
    "timed out": {"TimeoutError", "StreamIdleTimeoutError", "APITimeoutError", "ReadTimeout"},
    "unreadable reply": {
        *("JSONDecodeError", "APIResponseValidationError", "DecodingError", "AssertionError"),
        *("ResponseValidationError", "UnknownApiResponseError", "NoStreamDataError"),
        "RecursionError",
    },
    "provider error": {"OpenAIResponseError"},
}
_BROKEN: Final = _KINDS["connection lost"] | _KINDS["unreadable reply"] | {"ReadTimeout"}
# Kinds of faults after which a provider may bill a reply that did not come.
MAY_BE_BILLED: Final = frozenset({"timed out", "connection lost", "unreadable reply", "broken off"})
# Seconds that a provider may ask to wait; a longer wait ends the model's part.
LONGEST_PAUSE: Final = 600.0

_NO_CREDIT: Final = "the account has no credit or quota left"
_PERIOD: Final = "a limit of the day or month is reached: go on when it is over, or raise it"
_CLOSED: Final = "the account was closed or suspended"
_REGION: Final = "the provider does not serve where you are"
_WALL: Final = "a firewall answered: check --base-url and the network"
_WRONG_KEY: Final = "check the key"
_NO_MODEL: Final = "check the name of the model, and --base-url if it was given"
# What ends a model's part whatever the status is, in the words of OpenAI, Azure, Anthropic, Google,
# OpenRouter, xAI, DeepSeek, Mistral, Groq, Moonshot, Alibaba, vLLM and llama.cpp.
_ENDING: Final = (
    (_NO_CREDIT, r"insufficient[ _](quota|credit|balance|fund)|credit balance|spending limit"
                 r"|exceeded_current_quota|billing_\w+|billing hard limit|check your billing|prepay"
                 r"|arrear|api usage limits|key limit exceeded|per_?day\w*project|out of \w+ quota"
                 r"|(no|more|out of|used all)( \w+)? credits"
                 r"|credits?( \w+){0,3} (depleted|exhausted|used)"),
    (_PERIOD, r"(requests|tokens|models|limit|quota)\W{0,3}(per|this)[ _-]?(day|month)\b"
              r"|\b(daily|monthly)( \w+)? (limit|quota|usage|requests)|\b[TR]PD\b"
              r"|\blimit: 0(?![.\d])|spend limit|add \d+ credits"),
    (_CLOSED, r"account\b[^.]{0,60}(deactivated|disabled|suspended|not active|good standing)"
              r"|organi[sz]ation has been (disabled|deactivated)|access_terminated"),
    (_WRONG_KEY, r"(invalid|incorrect|wrong|expired|missing|no)[ _-](x-)?api[ _-]?key"
                 r"|api[ _-]key[\w ]{0,20}(invalid|not valid|expired|revoked|disabled)"
                 r"|no auth credentials|invalid subscription key"),
    (_NO_MODEL, r"model_not_found|deploymentnotfound|not a valid model|no endpoints found"
                r"|(unknown|invalid|no such|unsupported|decommissioned) model\b"
                r"|model_decommissioned"
                r"|\bmodels?\b.{0,80}(does not exist|not found|decommissioned|no longer|retired)"),
    (_REGION, r"\b(country|region|location)\b.{0,40}not (supported|available)"),
    (_WALL, r"cloudflare|captcha|attention required"),
)  # fmt: skip
_BY_STATUS: Final = {
    401: _WRONG_KEY, 402: _NO_CREDIT, 403: _WRONG_KEY, 404: _NO_MODEL, 410: _NO_MODEL,
}  # fmt: skip
_GRPC: Final = {
    "INVALID_ARGUMENT": 400, "UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403, "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429, "UNAVAILABLE": 503,
}  # fmt: skip
# OpenAI's code for no credit stands beside this sentence, which Google writes of a minute's limit.
_QUOTA: Final = re.compile(r"exceeded your current quota", re.IGNORECASE)
_MINUTE: Final = re.compile(r"resource_exhausted|per_?minute|retry in|retrydelay", re.IGNORECASE)
_FILTERED: Final = re.compile(
    r"content[ _](filter|policy|management|exists risk)|moderation|flagged|inappropriate content"
    r"|data_inspection_failed|responsible ai",
    re.IGNORECASE,
)
# A setting that the model does not take, by the names that providers give it.
_SETTINGS: Final = (
    ("temperature", r"\btemperature\b"),
    ("top-p", r"\btop_?p\b"),
    ("max-tokens", r"\bmax_?(completion_?|output_?|new_?)?tokens\b"),
    ("reasoning-effort", r"\breasoning(_?effort|\.effort)?\b|\bthinking\b"),
)
_NOT_TAKEN: Final = re.compile(
    r"support|unexpected|cannot|can't|deprecated|unrecognized|not (permitted|allowed)"
    r"|only be|extra inputs|must be",
    re.IGNORECASE,
)
_TOO_LARGE: Final = re.compile(
    r"less than|at most|maximum|too (large|high|low)|range", re.IGNORECASE
)


class Fault(NamedTuple):
    """What went wrong at an attempt.

    ``kind`` says it in two words, ``words`` are the provider's own. A reply that is ``broken``
    could not be read and is worth asking for again. ``cure`` is what to do about a fault that every
    call of the model will meet; empty for others.
    """

    kind: str
    words: str
    broken: bool = False
    cure: str = ""


def fault_of(error: BaseException) -> Fault:
    """Return what an exception of a provider's package, or its cause, means.

    A proxy's HTML page with status 200, or a body that ends too early, is no error to Inspect's
    providers; what they then stumble over is.
    """
    chain = list(_causes(error))
    names = {type(each).__name__ for each in chain}
    status = next((each for each in map(_status, chain) if each is not None), None)
    # Inspect puts the whole request before the provider's words, which it keeps apart as well
    messages = [str(getattr(each, "provider_message", None) or each) for each in chain]
    bodies = [body for each in chain if (body := getattr(each, "body", None))]
    untold = ("", "Connection error.")
    telling = (m for m in messages if m not in untold and not m.startswith("unhandled errors in"))
    words = _sentence(bodies[0]) if bodies else next(telling, messages[0])
    everything = " ".join([*messages, *map(str, bodies)])
    failed = next((each for each in chain if isinstance(each, FailedReply)), None)
    broken = failed is not None or bool(names & _BROKEN)
    if isinstance(error, (AttributeError, TypeError, KeyError, IndexError)):
        broken = re.search(r"'str' object|NoneType|choices", str(error)) is not None
    cure = ""
    if status is not None:
        kind = "rate limit" if status == 429 else f"HTTP {status}"
        if status in (400, 403, 422, 451) and _FILTERED.search(everything):
            kind = "content filter"
        elif 400 <= status < 500:
            cure = _cure(status, everything)
    elif failed is not None:
        kind, cure = "broken off" if failed.begun else "provider error", _cure(200, everything)
    else:
        known = [kind for kind, named in _KINDS.items() if names & named]
        known += ["no connection"] * any("Connect" in name for name in names)
        known += ["unreadable reply"] * broken
        kind = (*known, type(error).__name__)[0]
    return Fault(kind, words or (kind if broken else type(error).__name__), broken, cure)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        group = cast(Any, error).exceptions if isinstance(error, BaseExceptionGroup) else ()
        error = next(iter(group), error.__cause__)


def _status(error: BaseException) -> int | None:
    """The HTTP status, wherever a provider's package keeps it."""
    response: Any = getattr(error, "response", None)
    for holder in (error, response):
        for name in ("status_code", "code"):
            if isinstance(status := getattr(holder, name, None), int) and 400 <= status < 600:
                return status
    if isinstance(response, Mapping):  # of botocore
        return cast(Any, response).get("ResponseMetadata", {}).get("HTTPStatusCode")
    code = getattr(error, "code", None)  # of gRPC
    return _GRPC.get(getattr(code(), "name", "")) if callable(code) else None


def _sentence(body: object) -> str:
    """The provider's own sentence in the body of its answer, or else the body."""
    if isinstance(body, Mapping):
        fields = cast(Mapping[str, object], body)
        for name in ("error", "message", "detail"):
            if fields.get(name):
                return _sentence(fields[name])
    return f"{body}"


def _cure(status: int, message: str) -> str:
    """What to do about a refusal that every call of the model will meet; empty if it is another."""
    for cure, words in _ENDING:
        if re.search(words, message, re.IGNORECASE):
            return cure
    if _QUOTA.search(message) and not _MINUTE.search(message):
        return _NO_CREDIT
    if status in (400, 422) and "context" not in message:
        named = [name for name, words in _SETTINGS if re.search(words, message, re.IGNORECASE)]
        options = " or ".join(f"--{name} none" for name in reversed(named))
        if named and _TOO_LARGE.search(message):
            return f"give another --{named[0]}, or {options} (for a grader --grader-{named[0]})"
        if named and _NOT_TAKEN.search(message):
            return f"add {options} (for a grader --grader-{named[0]} none)"
    return _BY_STATUS.get(status, "")
