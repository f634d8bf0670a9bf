"""A made-up run with values that are obviously synthetic: for tests of the page only."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

from unparrot.analysis.between.leaderboard import leaderboard
from unparrot.analysis.read.protocol import Side
from unparrot.analysis.schema import VERSION
from unparrot.analysis.study.study_summary import write_summary
from unparrot.analysis.summary import analyze
from unparrot.packs.reading import load_pack
from unparrot.report.page import write_page
from unparrot.report.page_leaderboard import leaderboard_html
from unparrot.report.page_study import write_study_page

HOSTILE = '<script>document.title="owned"</script> & "quoted" <img src=http://bad.example/x.png>'
SIZES = {"9k": 9_000, "37k": 37_000, "83k": 83_000, "443k": 443_000}
PARROTS = ("5-gram", "splice")
SPLIT_FROM = {"seen": 1, "heldout_topic": 1, "heldout_pair": 2, "heldout_triple": 3}
SKILLS = {
    "logical": ("modus ponens", "modus tollens", "disjunctive syllogism", "transitive order"),
    "reasoning": ("arithmetic", "statistical syllogism", "cause and effect"),
    "rhetorical": ("alliteration", "rhetorical question", "red herring"),
    "literary": ("metaphor", "simile"),
    "theory of mind": ("false belief", "self serving bias"),
    "physical": ("folk physics", "space"),
}


def estimate(value: float | None, n: int = 200) -> dict[str, Any]:
    """Make an estimate with an interval of a plausible width."""
    if value is None:
        return {"value": None, "low": None, "high": None, "level": 0.95, "method": "none", "n": 0}
    value = round(min(1.0, max(0.0, value)), 4)
    half = 1.96 * math.sqrt(max(value * (1 - value), 0.002) / n)
    low, high = round(max(0.0, value - half), 4), round(min(1.0, value + half), 4)
    return {"value": value, "low": low, "high": high, "level": 0.95, "method": "wilson", "n": n}


def bounded(value: float | None, n: int = 200) -> dict[str, Any]:
    """Make an estimate beside which nothing is unscored."""
    return {**estimate(value, n), "unscored": 0, "worst": None, "best": None}


def rate_of(model: int, parrot: bool) -> float:
    """Success of one skill: it grows with the place in the ladder."""
    return 0.12 + 0.02 * model if parrot else (0.35, 0.72, 0.86, 0.95)[model]


def model(index: int, name: str, kind: str) -> dict[str, Any]:
    """Make one entry of ``models``."""
    parrot = kind == "parrot"
    rate = rate_of(index, parrot)
    cells = []
    for decoding, factor in (("greedy", 1.0), ("t0.7", 0.9)):
        for k in range(1, 7):
            splits = [s for s, first in SPLIT_FROM.items() if k >= first]
            if k > 4:
                splits = [s for s in splits if s != "seen"] + ["untrained_k"]
            for split in splits:
                cost = 0.9 if split in ("heldout_pair", "heldout_triple") else 1.0
                full = factor * cost * rate**k
                cells.append(
                    {
                        "model": name,
                        "k": k,
                        "split": split,
                        "decoding": decoding,
                        "n": 200,
                        "combinations": 200,
                        "unscored": 0,
                        "full_marks": bounded(full),
                        "all_skills": bounded(full + 0.02),
                        "skill_fraction": bounded(0.97 * rate ** (1 + 0.1 * k) * factor),
                        "marks": {
                            "skills": bounded(rate),
                            "topic": bounded(0.99),
                            "sense": bounded(0.98),
                            "length": bounded(0.97),
                        },
                    }
                )
    per_skill = [
        {
            "model": name,
            "skill": skill,
            "category": category,
            "split": split,
            "earned": bounded(
                rate ** (1 + (place % 4) / 2) * (1 if split != "heldout_pair" else 0.9)
            ),
        }
        for category, names in SKILLS.items()
        for place, skill in enumerate(names)
        for split in ("all", "seen", "heldout_pair")
    ]
    excess = None if parrot else (0.5071, 0.1182, 0.0493, 0.0291)[index]
    return {
        "name": name,
        "kind": kind,
        "params": None if parrot else SIZES[name],
        "tokens": 3_000_000,
        "loss": None if excess is None else round(0.476 + excess, 4),
        "entropy": 0.476,
        "excess": excess,
        "layers": None if parrot else 3,
        "width": None if parrot else (16, 32, 48, 128)[index],
        "cells": cells,
        "per_skill": per_skill,
        "cloze": None
        if parrot
        else {
            "theta": estimate(0.6 / (1 + 2 * index), 4000),
            "pieces": 4000,
            "questions": 8000,
            "wrong": 900,
            "per_skill": {skill: estimate(rate) for names in SKILLS.values() for skill in names},
        },
    }


def examples() -> list[dict[str, Any]]:
    """Make example texts: success, failure, unscored, hostile and empty."""
    good = (
        "if the gardener waters the roses , she smiles . she waters them , so she smiles , "
        "bright as a bell in a busy , buzzing border ."
    )
    rows = []
    for i, (text, full) in enumerate(
        [(good, True), ("the knot is is is a knot .", False), (HOSTILE, False), ("", None)]
    ):
        skills = ["modus ponens", "alliteration", "simile"][: 1 + i % 3]
        marks: dict[str, bool | None] = dict.fromkeys([*skills, "topic", "sense", "length"], True)
        if full is False:
            marks["sense"] = False
        if full is None:
            marks["topic"] = None
        rows.append(
            {
                "model": ("443k", "9k", "5-gram", "83k")[i],
                "decoding": ("greedy", "t0.7")[i % 2],
                "split": ("heldout_pair", "seen", "untrained_k", "seen")[i],
                "k": len(skills),
                "topic": "gardening",
                "skills": skills,
                "text": text,
                "marks": marks,
                "full_marks": full,
                "text_id": f"{i:016x}",
                "trained_count": (0, 17, 1, None)[i],
            }
        )
    return rows


def summary() -> dict[str, Any]:
    """Make a whole summary."""
    models = [model(i, name, "transformer") for i, name in enumerate(SIZES)]
    models += [model(i, name, "parrot") for i, name in enumerate(PARROTS)]
    return {
        "type": "lab",
        "version": VERSION,
        "budget": "standard",
        "seed": 1,
        "world": {
            "skills": 16,
            "topics": 20,
            "entropy": 0.476,
            "heldout_pairs": 36,
            "heldout_pairs_of": 120,
            "max_k": 4,
        },
        "models": models,
        "growth": {
            "models": [],
            "predicted": -1.0,
            "margin": 0.15,
            "verdict": "not measured",
            **dict.fromkeys(
                ("exponent", "halved", "scale", "c", "reference", "by_params", "by_tokens")
            ),
            "tokens_at_equal_excess": None,
        },
        "certificate": None,
        "theory": None,
        "examples": examples(),
        "headline": {
            "model": "443k",
            "k": 3,
            "split": "heldout_pair",
            "estimate": bounded(0.733),
            "parrot": {"name": "splice", "estimate": bounded(0.001)},
        },
    }


def manifest() -> dict[str, Any]:
    """Make a manifest."""
    return {
        "spec": {"budget": "standard", "sizes": list(SIZES), "note": HOSTILE},
        "command": "unparrot demo --seed 1",
        "seed": 1,
        "versions": {"python": "3.11", "unparrot": "0.1.0"},
        "digests": {"pack": "ab" * 32},
        "timings": {"corpus": 4.2, "train": 215.0, "measure": 61.5},
        "machine": {"cores": 2, "gpu": None},
    }


def training() -> pl.DataFrame:
    """Make training curves that fall to each model's loss."""
    rows = [
        {
            "model": name,
            "step": step,
            "tokens": 2048 * step,
            "split": split,
            "loss": 0.476 + (0.5071, 0.1182, 0.0493, 0.0291)[i] + 6.0 * math.exp(-step / 90),
            "seconds": 0.1 * step,
        }
        for i, name in enumerate(SIZES)
        for step in range(0, 1500, 50)
        for split in ("train", "valid")
    ]
    return pl.DataFrame(rows)


def write_fake_run(folder: Path, changed: dict[str, Any] | None = None) -> Path:
    """Write the made-up run; ``changed`` takes the place of the summary."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").write_text(json.dumps(changed or summary()))
    (folder / "manifest.json").write_text(json.dumps(manifest()))
    training().write_parquet(folder / "training.parquet")
    return folder


@pytest.fixture
def fake_summary() -> dict[str, Any]:
    """A fresh summary of the made-up run, to be changed at will."""
    return summary()


@pytest.fixture
def fake_run() -> Callable[..., Path]:
    """Writes the made-up run into a folder: ``fake_run(folder, summary)``."""
    return write_fake_run


@pytest.fixture(scope="session")
def fake_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the unchanged made-up run, written once; for tests that only read."""
    return write_page(write_fake_run(tmp_path_factory.mktemp("fake") / "run"))


@pytest.fixture(scope="session")
def pages(
    ladder_run: tuple[Any, Any],
    ladder_runs: ModuleType,
    skillmix_runs: ModuleType,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    """A page of each kind: of a run of the lab, of language models, of a study, a leaderboard."""
    folder = tmp_path_factory.mktemp("pages")
    models = skillmix_runs.fabricate(folder / "skillmix", load_pack("language.en"))
    analyze(models)
    ladder_runs.write_ladder_study(folder / "study", seeds=(1, 2, 3), combinations=20)
    board = folder / "board.html"
    board.write_text(leaderboard_html(leaderboard([Side(models, None)])), "utf-8")
    return {
        "lab": write_page(ladder_run[0].path, folder / "lab" / "report.html"),
        "skillmix": write_page(models),
        "study": write_study_page(folder / "study", write_summary(folder / "study", folder)),
        "leaderboard": board,
    }


@pytest.fixture
def hostile() -> str:
    """Text that does harm to a page which does not escape it."""
    return HOSTILE


# --- accessibility, as axe-core checks it -----------------------------------------------------

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CHECK = """
const [rules, within, done] = arguments;
axe.run(within, { runOnly: rules, resultTypes: ["violations"] }).then((result) => done(
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


def _violations(chrome: Any, within: str = "html") -> list[list[str]]:
    chrome.set_script_timeout(120)
    chrome.execute_script(FEWER)
    chrome.execute_script(axe())
    return chrome.execute_async_script(CHECK, RULES, within)


@pytest.fixture
def violations() -> Callable[..., list[list[str]]]:
    """What of WCAG 2.2 AA an open page violates, or its part of a selector."""
    return _violations
