"""Graded texts and runs made to order, for the tests of the analysis and of its commands."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from unparrot.analysis.schema import LabSummary
from unparrot.analysis.summary import analyze
from unparrot.core.grades import EARNED, MISSED, GradedText, Mark
from unparrot.core.records import RunFolder
from unparrot.core.skills import SkillCombination

# The same examples everywhere, and no clock: a loaded machine fails no test.
settings.register_profile(
    "suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
SKILLS = ("irony", "metaphor", "modus ponens", "red herring", "spatial reasoning")
MARKS = {True: EARNED, False: MISSED, None: Mark.unscored("cut off")}


@pytest.fixture
def asked() -> Callable[[int, int], list[SkillCombination]]:
    """The first n combinations of k skills, over as many topics as that takes."""

    def make(k: int, n: int) -> list[SkillCombination]:
        sets = list(combinations(SKILLS, k))
        return [SkillCombination(f"topic {i // len(sets)}", sets[i % len(sets)]) for i in range(n)]

    return make


@pytest.fixture
def written() -> Callable[..., list[GradedText]]:
    """A text for each item: with full marks, without its first skill, or with that mark open."""

    def make(
        model: str,
        items: Sequence[SkillCombination],
        full: Sequence[bool | None],
        sample: int = 0,
        split: str = "seen",
        decoding: str = "greedy",
    ) -> list[GradedText]:
        return [
            GradedText(
                item,
                "",
                dict.fromkeys((*item.skills, "topic", "sense", "length"), EARNED)
                | {item.skills[0]: MARKS[success]},
                model,
                split,
                decoding,
                sample,
                0,
            )
            for item, success in zip(items, full, strict=True)
        ]

    return make


@pytest.fixture
def run_of() -> Callable[..., Path]:
    """Write texts and a manifest into a folder and return it."""

    def make(
        path: Path, texts: Sequence[GradedText], digests: dict[str, str] | None = None
    ) -> Path:
        folder = RunFolder(path)
        folder.write_graded(texts)
        folder.write_manifest(
            {
                "spec": {},
                "command": "",
                "seed": 1,
                "versions": {},
                "digests": {"pack": "a" * 64, "corpus": "b" * 64} if digests is None else digests,
                "timings": {},
                "machine": {},
            }
        )
        return path

    return make


def load_beside(name: str) -> ModuleType:
    """A module of this folder, which is no package."""
    path = Path(__file__).with_name(f"{name}.py")
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def skillmix_runs() -> ModuleType:
    """The module that fabricates runs of language models: ``fabricate(path, pack)``."""
    return load_beside("skillmix_runs")


@pytest.fixture(scope="session")
def journal_runs() -> ModuleType:
    """The module that fabricates runs with a journal: ``fabricate(path, **spec)``."""
    return load_beside("journal_runs")


@pytest.fixture(scope="session")
def ladder_runs() -> ModuleType:
    """The module that fabricates runs and studies of the lab: ``write_ladder_run(folder)``."""
    return load_beside("ladder_runs")


@pytest.fixture
def loopback_cluster() -> Iterator[Any]:
    """A Ray cluster of two nodes on loopback, whose processes a test may kill."""
    with load_beside("ray_cluster").loopback_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def ladder_run(
    ladder_runs: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> tuple[RunFolder, LabSummary]:
    """A fabricated run along two axes, written once, and its summary."""
    run = ladder_runs.write_ladder_run(tmp_path_factory.mktemp("ladder"), combinations=40)
    summary = analyze(run)
    assert isinstance(summary, LabSummary)
    return run, summary


def absent(what: str) -> None:
    """Skip by name, or fail where a browser is required."""
    if os.environ.get("UNPARROT_REQUIRE_BROWSER") == "1":
        pytest.fail(f"UNPARROT_REQUIRE_BROWSER=1, but {what} is absent")
    pytest.skip(f"no browser: {what} is absent; install chromium and chromium-driver")


@pytest.fixture(scope="session")
def chrome() -> Iterator[Any]:
    """A headless Chromium that logs its console and its requests."""
    if BROWSER is None or DRIVER is None:
        absent("chromium or chromedriver")
    try:
        from selenium import webdriver
    except ImportError:
        absent("the package selenium")
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = str(BROWSER)
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()


def _show(chrome: Any, url: str, width: int, scheme: str) -> None:
    chrome.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    chrome.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
    chrome.get(url)
    chrome.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")


@pytest.fixture
def show() -> Callable[..., None]:
    """Opens a page at a width in a colour scheme, with all that is folded."""
    return _show


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation site, built as `make docs` builds it."""
    out = tmp_path_factory.mktemp("host") / "sub" / "site"
    command = (sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir")
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [*command, str(out)], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out
