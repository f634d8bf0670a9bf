"""`unparrot world`: list, sample and grade the texts of the synthetic world, and its entropy."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import click

from unparrot.cli.command import JSON, argument, command, option
from unparrot.cli.output import Answer, Table, table
from unparrot.cli.values import POSITIVE, SEED, Count, Span
from unparrot.core.errors import BadInput, did_you_mean
from unparrot.core.inputs import names_in, read_lines, shown

if TYPE_CHECKING:
    from unparrot.core.skills import SkillCombination, SkillPack
    from unparrot.lab.world.english import World

_SEED = option("Seed of the draw.", SEED, default=1)


@click.group(
    epilog="""\b
Example:
  unparrot world sample --k 3 --json | unparrot world grade -
"""
)
def world() -> None:
    """Look into the world that the lab's models are trained on: its texts, grader and entropy."""


@command("list", group=world)
def list_command() -> Answer:
    """List the skills (name, category, definition, an example text) and the topics.

    Example:
      unparrot world list --json
    """
    pack = _world().pack
    topics = f"{len(pack.topics)} topics: {', '.join(pack.topic_names)}"
    skills = [
        {"skill": s.name, "category": s.category, "definition": s.definition, "example": s.example}
        for s in pack.skills
    ]
    return Answer(pack.as_dict(), [table(skills)], [f"{len(pack.skills)} skills; {topics}"])


@command(group=world)
def sample(
    k: int | None = option(
        "Skills in a text.  [default: as many as --skill names, or 3]", POSITIVE
    ),
    n: int = option("Number of texts.", POSITIVE, default=5),
    topic: str | None = option("Topic of every text.  [default: drawn for each]"),
    skills: tuple[str, ...] = option(
        "A skill of every text; may be repeated. The others of the k are drawn and come after.",
        None,
        "--skill",
    ),
    seed: int = _SEED,
    as_json: bool = JSON,
) -> None:
    """Draw texts on skills and topics drawn at random, each as likely as any other.

    The same seed gives the same texts, and more of them (--n) begin with those of fewer. With
    --json each line is an object {"topic", "about", "skills", "text"}, which `unparrot world
    grade` reads.

    Examples:
      unparrot world sample --k 3 --n 5 --seed 1 --json
      unparrot world sample --topic sewing --skill "modus ponens" --skill metaphor
    """
    place = _world()
    check_names(place.pack, () if topic is None else (topic,), skills)
    k = k or len(skills) or 3
    if k < len(skills):
        raise BadInput(f"--skill names {len(skills)}, more than --k {k}; raise --k")
    rng = Random(seed)
    for _ in range(n):
        combination = place.draw(rng, k, topic, skills)
        situation = place.draw_situation(combination.topic, rng.random)
        text = place.sample(combination, rng.random, situation).pretty
        about, names = " ".join(situation.words), combination.skills
        if as_json:
            named = {"topic": combination.topic, "about": about, "skills": names, "text": text}
            click.echo(json.dumps(named))
        else:
            click.echo(f"{combination.topic}, {about}: {', '.join(names)}\n  {text}\n")


@command(group=world)
def grade(
    file: str = argument(click.Path(exists=True, dir_okay=False, allow_dash=True)),
    why: bool = option('Add "faults": what is wrong with the sense of a text.'),
    as_json: bool = option("No effect: the marks are JSON lines in any case.", None, "--json"),
) -> None:
    """Mark texts exactly. FILE holds JSON lines {"topic", "about", "skills", "text"}.

    "about" may be left out: then the text is about what tests of its combination are about. A FILE
    of - is standard input.

    Each line is printed with "marks", true or false for every skill, then topic, sense and length,
    and with "full_marks", true if all are earned. Other keys are kept; empty lines are skipped.

    A line that cannot be graded ends the command with its number and exit code 2. A file is
    checked whole before anything is printed; standard input and named pipes are graded line by
    line as they come, so that they may be endless, and the lines before a bad one are printed.

    Examples:
      unparrot world sample --k 3 --json > texts.jsonl
      unparrot world grade texts.jsonl --why
    """
    del as_json
    pack = _world().pack
    name = "standard input" if file == "-" else file
    with click.open_file(file, "rb") as stream:
        if Path(file).is_file() and file != "-":
            deque(_requests(stream, name, pack), maxlen=0)
            stream.seek(0)
        _print_graded(stream, name, pack, why)


@command(group=world)
def entropy(
    ks: tuple[int, ...] = option(
        "Skills in a text: a number, or a range such as 1..4.", Span(1), "--k", default="1..4"
    ),
    samples: int = option("Texts drawn for each k.", Count(2), default=2000),
    seed: int = _SEED,
) -> Answer:
    """Compute the entropy of the world in nats per text token, and check it by drawing texts.

    For each k texts are drawn on random combinations. "entropy" is the exact entropy of these
    combinations, "monte_carlo" the mean of -log p of the texts, and "standard_error" that of the
    second around the first. All are per token that a model is trained to predict: the words, the
    punctuation and the end of a text. No model can have a lower expected loss on such texts.

    Example:
      unparrot world entropy --k 1..4 --samples 2000
    """
    from unparrot.lab.world.english import measure_entropy

    place = _world()
    most = len(place.pack.skills)
    if ks[-1] > most:
        raise BadInput(f"--k must lie within 1..{most}, the number of skills; not {ks[-1]}")
    rows = [measure_entropy(place, k, samples, seed) for k in ks]
    measured = ("entropy", "monte_carlo", "standard_error")
    cells = [
        [row["k"], f"{row['tokens_per_text']:.1f}", *(f"{row[name]:.4f}" for name in measured)]
        for row in rows
    ]
    head = ("k", "tokens a text", "entropy", "Monte Carlo", "standard error")
    note = f"nats per text token; {samples} texts for each k, seed {seed}"
    return Answer(rows, [Table(head, cells)], [note])


def _world() -> World:
    from unparrot.lab.world.english import World

    return World()


def _requests(
    lines: Iterable[bytes], name: str, pack: SkillPack
) -> Iterator[tuple[dict[str, Any], SkillCombination]]:
    """Read the objects to grade, each with the combination that it asks for."""
    from unparrot.core.skills import SkillCombination
    from unparrot.lab.grader.reader import parse_about

    def read(content: dict[str, Any]) -> tuple[dict[str, Any], SkillCombination]:
        for key in ("topic", "text", "about"):
            if not isinstance(content.get(key, ""), str):
                raise BadInput(f"{key!r} must be a text, not {shown(content[key])}")
        topic, skills = content["topic"], names_in(content["skills"])
        for name in skills:
            if skills.count(name) > 1:
                raise BadInput(f"'skills' names {name!r} twice")
        check_names(pack, (topic,), skills)
        if "about" in content:
            parse_about(topic, content["about"])
        return content, SkillCombination(topic, skills)

    return (request for _, request in read_lines(lines, name, ("topic", "skills", "text"), read))


def _print_graded(lines: Iterable[bytes], name: str, pack: SkillPack, why: bool) -> None:
    from unparrot.lab.grader import exact

    for content, combination in _requests(lines, name, pack):
        about = content.get("about") or _world().about(combination)
        marks = exact.marks(combination, about, content["text"])
        graded = {**content, "marks": marks, "full_marks": all(marks.values())}
        if why:
            _, graded["faults"] = exact.read(combination, about, content["text"])
        click.echo(json.dumps(graded))


def check_names(pack: SkillPack, topics: Iterable[str], skills: Iterable[str]) -> None:
    """Raise `BadInput` for a topic or a skill that the pack lacks, with the nearest names."""
    named = [("topic", name, pack.topic_names) for name in topics]
    named += [("skill", name, pack.skill_names) for name in skills]
    for what, name, known in named:
        if name not in known:
            hint = did_you_mean(name, known) or ";"
            raise BadInput(
                f"unknown {what} {name!r}{hint} `unparrot world list` names all {len(known)}"
            )
