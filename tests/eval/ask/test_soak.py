"""The soak of the benchmarks, shorter: every fault, and runs that are stopped while they wait."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def soak_eval(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("LOCAL_API_KEY", "sk-0123456789abcdef0123")
    path = Path(__file__).parents[3] / "benchmarks" / "soak_eval.py"
    spec = importlib.util.spec_from_file_location("soak_eval", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "soak_eval", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_every_row_is_there_once_and_costs_what_the_server_counts(
    soak_eval: ModuleType, start_chat_server: Callable[..., Any], tmp_path: Path
) -> None:
    with start_chat_server(faults=soak_eval.FAULTS) as server:
        figures = soak_eval.soak(server, 80, tmp_path / "run")
    assert {"429", "500", "html", "torn", "truncated", "garbage"} <= set(figures["by_outcome"])
    assert figures["attempts that may be billed"] > 0


@pytest.mark.slow
def test_a_run_is_gone_soon_after_it_is_told_to_stop(
    soak_eval: ModuleType, start_chat_server: Callable[..., Any], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(soak_eval, "WITHIN", 300.0)  # the benchmark measures; a hang fails here
    with start_chat_server() as server:
        soak_eval.stop(server, 3, tmp_path)
