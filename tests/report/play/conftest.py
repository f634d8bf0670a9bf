"""The scripts of what readers play with, one by one, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import pytest


@pytest.fixture
def script(chrome: Any) -> Iterator[Callable[..., Callable[..., Any]]]:
    """Loads a script into an empty page and makes names of it known; then expressions are run."""
    chrome.get("about:blank")
    chrome.get_log("browser")

    def load(name: str, *known: str) -> Callable[..., Any]:
        content = files("unparrot.report.play").joinpath(name).read_text("utf-8")
        names = ", ".join(known)
        chrome.execute_script(f"{content}\nObject.assign(window, {{ {names} }});")
        return lambda expression, *given: chrome.execute_script(f"return {expression}", *given)

    yield load
    assert chrome.get_log("browser") == []
