"""From graded texts to `summary.json`: every figure that the page shows, each with its interval.

Full marks, all skills and single marks are ratios over combinations (Wilson). The skill fraction,
and the share of skill marks (several to a text), are means with a bootstrap over combinations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from unparrot.core.estimate import CompetenceCurve, Estimate
from unparrot.core.grades import GradedText
from unparrot.core.skills import CRITERIA, SkillPack
from unparrot.lab.cells import SPLITS
from unparrot.lab.measure import DECODINGS, Cloze
from unparrot.lab.world import pretty
from unparrot.stats.intervals import bootstrap_mean, wilson

THRESHOLD: Final = 0.2
MIN_PAIR_PIECES: Final = 30
_EXAMPLES_EACH: Final = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """A model or parrot with all that was measured of it. Losses in nats per text token."""

    name: str
    kind: str
    texts: Sequence[GradedText]
    params: int | None = None
    tokens: int | None = None
    loss: float | None = None
    entropy: float | None = None
    layers: int | None = None
    width: int | None = None
    cloze: Sequence[Cloze] | None = None


def model_summary(measured: Measured, pack: SkillPack, seed: int) -> dict[str, Any]:
    """The entry of one model in `models`."""
    rng = np.random.default_rng(seed)
    groups: dict[tuple[int, str, str], list[GradedText]] = defaultdict(list)
    for text in measured.texts:
        groups[text.combination.k, text.split, text.decoding].append(text)
    cells = [
        {
            "k": k,
            "split": split,
            "decoding": decoding,
            "n": len(texts),
            **_cell(texts, rng),
        }
        for (k, split, decoding), texts in sorted(
            groups.items(),
            key=lambda item: (DECODINGS.index(item[0][2]), item[0][0], SPLITS.index(item[0][1])),
        )
    ]
    excess = None
    if measured.loss is not None and measured.entropy is not None:
        excess = measured.loss - measured.entropy
    return {
        "name": measured.name,
        "kind": measured.kind,
        "params": measured.params,
        "tokens": measured.tokens,
        "loss": measured.loss,
        "entropy": measured.entropy,
        "excess": excess,
        "layers": measured.layers,
        "width": measured.width,
        "cells": cells,
        "per_skill": _per_skill(measured.texts, pack),
        "saturation": {"threshold": THRESHOLD, "k": _saturation(groups)},
        "cloze": None if measured.cloze is None else _cloze(measured.cloze, pack),
    }


def _cell(texts: Sequence[GradedText], rng: np.random.Generator) -> dict[str, Any]:
    marks: dict[str, Any] = {"skills": _skill_marks(texts, rng).as_dict()}
    for criterion in CRITERIA:
        marks[criterion] = _ratio(t.marks[criterion].status == "earned" for t in texts).as_dict()
    return {
        "full_marks": _full_marks(texts).as_dict(),
        "all_skills": _ratio(t.all_skills is True for t in texts).as_dict(),
        "skill_fraction": bootstrap_mean(
            [0.0 if t.skill_fraction is None else t.skill_fraction for t in texts], rng
        ).as_dict(),
        "marks": marks,
    }


def _ratio(flags: Iterable[bool]) -> Estimate:
    values = list(flags)
    return wilson(sum(values), len(values))


def _full_marks(texts: Sequence[GradedText]) -> Estimate:
    return _ratio(t.full_marks is True for t in texts)


def _skill_marks(texts: Sequence[GradedText], rng: np.random.Generator) -> Estimate:
    shares = [
        sum(t.marks[s].status == "earned" for s in t.combination.skills) / t.combination.k
        for t in texts
    ]
    return bootstrap_mean(shares, rng)


def _per_skill(texts: Sequence[GradedText], pack: SkillPack) -> list[dict[str, Any]]:
    earned: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for text in texts:
        if text.decoding != "greedy":
            continue
        for skill in text.combination.skills:
            mark = text.marks[skill].status == "earned"
            earned[skill, text.split].append(mark)
            earned[skill, "all"].append(mark)
    return [
        {
            "skill": skill.name,
            "category": skill.category,
            "split": split,
            "earned": _ratio(earned[skill.name, split]).as_dict(),
        }
        for skill in pack.skills
        for split in ("all", *SPLITS)
        if (skill.name, split) in earned
    ]


def _saturation(groups: Mapping[tuple[int, str, str], Sequence[GradedText]]) -> int:
    points = tuple(
        (k, _full_marks(texts))
        for (k, split, decoding), texts in sorted(groups.items(), key=lambda item: item[0][0])
        if decoding == "greedy" and split in ("seen", "untrained_k")
    )
    return CompetenceCurve("", "", "greedy", "full_marks", points).largest_k(THRESHOLD)


def _cloze(pieces: Sequence[Cloze], pack: SkillPack) -> dict[str, Any]:
    """theta, and competence in the conservative accounting.

    A failed piece counts against all its skills. Pieces without a question do not count.
    """
    asked = [p for p in pieces if p.questions]
    skills: dict[str, list[bool]] = defaultdict(list)
    pairs: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for piece in asked:
        right = piece.wrong == 0
        names = sorted(piece.skills)
        for i, name in enumerate(names):
            skills[name].append(right)
            for other in names[i + 1 :]:
                pairs[name, other].append(right)
    return {
        "theta": _ratio(p.wrong > 0 for p in asked).as_dict(),
        "pieces": len(asked),
        "questions": sum(p.questions for p in asked),
        "wrong": sum(p.wrong for p in asked),
        "per_skill": [
            {"skill": name, "competence": _ratio(skills[name]).as_dict()}
            for name in pack.skill_names
            if name in skills
        ],
        "per_pair": [
            {"skills": list(pair), "competence": _ratio(right).as_dict()}
            for pair, right in sorted(pairs.items())
            if len(right) >= MIN_PAIR_PIECES
        ],
    }


def examples(models: Sequence[Measured], seed: int) -> list[dict[str, Any]]:
    """Greedy texts of every model and parrot, by seed: some with full marks, some without."""
    rng = np.random.default_rng(seed)
    chosen: list[dict[str, Any]] = []
    for measured in models:
        greedy = [t for t in measured.texts if t.decoding == "greedy" and t.combination.k > 1]
        for wanted in (True, False):
            pool = [t for t in greedy if bool(t.full_marks) is wanted]
            drawn: list[int] = rng.permutation(len(pool))[:_EXAMPLES_EACH].tolist()
            chosen += [_example(pool[i]) for i in sorted(drawn)]
    return chosen


def _example(text: GradedText) -> dict[str, Any]:
    return {
        "model": text.model,
        "decoding": text.decoding,
        "split": text.split,
        "k": text.combination.k,
        "topic": text.combination.topic,
        "skills": list(text.combination.skills),
        "text": pretty(text.text.split()),
        "marks": {name: mark.status == "earned" for name, mark in text.marks.items()},
        "full_marks": bool(text.full_marks),
        "trained_count": text.trained_count,
    }


def headline(models: Sequence[dict[str, Any]], trained_k: int) -> dict[str, Any]:
    """The finding in a sentence: the largest model on held-out pairs, beside the best parrot there.

    Which figure is told is fixed beforehand (the largest transformer, k = 2, held-out pairs,
    greedy), not chosen by its value.
    """
    transformers = [m for m in models if m["kind"] == "transformer"]
    best = transformers[-1]
    k, split = 2, "heldout_pair"
    found = _find(best, k, split)
    parrots = [(m, _find(m, k, split)) for m in models if m["kind"] == "parrot"]
    parrots = [(m, e) for m, e in parrots if e is not None and e["value"] is not None]
    if found is None or found["value"] is None or not parrots:
        return {
            "sentence": (
                "The run measured no held-out pairs for both a model and a parrot, "
                "so it shows nothing."
            ),
            "model": best["name"],
            "k": k,
            "split": split,
            "estimate": found,
            "parrot": None,
        }
    parrot, rival = max(parrots, key=lambda pair: pair[1]["value"])
    beyond = _find(best, trained_k + 1, "untrained_k")
    more = ""
    if beyond is not None and beyond["value"] is not None:
        more = (
            f", and {_percent(beyond)} with {trained_k + 1} skills at once, more than any text it"
            " was trained on holds"
        )
    sentence = (
        f"A transformer of {_count(best['params'])} parameters earns full marks on"
        f" {_percent(found)} of the pairs of skills that it never saw together{more}; the better"
        " of the parrots earns"
        f" {_percent(rival)} on the same pairs."
    )
    return {
        "sentence": sentence,
        "model": best["name"],
        "k": k,
        "split": split,
        "estimate": found,
        "parrot": {"name": parrot["name"], "estimate": rival},
    }


def _find(model: Mapping[str, Any], k: int, split: str) -> dict[str, Any] | None:
    for cell in model["cells"]:
        if (cell["k"], cell["split"], cell["decoding"]) == (k, split, "greedy"):
            return cell["full_marks"]
    return None


def _percent(estimate: Mapping[str, Any]) -> str:
    value, low, high = (100 * estimate[key] for key in ("value", "low", "high"))
    return f"{value:.0f} % ({low:.0f} to {high:.0f})"


def _count(n: int) -> str:
    return f"{n / 1e6:.1f} million" if n >= 1_000_000 else f"{round(n, -3):,}"
