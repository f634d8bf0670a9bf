"""Whose failure it is, by what Inspect's clients of other protocols make of a provider's answer.

The outputs and raw answers are those of Inspect's own mapping code (`inspect_ai.model._providers`).
"""

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessageAssistant,
    ContentText,
    ModelCall,
    ModelOutput,
    ModelUsage,
    RetryDecision,
    StopReason,
)

from unparrot.eval.protocol.conversation import Conversation
from unparrot.eval.wire.cost_limit import Budget
from unparrot.eval.wire.faults import fault_of
from unparrot.eval.wire.models import (
    Limits,
    OpenModel,
    Response,
    Settings,
    call_config,
    open_model,
)
from unparrot.eval.wire.prices import price_of
from unparrot.eval.wire.raw_replies import FailedReply, keep_words
from unparrot.eval.wire.redaction import Redactor
from unparrot.packs.prompts import load_prompts

TEXT = "<answer>Saffron is dear, the shrewd cook said.</answer>"
HALF = "<answer>Saffron is dear, the"
CONFIG = call_config(Settings(0.7, 512), None)
TOO_LONG = "prompt is too long: 210000 tokens > 200000 maximum"


def output(
    text: str, stop: StopReason, *, billed: bool = True, error: str = "", refusal: bool = False
) -> ModelOutput:
    content: Any = [ContentText(text=text, refusal=True)] if refusal else text
    message = ChatMessageAssistant(content=content)
    usage = ModelUsage(input_tokens=9, output_tokens=9, total_tokens=18) if billed else None
    choice = ChatCompletionChoice(message=message, stop_reason=stop)
    return ModelOutput(model="m", choices=[choice], usage=usage, error=error or None)


def ask(made: ModelOutput, raw: dict[str, Any] | None, retries: int = 0) -> Response:
    """What a call returns whose client made this output of a provider's raw answer."""
    name = "mockllm/model"
    model = open_model(name, price_of(name), Redactor(), Limits())

    async def answered(*args: Any, **options: Any) -> ModelOutput | tuple[ModelOutput, ModelCall]:
        del args, options
        return made if raw is None else (made, ModelCall(request={}, response=raw))

    api: Any = model.model.api
    api.generate = answered
    keep_words(api)  # as `open_model` has done with what is replaced here
    return asyncio.run(_ask(model, retries))


async def _ask(model: OpenModel, retries: int) -> Response:
    return await model.ask([], CONFIG, Budget(None, 0.0), retries, Counter())


EMPTY = ModelOutput(model="m", choices=[])
ANTHROPIC = {"type": "message", "content": [{"type": "text", "text": HALF}]}


@pytest.mark.parametrize(
    ("made", "raw", "code"),
    [
        # the model has written, or may be asked no further: missed
        (output(TEXT, "stop"), {"stop_reason": "end_turn"}, ""),
        (output(TEXT, "unknown"), {"choices": [{"finish_reason": "eos"}]}, ""),
        (output("", "content_filter"), {"stop_reason": "refusal"}, "filtered"),
        (output(HALF, "content_filter"), {"candidates": [{"finish_reason": "SAFETY"}]}, "filtered"),
        (output("Sorry.", "content_filter", billed=False, error="filtering"), None, "filtered"),
        (output("The story ends here.", "stop", refusal=True), {"status": "completed"}, "filtered"),
        (output(HALF, "max_tokens"), {"status": "incomplete"}, "cut_off"),
        (output(HALF, "unknown"), {"choices": [{"finish_reason": "max_length"}]}, "cut_off"),
        (
            output(HALF, "unknown"),
            {**ANTHROPIC, "stop_reason": "model_context_window_exceeded"},
            "context_full",
        ),
        (output(TOO_LONG, "model_length", billed=False, error=TOO_LONG), None, "context_full"),
        (output(TOO_LONG, "model_length", billed=False), None, "context_full"),
        (output("", "stop"), {**ANTHROPIC, "content": [], "stop_reason": "end_turn"}, "empty"),
        # the provider has failed: no reply, and unscored
        (EMPTY, None, "no_reply"),
        (EMPTY, {"choices": []}, "no_reply"),
        (output("(no content)", "stop"), {"usage_metadata": {}}, "no_reply"),
        (output(HALF, "unknown"), {"choices": [{"finish_reason": "error"}]}, "no_reply"),
        (output("", "unknown"), {"stopReason": "malformed_model_output"}, "no_reply"),
        (output(HALF, "stop"), {"status": "cancelled"}, "no_reply"),
        (output(HALF, "stop"), {"status": "incomplete"}, "no_reply"),
        (output("", "unknown", error="upstream failed"), None, "no_reply"),
    ],
)
def test_whose_failure_an_output_is(
    made: ModelOutput, raw: dict[str, Any] | None, code: str
) -> None:
    response = ask(made, raw)
    talk = Conversation(load_prompts("skillmix.en"))
    talk.take("A draft.", "stop")
    reason = talk.take(response.reply, response.stop_reason, response.kind)
    assert (talk.answer.code, bool(reason)) == (code, bool(code))


def test_a_provider_that_failed_is_asked_again() -> None:
    cut = ask(output(HALF, "unknown"), {"choices": [{"finish_reason": "error"}]}, retries=1)
    assert (cut.attempts, cut.kind) == (2, "broken off")  # it may be billed
    nothing = ask(EMPTY, {"choices": []}, retries=1)
    assert (nothing.attempts, nothing.kind) == (2, "provider error")


def test_what_a_provider_says_of_a_long_prompt_is_no_draft_of_the_model() -> None:
    response = ask(output(TOO_LONG, "model_length", billed=False), None)
    talk = Conversation(load_prompts("skillmix.en"))
    assert talk.take(response.reply, response.stop_reason)
    assert talk.answer.code == "context_full"


class ClientError(Exception):
    """As botocore raises it."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"An error occurred ({code}) when calling the Converse operation")
        self.response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}


class AioRpcError(Exception):
    """As gRPC raises it."""

    def __init__(self, name: str, details: str) -> None:
        super().__init__(details)
        self.name = name

    def code(self) -> Any:
        return SimpleNamespace(name=self.name, value=(0, self.name.lower()))


@pytest.mark.parametrize(
    ("raised", "kind", "cure"),
    [
        (ClientError(429, "ThrottlingException"), "rate limit", ""),
        (ClientError(403, "AccessDeniedException"), "HTTP 403", "check the key"),
        (ClientError(500, "InternalServerException"), "HTTP 500", ""),
        (AioRpcError("UNAUTHENTICATED", "Invalid token"), "HTTP 401", "check the key"),
        (AioRpcError("RESOURCE_EXHAUSTED", "too many"), "rate limit", ""),
        (AioRpcError("NOT_FOUND", "The model grok-9 does not exist"), "HTTP 404", "check the name"),
        (AioRpcError("UNAVAILABLE", "connection reset"), "HTTP 503", ""),
        # what openai's client makes of a page where the Responses API should be
        (AssertionError(), "unreadable reply", ""),
        (ExceptionGroup("a", [ConnectionRefusedError("111")]), "no connection", ""),
        (FailedReply({"message": "overloaded", "code": 503}), "HTTP 503", ""),
    ],
)
def test_faults_of_other_clients(raised: Exception, kind: str, cure: str) -> None:
    fault = fault_of(raised)
    assert fault.kind == kind
    assert fault.cure.startswith(cure)
    assert bool(fault.cure) == bool(cure)


def test_a_rate_limit_is_one_whatever_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_model("mockllm/model", None, Redactor(), Limits())
    api = cast(Any, model.model.api)
    failures = Counter[str]()

    async def throttled(*args: Any, **options: Any) -> None:
        del args, options
        raise ClientError(400, "ThrottlingException")

    monkeypatch.setattr(api, "generate", throttled)
    monkeypatch.setattr(api, "should_retry", lambda _: RetryDecision.rate_limit())
    asked = model.ask([], CONFIG, Budget(None, 0.0), 1, failures)
    assert asyncio.run(asked).kind == "rate limit"
    assert failures["rate limit"] == 2
