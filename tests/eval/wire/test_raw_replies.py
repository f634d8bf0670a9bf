"""Bodies that leave the chat protocol before any client reads them: encodings, and pieces."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from unparrot.eval.wire.raw_replies import FailedReply, mend_replies

TEXT = "<answer>The café was, not unkindly, closed.</answer>"


def whole(text: str = TEXT) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return {"model": "m", "choices": choices, "usage": usage}


def events(*chunks: dict[str, Any], end: str = "data: [DONE]\n\n") -> bytes:
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks).encode() + end.encode()


def piece(finish: str | None = None, **delta: str | None) -> dict[str, Any]:
    return {"model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


PIECES = (
    piece(role="assistant", content=""),
    piece(reasoning_content="Hm."),
    piece(content=TEXT[:9], reasoning_content=None),
    piece("stop", content=TEXT[9:]),
    {"model": "m", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}},
)


def received(body: bytes, kind: str = "application/json", **sent: Any) -> httpx.Response:
    """What a client gets to read of a body."""

    async def ask() -> httpx.Response:
        answer = httpx.Response(200, content=body, headers={"content-type": kind})
        transport = httpx.MockTransport(lambda _: answer)
        async with httpx.AsyncClient(transport=transport) as client:
            mend_replies(client)
            return await client.post("http://host/v1/chat/completions", json=sent)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (json.dumps(whole(), ensure_ascii=False).encode(), "application/json"),
        (json.dumps(whole()).encode("utf-8-sig"), "application/json"),
        (json.dumps(whole()).encode("utf-16"), "application/json"),
        (
            json.dumps(whole(), ensure_ascii=False).encode("latin-1"),
            "application/json; charset=iso-8859-1",
        ),
        (events(*PIECES), "text/event-stream"),
        (events(*PIECES, end=""), "text/plain"),
    ],
    ids=["utf-8", "mark", "utf-16", "latin-1", "pieces", "pieces without an end"],
)
def test_a_text_is_read_in_any_encoding_and_in_pieces(body: bytes, kind: str) -> None:
    response = received(body, kind)
    reply = response.json()
    (choice,) = reply["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == (TEXT, "stop")
    assert reply["usage"]["total_tokens"] == 7
    assert response.headers["content-type"].startswith("application/json")


def test_a_letter_that_was_cut_is_replaced() -> None:
    body = json.dumps(whole(), ensure_ascii=False).encode().replace("é".encode(), b"\xc3")
    content = received(body).json()["choices"][0]["message"]["content"]
    assert content == TEXT.replace("é", "\ufffd")


def test_pieces_of_a_failure_are_a_failure() -> None:
    with pytest.raises(FailedReply, match="the last did not come") as cut:
        received(events(*PIECES[:3], end=""))
    assert cut.value.begun
    with pytest.raises(FailedReply, match="overloaded") as told:
        received(events(PIECES[0], {"error": {"message": "overloaded", "code": 503}}))
    assert told.value.status_code == 503


def test_what_was_asked_for_in_pieces_and_a_page_are_left_as_they_are() -> None:
    assert received(events(*PIECES), "text/event-stream", stream=True).content == events(*PIECES)
    page = b"<html>data: none</html>"
    response = received(page, "text/html")
    assert (response.content, response.headers["content-type"]) == (page, "text/html")
