"""`unparrot world`: list, sample and grade the texts of the synthetic world, and its entropy."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import click

from unparrot.cli.textlines import Request, check_names, read_requests
from unparrot.core.errors import BadInput

if TYPE_CHECKING:
    from unparrot.core.skills import SkillCombination, SkillPack
    from unparrot.lab.world.english import World

DEFAULT_K = 3

large_option = click.option(
    "--large", is_flag=True, help="The large world: one skill for each field of a family."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of the draw."
)


@click.group(
    epilog="""\b
Example:
  unparrot world sample --k 3 --json | unparrot world grade -
"""
)
def world() -> None:
    """Look into the world that the lab's models are trained on: its texts, grader and entropy."""


@world.command(
    "list",
    epilog="""\b
Example:
  unparrot world list --json
""",
)
@large_option
@json_option
def list_command(large: bool, as_json: bool) -> None:
    """List the skills (name, category, definition, an example text) and the topics."""
    pack = _world(large).pack
    if as_json:
        click.echo(json.dumps(pack.as_dict()))
        return
    rows = [(s.name, s.category, s.definition, s.example) for s in pack.skills]
    _print_table(("skill", "category", "definition", "example"), rows)
    click.echo(f"{len(pack.skills)} skills; {len(pack.topics)} topics: ", nl=False)
    click.echo(", ".join(pack.topic_names))


@world.command(
    epilog="""\b
Example:
  unparrot world sample --k 3 --n 5 --seed 1 --json
  unparrot world sample --topic sewing --skill "modus ponens" --skill metaphor
"""
)
@click.option(
    "--k",
    type=click.IntRange(min=1),
    help="Skills in a text.  [default: as many as --skill names, or 3]",
)
@click.option(
    "--n", type=click.IntRange(min=1), default=5, show_default=True, help="Number of texts."
)
@click.option("--topic", help="Topic of every text.  [default: drawn for each]")
@click.option(
    "--skill",
    "skills",
    multiple=True,
    help="A skill of every text; may be repeated. The others of the k are drawn and come after.",
)
@seed_option
@large_option
@json_option
def sample(
    k: int | None,
    n: int,
    topic: str | None,
    skills: tuple[str, ...],
    seed: int,
    large: bool,
    as_json: bool,
) -> None:
    """Draw texts on skills and topics drawn at random, each as likely as any other.

    The same seed gives the same texts, and more of them (--n) begin with those of fewer. With
    --json each line is an object {"topic", "skills", "text"}, which `unparrot world grade` reads.
    """
    place = _world(large)
    check_names(place.pack, () if topic is None else (topic,), skills, large)
    if k is None:
        k = len(skills) or DEFAULT_K
    if k < len(skills):
        raise BadInput(f"--skill names {len(skills)} skills, more than --k {k}; raise --k")
    rng = Random(seed)
    for _ in range(n):
        combination = _draw(place.pack, rng, k, topic, skills)
        text = place.sample(combination, rng.random).pretty
        named = {"topic": combination.topic, "skills": list(combination.skills), "text": text}
        if as_json:
            click.echo(json.dumps(named))
        else:
            click.echo(f"{combination.topic}: {', '.join(combination.skills)}\n  {text}\n")


@world.command(
    epilog="""\b
Example:
  unparrot world sample --k 3 --json > texts.jsonl
  unparrot world grade texts.jsonl --why
"""
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--why", is_flag=True, help='Add "faults": what is wrong with the sense of a text.')
@large_option
@click.option("--json", is_flag=True, help="No effect: the marks are JSON lines in any case.")
def grade(file: str, why: bool, large: bool, json: bool) -> None:
    """Mark texts exactly. FILE holds JSON lines {"topic", "skills", "text"}; - is standard input.

    Each line is printed with "marks", true or false for every skill, then topic, sense and length,
    and with "full_marks", true if all are earned. Other keys are kept; empty lines are skipped.

    A line that cannot be graded ends the command with its number and exit code 2. A file is
    checked whole before anything is printed; standard input and named pipes are graded line by
    line as they come, so that they may be endless, and the lines before a bad one are printed.
    """
    del json
    place = _world(large)
    if file == "-":
        with click.open_file("-", "rb") as stream:
            _print_graded(read_requests(stream, "standard input", place.pack, large), why)
        return
    path = Path(file)
    if path.is_file():
        with path.open("rb") as stream:
            for _ in read_requests(stream, file, place.pack, large):
                pass
    with path.open("rb") as stream:
        _print_graded(read_requests(stream, file, place.pack, large), why)


@world.command(
    epilog="""\b
Example:
  unparrot world entropy --k 1..4 --samples 2000
"""
)
@click.option(
    "--k",
    "ks",
    default="1..4",
    show_default=True,
    help="Skills in a text: a number, or a range such as 1..4.",
)
@click.option(
    "--samples",
    type=click.IntRange(min=2),
    default=2000,
    show_default=True,
    help="Texts drawn for each k.",
)
@seed_option
@large_option
@json_option
def entropy(ks: str, samples: int, seed: int, large: bool, as_json: bool) -> None:
    """Compute the entropy of the world in nats per text token, and check it by drawing texts.

    For each k texts are drawn on random combinations. "entropy" is the exact entropy of these
    combinations, "monte_carlo" the mean of -log p of the texts, and "standard_error" that of the
    second around the first. All are per token that a model is trained to predict: the words, the
    punctuation and the end of a text. No model can have a lower expected loss on such texts.
    """
    place = _world(large)
    span = _span(ks, len(place.pack.skills))
    rows = [_measure_entropy(place, k, samples, seed) for k in span]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
        return
    heads = ("k", "tokens a text", "entropy", "Monte Carlo", "standard error")
    _print_table(
        heads,
        [
            (
                str(row["k"]),
                f"{row['tokens_per_text']:.1f}",
                f"{row['entropy']:.4f}",
                f"{row['monte_carlo']:.4f}",
                f"{row['standard_error']:.4f}",
            )
            for row in rows
        ],
    )
    click.echo(f"nats per text token; {samples} texts for each k, seed {seed}")


def _world(large: bool) -> World:
    from unparrot.lab.world.english import World, WorldSpec

    return World(WorldSpec(fields=large))


def _print_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*heads)
    for row in rows:
        table.add_row(*row)
    console = Console(markup=False, emoji=False, highlight=False)
    with console.capture() as printed:
        console.print(table)
    click.echo(printed.get(), nl=False)


def _draw(
    pack: SkillPack, rng: Random, k: int, topic: str | None = None, skills: Sequence[str] = ()
) -> SkillCombination:
    """Draw the topic, unless it is given, and the skills that `skills` leaves open."""
    from unparrot.core.skills import SkillCombination

    if k > len(pack.skills):
        raise BadInput(f"k is {k}, but the world has only {len(pack.skills)} skills")
    rest = [name for name in pack.skill_names if name not in skills]
    drawn = rng.choice(pack.topic_names)
    others = rng.sample(rest, k - len(skills))
    return SkillCombination(drawn if topic is None else topic, (*skills, *others))


def _print_graded(requests: Iterable[Request], why: bool) -> None:
    from unparrot.lab.grader import exact

    for request in requests:
        marks = exact.marks(request.combination, request.text)
        content = {**request.content, "marks": marks, "full_marks": exact.full_marks(marks)}
        if why:
            content["faults"] = exact.read(request.text).faults
        click.echo(json.dumps(content))


def _span(ks: str, most: int) -> range:
    match = re.fullmatch(r"([0-9]{1,6})(?:\.\.([0-9]{1,6}))?", ks.strip())
    if match is None:
        raise BadInput(f"--k must be a number or a range such as 1..4, not {ks!r}")
    first, last = int(match[1]), int(match[2] or match[1])
    if not 1 <= first <= last <= most:
        raise BadInput(f"--k must lie within 1..{most}, the lower number first; not {ks!r}")
    return range(first, last + 1)


def _measure_entropy(place: World, k: int, samples: int, seed: int) -> Mapping[str, float]:
    """One row of `entropy`.

    The texts' surprise less the entropy of their combinations has mean 0, so to first order the
    standard error of the ratio to the number of tokens is that of the sum of these differences,
    divided by the number of tokens.
    """
    rng = Random(seed)
    exact: list[float] = []
    drawn: list[float] = []
    tokens = 0
    for _ in range(samples):
        combination = _draw(place.pack, rng, k)
        text = place.sample(combination, rng.random)
        exact.append(place.entropy(combination))
        drawn.append(text.nats)
        tokens += len(text.words) + 1  # and the end of the text
    differences = [a - b for a, b in zip(drawn, exact, strict=True)]
    mean = math.fsum(differences) / samples
    variance = math.fsum((d - mean) ** 2 for d in differences) / (samples - 1)
    return {
        "k": k,
        "samples": samples,
        "seed": seed,
        "tokens_per_text": tokens / samples,
        "entropy": math.fsum(exact) / tokens,
        "monte_carlo": math.fsum(drawn) / tokens,
        "standard_error": math.sqrt(variance * samples) / tokens,
    }
