"""The transcript browser in a real browser: filters, search, links, keys, and nothing that acts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

from unparrot.analysis.summary import analyze
from unparrot.core.records import RunFolder
from unparrot.packs.reading import load_pack
from unparrot.report.page import write_page

pytestmark = pytest.mark.slow

PART = "document.querySelector('[data-part=%s]')"
READY = "return !document.getElementById('browser').classList.contains('waiting')"
LISTED = "return [...document.querySelectorAll('[data-part=list] a')].map(a => a.hash.slice(3))"
SHOWN = "return document.querySelector('[data-part=text] code')?.textContent"


@pytest.fixture(scope="module")
def page(skillmix_runs: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "run"
    shape = skillmix_runs.Shape((2, 3), 30, 2, 2)
    skillmix_runs.fabricate(run, load_pack("language.en"), shape)
    analyze(run)
    return write_page(run)


@pytest.fixture(scope="module")
def texts(page: Path) -> pl.DataFrame:
    folder = RunFolder(page.parent)
    marks = folder.read_table("graded").group_by("text_id").agg("status")
    return folder.read_table("texts").join(marks, on="text_id", maintain_order="left")


@pytest.fixture
def tab(chrome: Any, show: Any, page: Path) -> Iterator[Any]:
    show(chrome, "about:blank", 1280, "light")
    chrome.get_log("browser")
    show(chrome, page.as_uri(), 1280, "light")
    chrome.execute_script("document.getElementById('browser').scrollIntoView()")
    until(chrome, READY)
    yield chrome
    assert chrome.get_log("browser") == []
    assert chrome.title != "owned"


def until(chrome: Any, script: str) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(chrome, 60).until(lambda driver: driver.execute_script(script))


def shown(chrome: Any, text: str) -> None:
    until(chrome, f"{SHOWN} === '{text}'")


def choose(chrome: Any, part: str, value: str) -> list[str]:
    """Set a filter and return the ids that are listed then."""
    chrome.execute_script(
        "const box = document.querySelector(`[data-part=${arguments[0]}]`);"
        "box.value = arguments[1];"
        "box.dispatchEvent(new Event(arguments[0] === 'search' ? 'input' : 'change'))",
        part,
        value,
    )
    if part == "search":
        chrome.execute_async_script("setTimeout(arguments[0], 400)")
    return everything(chrome)


def everything(chrome: Any) -> list[str]:
    more = "const b = document.querySelector('[data-part=more]'); if (!b.hidden) b.click();"
    while chrome.execute_script(
        f"{more} return !document.querySelector('[data-part=more]').hidden"
    ):
        pass
    return chrome.execute_script(LISTED)


def test_filters_and_search_find_what_is_there(tab: Any, texts: pl.DataFrame) -> None:
    assert set(everything(tab)) == set(texts["text_id"])
    wanted = texts.filter((pl.col("k") == 3) & (pl.col("model") == "openai/gpt-4o-mini"))
    choose(tab, "k", "3")
    assert set(choose(tab, "model", "0")) == set(wanted["text_id"])
    full = wanted.filter(pl.col("status").list.unique() == ["earned"])
    assert 0 < full.height < wanted.height
    assert set(choose(tab, "verdict", "full")) == set(full["text_id"])
    found = tab.execute_script("return document.querySelector('[data-part=found]').textContent")
    assert found == f"{full.height} of {texts.height} texts"
    tab.execute_script("document.querySelector('.tools button[type=reset]').click()")
    until(tab, "return document.querySelector('[data-part=found]').textContent.startsWith('240')")
    skill = texts["skills"][0][0]
    value = tab.execute_script(
        "return [...document.querySelectorAll('[data-part=skill] option')]"
        ".find(o => o.textContent.startsWith(arguments[0] + ' (')).value",
        skill,
    )
    asked = texts.filter(pl.col("skills").list.contains(skill))
    assert set(choose(tab, "skill", value)) == set(asked["text_id"])
    choose(tab, "skill", "")
    arabic = texts.filter(pl.col("text").str.contains("العسل") & pl.col("text").str.contains("🐝"))
    assert set(choose(tab, "search", "العسل 🐝")) == set(arabic["text_id"])
    marked = (
        "return [...document.querySelectorAll('[data-part=text] mark')].map(m => m.textContent)"
    )
    assert set(tab.execute_script(marked)) == {"العسل", "🐝"}
    assert choose(tab, "search", "no such word anywhere") == []


def test_a_link_opens_its_text_and_arrows_go_on(
    tab: Any, show: Any, page: Path, texts: pl.DataFrame
) -> None:
    wanted = texts["text_id"][-1]
    show(tab, "about:blank", 1280, "light")
    show(tab, f"{page.as_uri()}#t={wanted}", 1280, "light")
    until(tab, READY)
    shown(tab, wanted)
    top = "return document.querySelector('[data-part=text]').getBoundingClientRect().top"
    assert -1 < tab.execute_script(top) < 844
    listed = everything(tab)
    at = listed.index(wanted)
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    tab.find_element(By.CSS_SELECTOR, ".steps button").send_keys(Keys.ARROW_LEFT)
    until(tab, f"return page.address.get('t') === '{listed[at - 1]}'")
    assert tab.execute_script(SHOWN) == listed[at - 1]
    tab.execute_script("document.querySelectorAll('.steps button')[1].click()")
    until(tab, f"return page.address.get('t') === '{wanted}'")
    tab.execute_script("location.hash = '#t=' + arguments[0]", listed[0])
    shown(tab, listed[0])
    current = "return document.querySelector('#browser [aria-current]').hash"
    assert tab.execute_script(current) == f"#t={listed[0]}"
    choose(tab, "k", "3")
    hidden = texts.filter((pl.col("k") == 2) & (pl.col("text_id") != listed[0]))["text_id"][0]
    tab.execute_script("location.hash = '#t=' + arguments[0]", hidden)
    shown(tab, hidden)
    assert tab.execute_script("return document.querySelector('[data-part=k]').value") == ""
    # the filter shows another text; the link to that of the address brings it back
    choose(tab, "k", "3")
    assert tab.execute_script(SHOWN) != hidden
    choose(tab, "k", "")
    tab.execute_script(
        "document.querySelector(`[data-part=list] a[href='#t=${arguments[0]}']`).click()", hidden
    )
    shown(tab, hidden)
    tab.execute_script("location.hash = '#t=nowhere'")
    until(
        tab,
        "return document.querySelector('[data-part=found]').textContent.includes('not on this')",
    )


def test_every_word_of_a_text_is_text(
    tab: Any, texts: pl.DataFrame, skillmix_runs: ModuleType
) -> None:
    hostile = texts.filter(pl.col("text").str.contains("<script>", literal=True))["text_id"][0]
    tab.execute_script("location.hash = '#t=' + arguments[0]", hostile)
    shown(tab, hostile)
    tab.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    box = "document.querySelector('[data-part=text]')"
    said = tab.execute_script(f"return {box}.querySelector('blockquote').textContent")
    assert skillmix_runs.HOSTILE in said
    assert said == texts.filter(text_id=hostile)["text"][0]
    assert tab.execute_script(f"return {box}.querySelectorAll('script, img, iframe').length") == 0
    assert tab.execute_script("return document.querySelectorAll('script:not([type])').length") == 2
    calls = RunFolder(Path(tab.current_url.removeprefix("file://").partition("#")[0]).parent)
    own = calls.read_table("transcripts").filter(text_id=hostile)
    whole = tab.execute_script(f"return {box}.textContent")
    for row in own.iter_rows(named=True):
        assert row["prompt"] in whole
        assert row["reply"] in whole


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits(chrome: Any, show: Any, page: Path, width: int, scheme: str) -> None:
    show(chrome, "about:blank", width, scheme)
    show(chrome, page.as_uri(), width, scheme)
    chrome.execute_script("document.getElementById('browser').scrollIntoView()")
    until(chrome, READY)
    assert chrome.execute_script("return document.documentElement.scrollWidth") <= width
    # nothing of the list hangs out of it below the page
    end = "return document.querySelector('footer').getBoundingClientRect().bottom + scrollY"
    height = chrome.execute_script("return document.documentElement.scrollHeight")
    assert height - chrome.execute_script(end) < 200
    unnamed = chrome.execute_script(
        "return [...document.querySelectorAll('#browser :is(select, input, button)')]"
        ".filter(e => !(e.labels?.length || e.textContent.trim())).length"
    )
    assert unnamed == 0


def test_without_scripts_the_page_says_so(chrome: Any, show: Any, page: Path) -> None:
    chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        chrome.get("about:blank")
        chrome.get(page.as_uri())
        from selenium.webdriver.common.by import By

        told = chrome.find_element(By.CSS_SELECTOR, "noscript").text
        assert told == (
            "To show the transcripts, let the page run its script; all are in transcripts.parquet."
        )
        assert not chrome.find_element(By.ID, "browser").is_displayed()
    finally:
        chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
