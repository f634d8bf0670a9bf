"""Skills of many models side by side: the section scrolls, the page does not."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from unparrot.analysis.summary import analyze
from unparrot.packs.reading import load_pack
from unparrot.report.page import write_page


@pytest.fixture(scope="module")
def page(skillmix_runs: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "run"
    students = {f"house/model-{i}-instruct-2026": 0.1 * i for i in range(1, 9)}
    shape = skillmix_runs.Shape((2,), 6, 1, 1)
    skillmix_runs.fabricate(run, load_pack("language.en"), shape, students=students)
    analyze(run)
    return write_page(run)


@pytest.mark.parametrize("width", [390, 1280])
def test_eight_models_fit_and_can_be_read(chrome: Any, show: Any, page: Path, width: int) -> None:
    show(chrome, page.as_uri(), width, "light")
    assert chrome.execute_script("return document.documentElement.scrollWidth") <= width
    box = "document.querySelector('.skills')"
    narrowest = chrome.execute_script(
        f"return Math.min(...[...{box}.querySelectorAll('summary .row > :nth-child(n+2)')]"
        ".map(cell => cell.getBoundingClientRect().width))"
    )
    assert narrowest >= 96
    assert chrome.execute_script(f"return {box}.tabIndex") == 0  # it scrolls by keys, too
