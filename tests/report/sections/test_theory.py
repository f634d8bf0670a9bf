"""The sections on the theory and on composition, from figures that the analysis really makes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from unparrot.analysis.model.composition import composition_gaps
from unparrot.analysis.read.outcomes import outcomes_of
from unparrot.analysis.theory.emergence import emergence
from unparrot.analysis.theory.prediction import theory_summary
from unparrot.core.grades import EARNED, MISSED, GradedText
from unparrot.core.skills import SkillCombination
from unparrot.report.page import write_page
from unparrot.report.words.theory_words import emergence_statement, theory_findings

SKILLS = [f"skill {i}" for i in range(8)]
NAMES = ("9k", "37k", "83k", "443k")
FIGURES = (
    "performance-1",
    "performance-2",
    "errors-by-excess",
    "slingshot",
    "growth",
    "composition-seen",
    "composition-heldout-pair",
)


def texts(model: str, rate: float, rng: np.random.Generator) -> list[GradedText]:
    made: list[GradedText] = []
    for k in range(1, 7):
        for split in ("seen" if k < 5 else "untrained_k", "heldout_pair")[: 1 + (k > 1)]:
            for topic in range(30):
                same = np.random.default_rng([k, topic])  # for every model
                skills = tuple(same.choice(SKILLS, k, replace=False).tolist())
                marks = {s: EARNED if rng.random() < rate else MISSED for s in skills}
                marks |= dict.fromkeys(("topic", "sense", "length"), EARNED)
                asked = SkillCombination(f"topic {topic}", skills)
                made.append(GradedText(asked, "", marks, model, split, "greedy", 0, 0))
    return made


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    """What the analysis says of four made-up models whose failures do not look at the skills."""
    rng = np.random.default_rng(7)
    outcomes = outcomes_of([t for i, m in enumerate(NAMES) for t in texts(m, 0.5 + i / 6.5, rng)])
    models = pl.DataFrame(
        {
            "name": NAMES,
            "params": [9_000, 37_000, 83_000, 443_000],
            "loss": [0.9, 0.5, 0.35, 0.28],
            "entropy": [0.25] * 4,
        }
    )
    rows = [
        (name, i, rng.choice(SKILLS, int(rng.integers(1, 5)), replace=False).tolist(), 20, 2)
        for name in NAMES
        for i in range(400)
    ]
    cloze = pl.DataFrame(
        rows, schema=["model", "piece", "skills", "tokens", "questions"], orient="row"
    )
    chance = np.repeat([0.5, 0.3, 0.1, 0.05], 400)
    failed = pl.Series("wrong", (rng.random(1600) < chance).astype(np.int64))
    return {
        "theory": theory_summary(models, cloze.with_columns(failed), outcomes, 0.2, 1),
        "gaps": {
            name: composition_gaps(outcomes.filter(pl.col("model") == name), seed=1)
            for name in NAMES
        },
        "emergence": [emergence(outcomes, NAMES, k=2, split="seen", seed=1)],
    }


@pytest.fixture
def page(
    figures: dict[str, Any],
    fake_summary: dict[str, Any],
    fake_run: Callable[..., Path],
    tmp_path: Path,
) -> Path:
    plain = msgspec.to_builtins(figures, str_keys=True)
    fake_summary |= {name: plain[name] for name in ("theory", "emergence")}
    for model in fake_summary["models"]:
        model["composition"] = plain["gaps"].get(model["name"], [])
    return write_page(fake_run(tmp_path, fake_summary))


def test_every_figure_is_drawn_and_says_what_it_shows(page: Path) -> None:
    html = page.read_text()
    for name in FIGURES:
        assert f'data-figure="{name}"' in html
        assert (page.parent / "figures" / f"{name}.png").stat().st_size > 5000
    alts = re.findall(r'aria-label="([^"]*(?:Line|Dot) chart: [^"]+)"', html)
    assert sum("443k" in words for words in alts) >= len(FIGURES)


def test_the_findings_are_told_as_the_analysis_found_them(
    page: Path, figures: dict[str, Any]
) -> None:
    found = theory_findings(figures["theory"])
    assert any(s.startswith("No measured curve lies above the sharp bound") for s in found)
    assert any("the theory assumes 1" in s for s in found)
    for sentence in (*found, emergence_statement(figures["emergence"][0])):
        assert sentence.replace("'", "&#x27;") in page.read_text()


def test_luck_is_not_taken_for_malice(figures: dict[str, Any]) -> None:
    curves = figures["theory"].curves
    assert {(c.model, c.tuple_size) for c in curves} == {
        (name, size) for name in NAMES for size in (1, 2)
    }
    # eight tests of true nulls: the smallest p is under 0.001 with a chance of 0.8 %
    assert min(c.p_value for c in curves) > 0.001


def test_a_run_without_them_has_no_such_section(fake_page: Path) -> None:
    html = fake_page.read_text()
    for anchor in ("theory", "composition", "certificate"):
        assert f'id="{anchor}"' not in html


def test_what_logarithmic_axes_cannot_show_is_not_drawn_empty(
    figures: dict[str, Any],
    fake_summary: dict[str, Any],
    fake_run: Callable[..., Path],
    tmp_path: Path,
) -> None:
    part = msgspec.to_builtins(figures["theory"], str_keys=True)
    for point in part["joint"]:
        point["exponent"] = None if point["model"] == "9k" else 0.0
    for point in part["errors"]["points"]:
        point |= {"excess": -0.1, "limit": None}
    part["growth"] |= {"points": [], "start": None}
    html = write_page(fake_run(tmp_path, fake_summary | {"theory": part})).read_text()
    assert 'data-figure="performance-1"' in html
    for name in ("slingshot", "errors-by-excess", "growth"):
        assert f'data-figure="{name}"' not in html


def test_growth_beyond_what_was_tested_is_told_as_such(page: Path, figures: dict[str, Any]) -> None:
    beyond = [p.model for p in figures["theory"].growth.points if p.beyond]
    assert beyond
    words = re.search(r'aria-label="([^"]*How k grows[^"]+)"', page.read_text())
    assert words
    assert f"≥ {beyond[-1]}: 6 at " in words[1]
