"""What real providers and slow servers do to a run: refusals for good, strange bills, overload."""

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from unparrot.cli.main import run as unparrot
from unparrot.core.errors import BadInput
from unparrot.core.records import RunFolder
from unparrot.eval.ask.asking import Tally
from unparrot.eval.ask.run import Access, open_models, run
from unparrot.eval.record.eval_spec import EvalSpec
from unparrot.eval.record.journal import read_journal
from unparrot.eval.record.prepare import prepare
from unparrot.eval.wire.cost_limit import OverBudget
from unparrot.eval.wire.models import Limits, Refused
from unparrot.eval.wire.prices import Price, price_of
from unparrot.eval.wire.redaction import Redactor

GOOD, WEAK = "openai-api/local/student-good", "openai-api/local/student-weak"
STRICT = "openai-api/local/grader-strict"
Test = Callable[..., Tally]


@pytest.fixture
def skillmix(chat_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Test:
    monkeypatch.setenv("LOCAL_API_KEY", "sk-planted-0123456789abcdef")

    def start(
        models: tuple[str, ...] = (GOOD,),
        limits: Limits = Limits(8, 20.0, 5),  # noqa: B008 - a plain tuple
        max_cost: float | None = None,
        prices: dict[str, Price] | None = None,
        **values: Any,
    ) -> Tally:
        shape = {"k": (2,), "n": 6, "rounds": 1, "grading_rounds": 1, **values}
        url = chat_server.base_url
        access = Access(limits, url, url, prices or {}, max_cost)
        return run(prepare(EvalSpec(models, (STRICT,), **shape), tmp_path / "run"), access)

    return start


def openai(message: str, code: str | None = None, kind: str = "invalid_request_error") -> object:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def anthropic(message: str, kind: str) -> object:
    return {"type": "error", "error": {"type": kind, "message": message}}


def google(code: int, status: str, message: str, **more: object) -> object:
    return {"error": {"code": code, "message": message, "status": status, **more}}


PER_DAY = {
    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
    "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}],
}
QUOTA = "You exceeded your current quota, please check your plan and billing details."
# status, body, and what the user is told to do
FOR_GOOD: dict[str, tuple[int, object, str]] = {
    "OpenAI, no credit": (429, openai(QUOTA, "insufficient_quota"), "no credit"),
    "OpenAI, no credit, no code": (429, openai(QUOTA), "no credit"),
    "OpenAI, billing limit": (
        400, openai("Billing hard limit has been reached", "billing_hard_limit_reached"),
        "no credit",
    ),
    "OpenAI, not active": (
        429,
        openai("Your account is not active, please check your billing details on our website.",
               "billing_not_active"),
        "no credit",
    ),
    "OpenAI, wrong key": (
        401, openai("Incorrect API key provided: sk-1234*************cdef.", "invalid_api_key"),
        "check the key",
    ),
    "OpenAI, deactivated": (
        401,
        openai("The OpenAI account associated with this API key has been deactivated.",
               "account_deactivated"),
        "account was closed",
    ),
    "OpenAI, no model": (
        404, openai("The model `gpt-9` does not exist or you do not have access to it.",
                    "model_not_found"),
        "check the name",
    ),
    "Azure, no model": (
        404, openai("The API deployment for this resource does not exist.", "DeploymentNotFound"),
        "check the name",
    ),
    "Azure, wrong key": (
        401, openai("Access denied due to invalid subscription key or wrong API endpoint.", "401"),
        "check the key",
    ),
    "Anthropic, no credit": (
        400,
        anthropic("Your credit balance is too low to access the Anthropic API. Please go to Plans "
                  "& Billing to upgrade or purchase credits.", "invalid_request_error"),
        "no credit",
    ),
    "Anthropic, own limit": (
        400,
        anthropic("You have reached your specified API usage limits. You will regain access on "
                  "2026-12-01 at 00:00 UTC.", "invalid_request_error"),
        "no credit",
    ),
    "Anthropic, disabled": (
        400, anthropic("This organization has been disabled.", "invalid_request_error"),
        "account was closed",
    ),
    "Anthropic, wrong key": (
        401, anthropic("invalid x-api-key", "authentication_error"), "check the key"
    ),
    "Anthropic, no model": (
        404, anthropic("model: claude-9", "not_found_error"), "check the name"
    ),
    "Google, wrong key": (
        400, google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
        "check the key",
    ),
    "Google, quota of the day": (
        429, google(429, "RESOURCE_EXHAUSTED", QUOTA, details=[PER_DAY]), "no credit",
    ),
    "Google, no model": (
        404, google(404, "NOT_FOUND", "models/gemini-9 is not found for API version v1beta"),
        "check the name",
    ),
    "OpenRouter, no credit": (
        402,
        {"error": {"message": "This request requires more credits, or fewer max_tokens. You "
                   "requested up to 512 tokens, but can only afford 12.", "code": 402}},
        "no credit",
    ),
    "OpenRouter, limit of the key": (
        403, {"error": {"message": "Key limit exceeded (total limit).", "code": 403}}, "no credit"
    ),
    "OpenRouter, no model": (
        400, {"error": {"message": "openai/gpt-9 is not a valid model ID", "code": 400}},
        "check the name",
    ),
    "OpenRouter, no endpoint": (
        404, {"error": {"message": "No endpoints found for x/y.", "code": 404}}, "check the name"
    ),
    "DeepSeek, no credit": (402, openai("Insufficient Balance"), "no credit"),
    "Moonshot, no credit": (
        429, openai("Your account is suspended, please check your plan",
                    "exceeded_current_quota_error"), "no credit",
    ),
    "xAI, no credit": (
        403, {"code": "permission-denied", "error": "Your team has either used all available "
              "credits or reached its monthly spending limit."}, "no credit",
    ),
    "Groq, retired": (
        400, openai("The model `llama2` has been decommissioned and is no longer supported.",
                    "model_decommissioned"), "check the name",
    ),
    "vLLM, no model": (
        404, {"object": "error", "message": "The model `x` does not exist.", "code": 404,
              "type": "NotFoundError"}, "check the name",
    ),
    "llama.cpp, wrong key": (
        401, {"error": {"code": 401, "message": "Invalid API Key", "type": "authentication_error"}},
        "check the key",
    ),
    "FastAPI, no such page": (404, {"detail": "Not Found"}, "check the name"),
    "temperature": (
        400, openai("Unsupported value: 'temperature' does not support 0.7 with this model. Only "
                    "the default (1) value is supported.", "unsupported_value"),
        "--temperature none",
    ),
    "max_tokens": (
        400, openai("Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                    "'max_completion_tokens' instead.", "unsupported_parameter"),
        "--max-tokens none",
    ),
    "both": (
        400, anthropic("`temperature` and `top_p` cannot both be specified for this model. Please "
                       "use only one.", "invalid_request_error"),
        "--top-p none or --temperature none",
    ),
    "thinking": (
        400, anthropic("`temperature` may only be set to 1 when thinking is enabled.",
                       "invalid_request_error"),
        "--temperature none",
    ),
    "Google, too many": (
        400, google(400, "INVALID_ARGUMENT", "Unable to submit request because it has a "
                    "maxOutputTokens value of 99999 but the supported range is 1 to 8192."),
        "another --max-tokens",
    ),
    "Anthropic, too many": (
        400, anthropic("max_tokens: 512 > 256, which is the maximum allowed number of output "
                       "tokens for this model", "invalid_request_error"),
        "another --max-tokens",
    ),
    "Google, nothing free": (
        429, google(429, "RESOURCE_EXHAUSTED", f"{QUOTA} Quota exceeded for metric: "
                    "generate_content_free_tier_requests, limit: 0"),
        "day or month",
    ),
    "Anthropic, month": (
        429, anthropic("This organization has reached its monthly spend limit.",
                       "rate_limit_error"),
        "day or month",
    ),
    "OpenRouter, day": (
        429, {"error": {"message": "Rate limit exceeded: free-models-per-day. Add 10 credits to "
                        "unlock 1000 free model requests per day", "code": 429}},
        "day or month",
    ),
    "Groq, day": (
        429, openai("Rate limit reached for model `x` on tokens per day (TPD): Limit 100000, Used "
                    "99850, Requested 1200. Please try again in 15m7.2s.", "rate_limit_exceeded"),
        "day or month",
    ),
    "gone": (410, openai("The model has been shut down."), "check the name"),
    "OpenAI, region": (
        403, openai("Country, region, or territory not supported",
                    "unsupported_country_region_territory"),
        "does not serve",
    ),
}  # fmt: skip


TEXT = "<answer>He took tea, and umbrage.</answer><explanation>It is there.</explanation>"


def completion(content: object, finish: str | None = "stop", **more: object) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}}
    usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
    return {
        "id": "x", "object": "chat.completion", "created": 1_700_000_000, "model": "m",
        "choices": [{**choice, "finish_reason": finish}], "usage": usage, **more,
    }  # fmt: skip


BAD_GATEWAY = {"index": 0, "error": {"code": 502, "message": "Provider returned error"}}
# bodies with status 200 that are no reply: the kind and the words of the failure
FAILED: dict[str, tuple[object, str, str]] = {
    "an error": (openai("model crashed"), "provider error", "model crashed"),
    "an error that is a text": ({"error": "out of memory"}, "provider error", "out of memory"),
    "a status in an error": (
        {"error": {"message": "The server is overloaded", "code": 503}}, "HTTP 503",
        "The server is overloaded",
    ),
    "a rate limit": (
        {"error": {"message": "Slow down", "code": "429"}}, "rate limit", "Slow down",
    ),
    "an error in a choice": (
        completion("", choices=[{**BAD_GATEWAY, "message": {"content": ""}}]), "HTTP 502",
        "Provider returned error",
    ),
    "half a text and an error": (
        completion("<answer>He took", "error"), "broken off", "finish_reason 'error'",
    ),
    "half a text and an abort": (
        completion("<answer>He took", "abort"), "broken off", "finish_reason 'abort'",
    ),
    "no choices": (completion("", choices=[]), "provider error", "no choice in the reply"),
    "other fields": ({"detail": "Try later"}, "provider error", "no choice in the reply"),
    "null": (None, "provider error", "no choice in the reply: null"),
    "an odd choice": (completion("", choices=["text"]), "provider error", "no choice"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILED)
def test_a_failure_with_status_200_is_no_reply_of_the_model(
    skillmix: Test, chat_server: Any, tmp_path: Path, name: str
) -> None:
    body, kind, words = FAILED[name]
    chat_server.control(refused={"student-good": (200, body)})
    tally = skillmix(n=1, limits=Limits(8, 20.0, 1))
    assert (tally.failed, tally.failures) == (1, {kind: 2})
    with read_journal(tmp_path / "run") as journal:
        (call,) = journal.calls()
    assert (call.state, call.kind, call.attempts) == ("failed", kind, 2)
    assert words in call.error
    # what has no reply is asked again
    chat_server.control(refused={})
    assert skillmix(n=1).made == 3


def test_no_credit_with_status_200_ends_the_models_part(skillmix: Test, chat_server: Any) -> None:
    body = {"error": {"message": "Insufficient credits", "code": 402}}
    chat_server.control(refused={"student-good": (200, body)})
    with pytest.raises(Refused, match=r"\(HTTP 402\): Insufficient credits; .* no credit"):
        skillmix()


THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "Tea, then."}]}


@pytest.mark.parametrize(
    ("body", "reply", "counts"),
    [
        (completion([{"type": "text", "text": TEXT}]), TEXT, (100, 50)),
        (
            completion([THOUGHT, {"type": "text", "text": TEXT}]),
            f"<think>\nTea, then.\n</think>\n\n{TEXT}",
            (100, 50),
        ),
        (completion([TEXT[:20], TEXT[20:]]), TEXT, (100, 50)),
        (completion(TEXT, model=None), TEXT, (100, 50)),
        (
            completion(TEXT, usage={"prompt_tokens": 1e2, "completion_tokens": 50.4}),
            TEXT,
            (100, 50),
        ),
        (completion(TEXT, usage=None), TEXT, (None, None)),
        (completion(TEXT, "STOP"), TEXT, (100, 50)),
        # a paid reply is never taken to be free
        (
            completion(TEXT, usage={"prompt_tokens": 0, "completion_tokens": 0}),
            TEXT,
            (None, None),
        ),
    ],
    ids=["parts", "thought", "strings", "no model", "fractions", "no usage", "a reason", "zeros"],
)
def test_a_reply_that_leaves_the_protocol_is_read_all_the_same(
    skillmix: Test,
    chat_server: Any,
    tmp_path: Path,
    recwarn: pytest.WarningsRecorder,
    body: object,
    reply: str,
    counts: tuple[int | None, int | None],
) -> None:
    chat_server.control(refused={"student-good": (200, body)})
    assert skillmix(n=1).failed == 0
    with read_journal(tmp_path / "run") as journal:
        calls = [call for call in journal.calls() if call.id.role == "student"]
    assert [call.reply.strip() for call in calls] == [reply] * 2
    assert [(call.input_tokens, call.output_tokens) for call in calls] == [counts] * 2
    assert not [each for each in recwarn if "serializ" in str(each.message)]


@pytest.mark.parametrize(
    ("reason", "code"),
    [("MAX_TOKENS", "cut_off"), ("max_output_tokens", "cut_off"), ("SAFETY", "filtered")],
)
def test_the_end_of_a_reply_is_told_by_the_words_of_other_protocols(
    skillmix: Test, chat_server: Any, tmp_path: Path, reason: str, code: str
) -> None:
    body = completion("<answer>Old Ferran swore that tea was late again", reason)
    chat_server.control(refused={"student-good": (200, body)})
    skillmix(n=1)
    (text,) = RunFolder(tmp_path / "run").read_graded()
    assert (text.text, text.no_text) == ("", code)


@pytest.mark.parametrize("name", FOR_GOOD)
def test_a_refusal_for_good_ends_the_models_part_at_its_first_request(
    skillmix: Test, chat_server: Any, tmp_path: Path, name: str
) -> None:
    status, body, advice = FOR_GOOD[name]
    chat_server.control(refused={"student-good": [status, body]})
    with pytest.raises(Refused, match=advice) as caught:
        skillmix((GOOD, WEAK), n=3)
    inner: Any = body
    words = inner.get("error", inner)
    words = words if isinstance(words, str) else words.get("message", words.get("detail"))
    assert words[:60] in str(caught.value).replace("[key]", "")
    stats = chat_server.stats()
    assert stats["by_model"]["student-good"] == 1
    # the other model went on to its end
    assert stats["by_outcome"] == {"ok": 3 * 3, "refused": 1}


PASSING = {
    "OpenAI": (429, openai("Rate limit reached for gpt-4o on requests per min (RPM): Limit 3, Used "
                           "3, Requested 1. Please try again in 20s.", "rate_limit_exceeded")),
    "Google": (429, google(429, "RESOURCE_EXHAUSTED", f"{QUOTA} Please retry in 36s.", details=[
        {"violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}]}])),
    "Anthropic": (529, anthropic("Overloaded", "overloaded_error")),
    "llama.cpp": (503, {"error": {"code": 503, "message": "Loading model",
                                  "type": "unavailable_error"}}),
}  # fmt: skip


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_tried_again(skillmix: Test, chat_server: Any, name: str) -> None:
    chat_server.control(refused={"student-good": PASSING[name]})
    tally = skillmix(n=1, limits=Limits(8, 20.0, 1))
    assert tally.failed == 1
    assert chat_server.stats()["by_model"]["student-good"] == 2


FILTERED = {
    "OpenRouter": (403, {"error": {"code": 403, "message": "Your chosen model requires moderation "
                                   "and your input was flagged for \"violence\"."}}),
    "Azure": (400, openai("The response was filtered due to the prompt triggering Azure OpenAI's "
                          "content management policy.", "content_filter")),
    "Alibaba": (400, openai("Input data may contain inappropriate content.",
                            "data_inspection_failed")),
}  # fmt: skip


@pytest.mark.parametrize("name", FILTERED)
def test_a_filter_answers_for_one_text_and_not_for_the_model(
    skillmix: Test, chat_server: Any, tmp_path: Path, name: str
) -> None:
    chat_server.control(refused={"student-good": FILTERED[name]})
    tally = skillmix(n=3, tries=1)
    assert (tally.failed, tally.made) == (0, 3)
    with read_journal(tmp_path / "run") as journal:
        assert {call.stop_reason for call in journal.calls()} == {"content_filter"}


def test_settings_that_are_none_are_not_sent(
    skillmix: Test, chat_server: Any, tmp_path: Path
) -> None:
    unset = {"temperature": None, "max_tokens": None, "top_p": None}
    skillmix(n=1, **unset, grader_temperature=None, grader_max_tokens=None)
    with read_journal(tmp_path / "run") as journal:
        configs = {call.id.role: call.id.config for call in journal.calls()}
    assert configs == {"student": "{}", "grader": '{"form":"text"}'}
    assert set(chat_server.stats()["settings_sent"]) == {"messages", "model"}


def test_a_bill_far_above_the_limit_is_met_once_and_not_sixteen_times(
    skillmix: Test, chat_server: Any
) -> None:
    # 50,000 tokens are billed for a reply limited to 512: half a dollar each
    chat_server.control(billed=50_000, latency=0.02)
    prices = {GOOD: Price(0.0, 10.0), STRICT: Price(0.0, 0.0)}
    with pytest.raises(OverBudget):
        skillmix(n=40, limits=Limits(16), max_cost=0.50, prices=prices)
    assert chat_server.stats()["tokens"]["student-good"][1] == 50_000
    with pytest.raises(OverBudget):  # twice the largest bill must be left for the next
        skillmix(n=40, limits=Limits(16), max_cost=3.0, prices=prices)
    spent = chat_server.stats()["tokens"]["student-good"][1] * 10 / 1e6
    assert 2.0 <= spent <= 3.0


def test_attempts_without_a_reply_count_against_the_limit(
    skillmix: Test, chat_server: Any, tmp_path: Path
) -> None:
    chat_server.control(faults={"truncated": 1.0}, role="student")
    prices = {GOOD: Price(0.0, 1000.0), STRICT: Price(0.0, 0.0)}  # at most 0.512 for a turn
    limits = Limits(8, 20.0, 9)
    for sent in (2, 0):  # and still when the run goes on
        with pytest.raises(OverBudget):
            skillmix(limits=limits, max_cost=1.2, prices=prices)
        assert chat_server.stats()["requests"] == sent
        chat_server.reset()


@pytest.mark.slow
def test_a_slow_server_is_not_asked_for_the_same_again(skillmix: Test, chat_server: Any) -> None:
    # one worker, which goes on with what it was given though nobody waits any longer
    chat_server.control(workers=1, latency=0.25)
    tally = skillmix(n=20, limits=Limits(16, 1.0, 6))
    assert tally.failed == 0
    stats = chat_server.stats()
    assert stats["by_outcome"]["ok"] == tally.made == 60
    assert stats["requests"] <= 60 + 3
    assert any(pace.speed for pace in tally.paces)


@pytest.mark.slow
def test_a_server_slower_than_the_time_out_is_given_longer(
    skillmix: Test, chat_server: Any
) -> None:
    chat_server.control(workers=1, latency=1.5)
    tally = skillmix(n=2, limits=Limits(16, 1.0, 6))
    assert tally.failed == 0
    assert chat_server.stats()["requests"] <= tally.made + 4


def test_a_server_that_never_answers_is_told_as_that(skillmix: Test, chat_server: Any) -> None:
    chat_server.control(faults={"hang": 1.0})
    with pytest.raises(Refused, match=r"has not answered once in 2 attempts .*--timeout"):
        skillmix(limits=Limits(16, 2.0, 1))
    assert chat_server.stats()["requests"] == 2


@pytest.mark.parametrize(
    ("faults", "refused", "made"),
    [
        ({}, {"student-weak": (404, openai("no such model", "model_not_found"))}, 6 * 3),
        ({}, {"grader-strict": (401, openai("wrong key", "invalid_api_key"))}, None),
        ({"400": 0.5}, {}, None),
        ({"refusal": 0.5}, {}, None),
    ],
    ids=["no student", "no grader", "failing turns", "no texts"],
)
def test_the_progress_counts_no_call_that_will_not_be_made(
    chat_server: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    faults: dict[str, float],
    refused: dict[str, object],
    made: int | None,
) -> None:
    monkeypatch.setenv("LOCAL_API_KEY", "sk-planted-0123456789abcdef")
    chat_server.control(faults=faults, refused=refused, role="student")
    spec = EvalSpec((GOOD, WEAK), (STRICT,), (2,), 6, 1, 1)
    url, tallies = chat_server.base_url, list[Tally]()
    with suppress(Refused):
        run(
            prepare(spec, tmp_path / "run"),
            Access(Limits(3, 20.0, 0), url, url),
            tallies.append,
        )
    (tally,) = tallies
    assert 0 < tally.made < 36
    if "grader-strict" not in refused:  # without a grader the run stops, whatever is left
        assert tally.planned == tally.made
    assert made in (None, tally.made)
    if not refused:
        tallies.clear()
        again = prepare(spec, tmp_path / "run")
        run(again, Access(Limits(3, 20.0, 0), url, url), tallies.append, write=False)
        assert tallies[0].planned == tallies[0].kept


def test_progress_in_a_pipe_is_a_line_at_the_start_and_every_half_minute(
    chat_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess

    from unparrot.cli.eval.display import LINE_EVERY

    assert LINE_EVERY == 30.0
    url = chat_server.base_url
    command = [
        sys.executable, "-c", "from unparrot.cli.main import main; main()", "eval", "run", GOOD,
        "--grader", STRICT, "--base-url", url, "--grader-base-url", url, "-n", "5", "-k", "2",
        "--out", str(tmp_path / "run"),
    ]  # fmt: skip
    monkeypatch.setenv("LOCAL_API_KEY", "sk-0123456789abcdef0123")
    for forced in ({}, {"FORCE_COLOR": "1"}):  # colours in a pipe make no terminal of it
        for name, value in forced.items():
            monkeypatch.setenv(name, value)
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        lines = done.stderr.splitlines()
        assert lines[0] == "opening the models"
        assert "of 75 calls" in lines[1]
        assert len(lines) <= 3


def test_batches_are_asked_for_where_there_are_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inspect_ai.model import Model, ModelOutput

    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789abcdef0123")
    sent: list[Any] = []

    async def generate(self: Any, messages: Any, *, config: Any) -> ModelOutput:
        sent.append((self.name, config.batch, config.max_retries))
        return ModelOutput.from_content(str(self), "<answer>A text on tea.</answer>")

    monkeypatch.setattr(Model, "generate", generate)
    access = Access(Limits(50, batch=True))
    spec = EvalSpec(("openai/gpt-4o-mini",), ("openai/gpt-4o",), (2,), 3, 1, 1, tries=1)
    run(prepare(spec, tmp_path / "run"), access)
    assert set(sent) == {("gpt-4o-mini", 50, 6), ("gpt-4o", 50, 6)}
    elsewhere = EvalSpec(("openrouter/openai/gpt-4o",), ("openai/gpt-4o",))
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-0123456789abcdef0123")
    with pytest.raises(BadInput, match=r"no batch service for openrouter.*anthropic, google, grok"):
        open_models(elsewhere, access, Redactor())
    half, whole = (price_of("openai/gpt-4o-mini", batch=batch) for batch in (True, False))
    assert half is not None
    assert whole is not None
    assert half.written == whole.written / 2
    assert price_of("together/x", {"together/x": whole}, batch=True) == whole


def test_other_models_have_their_page_and_the_exit_code_says_that_one_was_refused(
    chat_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("LOCAL_API_KEY", "sk-planted-0123456789abcdef")
    chat_server.control(refused={"student-good": FOR_GOOD["OpenAI, no credit"][:2]})
    url, out = chat_server.base_url, str(tmp_path / "run")
    command = ["eval", "run", GOOD, "--grader", STRICT, "--base-url", url, "--grader-base-url", url,
               "-n", "2", "-k", "2", "--rounds", "1", "--out", out]  # fmt: skip
    assert unparrot(command) == 1  # nobody else: nothing to show
    assert QUOTA in " ".join(capsys.readouterr().err.split())
    assert unparrot([*command[:2], WEAK, *command[2:]]) == 1
    assert QUOTA in " ".join(capsys.readouterr().out.split())
    assert (tmp_path / "run/report.html").is_file()
