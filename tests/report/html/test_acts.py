"""What a page does in a real browser: folds, contents, print, values and files of figures."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

FOLDS = "document.querySelectorAll('section details:not(.menu)')"
OPEN = f"return [...{FOLDS}].filter(fold => fold.open).length"
TIP = "return document.querySelector('header .drawn:not(.small) .tip').innerText"
FIGURE = "header .drawn:not(.small)"


def until(chrome: Any, script: str) -> Any:
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(chrome, 30).until(lambda driver: driver.execute_script(script))


def load(chrome: Any, url: str, width: int = 1280) -> None:
    chrome.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    features = [{"name": "prefers-color-scheme", "value": "light"}]
    features.append({"name": "prefers-reduced-motion", "value": "reduce"})
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})
    chrome.get("about:blank")
    chrome.get(url)


@pytest.fixture(params=["lab", "skillmix", "study"])
def tab(chrome: Any, pages: dict[str, Path], request: pytest.FixtureRequest) -> Iterator[Any]:
    """A tab with a page of each kind, on which nothing fails and from which nothing is asked."""
    chrome.get("about:blank")
    chrome.get_log("browser")
    chrome.get_log("performance")
    page = pages[request.param].as_uri()
    load(chrome, page)
    yield chrome
    assert chrome.get_log("browser") == []
    messages = [json.loads(row["message"])["message"] for row in chrome.get_log("performance")]
    asked = {
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    }
    own = (page, "about:blank", "data:", "blob:")
    assert [url for url in asked if not url.startswith(own)] == []


@pytest.fixture
def lab(chrome: Any, pages: dict[str, Path]) -> Any:
    load(chrome, pages["lab"].as_uri())
    return chrome


def keys(chrome: Any, *pressed: str) -> None:
    from selenium.webdriver.common.keys import Keys

    chrome.find_element("css selector", FIGURE).send_keys(*(getattr(Keys, key) for key in pressed))


# --- the address ------------------------------------------------------------------------------


def test_what_was_opened_is_in_the_address(tab: Any) -> None:
    tab.execute_script(
        "document.querySelectorAll('section details:not([open], .menu)')[1].open = true"
    )
    until(tab, "return location.hash.includes('open=')")
    address = tab.current_url
    load(tab, address)
    until(tab, f"{OPEN} > 0")
    fold = "document.querySelectorAll('section details:not(.menu)')"
    opened = tab.execute_script(f"return [...{fold}].findIndex(fold => fold.open)")
    assert opened >= 0
    # going elsewhere on the page keeps it
    tab.execute_script("document.querySelector('nav.contents a:last-child').click()")
    until(tab, "return location.hash.startsWith('#making&open=')")
    tab.execute_script(f"[...{FOLDS}].forEach(fold => {{ fold.open = false; }})")
    until(tab, "return location.hash === '#making'")


def test_a_link_into_a_fold_opens_it(lab: Any, pages: dict[str, Path]) -> None:
    assert lab.execute_script(
        "return document.querySelector('#skills').closest('details').open"
    ) is (False)
    load(lab, pages["lab"].as_uri() + "#skills")
    until(lab, "return document.querySelector('#skills').closest('details').open")
    top = "return document.querySelector('#skills').getBoundingClientRect().top"
    assert 0 <= lab.execute_script(top) < 200


def test_the_contents_stay_and_say_where_one_is(tab: Any) -> None:
    names = tab.execute_script(
        "return [...document.querySelectorAll('nav.contents a')].map(a => a.hash.slice(1))"
    )
    assert {"result", "making"} <= set(names)
    for name in names:
        tab.execute_script("document.querySelector(`nav a[href='#${arguments[0]}']`).click()", name)
        until(tab, f"return document.querySelector('nav [aria-current]')?.hash === '#{name}'")
        bar = "return document.querySelector('nav.contents').getBoundingClientRect().top"
        assert abs(tab.execute_script(bar)) < 1
        place = f"return document.querySelector('#{name}').getBoundingClientRect()"
        head = tab.execute_script(place)
        assert head["bottom"] > 44  # not under the bar
        assert head["top"] < 844


# --- one screen, phone, print -----------------------------------------------------------------


@pytest.mark.parametrize("width", [390, 768, 1280])
@pytest.mark.parametrize("kind", ["lab", "skillmix", "study"])
def test_the_first_screen_fits(chrome: Any, pages: dict[str, Path], kind: str, width: int) -> None:
    load(chrome, pages[kind].as_uri(), width)
    assert chrome.execute_script("return document.documentElement.scrollWidth") <= width
    shown = chrome.execute_script(
        "return [...document.querySelectorAll('header svg.plot')].filter(s => s.clientWidth)"
        ".map(s => [s.clientWidth / s.viewBox.baseVal.width, s.getBoundingClientRect().bottom])"
    )
    ((scale, bottom),) = shown  # one figure is drawn for this width
    assert scale > 0.75  # letters of 11 pixels stay above 8
    facts = "return document.querySelector('header .facts').getBoundingClientRect().bottom"
    assert chrome.execute_script(facts) < 844
    assert (
        chrome.execute_script("return document.querySelectorAll('header .facts div').length") == 3
    )
    if width == 1280:
        assert bottom < 844


def test_print_opens_everything(tab: Any) -> None:
    folds = tab.execute_script(
        "return document.querySelectorAll('section details:not(.menu)').length"
    )
    tab.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert tab.execute_script(OPEN) == folds
    tab.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    shown = "return getComputedStyle(document.querySelector(arguments[0])).display"
    assert tab.execute_script(shown, "nav.contents") == "none"
    assert tab.execute_script(shown, ".menu") == "none"
    tab.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    tab.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert tab.execute_script(OPEN) < folds
    tab.execute_async_script("setTimeout(arguments[0], 300)")
    assert "open=" not in tab.current_url


# --- values and files of figures --------------------------------------------------------------


def values(chrome: Any) -> list[dict[str, Any]]:
    return json.loads(
        chrome.execute_script(f"return document.querySelector('{FIGURE} script').textContent")
    )


def test_the_pointer_and_a_tap_tell_values(lab: Any) -> None:
    (panel,) = values(lab)
    line = next(own for own in panel["lines"] if len(own["points"]) == 1)
    across, down, *_, x, words = line["points"][0]
    frame, scale = lab.execute_script(
        f"const svg = document.querySelector('{FIGURE} svg'), box = svg.getBoundingClientRect();"
        "return [[box.left, box.top], box.width / svg.viewBox.baseVal.width]"
    )
    at = {"x": frame[0] + across * scale + 2, "y": frame[1] + down * scale + 2}
    away = {"x": 5, "y": 5}
    for kind, place in (("mouseMoved", at), ("mouseMoved", away)):
        lab.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": kind, **place})
        until(lab, f"{TIP} {'!==' if place is at else '==='} ''")
        if place is at:
            told = lab.execute_script(TIP).split("\n")
            assert told == [line["name"], f"{panel['y']}: {words}", f"{panel['x']}: {x}"]
    touch: dict[str, Any] = {"type": "touchStart", "touchPoints": [at]}
    lab.execute_cdp_cmd("Input.dispatchTouchEvent", touch)
    lab.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    until(lab, f"{TIP} !== ''")
    assert line["name"] in lab.execute_script(TIP)


def test_keys_go_through_all_points(lab: Any) -> None:
    points = sum(
        point[0] is not None
        for panel in values(lab)
        for line in panel["lines"]
        if len(line["points"]) == 1
        for point in line["points"]
    )
    keys(lab, "ARROW_RIGHT")
    seen = {lab.execute_script(TIP)}
    assert "" not in seen
    assert lab.execute_script("return document.querySelectorAll('.ring').length") == 1
    for _ in range(2 * points):
        keys(lab, "ARROW_RIGHT")
        seen.add(lab.execute_script(TIP))
    assert len(seen) > points / 2
    last = lab.execute_script(TIP)
    keys(lab, "ARROW_LEFT")
    assert lab.execute_script(TIP) != last
    keys(lab, "ESCAPE")
    assert lab.execute_script(TIP) == ""


def saved(chrome: Any, kind: str, folder: Path) -> Path:
    chrome.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)}
    )
    menu = chrome.find_element("css selector", f"{FIGURE} .menu summary")
    menu.click()
    buttons = chrome.find_elements("css selector", f"{FIGURE} .menu button")
    next(button for button in buttons if button.text == kind).click()
    from selenium.webdriver.support.ui import WebDriverWait

    ending = f".{kind.lower()}"
    WebDriverWait(chrome, 30).until(lambda _: [p for p in folder.iterdir() if p.suffix == ending])
    return next(path for path in folder.iterdir() if path.suffix == ending)


def test_figures_are_saved(tab: Any, tmp_path: Path) -> None:
    table = saved(tab, "CSV", tmp_path)
    rows = list(csv.DictReader(io.StringIO(table.read_text("utf-8"))))
    points = [p for panel in values(tab) for line in panel["lines"] for p in line["points"]]
    assert [float(row["y"]) for row in rows] == [point[3] for point in points]
    assert [row["y in words"] for row in rows] == [point[7] for point in points]
    drawing = saved(tab, "SVG", tmp_path).read_text("utf-8")
    assert ET.fromstring(drawing).tag.endswith("svg")
    assert "var(--" not in drawing
    assert "ring" not in drawing
    png = saved(tab, "PNG", tmp_path).read_bytes()
    assert png.startswith(b"\x89PNG")
    width = int(re.findall(r'viewBox="0 0 ([\d.]+)', drawing)[0].split(".")[0])
    assert int.from_bytes(png[16:20]) == 2 * width
    assert table.stem in tab.execute_script(
        "return document.querySelector('header svg').dataset.figure"
    )
