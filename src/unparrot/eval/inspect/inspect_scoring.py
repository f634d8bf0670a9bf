"""Scores of a text as Inspect sees them, the same in the task and in the logs of runs.

A score holds the three metrics of the protocol. What unscored marks leave open is NaN there, which
Inspect takes for unscored and leaves out of every mean; a text with all three open is unscored as
a whole, with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from inspect_ai.scorer import Score

from unparrot.core.grades import GradedText, Mark
from unparrot.core.skills import LENGTH, SkillCombination, SkillPack
from unparrot.packs.prompts import PromptSet
from unparrot.packs.reading import public_part

METRICS: Final = ("full_marks", "all_skills", "skill_fraction")
SCORER: Final = "skillmix_marks"
TEXT: Final = "skillmix text"
NO_TEXT: Final = "skillmix no text"
"""What the solver leaves in the store of a sample: the text, or why there is none."""

_SIGNS: Final = {"earned": "1", "missed": "0", "unscored": "?"}
_STUDENT: Final = {
    "refused": "refusal",
    "empty reply": "no_response",
    "empty answer": "no_response",
}
"""Inspect's words for why a student has no text, where it has one; else its reply is in no form
that was asked for."""


def sample_id(k: int, place: int) -> str:
    """Return the id of the sample of a combination; ``place`` in the draw counts from 0.

    Examples
    --------
    >>> sample_id(3, 0)
    'k3-00001'
    """
    return f"k{k}-{place + 1:05}"


def sample_metadata(combination: SkillCombination, place: int) -> dict[str, Any]:
    """Return what a sample asks for, as its metadata say it."""
    topic, skills = combination.topic, list(combination.skills)
    return {"k": combination.k, "topic": topic, "skills": skills, "place": place}


def task_metadata(pack: SkillPack, prompts: PromptSet, private: bool, seed: int) -> dict[str, Any]:
    """Return what identifies the test, as the metadata of a log say it."""
    metadata: dict[str, Any] = {
        "protocol": "SKILL-MIX",
        "pack": public_part(pack, private),
        "prompts": {
            "name": prompts.name,
            "version": prompts.version,
            "digest": prompts.digest,
        },
        "combinations_seed": seed,
        "private": private,
    }
    if private:
        metadata["warning"] = (
            "the pack is private, and this log holds its skills: do not publish it"
        )
    return metadata


def score_of(text: GradedText, no_text: str, gradings: Sequence[Mapping[str, Any]]) -> Score:
    """Return the score of a text.

    Parameters
    ----------
    text
        With the marks that count.
    no_text
        Why there is no text; empty if there is one.
    gradings
        One for each round: ``round`` and ``marks`` (`Mark` by criterion), and whatever else is to
        be kept of it as plain data.

    Returns
    -------
    Score
        ``value``: full_marks, all_skills and skill_fraction, in [0, 1] or NaN. ``metadata``:
        ``marks``, what counts, and ``gradings``, what each round said. ``reason`` is Inspect's word
        for why something is open, None if nothing is.
    """
    shares = {name: getattr(text, name) for name in METRICS}
    kept: dict[str, Any] = {
        "answer": text.text or None,
        "explanation": _explanation(text, no_text, gradings),
        "metadata": {
            "marks": _plain(text.marks),
            "gradings": [{**given, "marks": _plain(given["marks"])} for given in gradings],
        },
    }
    open_ = [name for name, value in shares.items() if value is None]
    reason = None
    if no_text and no_text.startswith("no reply"):
        reason = "no_response"
    elif no_text:
        reason = _STUDENT.get(no_text, "invalid_response_format")
    elif open_:
        reason = "grader_failed"
    if len(open_) == len(METRICS):
        return Score.unscored(reason=reason, **kept)
    value = {name: math.nan if shares[name] is None else float(shares[name]) for name in METRICS}
    return Score(value=value, reason=reason, **kept)


def _plain(marks: Mapping[str, Mark]) -> dict[str, str]:
    """Marks as texts: earned, missed, or unscored with the reason."""
    return {
        name: f"{mark.status}: {mark.reason}" if mark.reason else mark.status
        for name, mark in marks.items()
    }


def _explanation(text: GradedText, no_text: str, gradings: Sequence[Mapping[str, Any]]) -> str:
    """All marks for people, a line each, with what every round said."""
    if no_text:
        return f"No text to mark: {no_text}."
    lines: list[str] = []
    for name, mark in _plain(text.marks).items():
        rounds = " ".join(_SIGNS[given["marks"][name].status] for given in gradings)
        source = "counted by program" if name == LENGTH else f"rounds: {rounds or 'none'}"
        lines.append(f"- {name}: {mark} ({source})")
    return "\n".join(lines)
