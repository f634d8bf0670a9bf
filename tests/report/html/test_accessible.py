"""Every kind of page meets WCAG 2.2 AA as axe-core checks it, with all that is folded open."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CHECK = """
const [rules, done] = arguments;
axe.run(document, { runOnly: rules, resultTypes: ["violations"] }).then((result) => done(
  result.violations.flatMap((found) => found.nodes.map((node) => [found.id, node.target.join(" "), node.failureSummary])),
));
"""  # noqa: E501
# rows of a table are alike, and so are cards and texts of a list: some of each are checked
FEWER = """
for (const body of document.querySelectorAll("tbody")) for (const row of [...body.rows].slice(8)) row.remove();
for (const one of document.querySelectorAll(".card:nth-child(n+6), .list li:nth-child(n+6)")) one.remove();
"""  # noqa: E501


@cache
def axe() -> str:
    spec = find_spec("axe_playwright_python")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0], "axe.min.js").read_text("utf-8")


def violations(chrome: Any) -> list[list[str]]:
    chrome.set_script_timeout(120)
    chrome.execute_script(FEWER)
    chrome.execute_script(axe())
    return chrome.execute_async_script(CHECK, RULES)


@pytest.mark.parametrize("kind", ["lab", "skillmix", "study", "leaderboard"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_nothing_violates_the_rules(
    chrome: Any, show: Any, pages: dict[str, Path], kind: str, width: int, scheme: str
) -> None:
    show(chrome, "about:blank", width, scheme)
    show(chrome, pages[kind].as_uri(), width, scheme)
    assert violations(chrome) == []


def test_the_check_finds_what_is_wrong(chrome: Any, show: Any, pages: dict[str, Path]) -> None:
    show(chrome, pages["study"].as_uri(), 1280, "light")
    chrome.execute_script(
        "const p = document.createElement('p'); p.textContent = 'pale';"
        "p.style.color = '#ccc'; document.querySelector('header').append(p);"
        "document.querySelector('svg.plot').removeAttribute('aria-label')"
    )
    assert {rule for rule, *_ in violations(chrome)} == {"color-contrast", "svg-img-alt"}


@pytest.mark.parametrize("kind", ["lab", "skillmix", "study"])
def test_who_wants_no_motion_gets_none(chrome: Any, pages: dict[str, Path], kind: str) -> None:
    moving = (
        "return [...document.querySelectorAll('*')].filter(e => { const own = getComputedStyle(e);"
        "return parseFloat(own.transitionDuration) || own.animationName !== 'none' })"
        ".map(e => e.outerHTML.slice(0, 80))"
    )
    scrolling = "return getComputedStyle(document.documentElement).scrollBehavior"
    features = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    chrome.get("about:blank")
    chrome.get(pages[kind].as_uri())
    assert chrome.execute_script(scrolling) == "auto"
    assert chrome.execute_script(moving) == []
