"""A disk that can be filled, and the chat server of the suite, for commands that users type."""

import importlib.util
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MiB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small disk")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def fill(disk: Path) -> Callable[..., Path]:
    """Fill the disk with a file but for so many bytes; returns the file."""

    def start(left: int = 0) -> Path:
        filling = disk / "filling"
        with filling.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass
            file.truncate(file.tell() - left)
        return filling

    return start


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    place = Path(__file__).parents[1] / "eval" / "chat_server.py"
    spec = importlib.util.spec_from_file_location("chat_server", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.ChatServer(life=1800.0) as started:
        yield started


@pytest.fixture
def at(server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The options that lead to the server; the current folder is an empty one."""
    server.reset()
    monkeypatch.setenv("LOCAL_API_KEY", "sk-planted-0123456789abcdef")
    monkeypatch.chdir(tmp_path)
    return ["--base-url", server.base_url, "--grader-base-url", server.base_url]
