"""What the chat server of the tests does with a request: fail as it is told to, or answer.

Nothing here knows about sockets; a connection has ``send``, ``send_json`` and ``problem``.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import math
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

FAULTS = (
    "429", "500", "hang", "html", "truncated", "torn", "empty", "garbage", "refusal", "cut_off",
    "401", "400",
)  # fmt: skip
"""truncated: the connection closes within the body; torn: half of a JSON text, and no more was
promised; cut_off: finish_reason length; garbage: of gradings no marks, of texts no answer part."""


@dataclass(frozen=True)
class Settings:
    """How the server behaves.

    seed: of all draws. latency: seconds before an answer, or (low, high) of a uniform draw.
    faults: share of requests by kind (`FAULTS`). role: only requests to models of that role
    (student, grader) meet faults. first_asks: only the first so many asks of a content meet them.
    retry_after: seconds that a 429 asks for; None says nothing. most_at_once: more requests than
    this at a time are refused with 429. no_schema: what is said, with status 400, to a request with
    a response format. snapshot: what the model calls itself; None, its name. whim: share of marks
    turned over, drawn from the seed of the request, so that grading rounds differ. workers: so many
    requests are worked on at a time, each for its latency, whether or not its client is still
    there; others queue. billed: tokens reported as written, whatever was. refused: what each of
    these models answers to every request, as (status, body).
    """

    seed: int = 1
    latency: float | tuple[float, float] = 0.0
    faults: dict[str, float] = field(default_factory=dict)
    role: str | None = None
    first_asks: int | None = None
    retry_after: float | None = None
    most_at_once: int | None = None
    no_schema: str | None = None
    snapshot: str | None = None
    whim: float = 0.0
    workers: int | None = None
    billed: int | None = None
    refused: dict[str, tuple[int, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        latency = self.latency
        if isinstance(latency, list):
            object.__setattr__(self, "latency", tuple(latency))
        times = latency if isinstance(latency, (list, tuple)) else (latency,)
        if len(times) > 2 or not all(0 <= t < math.inf for t in times) or sorted(times) != [*times]:
            raise ValueError(f"latency is seconds or (low, high), not {latency!r}")
        unknown = set(self.faults) - set(FAULTS)
        if unknown:
            raise ValueError(f"unknown faults {sorted(unknown)}; there are {', '.join(FAULTS)}")
        shares = self.faults.values()
        if not all(share >= 0 for share in shares) or sum(shares) > 1 + 1e-9:
            raise ValueError(f"shares are from 0 and at most 1 together, not {self.faults}")
        if self.role not in (None, "student", "grader"):
            raise ValueError(f"role is student, grader or null, not {self.role!r}")

    def changed(self, changes: dict[str, Any]) -> Settings:
        """These settings with some replaced; ValueError for unknown names and bad values."""
        unknown = set(changes) - {f.name for f in dataclasses.fields(self)}
        if unknown:
            raise ValueError(f"unknown settings {sorted(unknown)}")
        try:
            return dataclasses.replace(self, **changes)
        except TypeError as error:
            raise ValueError(str(error)) from error


class Service:
    """What the server knows, and what it answers; nothing here knows about sockets."""

    def __init__(self, settings: Settings) -> None:
        import chat_answers  # beside this file; only the server's own process needs it

        self.answers = chat_answers
        self.first = self.settings = settings
        self.connections: set[Any] = set()
        self.clear()

    def clear(self) -> None:
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.models: Counter[str] = Counter()
        self.now = self.peak = self.number = 0
        self.sent: set[str] = set()  # names in the bodies of requests
        self.read: Counter[str] = Counter()  # tokens of answers that were sent whole, by model
        self.written: Counter[str] = Counter()
        self.free: list[float] = []  # when each worker has done what it was given

    def fault(self, key: str, count: int, role: str) -> str:
        """The fault that this ask of a content meets, or ''."""
        s = self.settings
        if (s.role not in (None, role)) or (s.first_asks is not None and count > s.first_asks):
            return ""
        draw = self.answers.draw("fault", s.seed, key, count)
        for name in FAULTS:
            draw -= s.faults.get(name, 0.0)
            if draw < 0:
                return name
        return ""

    def latency(self, key: str, count: int) -> float:
        times = self.settings.latency
        if not isinstance(times, tuple):
            return times
        return times[0] + (times[-1] - times[0]) * self.answers.draw(
            "time", self.settings.seed, key, count
        )

    def complete(self, raw: bytes, headers: dict[str, str], connection: Any) -> None:
        """Answer a chat completion, now or later."""
        try:
            body = json.loads(raw)
            messages, model = body["messages"], body["model"]
            text = self.answers.content_text(messages)
            role = self.answers.role_of(model)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.outcomes["malformed"] += 1
            return connection.problem(400, f"not a chat request: {error!r}")
        if role is None:
            self.outcomes["unknown model"] += 1
            return connection.problem(404, f"no model {model!r}", "model_not_found")
        if body.get("stream"):
            self.outcomes["malformed"] += 1
            return connection.problem(400, "this server does not stream")
        token = None if role == "student" else self.answers.token_of(text)
        canonical = json.dumps(body, sort_keys=True)
        if token:
            canonical = canonical.replace(token, "TOKEN")
        key = hashlib.blake2b(canonical.encode(), digest_size=12).hexdigest()
        self.models[model] += 1
        self.sent.update(body)
        self.number += 1
        most = self.settings.most_at_once
        if most is not None and self.now >= most:
            self.outcomes["429"] += 1  # not an ask of this content, which must not hang on others
            return self.limit(connection)
        if self.settings.no_schema is not None and "response_format" in body:
            self.outcomes["no schema"] += 1
            return connection.problem(400, self.settings.no_schema)
        if model in self.settings.refused:
            self.outcomes["refused"] += 1
            status, answer = self.settings.refused[model]
            return connection.send(status, json.dumps(answer).encode())
        self.asked[key] += 1
        self.now += 1
        self.peak = max(self.peak, self.now)
        count = self.asked[key]
        fault = self.fault(key, count, role)
        connection.waiting = True
        connection.timer = None
        if fault == "hang":
            self.outcomes["hang"] += 1
            return None

        def answer() -> None:
            connection.waiting = False
            self.now -= 1
            if connection.transport.is_closing():
                self.outcomes["client gone"] += 1
                return
            self.outcomes[fault or "ok"] += 1
            self.answered[key] += not fault
            self.reply(fault, body, text, token, key, headers, connection)

        delay = self.latency(key, count)
        if self.settings.workers is not None:
            now = asyncio.get_running_loop().time()
            self.free = sorted(self.free)[-self.settings.workers :]
            behind = self.free.pop(0) if len(self.free) == self.settings.workers else now
            self.free.append(max(now, behind) + delay)
            delay = self.free[-1] - now
        if delay:
            connection.timer = asyncio.get_running_loop().call_later(delay, answer)
        else:
            answer()
        return None

    def reply(
        self,
        fault: str,
        body: dict[str, Any],
        text: str,
        token: str | None,
        key: str,
        headers: dict[str, str],
        connection: Any,
    ) -> None:
        if fault == "429":
            return self.limit(connection)
        if fault == "500":
            return connection.problem(500, "something broke", "server_error")
        if fault == "401":
            given = headers.get("authorization", "nothing")
            return connection.problem(401, f"wrong key: {given}", "invalid_api_key")
        if fault == "400":
            return connection.problem(400, "this request is not to my liking", "bad_request")
        if fault == "html":
            page = b"<html><body><h1>Down for maintenance</h1></body></html>"
            return connection.send(200, page, kind="text/html")
        content, finish = "", "stop"
        if fault == "garbage":
            content = self.answers.garbage(body, text, token)
        elif fault == "refusal":
            content, finish = "I cannot help with that.", "content_filter"
        elif fault != "empty":
            content = self.answers.answer(body, text, token, self.settings.whim)
            if fault == "cut_off":
                content, finish = content[: len(content) // 2], "length"
        done = self.answers.completion(body, text, content, finish, f"chatcmpl-{key}")
        done["model"] = self.settings.snapshot or done["model"]
        if self.settings.billed is not None:
            done["usage"]["completion_tokens"] = self.settings.billed
        if fault not in ("truncated", "torn"):
            self.read[body["model"]] += done["usage"]["prompt_tokens"]
            self.written[body["model"]] += done["usage"]["completion_tokens"]
        data = json.dumps(done).encode()
        if fault == "truncated":
            return connection.send(200, data, short=len(data) // 2)
        return connection.send(200, data[: len(data) // 2] if fault == "torn" else data)

    def limit(self, connection: Any) -> None:
        """Refuse for being asked too much."""
        wait = self.settings.retry_after
        more = "" if wait is None else f"Retry-After: {wait:g}\r\n"
        connection.problem(429, "too many requests", "rate_limit_exceeded", more)

    def stats(self, full: bool) -> dict[str, Any]:
        found: dict[str, Any] = {
            "requests": self.number,
            "by_outcome": dict(sorted(self.outcomes.items())),
            "by_model": dict(sorted(self.models.items())),
            "distinct": len(self.asked),
            "answered": dict(sorted(Counter(self.answered.values()).items())),
            "tokens": {name: [self.read[name], self.written[name]] for name in self.written},
            "settings_sent": sorted(self.sent),
            "now": self.now,
            "peak": self.peak,
            "cpu_seconds": time.process_time(),
        }
        return found | ({"contents": dict(self.answered)} if full else {})

    def route(
        self, method: str, target: str, headers: dict[str, str], body: bytes, to: Any
    ) -> None:
        path, _, query = target.partition("?")
        if path == "/v1/chat/completions" and method == "POST":
            return self.complete(body, headers, to)
        if path == "/v1/models" and method == "GET":
            listed = [{"id": name, "object": "model", "created": 0, "owned_by": "tests"}
                      for name in self.answers.MODELS]  # fmt: skip
            return to.send_json({"object": "list", "data": listed})
        if path == "/stats" and method == "GET":
            return to.send_json(self.stats("full=1" in query))
        if path == "/control" and method == "POST":
            try:
                changes = json.loads(body)
                if not isinstance(changes, dict):
                    raise ValueError(f"settings are an object, not {changes!r}")
                self.settings = self.settings.changed(changes)
            except ValueError as error:
                return to.problem(400, str(error))
            return to.send_json(dataclasses.asdict(self.settings))
        if path == "/reset" and method == "POST":
            for other in [c for c in self.connections if c.waiting]:
                other.drop()
            self.settings = self.first
            self.clear()
            return to.send_json(dataclasses.asdict(self.settings))
        known = ("/v1/chat/completions", "/v1/models", "/stats", "/control", "/reset")
        return to.problem(405 if path in known else 404, f"no {method} {path} here")
