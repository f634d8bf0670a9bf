"""`unparrot view` as a process: it takes a port on this machine, opens the browser, and ends."""

from __future__ import annotations

import errno
import logging
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import h11
import uvicorn
from starlette.requests import ClientDisconnect

from unparrot.core.errors import BadInput
from unparrot.view.guard import Guard
from unparrot.view.routes import make_app

HOST: Final = "127.0.0.1"
_ENDING: Final = 2
"""Seconds that answers under way have when the app ends."""


def serve(roots: Sequence[Path], port: int, ready: Callable[[str], object]) -> None:
    """Answer until Ctrl-C.

    Parameters
    ----------
    roots
        Folders below which runs are looked for.
    port
        Of 127.0.0.1; 0 takes one that is free.
    ready
        Is given the address, with the token, once it can be opened.

    Raises
    ------
    BadInput
        If the port is in use, or may not be taken.
    """
    token = secrets.token_urlsafe(32)
    for number in (signal.SIGTERM, signal.SIGHUP):  # leave no files behind
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    with (
        tempfile.TemporaryDirectory(prefix="unparrot-view-") as scratch,
        _listening(port) as listener,
    ):
        port = listener.getsockname()[1]
        app = Guard(make_app(roots, Path(scratch)), token, port)
        server = _Server(
            uvicorn.Config(
                app,
                log_level="error",
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_ENDING,
            )
        )
        logging.getLogger("uvicorn.error").addFilter(_is_ours)
        server.ready = partial(ready, f"http://{HOST}:{port}/?token={token}")
        try:
            server.run([listener])
        except KeyboardInterrupt:  # uvicorn has ended in good order, and passes it on
            return


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a fault is the app's: what is no HTTP, or broke off, has nobody left to answer."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, (h11.ProtocolError, ClientDisconnect))


class _Server(uvicorn.Server):
    """A server that tells when it takes requests, and signals: one that came before would end the
    process amid its start."""

    ready: Callable[[], object]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell."""
        await super().startup(sockets)
        self.ready()


def _listening(port: int) -> socket.socket:
    # named as TCP, or asyncio would not switch Nagle's algorithm off: 40 ms an answer
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be taken ({error})"
        raise BadInput(
            f"port {port} {why}: name another with --port, or give --port 0 for any that is free"
        ) from error
    return listener
