"""Every kind of page meets WCAG 2.2 AA as axe-core checks it, with all that is folded open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

Violations = Callable[..., list[list[str]]]


@pytest.mark.parametrize("kind", ["lab", "skillmix", "study", "leaderboard"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_nothing_violates_the_rules(
    chrome: Any,
    show: Any,
    violations: Violations,
    pages: dict[str, Path],
    kind: str,
    width: int,
    scheme: str,
) -> None:
    show(chrome, "about:blank", width, scheme)
    show(chrome, pages[kind].as_uri(), width, scheme)
    assert violations(chrome) == []


def test_the_check_finds_what_is_wrong(
    chrome: Any, show: Any, violations: Violations, pages: dict[str, Path]
) -> None:
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
