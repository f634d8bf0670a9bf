"""The page in a real browser: nothing fails, nothing leaves the file, everything is drawn."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.slow
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")


def absent(what: str) -> None:
    """Skip by name, or fail where a browser is required."""
    if os.environ.get("UNPARROT_REQUIRE_BROWSER") == "1":
        pytest.fail(f"UNPARROT_REQUIRE_BROWSER=1, but {what} is absent")
    pytest.skip(f"no browser: {what} is absent; install chromium and chromium-driver")


@pytest.fixture(scope="module")
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


def show(chrome: Any, url: str, width: int, scheme: str) -> None:
    """Open the page at a width in a colour scheme."""
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


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_in_a_browser(fake_page, chrome, width, scheme):
    chrome.get("about:blank")
    chrome.get_log("browser")
    chrome.get_log("performance")
    show(chrome, fake_page.as_uri(), width, scheme)

    assert chrome.get_log("browser") == []
    messages = [json.loads(row["message"])["message"] for row in chrome.get_log("performance")]
    asked = {
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    }
    assert {url for url in asked if not url.startswith("data:")} == {fake_page.as_uri()}

    sizes = chrome.execute_script(
        "return [...document.querySelectorAll('svg.plot')].map(s => {"
        "const box = s.getBoundingClientRect(), ink = s.getBBox();"
        "return [s.dataset.figure, box.width, box.height, ink.width, ink.height,"
        "s.querySelectorAll('path, use').length]})"
    )
    assert len(sizes) == 16
    for name, *numbers in sizes:
        assert min(numbers[:4]) > 100, name
        assert numbers[4] > 10, name
    scroll = chrome.execute_script("return document.documentElement.scrollWidth")
    assert scroll <= width
    assert chrome.title != "owned"


def test_light_and_dark_differ(fake_page, chrome):
    seen = []
    for scheme in ("light", "dark"):
        show(chrome, fake_page.as_uri(), 1280, scheme)
        seen.append(
            chrome.execute_script(
                "return [getComputedStyle(document.body).backgroundColor,"
                "getComputedStyle(document.querySelector('svg.plot text')).fill]"
            )
        )
    assert seen[0][0] != seen[1][0]
    assert seen[0][1] != seen[1][1]
