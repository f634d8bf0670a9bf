"""`unparrot view` as a process: its port, its end, and many readers at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from unparrot.cli.main import BAD_INPUT, OK, run

READERS = 200


def test_ctrl_c_ends_it_in_good_order(shelf: Path, start_app: Callable[..., Any]) -> None:
    app = start_app(shelf)
    client = app.client()
    assert client.get("/").status_code == 200  # the connection stays open
    app.process.send_signal(signal.SIGINT)
    _, errors = app.process.communicate(timeout=60)
    assert (app.process.returncode, errors) == (OK, "")
    with pytest.raises(httpx.TransportError):
        client.get("/")


def test_it_listens_on_this_machine_alone(shelf: Path, start_app: Callable[..., Any]) -> None:
    app = start_app(shelf)
    tables = [Path(f"/proc/net/{name}") for name in ("tcp", "tcp6")]
    if not tables[0].is_file():
        pytest.skip("sockets are listed on Linux alone")
    lines = [line.split() for table in tables for line in table.read_text().splitlines()]
    port = f":{app.port:04X}"
    listening = [line[1] for line in lines if line[1].endswith(port) and line[3] == "0A"]
    assert listening == [f"0100007F{port}"]


def test_what_is_no_http_or_breaks_off_is_no_fault_of_the_app(
    shelf: Path, start_app: Callable[..., Any]
) -> None:
    app = start_app(shelf)
    known = f"Host: 127.0.0.1:{app.port}\r\nCookie: unparrot-{app.port}={app.token}\r\n"
    half = (
        f"POST /run/x/mark.json HTTP/1.1\r\n{known}Origin: {app.host}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\nabc"
    )
    for sent in ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", half, "\x16\x03\x01", "\0" * 99):
        with socket.create_connection(("127.0.0.1", app.port)) as connection:
            connection.sendall(sent.encode())
            connection.settimeout(0.5)
            with contextlib.suppress(TimeoutError):
                while connection.recv(4096):
                    pass
    assert app.client().get("/").status_code == 200
    app.process.send_signal(signal.SIGINT)
    _, errors = app.process.communicate(timeout=60)
    assert (app.process.returncode, errors) == (OK, "")


def test_a_port_in_use_is_named(
    shelf: Path, capfd: pytest.CaptureFixture[str], start_app: Callable[..., Any]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert run(["view", str(shelf), "--no-open", "--port", str(port)]) == BAD_INPUT
        message = capfd.readouterr().err
        assert f"port {port} is in use" in message
        assert "--port" in message
    app = start_app(shelf, "--port", str(port))  # it is free again
    assert app.port == port
    assert run(["view", str(shelf), "--no-open", "--port", str(port)]) == BAD_INPUT


def test_a_folder_that_is_absent_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["view", "no/such/folder"]) == BAD_INPUT
    assert "no/such/folder" in capfd.readouterr().err


def test_two_hundred_readers_are_answered(shelf: Path, start_app: Callable[..., Any]) -> None:
    app = start_app(shelf)
    ids = [row["id"] for row in app.client().get("/runs.json").json()]
    paths = ["/", "/runs.json", "/view.css"]
    paths += [
        f"/run/{run_id}{page}" for run_id in ids for page in ("", "/texts?words=the", "/mark")
    ]

    async def read_all() -> list[int]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=app.host, limits=limits, timeout=300) as client:
            await client.get(f"/?token={app.token}")
            asked = [client.get(paths[i % len(paths)]) for i in range(READERS)]
            return [answer.status_code for answer in await asyncio.gather(*asked)]

    assert asyncio.run(read_all()) == [200] * READERS
    assert app.process.poll() is None


def test_folders_that_are_read_only_are_read(
    shelf: Path, tmp_path: Path, start_app: Callable[..., Any]
) -> None:
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0:  # root may write everywhere unless it gives that up
        if not shutil.which("setpriv"):
            pytest.skip("root may write everywhere, and there is no setpriv")
        less = "-dac_override,-dac_read_search,-fowner"
        prefix = ("setpriv", f"--bounding-set={less}", f"--inh-caps={less}")
    run = shutil.copytree(
        shelf / "some" / "journal", tmp_path / "run", ignore=shutil.ignore_patterns("*.html")
    )
    before = sorted(path.name for path in run.iterdir())
    for path in (*run.rglob("*"), run):
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        client = start_app(tmp_path, prefix=prefix).client()
        (row,) = client.get("/runs.json").json()
        assert row["done"].startswith("39 of 40 texts")
        for page in ("", "/texts?words=the", "/report.html", "/mark"):
            assert client.get(f"/run/{row['id']}{page}").status_code == 200
        sheet = client.get(f"/run/{row['id']}/mark.json?by=ada&n=2")
        assert sheet.status_code == 500  # ids are made at first, in the journal
        assert "label a copy of it" in sheet.json()["problem"]
    finally:
        run.chmod(0o700)
    assert sorted(path.name for path in run.iterdir()) == before


def test_no_file_is_left_behind(shelf: Path, start_app: Callable[..., Any], tmp_path: Path) -> None:
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(tmp_path)
    try:
        app = start_app(shelf)
    finally:
        os.environ.pop("TMPDIR") if before is None else os.environ.update(TMPDIR=before)
    assert [path.name.startswith("unparrot-view-") for path in tmp_path.iterdir()] == [True]
    app.process.send_signal(signal.SIGTERM)
    _, errors = app.process.communicate(timeout=60)
    assert (app.process.returncode, errors) == (128 + signal.SIGTERM, "")
    assert list(tmp_path.iterdir()) == []
