"""A server that speaks the OpenAI chat protocol on loopback, with faults made to order.

``python tests/eval/chat_server.py --port 0 --settings '{"latency": 0.01}'`` prints its port and
serves until its parent ends or its life (``--life`` seconds) is over. `ChatServer` starts and stops
it from Python. How it may misbehave is in chat_service.py (`Settings`), what it answers is in
chat_answers.py. Standard library only.

What happens to a request depends on the seed, on its content and on how often that content was
asked before, never on the clock or on other requests: asked again often enough, every request is
answered, and the answer depends on its content alone. The content is the body without the token of
a grading prompt, which is new each time: grading rounds of one text are one content.

GET /v1/models, POST /v1/chat/completions; POST /control changes some settings, POST /reset clears
the counts and puts the first settings back; GET /stats counts (``?full=1``: by content as well).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import http.client
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
MOST_BODY = 8_000_000
MOST_HEADER = 65_536
PARENT_CHECK = 0.25
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found",
           405: "Method Not Allowed", 411: "Length Required", 413: "Content Too Large",
           429: "Too Many Requests", 431: "Request Header Fields Too Large",
           500: "Internal Server Error"}  # fmt: skip


class Connection(asyncio.Protocol):
    """One keep-alive connection: cuts requests out of the bytes, one after the other."""

    def __init__(self, service: Any) -> None:
        self.service = service
        self.buffer = bytearray()
        self.waiting = False  # for an answer that is not sent yet
        self.timer: asyncio.TimerHandle | None = None
        self.continued = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.service.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.service.connections.discard(self)
        if self.waiting:
            self.service.now -= 1
            if self.timer is not None:  # else it hangs, and is counted as that
                self.timer.cancel()
                self.service.outcomes["client gone"] += 1
            self.waiting = False

    def drop(self) -> None:
        """Close at once and forget what waits."""
        self.waiting = False
        if self.timer is not None:
            self.timer.cancel()
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while self.buffer and not self.waiting and not self.transport.is_closing():
            if not self.next_request():
                return

    def next_request(self) -> bool:
        """Serve one request; False if it is not all there."""
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self.buffer) > MOST_HEADER:
                self.refuse(431, "the header is too long")
            return False
        first, *lines = self.buffer[:end].decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        words = first.split(" ")
        if len(words) != 3 or words[2] not in ("HTTP/1.1", "HTTP/1.0"):
            return self.refuse(400, f"not a request: {first[:80]!r}")
        if "transfer-encoding" in headers:
            return self.refuse(411, "give a Content-Length")
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            return self.refuse(400, f"Content-Length is {length!r}")
        if int(length) > MOST_BODY:
            return self.refuse(413, "the body is too long")
        total = end + 4 + int(length)
        if len(self.buffer) < total:
            if headers.get("expect", "").lower() == "100-continue" and not self.continued:
                self.continued = True
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return False
        body = bytes(self.buffer[end + 4 : total])
        del self.buffer[:total]
        self.continued = False
        keep = headers.get("connection", "").lower()
        self.last = keep == "close" or (words[2] == "HTTP/1.0" and keep != "keep-alive")
        self.service.route(words[0], words[1], headers, body, self)
        return True

    last = False

    def refuse(self, status: int, message: str) -> bool:
        self.last = True
        self.problem(status, message)
        return False

    def problem(self, status: int, message: str, code: str | None = None, more: str = "") -> None:
        """Send an error as OpenAI words it."""
        error = {"message": message, "type": code or "invalid_request_error", "param": None}
        self.send(status, json.dumps({"error": {**error, "code": code}}).encode(), more)

    def send_json(self, value: object) -> None:
        self.send(200, json.dumps(value).encode())

    def send(
        self,
        status: int,
        body: bytes,
        more: str = "",
        kind: str = "application/json",
        short: int | None = None,
    ) -> None:
        """Send an answer; `short`: only so many bytes of the body, and close."""
        close = "Connection: close\r\n" if self.last else ""
        head = (
            f"HTTP/1.1 {status} {REASONS.get(status, 'Error')}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\n{more}{close}\r\n"
        )
        self.transport.write(head.encode("latin-1") + (body if short is None else body[:short]))
        if self.last or short is not None:
            self.transport.close()
        elif self.buffer:  # the next request may have come while this one waited
            asyncio.get_running_loop().call_soon(self.data_received, b"")


async def serve(port: int, settings: dict[str, Any], parent: int, life: float) -> None:
    """Serve until the parent is gone or life is over."""
    from chat_service import Service, Settings  # beside this file

    loop = asyncio.get_running_loop()
    service = Service(Settings().changed(settings))
    server = await loop.create_server(lambda: Connection(service), HOST, port, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    gc.freeze()
    ends = loop.time() + life
    while loop.time() < ends and os.getppid() == parent:
        await asyncio.sleep(min(PARENT_CHECK, life))
    server.close()
    for connection in list(service.connections):
        connection.drop()


class ChatServer:
    """The server in a process of its own, as a context manager.

    `life`: seconds after which it ends whatever happens. Other arguments are `Settings`.
    """

    def __init__(self, life: float = 600.0, **settings: Any) -> None:
        self.life = life
        self.settings = settings
        self.port = 0

    def __enter__(self) -> ChatServer:
        command = [sys.executable, "-S", str(Path(__file__).resolve()), "--port", "0"]
        command += ["--parent", str(os.getpid()), "--life", str(self.life)]
        command += ["--settings", json.dumps(self.settings)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.strip().isdigit():
            self.__exit__()
            raise RuntimeError(f"the chat server did not start: {line!r}")
        self.port = int(line)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    @property
    def base_url(self) -> str:
        """What clients of the OpenAI protocol take as their base URL."""
        return f"http://{HOST}:{self.port}/v1"

    def call(self, method: str, path: str, body: object = None) -> Any:
        """The JSON that the server answers; RuntimeError if its status is not 200."""
        with contextlib.closing(http.client.HTTPConnection(HOST, self.port)) as connection:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            data = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {data.decode()}")
        return json.loads(data)

    def control(self, **settings: Any) -> Any:
        """Change some settings; returns all."""
        return self.call("POST", "/control", settings)

    def reset(self) -> Any:
        """Clear the counts, drop the requests that wait, put the first settings back."""
        return self.call("POST", "/reset")

    def stats(self, full: bool = False) -> Any:
        """Counts since the start or the last reset."""
        return self.call("GET", f"/stats?full={int(full)}")


def main() -> None:
    """Run the server."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--settings", type=json.loads, default={})
    parser.add_argument("--parent", type=int, default=os.getppid())
    parser.add_argument("--life", type=float, default=3600.0)
    given = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(given.port, given.settings, given.parent, given.life))


if __name__ == "__main__":
    main()
