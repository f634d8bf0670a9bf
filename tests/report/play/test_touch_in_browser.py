"""The theory to touch, in a real browser: its numbers are those of unparrot.theory."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from unparrot.analysis.schema import LabSummary
from unparrot.core.records import RunFolder
from unparrot.report.page import write_page
from unparrot.theory.curve.inverse import theta_for
from unparrot.theory.curve.performance import classic, sharp
from unparrot.theory.law.loss_law import PRESETS
from unparrot.theory.slingshot import slingshot
from unparrot.theory.threshold import isolated_expected, isolated_none_limit

pytestmark = pytest.mark.slow

Script = Callable[..., Callable[..., Any]]


def test_curves_are_those_of_the_theory(script: Script) -> None:
    rng = np.random.default_rng(1)
    asked = [
        (float(rng.uniform(0.005, 0.5)), float(rng.uniform(0.01, 0.99)), int(rng.integers(1, 65)))
        for _ in range(300)
    ]
    run = script("curves.js", "sharp", "classic", "allowed")
    given = run(
        "arguments[0].map(([share, alpha, k]) => [sharp(share, alpha, k), classic(share, alpha, k),"
        " allowed(sharp, share, alpha, k), allowed(classic, share, alpha, k)])",
        asked,
    )
    expected = [
        (
            float(sharp(share, alpha, k)),
            float(classic(share, alpha, k)),
            float(theta_for(share, alpha, k)),
            float(theta_for(share, alpha, k, bound="classic")),
        )
        for share, alpha, k in asked
    ]
    # JSON has null for NaN
    np.testing.assert_allclose(np.array(given, float), expected, rtol=1e-9)
    assert np.isnan(expected).any()


def test_thresholds_are_those_of_the_theory(script: Script) -> None:
    run = script("curves.js", "isolatedExpected", "noneIsolated")
    for n, p in ((150, 0.0), (150, 0.02), (150, 0.0334), (1000, 0.01)):
        assert run(f"isolatedExpected({n}, {p})") == pytest.approx(isolated_expected(n, p))
        limit = float(isolated_none_limit(n * p - math.log(n)))
        assert run(f"noneIsolated({n}, {p})") == pytest.approx(limit)


@pytest.mark.parametrize("bound", ["sharp", "classic"])
def test_the_slingshot_is_that_of_the_theory(script: Script, bound: str) -> None:
    run = script("curves.js", "excess", "allowed", "reach", "sharp", "classic")
    for factor, theta, k in ((1.0, 0.05, 32), (10.0, 0.01, 32), (300.0, 0.02, 17)):
        shot = slingshot(
            PRESETS["hoffmann"], 7e9, 1.4e11, factor, theta, k, 0.1, 0.1, bounds=[bound]
        )
        ratio = run(f"excess(7e9, 1.4e11) / excess({factor} * 7e9, {factor} * 1.4e11)")
        assert ratio == pytest.approx(shot.ratio, rel=1e-12)
        later = run(f"reach({theta} / {ratio!r}, allowed({bound}, 0.1, 0.1, {k}))")
        assert later == pytest.approx(shot.reach[0].real_later, rel=1e-9)


@pytest.mark.parametrize("width", [390, 1280])
def test_the_pictures_follow_their_sliders(
    chrome: Any,
    show: Any,
    ladder_run: tuple[RunFolder, LabSummary],
    tmp_path: Any,
    width: int,
) -> None:
    from selenium.webdriver.common.keys import Keys

    page = write_page(ladder_run[0].path, tmp_path / "page.html")
    show(chrome, "about:blank", width, "dark")
    chrome.get_log("browser")
    show(chrome, page.as_uri(), width, "dark")

    def part(bench: str, rest: str) -> Any:
        return chrome.execute_script(f"return document.querySelector('[data-bench={bench}]'){rest}")

    def says(bench: str) -> str:
        return part(bench, ".querySelector('output').textContent")

    slider = part("graph", ".querySelector('input')")
    slider.send_keys(Keys.END)
    p = float(part("graph", ".querySelector('input').value"))
    assert "0 of 150 points without one" in says("graph")
    assert part("graph", ".querySelectorAll('.alone').length") == 0
    slider.send_keys(Keys.HOME)
    assert p > 0.07
    assert "150 of 150 points without one" in says("graph")
    assert part("graph", ".querySelectorAll('.alone').length") == 150

    aim = part("skills", ".querySelector('[name=alpha]')")
    aim.send_keys(Keys.HOME)
    assert says("skills").startswith("Luck: ")
    assert "40 of 40 skills stay competent" in says("skills")
    for _ in range(3):
        aim.send_keys(Keys.ARROW_RIGHT)
    assert says("skills").startswith("Malice: the 6 skills aimed at")
    # k different skills: a little under the bound for independent ones
    worst, bound = map(
        float, re.findall(r"fail in ([\d.]+) %.*graphs: ([\d.]+) %", says("skills"))[0]
    )
    assert 0.7 * bound < worst < 1.1 * bound

    shot = slingshot(PRESETS["hoffmann"], 7e9, 1.4e11, 10, 0.01, 32, 0.1, 0.1)
    sharp_reach = shot.reach[0]
    assert f"excess loss ÷ {shot.ratio:.2f}" in says("scale")
    assert f"k′ from {sharp_reach.joined_now} to {sharp_reach.joined_later}" in says("scale")
    assert chrome.execute_script("return document.documentElement.scrollWidth") <= width
    unnamed = "[...document.querySelectorAll('[data-bench] svg')].filter(e => !e.ariaLabel).length"
    assert chrome.execute_script(f"return {unnamed}") == 0
    assert chrome.get_log("browser") == []
