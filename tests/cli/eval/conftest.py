"""The chat server of the suite, for commands as a user types them."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    place = Path(__file__).parents[2] / "eval" / "chat_server.py"
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
