"""Raw replies: those of the OpenAI chat protocol are mended before a client reads them, and those
of other protocols are looked up where Inspect has no word for what a provider says.

Servers and gateways report a failure with status 200, send a text in parts, or write odd values
into fields that nobody needs: a client then takes a failure for an empty text, or loses a reply
that was paid for.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from inspect_ai.model import ModelOutput

_PATH: Final = "/chat/completions"
# What servers write as the reason why a reply ended, if it is they who failed.
_BROKEN_OFF: Final = (
    "error", "abort", "aborted", "cancelled", "failed", "malformed_model_output",
    "reason_time_limit", "reason_invalid",
)  # fmt: skip
# Words of other protocols for why a reply ended, which gateways pass on in any case of letters.
_ENDED: Final = {
    **dict.fromkeys(("max_tokens", "max_output_tokens", "max_length", "token_limit"), "length"),
    **dict.fromkeys(("safety", "refusal", "recitation", "prohibited_content"), "content_filter"),
    **dict.fromkeys(("stop", "end_turn", "stop_sequence", "completed"), "stop"),
    "model_context_window_exceeded": "model_length",
}
# Where other protocols say why a reply ended.
_REASONS: Final = ("stop_reason", "finish_reason", "stopReason", "status")
# The metadata of an output that have the provider's own word for it.
_WORD: Final = "unparrot_ended"


class FailedReply(Exception):
    """A failure that a provider reports with status 200.

    ``body`` is what it says of it, ``status_code`` the status that it names there, if any, and
    ``begun`` whether it had begun to write.
    """

    def __init__(self, body: object, *, begun: bool = False) -> None:
        super().__init__(str(body))
        self.body, self.begun = body, begun
        self.status_code: int | None = None
        with suppress(AttributeError, TypeError, ValueError):
            self.status_code = int(cast(Mapping[str, Any], body).get("code", ""))


def mend_replies(client: Any) -> None:
    """Have the replies that an HTTP client of the package openai gets mended, for good."""
    client.event_hooks["response"].append(_mend)


async def _mend(response: Any) -> None:
    if response.status_code != 200 or not response.url.path.endswith(_PATH):
        return
    await response.aread()
    # an HTML page, or half of a JSON text, is nothing that a client takes for a reply
    with suppress(ValueError, TypeError, AttributeError):
        try:
            body = json.loads(response.content)  # in any of Unicode's encodings
        except UnicodeDecodeError:
            body = json.loads(response.text)  # in that of its header, broken letters replaced
        except ValueError:
            if json.loads(response.request.content).get("stream"):
                return
            body = _joined(response.text)
            response.headers["content-type"] = "application/json"
        response._content = json.dumps(mended(body)).encode()


def _joined(events: str) -> dict[str, Any]:
    """The reply that a server sent piece by piece, though it was not asked to."""
    pieces = [line.removeprefix("data:") for line in events.splitlines() if line[:5] == "data:"]
    reply, message, ended = dict[str, Any](), dict[str, str](), ""
    for piece in pieces:
        chunk: dict[str, Any] = {} if piece.strip() == "[DONE]" else json.loads(piece)
        reply |= {name: value for name, value in chunk.items() if value}
        choices: list[dict[str, Any]] = chunk.get("choices") or [{}]
        ended = str(choices[0].get("finish_reason") or ended)
        delta: dict[str, object] = choices[0].get("delta") or {}
        for name, value in delta.items():
            if isinstance(value, str):
                message[name] = message.get(name, "") + value
    if not reply:
        raise ValueError("no events")
    if not (ended or reply.get("error")):
        raise FailedReply("the reply came in pieces, and the last did not come", begun=True)
    choice = {"index": 0, "message": {**message, "role": "assistant"}, "finish_reason": ended}
    return {**reply, "object": "chat.completion", "choices": [choice]}


def mended(body: Any) -> dict[str, Any]:
    """Return the body of a reply as its client expects it.

    Raises
    ------
    FailedReply
        If it is no reply, or a provider failed while it wrote one.

    Examples
    --------
    >>> mended({"error": {"message": "overloaded", "code": 503}})
    Traceback (most recent call last):
    unparrot.eval.wire.raw_replies.FailedReply: {'message': 'overloaded', 'code': 503}
    """
    reply = cast(dict[str, Any], body if isinstance(body, dict) else {})
    error: object = reply.get("error")
    given: list[Any] = reply.get("choices") or []
    choices = [cast(dict[str, Any], choice) for choice in given if isinstance(choice, dict)]
    if error or not choices:
        raise FailedReply(error or f"no choice in the reply: {json.dumps(body)}")
    for choice in choices:
        reason = choice.get("finish_reason")
        if (error := choice.get("error")) or reason in _BROKEN_OFF:
            raise FailedReply(error or f"the reply ended with finish_reason {reason!r}", begun=True)
        choice["finish_reason"] = _ENDED.get(str(reason).lower(), reason)
        message: dict[str, Any] = choice.get("message") or {}
        if not message.get("refusal", "refused"):  # an empty one is none
            message["refusal"] = None
        if isinstance(message.get("content"), list):
            message["content"] = "".join(map(_written, message["content"]))
    return {**reply, "model": str(reply.get("model") or ""), "usage": _usage(reply.get("usage"))}


def _written(part: Any) -> str:
    """What a part of a text says; thinking goes between think tags, as where it comes with it."""
    if isinstance(part, str):
        return part
    if thinking := part.get("thinking"):
        inside = thinking if isinstance(thinking, str) else "".join(map(_written, thinking))
        return f"<think>\n{inside}\n</think>\n"
    return part.get("text") or ""


def _usage(reported: Any) -> dict[str, Any] | None:
    """Counts of tokens as whole numbers, with their sum; None where they are not there."""
    with suppress(TypeError, KeyError, ValueError, OverflowError):
        names = ("prompt_tokens", "completion_tokens")
        read, written = (round(float(reported[name])) for name in names)
        counts = (read, written, read + written)
        return {**reported, **dict(zip((*names, "total_tokens"), counts, strict=True))}
    return None


def keep_words(api: Any) -> None:
    """Have the outputs of a model of Inspect keep the provider's own word for how a reply ended."""
    generate = api.generate

    async def keeping(*args: Any, **options: Any) -> Any:
        result: Any = await generate(*args, **options)
        if isinstance(result, tuple):  # with the provider's answer
            output, call = cast(tuple[Any, Any], result)
            if call.response and getattr(output, "choices", None):
                output.metadata = {**(output.metadata or {}), _WORD: _word(call.response)}
        return cast(Any, result)

    api.generate = keeping


def _word(raw: Mapping[str, Any]) -> str:
    first = (raw.get("choices") or raw.get("candidates") or [None])[0]
    places = (raw, cast(Mapping[str, Any], first if isinstance(first, dict) else {}))
    words = (place[name] for place in places for name in _REASONS if place.get(name))
    return str(next(words, ""))


def settled(output: "ModelOutput") -> "ModelOutput":
    """Return an output of Inspect whose end has Inspect's name for it, if there is one.

    Raises
    ------
    FailedReply
        If it is none of the model's: its provider failed, before or while the model wrote.
    """
    from inspect_ai._util.constants import NO_CONTENT
    from inspect_ai.model._model_output import as_stop_reason

    word = str((output.metadata or {}).get(_WORD, "")).lower()
    if not output.choices or (output.completion == NO_CONTENT and not word):
        raise FailedReply(output.error or "no choice in the reply")
    choice = output.choices[0]
    ended = choice.stop_reason
    if word in _BROKEN_OFF or (word == "incomplete" and ended == "stop"):
        raise FailedReply(f"the reply ended with {word!r}", begun=True)
    if output.error and ended not in ("content_filter", "model_length"):
        raise FailedReply(output.error)
    if ended == "unknown":
        choice.stop_reason = as_stop_reason(_ENDED.get(word, word))
    return output
