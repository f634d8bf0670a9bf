"""`unparrot theory graph`: stream a skill graph, or read a tagged corpus, and measure its curve."""

from __future__ import annotations

import math
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from unparrot.cli.cluster import ENGINE, chosen_cluster
from unparrot.cli.command import command, option, was_given
from unparrot.cli.output import Answer
from unparrot.cli.values import DEGREES_OR_FILE, Count, degree_of, require_place
from unparrot.core.errors import BadInput
from unparrot.core.inputs import number, read_text

if TYPE_CHECKING:
    from unparrot.theory.graph.error_models import Errors

# Options that mean nothing for a corpus that is there already
SIMULATED = (
    "skills", "pieces", "k", "degrees", "theta", "errors", "shape", "rates", "no_repeats",
    "power_law", "frequencies", "threads", "sample", "engine", "address",
)  # fmt: skip


@command(plots=True)
def graph(
    skills: int = option("Number of skills, N1.", Count(1), default=1000),
    pieces: int = option("Number of pieces of text, N2.", Count(1), default=1_000_000),
    k: int = option("Skills in a piece.", Count(1), default=8),
    degrees: dict[int, float] | None = option(
        "In place of --k: shares of the pieces by number of skills, or a file of them.",
        DEGREES_OR_FILE,
    ),
    no_repeats: bool = option("No skill twice in a piece."),
    power_law: float | None = option("Draw skill s in proportion to s^-POWER, s = 1..N1."),
    frequencies: Path | None = option("Draw skills by these numbers, one a line."),
    theta: float = option("Share of the pieces that fail.", default=0.05),
    errors: Literal["random", "worst", "concentrated", "skills"] = option(
        "At random; the worst for a set Z; in pieces with a skill of Z; each skill by its rate.",
        default="random",
    ),
    alpha: float = option("Measure of the set Z of tuples.", default=0.1),
    shape: Literal["clique", "star"] = option(
        "Z for k' > 1: tuples within some skills, or tuples that touch some.", default="clique"
    ),
    rates: Path | None = option("Failure rates of the skills, one a line."),
    tuple_size: int = option("k': skills in it.", Count(1), "--tuple", default=1),
    sample: int | None = option("Draws of tuples to count, in place of all tuples.", Count(1)),
    seed: int = option("Of the graph and its errors.", Count(0), default=1),
    threads: int | None = option("Threads; they change no figure.  [default: all]", Count(1)),
    tagged: Path | None = option("Measure this corpus of tagged texts (JSON lines)."),
    export: Path | None = option("Keep the graph too, as .npz or .jsonl."),
    engine: dict[str, Any] = ENGINE,
) -> Answer:
    """Draw a skill graph of any size, fail some of its pieces, and measure the performance curve.

    Or measure that of your own texts: --tagged takes a file with one
    {"id": "7", "skills": ["metaphor", "irony"], "failed": false} a line. Beside the measured curve
    stand what chance makes of it, luck (theta), and the sharp and the classic bound.

    Examples:
      unparrot theory graph --skills 1000 --pieces 1e7 --k 8 --errors worst --alpha 0.1
      unparrot theory graph --skills 200 --pieces 1e6 --tuple 2 --power-law 1 --plot graph.svg
      unparrot theory graph --tagged texts.jsonl --tuple 2 --json
      unparrot theory graph --pieces 1e12 --engine ray --address 10.0.0.1:6379
    """
    from unparrot.cli.theory.graph_result import alpha_for, simulated_answer, tagged_answer
    from unparrot.theory.graph.exchange import export_graph, require_ending

    if export is not None:
        require_ending(export)
        require_place(export)
    if not 0 < alpha < 1:
        raise BadInput(f"--alpha must be above 0 and under 1, not {alpha!r}")
    given_alpha = alpha if was_given("alpha") else None
    if tagged is not None:
        given = [name for name in SIMULATED if was_given(name)]
        if given:
            options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise BadInput(
                f"--tagged reads a corpus and {options} would draw one; leave out either"
            )
        from unparrot.theory.graph.exchange import read_corpus

        corpus = read_corpus(tagged)
        if export is not None:
            export_graph(export, corpus.graph, corpus.names)
        return tagged_answer(tagged, corpus, given_alpha, tuple_size, seed)

    import numpy as np

    from unparrot.theory.graph.error_models import (
        ConcentratedErrors,
        RandomErrors,
        SkillErrors,
        WorstCase,
        chosen_of_measure,
        skills_of_measure,
        spread_rates,
    )
    from unparrot.theory.graph.graph_spec import Given, GraphSpec, PowerLaw
    from unparrot.theory.graph.simulate import simulate
    from unparrot.theory.graph.stored import require_room, store_graph
    from unparrot.theory.graph.tuples import tuple_total

    if threads is not None and engine["engine"] == "ray":
        raise BadInput("--threads are those of this machine; a cluster takes one for each core")
    if degrees is not None and was_given("k"):
        raise BadInput("--k and --degrees exclude each other: one degree, or shares of several")
    if power_law is not None and frequencies is not None:
        raise BadInput("--power-law and --frequencies exclude each other: give one")
    numbers = None if frequencies is None else _numbers(frequencies)
    if numbers is not None and not was_given("skills"):
        skills = len(numbers)
    spec = GraphSpec(
        skills=skills,
        pieces=pieces,
        degree=k if degrees is None else degree_of(degrees),
        repeats=not no_repeats,
        frequencies=PowerLaw(power_law or 0) if numbers is None else Given(numbers),
        seed=seed,
    )
    if tuple_size > spec.max_degree:
        raise BadInput(
            f"--tuple {tuple_size} is more than a piece has skills, {spec.max_degree}; lower it"
        )
    if sample is None:
        alpha_for(given_alpha, tuple_size, tuple_total(spec.skills, tuple_size, spec.repeats))
    if export is not None:
        require_room(spec)
    if rates is not None and errors != "skills":
        raise BadInput("--rates are failure rates of skills; add --errors skills")
    model: Errors
    match errors:
        case "random":
            model = RandomErrors(theta)
        case "worst":
            model = WorstCase(theta, chosen_of_measure(spec, alpha, tuple_size, shape, seed))
        case "concentrated":
            named = skills_of_measure(spec.probabilities, alpha, np.random.default_rng(seed))
            model = ConcentratedErrors(theta, named)
        case "skills":
            model = spread_rates(spec, theta) if rates is None else SkillErrors(_numbers(rates))
    with chosen_cluster(engine) as cluster:
        _heed_interrupts()
        counts = simulate(
            spec, model, tuple_size=tuple_size, sample=sample, threads=threads, cluster=cluster
        )
    if export is not None:
        export_graph(export, store_graph(spec, model, threads=threads))
    return simulated_answer(counts, errors, given_alpha)


def _heed_interrupts() -> None:
    """Let Ctrl-C end a long simulation.

    Importing polars puts a handler in the place of Python's that does not wake a main thread which
    waits for others.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _numbers(path: Path) -> list[float]:
    """Read one number a line."""
    numbers: list[float] = []
    for at, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        if not math.isfinite(value := number(line)):
            raise BadInput(
                f"{path}, line {at}: {line.strip()[:60]!r} is no number; give one a line"
            )
        numbers.append(value)
    if not numbers:
        raise BadInput(f"{path} holds no number; give one a line")
    return numbers
