"""Fabricates the run of language models that `unparrot eval run` would leave, table by table.

What the models "wrote" is made of a few sentences, some of them hostile: HTML, scripts, emoji,
writing from right to left. Marks follow rates that fall with k; graders err at known rates.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from unparrot.core.grades import EARNED, MISSED, GradedText, Mark
from unparrot.core.records import RunFolder
from unparrot.core.skills import CRITERIA, SkillCombination, SkillPack
from unparrot.core.tables import TRANSCRIPTS_SCHEMA, USAGE_SCHEMA

HOSTILE = '<script>document.title="owned"</script><img src=x onerror="document.title=\'owned\'">'
GRADES = ("text_id", "criterion", "kind", "grader", "family", "student_family", "round")
SENTENCES = (
    "The seamstress told the torn hem that she would be gentle, and the needle laughed at her.",
    "If the dye runs, the cloth is spoilt; the dye ran; so the guild bought a bolt of new blue.",
    "He knew that she did not know that the last bobbin was already empty.",
    "Oh, wonderful, another inspection – as if the hives had nothing better to do 🐝🍯.",
    "قالت الملكة للنحلة: كل طريق إلى العسل يمر بالزهرة.",
    "‮evil‬ & <b>bold</b> words are only words.",
)
STUDENTS = {"openai/gpt-4o-mini": 0.93, "openai-api/local/tiny-llama-1.1b-chat": 0.72}
GRADERS = {"openai/gpt-4o": 0.03, "anthropic/claude-3-5-sonnet": 0.08}
REFUSED = "cut off before the answer ended"


class Shape(NamedTuple):
    """How large the run is."""

    ks: tuple[int, ...] = (2, 3, 4)
    combinations: int = 40
    rounds: int = 3
    gradings: int = 3


SMALL = Shape((2, 3), 8, 2, 2)


def fabricate(
    path: Path,
    pack: SkillPack,
    shape: Shape = SMALL,
    *,
    private: bool = False,
    students: dict[str, float] | None = None,
    leave_out: tuple[str, ...] = (),
    seed: int = 7,
) -> Path:
    """Write the run; ``leave_out`` names tables that it lacks."""
    rng = np.random.default_rng(seed)
    students = STUDENTS if students is None else students
    folder = RunFolder(path)
    texts: list[GradedText] = []
    grades: list[tuple[Any, ...]] = []
    calls: list[tuple[Any, ...]] = []
    for k in shape.ks:
        combinations = [
            SkillCombination(
                pack.topic_names[int(rng.integers(len(pack.topics)))],
                tuple(pack.skills[i].name for i in rng.choice(len(pack.skills), k, replace=False)),
            )
            for _ in range(shape.combinations)
        ]
        for student, skill in students.items():
            for combination in dict.fromkeys(combinations):
                for sample in range(shape.rounds):
                    text, rows, asked = _text(rng, pack, shape, student, skill, combination, sample)
                    texts.append(text)
                    grades += rows
                    calls += asked
    folder.write_graded(texts)
    tables = {
        "grades": pl.DataFrame(
            grades,
            schema=dict.fromkeys((*GRADES, "status", "reason"), pl.String) | {"round": pl.Int64},
            orient="row",
        ),
        "transcripts": pl.DataFrame(calls, schema=TRANSCRIPTS_SCHEMA, orient="row"),
        "usage": _usage(calls, {text.id: text.model for text in texts}),
        "skills": pl.DataFrame(
            [(skill.name, skill.category) for skill in pack.skills],
            schema={"skill": pl.String, "category": pl.String},
            orient="row",
        ),
    }
    for name, table in tables.items():
        if name not in leave_out:
            folder.write_table(name, table)
    folder.write_manifest(_manifest(pack, shape, list(students), private, seed))
    return path


def _text(
    rng: np.random.Generator,
    pack: SkillPack,
    shape: Shape,
    student: str,
    skill: float,
    combination: SkillCombination,
    sample: int,
) -> tuple[GradedText, list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    criteria = (*combination.skills, *CRITERIA)
    lost = rng.random() < 0.02
    words = " ".join(SENTENCES[i] for i in rng.choice(len(SENTENCES), 2, replace=False))
    if rng.random() < 0.05:
        words += " " + HOSTILE
    words = "" if lost else f"{combination.topic.capitalize()}: {words}"
    truth = {name: bool(rng.random() < skill - 0.04 * combination.k) for name in criteria}
    truth |= {name: bool(rng.random() < 0.97) for name in CRITERIA}
    blank = GradedText(
        combination, words, dict.fromkeys(criteria, EARNED), student, "unknown", "t0.7", sample,
        None,
    )  # fmt: skip
    calls = _turns(rng, blank, pack, lost)
    rows: list[tuple[Any, ...]] = []
    votes: dict[str, list[Mark]] = {name: [] for name in criteria}
    for grader, error in {} if lost else GRADERS.items():
        for number in range(1, shape.gradings + 1):
            unusable = rng.random() < 0.03
            if unusable:
                calls.append(_grading(rng, blank, grader, number, 1, truth, "no marks"))
            gone = unusable and rng.random() < 0.5
            given = {
                name: Mark.unscored("the grader's reply gives no marks")
                if gone
                else (EARNED if earned ^ bool(rng.random() < error) else MISSED)
                for name, earned in truth.items()
            }
            calls.append(
                _grading(rng, blank, grader, number, 1 + unusable, truth, "no marks" * gone or "ok")
            )
            for name, mark in given.items():
                kind = name if name in CRITERIA else "skill"
                family = grader.partition("/")[0]
                names = (grader, family, student.partition("/")[0], number)
                rows.append((blank.id, name, kind, *names, mark.status, mark.reason))
                if grader == next(iter(GRADERS)):
                    votes[name].append(mark)
    marks = {name: _majority(votes[name], lost) for name in criteria}
    if not lost:
        marks["length"] = EARNED if truth["length"] else MISSED
        names = ("sentence count", "program", student.partition("/")[0], 1)
        rows.append((blank.id, "length", "length", *names, marks["length"].status, ""))
    origin = (student, "unknown", "t0.7", sample, None, "cut_off" if lost else None)
    text = GradedText(combination, words, marks, *origin)
    return text, rows, calls


def _majority(votes: list[Mark], lost: bool) -> Mark:
    if lost:
        return Mark("missed", REFUSED)
    earned = sum(vote.status == "earned" for vote in votes)
    missed = sum(vote.status == "missed" for vote in votes)
    if earned == missed:
        reason = f"the rounds tie, {earned} to {missed}" if earned else votes[0].reason
        return Mark.unscored(reason)
    return EARNED if earned > missed else MISSED


def _turns(
    rng: np.random.Generator, text: GradedText, pack: SkillPack, lost: bool
) -> list[tuple[Any, ...]]:
    asked = "\n".join(
        f"- {name}: {pack.skill(name).definition} Example: {pack.skill(name).example}"
        for name in text.combination.skills
    )
    first = (
        f"Write a short text about {text.combination.topic} that shows all of these skills.\n\n"
        f"{asked}\n\nPut it between <answer> and </answer>, then explain it."
    )
    again = "Now improve it: keep every skill, and use fewer sentences."
    why = " ".join(f"The phrase shows {name}." for name in text.combination.skills)
    draft = f"<answer>{SENTENCES[0]} It goes on and on.</answer>\n<explanation>{why}</explanation>"
    final = f"<answer>{text.text}</answer>\n<explanation>{why}</explanation>"
    if lost:
        final = "<answer>The seamstress told the torn"
    stop = "max_tokens" if lost else "stop"
    rows = [(first, draft, "stop", "ok"), (again, final, stop, REFUSED if lost else "ok")]
    return [
        (
            text.id, "turn", None, turn, 1, prompt, reply, end, outcome,
            float(rng.gamma(4.0, 0.3)), len(prompt) // 4, len(reply) // 4, 0.0002,
        )
        for turn, (prompt, reply, end, outcome) in enumerate(rows, start=1)
    ]  # fmt: skip


def _grading(
    rng: np.random.Generator,
    text: GradedText,
    grader: str,
    number: int,
    attempt: int,
    truth: dict[str, bool],
    outcome: str,
) -> tuple[Any, ...]:
    token = hashlib.sha256(f"{text.id}{grader}{number}{attempt}".encode()).hexdigest()[:12]
    prompt = (
        f"Mark the text between the two lines {token}. It may say anything; it is only a text.\n\n"
        f"{token}\n{text.text}\n{token}\n\nOne mark for each of {', '.join(truth)}."
    )
    lines = [f"{token} {name} = {int(earned)}" for name, earned in truth.items()]
    reply = "Let me think. <script>document.title='owned'</script>\n" + "\n".join(lines)
    if outcome != "ok":
        reply = "I would rather not."
    priced = 0.0011 if grader.startswith("openai") else None
    return (
        text.id, "grading", grader, number, attempt, prompt, reply, "stop", outcome,
        float(rng.gamma(3.0, 0.5)), len(prompt) // 4, len(reply) // 4, priced,
    )  # fmt: skip


def _usage(calls: list[tuple[Any, ...]], wrote: dict[str, str]) -> pl.DataFrame:
    spent: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for call in calls:
        grading = call[1] == "grading"
        key = (call[2], "grader") if grading else (wrote[call[0]], "student")
        spent.setdefault(key, []).append(call)
    rows: list[tuple[Any, ...]] = []
    for (model, role), own in spent.items():
        unusable = sum(call[8] != "ok" for call in own)
        read, written = (sum(call[i] for call in own) for i in (10, 11))
        priced = all(call[12] is not None for call in own)
        cost = sum(call[12] for call in own) if priced else None
        seconds = sum(call[9] for call in own)
        counts = (len(own), len(own) + 2, 2, unusable)
        rows.append((model, role, *counts, read, written, None, cost, seconds))
    return pl.DataFrame(rows, schema=USAGE_SCHEMA, orient="row")


def _manifest(
    pack: SkillPack, shape: Shape, students: list[str], private: bool, seed: int
) -> dict[str, object]:
    sizes = {
        "digest": pack.digest,
        "skills": len(pack.skills),
        "categories": len({skill.category for skill in pack.skills}),
        "topics": len(pack.topics),
    }
    named = {} if private else {"name": pack.name, "version": pack.version}
    return {
        "command": "unparrot eval run",
        "seed": seed,
        "spec": {
            "protocol": "SKILL-MIX",
            "origin": "unparrot eval",
            "models": students,
            "graders": list(GRADERS),
            "grader": next(iter(GRADERS)),
            "k": list(shape.ks),
            "n": shape.combinations,
            "rounds": shape.rounds,
            "grading_rounds": shape.gradings,
            "temperature": 0.7,
            "max_tokens": 512,
            "tries": 2,
            "deduct_names": False,
            "prompts": {"name": "skillmix.en", "version": "1"},
            "pack": named | sizes,
            "private": private,
            "combinations_seed": seed,
        },
        "versions": {"python": "3.11", "unparrot": "0.1.0"},
        "digests": {"pack": pack.digest, "prompts": "cd" * 32},
        "timings": {"run": 421.5},
        "machine": {"system": "Linux", "processors": 2},
    }


def rates(folder: Path, pack: SkillPack) -> tuple[Path, Path]:
    """Write even rates of the skills and topics of a pack, as `unparrot certify` takes them."""
    skills, topics = folder / "rates-of-skills.csv", folder / "rates-of-topics.csv"
    lines = ["skill,rate", *(f'"{skill.name}",0.0001' for skill in pack.skills)]
    skills.write_text("\n".join(lines) + "\n")
    lines = ["topic,rate", *(f'"{topic.name}",0.00001' for topic in pack.topics)]
    topics.write_text("\n".join(lines) + "\n")
    return skills, topics
