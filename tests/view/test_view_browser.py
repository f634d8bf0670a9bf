"""The app in a real browser: no error, no request that leaves, keys that mark, words that stay."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from unparrot.eval.record.labels import read_begun, read_labels

pytestmark = pytest.mark.slow

HOSTS = ("http://127.0.0.1:", "data:", "about:", "chrome")
NAMELESS = """
return [...document.querySelectorAll('input:not([type=hidden]), select, button, a, iframe')]
  .filter(e => !(e.labels?.length || e.textContent.trim() || e.title
                 || e.getAttribute('aria-label')))
  .map(e => e.outerHTML);
"""
WIDER = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
POINTS = "return [...document.querySelectorAll('.points li')].map(li => li.dataset.mark)"
WHERE = "return document.querySelector('[data-part=where]').textContent"


@pytest.fixture(scope="module")
def root(shelf: Path, lab_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("seen")
    shutil.copytree(shelf, root / "runs")
    shutil.copytree(lab_run, root / "lab")
    return root


@pytest.fixture
def app(root: Path, start_app: Callable[..., Any]) -> Any:
    return start_app(root)


@pytest.fixture
def ids(app: Any) -> dict[str, str]:
    return {row["name"]: row["id"] for row in app.client().get("/runs.json").json()}


@pytest.fixture
def tab(chrome: Any, app: Any) -> Iterator[Any]:
    """A tab that has been let in; nothing of what it does may fail or leave this machine."""
    chrome.get("about:blank")
    for kind in ("browser", "performance"):
        chrome.get_log(kind)
    chrome.get(app.address)
    until(chrome, "return location.search === '' && !!document.querySelector('.runs')")
    yield chrome
    assert [entry for entry in chrome.get_log("browser") if "mark.json" not in str(entry)] == []
    sent = [json.loads(entry["message"])["message"] for entry in chrome.get_log("performance")]
    urls = [
        m["params"]["request"]["url"] for m in sent if m["method"] == "Network.requestWillBeSent"
    ]
    assert urls
    assert [url for url in urls if not url.startswith(HOSTS)] == []


def until(chrome: Any, script: str, seconds: float = 60) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(chrome, seconds).until(lambda driver: driver.execute_script(script))


def press(chrome: Any, *keys: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(chrome).send_keys(*keys).perform()


def click(chrome: Any, selector: str) -> None:
    """Click without waiting for a page that scrolls smoothly."""
    chrome.execute_script("document.querySelector(arguments[0]).click()", selector)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_screen_fits_and_everything_has_a_name(
    tab: Any, show: Any, app: Any, ids: dict[str, str], width: int, scheme: str
) -> None:
    tables, journal, lab = ids["runs/tables"], ids["runs/some/journal"], ids["lab"]
    model = "openai/gpt-4o-mini"
    for path in ("/", "/compare", f"/compare?first={tables}/{model}&second={tables}/{model}",
                 f"/leaderboard?run={tables}&metric=full_marks", f"/run/{tables}",
                 f"/run/{tables}/texts?words=bold", f"/run/{journal}/mark",
                 f"/run/{journal}/mark?by=ada&n=3", f"/run/{lab}/try?draw=1"):  # fmt: skip
        show(tab, app.host + path, width, scheme)
        if "by=ada" in path:
            until(tab, f"{POINTS}.length > 0")
        assert tab.execute_script(WIDER) <= 0, path
        assert tab.execute_script(NAMELESS) == [], path
        assert tab.title.endswith("· unparrot")


def test_the_page_of_a_run_works_in_its_frame(tab: Any, app: Any, ids: dict[str, str]) -> None:
    tab.get(f"{app.host}/run/{ids['runs/tables']}")
    tab.switch_to.frame(tab.find_element("tag name", "iframe"))
    until(tab, "return !!document.getElementById('browser')")
    tab.execute_script("document.getElementById('browser').scrollIntoView()")
    until(tab, "return !document.getElementById('browser').classList.contains('waiting')")
    # it is cut off from the app
    assert tab.execute_script("return origin") == "null"
    read = (
        "const done = arguments[0]; fetch('/runs.json').then(() => done('read'), () => done('no'))"
    )
    assert tab.execute_async_script(read) == "no"
    tab.switch_to.default_content()
    tab.get_log("browser")  # the refusal above


def test_texts_are_searched_with_the_form(tab: Any, app: Any, ids: dict[str, str]) -> None:
    tab.get(f"{app.host}/run/{ids['runs/tables']}/texts")
    box = tab.find_element("name", "words")
    box.send_keys("onerror\n")  # of a hostile text
    until(tab, "return location.search.includes('onerror')")
    until(tab, "return document.querySelectorAll('.card').length > 0")
    tab.find_element("link text", "read all of it").click()
    until(tab, "return location.pathname.includes('/text/')")
    assert "<script>" in tab.find_element("css selector", "blockquote").text
    assert tab.title.endswith("· unparrot")


def test_a_person_marks_with_keys(tab: Any, app: Any, root: Path, ids: dict[str, str]) -> None:
    run = root / "runs" / "some" / "journal"
    page = f"{app.host}/run/{ids['runs/some/journal']}/mark?by=grace&n=3"
    tab.get(page)
    until(tab, f"{POINTS}.length > 0")
    points = len(tab.execute_script(POINTS))
    press(tab, "1", "0", "u", "?")  # typed at once: each waits for the one before
    until(tab, f'{POINTS.replace("return", "return JSON.stringify(")}).startsWith(\'["1","?"\')')
    (marks,) = read_begun(run)["person:grace"].values()
    assert [mark.status for mark in marks.values()] == ["earned", "unscored"]
    tab.get(page)  # and goes on where it stopped
    until(tab, f"{POINTS}.length > 0")
    assert tab.execute_script(POINTS)[:3] == ["1", "?", ""]
    press(tab, *"1" * (points - 2))
    until(tab, f"{WHERE}.startsWith('Text 2 of 3 · 1 marked by grace, 2 left')")
    assert read_labels(run).height == points
    from selenium.webdriver.common.keys import Keys

    press(tab, "u")  # the last mark of the text before
    until(tab, f"{WHERE}.startsWith('Text 1 of 3 · 0 marked')")
    assert read_labels(run).is_empty()
    press(tab, "0", Keys.ARROW_RIGHT, Keys.ARROW_LEFT, Keys.ARROW_RIGHT)
    for text, left in ((3, 1), (2, 0)):
        until(tab, f"{WHERE}.startsWith('Text {text} of 3')")
        press(tab, *"1" * len(tab.execute_script(POINTS)))
        until(tab, f"{WHERE}.endsWith(', {left} left')")
    click(tab, "[data-part=end]")
    until(tab, "return location.pathname.endsWith('/agreement')")
    assert "kappa" in tab.find_element("tag name", "main").text
    assert "grace (3 texts)" in tab.find_element("tag name", "main").text


def test_a_mark_that_is_not_kept_is_said(tab: Any, app: Any, ids: dict[str, str]) -> None:
    tab.get(f"{app.host}/run/{ids['runs/some/journal']}/mark?by=lin&n=3")
    until(tab, f"{POINTS}.length > 0")
    app.process.kill()
    app.process.wait()
    press(tab, "1")
    until(tab, "return !document.querySelector('[data-part=problem]').hidden")
    assert "not kept" in tab.find_element("css selector", "[data-part=problem]").text
    assert tab.execute_script(POINTS)[0] == ""


def test_what_is_typed_after_a_mark_that_failed_goes_to_no_other_point(
    tab: Any, app: Any, ids: dict[str, str]
) -> None:
    tab.get(f"{app.host}/run/{ids['runs/some/journal']}/mark?by=emmy&n=3")
    until(tab, f"{POINTS}.length > 0")
    tab.execute_script(
        "const real = fetch; let sent = 0; window.fetch = (path, settings) => sent++ ? "
        "real(path, settings) : new Promise((_, fail) => setTimeout(fail, 500, Error('No disk.')))"
    )
    press(tab, "1", "0", "?")
    until(tab, "return !document.querySelector('[data-part=problem]').hidden")
    press(tab, "0", "1")
    until(tab, f"{POINTS}[1] === '1'")
    assert tab.execute_script(POINTS)[:3] == ["0", "1", ""]


def test_a_key_held_down_is_one_mark(tab: Any, app: Any, ids: dict[str, str]) -> None:
    tab.get(f"{app.host}/run/{ids['runs/some/journal']}/mark?by=sofia&n=3")
    until(tab, f"{POINTS}.length > 0")
    for repeat in ("false", "true", "true"):
        tab.execute_script(
            f"document.dispatchEvent(new KeyboardEvent('keydown', {{key: '1', repeat: {repeat}}}))"
        )
    press(tab, "0")
    until(tab, f"{POINTS}.includes('0')")
    assert tab.execute_script(POINTS)[:3] == ["1", "0", ""]


def test_undo_takes_the_last_mark_back_wherever_it_is(
    tab: Any, app: Any, root: Path, ids: dict[str, str]
) -> None:
    from selenium.webdriver.common.keys import Keys

    tab.get(f"{app.host}/run/{ids['runs/some/journal']}/mark?by=mary&n=3")
    until(tab, f"{POINTS}.length > 0")
    press(tab, "1", Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    until(tab, f"{WHERE}.startsWith('Text 3 of 3')")
    press(tab, "u")
    until(tab, f"{WHERE}.startsWith('Text 1 of 3')")
    until(tab, f"{POINTS}.every(mark => !mark)")
    begun = read_begun(root / "runs" / "some" / "journal")["person:mary"]
    assert not any(begun.values())
    press(tab, "1")
    until(tab, f"{POINTS}[0] === '1'")
    click(tab, ".points button")
    press(tab, "0")
    until(tab, f"{POINTS}[0] === '0'")
    press(tab, "u")  # what stood there before
    until(tab, f"{POINTS}[0] === '1'")


def test_why_a_board_is_refused_is_read_in_its_frame(
    chrome: Any, app: Any, ids: dict[str, str]
) -> None:
    chrome.get(app.address)
    until(chrome, "return !!document.querySelector('.runs')")
    runs = [ids[name] for name in ("runs/tables", "runs/ladder")]
    chrome.get(f"{app.host}/leaderboard?run={runs[0]}&run={runs[1]}")
    chrome.switch_to.frame(chrome.find_element("tag name", "iframe"))
    assert "names no digests" in chrome.find_element("class name", "problem").text
    chrome.switch_to.default_content()
    assert any("400" in entry["message"] for entry in chrome.get_log("browser"))


def test_skills_are_asked_for_in_the_order_of_ticking(
    tab: Any, app: Any, ids: dict[str, str]
) -> None:
    tab.get(f"{app.host}/run/{ids['lab']}/try")
    for skill in ("simile", "doubt", "metaphor", "doubt"):
        click(tab, f"input[value={skill}]")
    click(tab, "input[value=alliteration]")
    click(tab, "button:not([name])")
    until(tab, "return !!document.querySelector('blockquote')")
    sent = tab.execute_script("return new URLSearchParams(location.search).getAll('skills')")
    assert sent == ["simile", "metaphor", "alliteration"]
    assert "simile · metaphor · alliteration" in tab.find_element("class name", "asked").text


def test_the_list_follows_what_happens(tab: Any, app: Any, root: Path) -> None:
    before = len(tab.find_elements("css selector", "[data-run]"))
    shutil.copytree(root / "runs" / "tables", root / "later")
    try:
        until(tab, f"return document.querySelectorAll('[data-run]').length === {before + 1}")
    finally:
        shutil.rmtree(root / "later")
    until(tab, f"return document.querySelectorAll('[data-run]').length === {before}")
