"""The page in a real browser: nothing fails, nothing leaves the file, everything is drawn."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_in_a_browser(fake_page, chrome, show, width, scheme):
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
        "return [...document.querySelectorAll('.drawn svg')].map(s => {"
        "const box = s.getBoundingClientRect(), ink = s.getBBox();"
        "return [s.dataset.figure, box.width, box.height, ink.width, ink.height,"
        "s.querySelectorAll('path, use').length]})"
    )
    assert len(sizes) == 11
    for name, *numbers in sizes:
        assert min(numbers[:4]) > 100, name
        assert numbers[4] > 10, name
    scroll = chrome.execute_script("return document.documentElement.scrollWidth")
    assert scroll <= width
    assert chrome.title != "owned"


def test_light_and_dark_differ(fake_page, chrome, show):
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
