"""The server that other tests talk to: every way in which it can misbehave, and that it repeats."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

HOST = "127.0.0.1"
PROGRAM = Path(__file__).with_name("chat_server.py")


def chat(text: str = "Topic: tea", model: str = "student-good", **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


@pytest.fixture
def connection(chat_server: Any) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection(HOST, chat_server.port)) as opened:
        yield opened


def ask(
    connection: http.client.HTTPConnection, body: object, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to a chat completion."""
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    answer = connection.getresponse()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()


def choice(body: bytes) -> dict[str, Any]:
    return json.loads(body)["choices"][0]


def test_an_answer_has_what_clients_need(
    chat_server: Any, connection: http.client.HTTPConnection
) -> None:
    status, headers, body = ask(connection, chat())
    assert (status, headers["content-type"]) == (200, "application/json")
    content = json.loads(body)
    assert content["object"] == "chat.completion"
    assert content["model"] == "student-good"
    assert set(content) >= {"id", "created", "choices", "usage"}
    usage = content["usage"]
    assert usage["prompt_tokens"] == 3  # ten letters
    assert usage["completion_tokens"] == -(-len(choice(body)["message"]["content"]) // 4)
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert choice(body)["finish_reason"] == "stop"
    connection.request("GET", "/v1/models")
    listed = json.loads(connection.getresponse().read())["data"]
    assert {"student-good", "grader-strict"} <= {model["id"] for model in listed}
    assert chat_server.stats()["by_model"] == {"student-good": 1}


def test_the_openai_package_understands_it(chat_server: Any) -> None:
    openai = pytest.importorskip("openai")
    with openai.OpenAI(base_url=chat_server.base_url, api_key="none", max_retries=0) as client:
        answer = client.chat.completions.create(**chat())
        assert "tea" in answer.choices[0].message.content
        assert answer.usage.total_tokens > 0
        for fault, error in (
            ("429", openai.RateLimitError),
            ("500", openai.InternalServerError),
            ("401", openai.AuthenticationError),
            ("400", openai.BadRequestError),
            ("truncated", openai.APIConnectionError),
        ):
            chat_server.control(faults={fault: 1.0})
            with pytest.raises(error):
                client.chat.completions.create(**chat())


@pytest.mark.parametrize(("fault", "status"), [("429", 429), ("500", 500), ("400", 400)])
def test_errors_with_their_status(
    chat_server: Any, connection: http.client.HTTPConnection, fault: str, status: int
) -> None:
    chat_server.control(faults={fault: 1.0})
    found, headers, body = ask(connection, chat())
    assert found == status
    assert json.loads(body)["error"]["message"]
    assert "retry-after" not in headers
    assert chat_server.stats()["by_outcome"] == {fault: 1}
    assert chat_server.stats()["answered"] == {"0": 1}


@pytest.mark.parametrize(("seconds", "header"), [(0, "0"), (2, "2"), (0.5, "0.5")])
def test_a_limit_says_when_to_come_back(
    chat_server: Any, connection: http.client.HTTPConnection, seconds: float, header: str
) -> None:
    chat_server.control(faults={"429": 1.0}, retry_after=seconds)
    assert ask(connection, chat())[1]["retry-after"] == header


def test_a_wrong_key_is_told_back(chat_server: Any, connection: http.client.HTTPConnection) -> None:
    chat_server.control(faults={"401": 1.0})
    status, _, body = ask(connection, chat(), Authorization="Bearer planted-key")
    assert status == 401
    assert b"Bearer planted-key" in body


def test_what_is_no_answer_although_the_status_is_200(
    chat_server: Any, connection: http.client.HTTPConnection
) -> None:
    chat_server.control(faults={"html": 1.0})
    status, headers, body = ask(connection, chat())
    assert (status, headers["content-type"], body[:6]) == (200, "text/html", b"<html>")
    chat_server.control(faults={"torn": 1.0})
    with pytest.raises(json.JSONDecodeError):
        json.loads(ask(connection, chat())[2])
    chat_server.control(faults={"truncated": 1.0})
    with pytest.raises(http.client.IncompleteRead):
        ask(connection, chat())


def test_answers_that_do_not_help(chat_server: Any, connection: http.client.HTTPConnection) -> None:
    whole = choice(ask(connection, chat())[2])["message"]["content"]
    for fault, finish in (
        ("empty", "stop"),
        ("refusal", "content_filter"),
        ("cut_off", "length"),
        ("garbage", "stop"),
    ):
        chat_server.control(faults={fault: 1.0})
        found = choice(ask(connection, chat())[2])
        assert found["finish_reason"] == finish
        content = found["message"]["content"]
        assert (content == "") is (fault == "empty")
        assert "</answer>" not in content
        if fault == "cut_off":
            assert whole.startswith(content)
    found = choice(ask(connection, chat(max_tokens=5))[2])
    chat_server.control(faults={})
    found = choice(ask(connection, chat(max_tokens=5))[2])
    assert (found["finish_reason"], len(found["message"]["content"])) == ("length", 20)


def test_a_hang_ends_when_the_client_gives_up(
    chat_server: Any, connection: http.client.HTTPConnection
) -> None:
    chat_server.control(faults={"hang": 1.0})
    connection.connect()
    connection.sock.settimeout(0.05)
    with pytest.raises(TimeoutError):
        ask(connection, chat())
    while chat_server.stats()["now"] == 0:
        pass  # the request is on its way
    connection.close()
    while chat_server.stats()["now"]:
        pass
    assert chat_server.stats()["by_outcome"] == {"hang": 1}


def test_a_reset_drops_who_waits(chat_server: Any, connection: http.client.HTTPConnection) -> None:
    chat_server.control(faults={"hang": 1.0})
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, connection, chat())
        while chat_server.stats()["now"] == 0:
            pass
        assert chat_server.reset()["faults"] == {}
        assert isinstance(asked.exception(), ConnectionError)
    stats = chat_server.stats()
    assert (stats["requests"], stats["now"], stats["by_outcome"]) == (0, 0, {})


def ask_all(server: Any, bodies: list[dict[str, Any]]) -> tuple[list[str], list[int]]:
    """Ask each until it is answered: the answers, and how many asks each took."""
    answers: list[str] = []
    asks: list[int] = []
    with closing(http.client.HTTPConnection(HOST, server.port)) as client:
        for body in bodies:
            count = 0
            while True:
                count += 1
                status, _, found = ask(client, body)
                if status == 200:
                    break
            answers.append(choice(found)["message"]["content"])
            asks.append(count)
    return answers, asks


def test_faults_and_answers_depend_on_the_content_alone(
    chat_server: Any, start_chat_server: Callable[..., Any]
) -> None:
    bodies = [chat(f"Topic: tea number {i}") for i in range(60)]
    calm, asks = ask_all(chat_server, bodies)
    assert asks == [1] * 60
    assert len(set(calm)) == 60
    faults = {"429": 0.3, "500": 0.3}
    with start_chat_server(seed=5, faults=faults) as server:
        answers, asks = ask_all(server, bodies)
        assert answers == calm
        assert 60 * 1.5 < sum(asks) < 60 * 4  # 60 / 0.4 = 150 expected
        stats = server.stats(full=True)
        assert stats["distinct"] == len(stats["contents"]) == stats["by_outcome"]["ok"] == 60
        assert stats["answered"] == {"1": 60}
        assert stats["requests"] == sum(asks) == sum(stats["by_outcome"].values())
    chat_server.reset()
    chat_server.control(seed=5, faults=faults)
    again = ask_all(chat_server, bodies[::-1])  # another process, another order
    assert again == (calm[::-1], asks[::-1])
    chat_server.reset()
    chat_server.control(seed=6, faults=faults)
    assert ask_all(chat_server, bodies)[1] != asks


def test_faults_for_one_role_or_for_the_first_asks(
    chat_server: Any, connection: http.client.HTTPConnection
) -> None:
    chat_server.control(faults={"500": 1.0}, role="grader")
    assert ask(connection, chat())[0] == 200
    assert ask(connection, chat(model="grader-fair"))[0] == 500
    chat_server.control(faults={"500": 1.0}, role=None, first_asks=2)
    assert [ask(connection, chat("Topic: chess"))[0] for _ in range(4)] == [500, 500, 200, 200]


def test_latency_and_how_many_at_once(chat_server: Any) -> None:
    chat_server.control(latency=0.3, most_at_once=3, retry_after=1)

    def one(i: int) -> int:
        with closing(http.client.HTTPConnection(HOST, chat_server.port)) as client:
            return ask(client, chat(f"Topic: {i}"))[0]

    with ThreadPoolExecutor(5) as pool:
        found = sorted(pool.map(one, range(5)))
    assert found[:3] == [200, 200, 200]
    stats = chat_server.stats()
    assert 1 <= stats["peak"] <= 3
    assert found.count(429) == stats["by_outcome"].get("429", 0)
    chat_server.control(latency=[0.0, 0.01], most_at_once=None)
    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(one, range(10, 20))) == [200] * 10


def test_what_it_does_not_take(chat_server: Any, connection: http.client.HTTPConnection) -> None:
    for body in ({}, [], {"model": "student", "messages": []}, {"model": 1, "messages": [1]}):
        assert ask(connection, body)[0] == 400
    assert ask(connection, chat(model="gpt-4"))[0] == 404
    assert ask(connection, chat(stream=True))[0] == 400
    for path, status in (("/nothing", 404), ("/v1/chat/completions", 405)):
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
    for bad in (
        {"speed": 1}, {"latency": -1}, {"latency": [2, 1]}, {"faults": {"418": 1}},
        {"faults": {"429": 0.6, "500": 0.6}}, {"faults": {"500": -1}}, {"role": "judge"},
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match="400"):
            chat_server.control(**bad)


def raw(port: int, *parts: bytes) -> bytes:
    """Send parts one by one and read until the server closes."""
    with socket.create_connection((HOST, port)) as client:
        for part in parts:
            client.sendall(part)
        found = b""
        while data := client.recv(65536):
            found += data
    return found


def test_requests_in_pieces_and_in_a_row(chat_server: Any) -> None:
    body = json.dumps(chat()).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: {len(body)}\r\n".encode()
    whole = head + b"\r\n" + body
    last = head + b"Connection: close\r\n\r\n" + body
    assert raw(chat_server.port, *(last[i : i + 50] for i in range(0, len(last), 50))).count(
        b"200 OK"
    ) == 1  # fmt: skip
    for latency in (0, 0.01):
        chat_server.control(latency=latency)
        assert raw(chat_server.port, whole + whole + last).count(b"HTTP/1.1 200 OK") == 3
    waits = head + b"Connection: close\r\nExpect: 100-continue\r\n\r\n"
    found = raw(chat_server.port, waits, body)
    assert found.startswith((b"HTTP/1.1 100", b"HTTP/1.1 200"))
    assert found.count(b"HTTP/1.1 200 OK") == 1
    for bad, status in (
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n", b"413"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, b"431"),
    ):
        assert raw(chat_server.port, bad).startswith(b"HTTP/1.1 " + status)


def test_only_on_loopback(chat_server: Any) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", chat_server.port))


def test_it_ends_with_its_parent_with_its_life_and_on_bad_settings(
    start_chat_server: Callable[..., Any],
) -> None:
    # the parent ends at once; the server holds our pipe until it ends, too
    parent = (
        "import os, subprocess, sys; subprocess.Popen([sys.executable, "
        f"{str(PROGRAM)!r}, '--parent', str(os.getpid())])"
    )
    orphan = subprocess.run([sys.executable, "-c", parent], stdout=subprocess.PIPE, check=True)
    assert orphan.stdout.strip().isdigit()
    short = subprocess.run(
        [sys.executable, PROGRAM, "--life", "0.05"], stdout=subprocess.PIPE, check=True
    )
    assert short.stdout.strip().isdigit()
    with pytest.raises(RuntimeError, match="did not start"), start_chat_server(latency=-1):
        pass
