"""`unparrot theory novelty`: the parrot bound, and whether a measured ratio lies above it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unparrot.cli.output import Count, Span, Table, output_options, show
from unparrot.core.errors import BadInput

if TYPE_CHECKING:
    from unparrot.core.skills import SkillCombination
    from unparrot.report.draw.chart import Chart
    from unparrot.theory.novelty.parrot_bound import CombinationSet, ParrotBound

LISTED = 20
"""Combinations of a list that are printed, the likeliest first; JSON has them all."""


class Measured(click.ParamType[dict[int | None, float]]):
    """A lower confidence limit for every k, ``0.12``, or for each, ``5:0.12,6:0.08``."""

    name = "measured"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[int | None, float]:
        """Return the limit by k, or under None that of every k."""
        if isinstance(value, dict):
            return value  # pyright: ignore[reportUnknownVariableType]
        limits: dict[int | None, float] = {}
        for part in str(value).split(","):
            k, colon, limit = part.rpartition(":")
            try:
                key, number = int(k) if colon else None, float(limit)
            except ValueError:
                self.fail(f"{part!r} is no ratio; write 0.12 or 5:0.12,6:0.08", param, ctx)
            if not 0 <= number <= 1:
                self.fail(f"{part!r} must be a ratio from 0 to 1", param, ctx)
            if key in limits:
                self.fail(f"{value!r} gives two ratios for one k; give one", param, ctx)
            limits[key] = number
        if None in limits and len(limits) > 1:
            self.fail(f"{value!r} mixes a ratio for every k with others", param, ctx)
        return limits


@click.command()
@click.option("--skill-rate", type=float, help="Mean share of windows that show a skill.")
@click.option("--topic-rate", type=float, help="Mean share of windows that show a topic.")
@click.option(
    "--skills",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV file of rates: columns skill,rate.",
)
@click.option(
    "--topics",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV file of rates: columns topic,rate.",
)
@click.option(
    "--combinations",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The tested ones (.jsonl, or CSV: topic,skills with ';').  [default: all of the pack]",
)
@click.option(
    "--windows", type=Count(1), required=True, help="Windows of text in the corpus, each an answer."
)
@click.option("--k", "ks", type=Span(1), help="Skills in a combination.  [default: 2..6]")
@click.option("--rho", type=float, default=1.0, show_default=True, help="Attraction of skills.")
@click.option(
    "--measured",
    type=Measured(),
    help="Lower confidence limit of the full-marks ratio: 0.12, or 5:0.12,6:0.08.",
)
@click.option("--samples", type=click.IntRange(100, 10_000_000), default=200_000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@output_options
def novelty(
    skill_rate: float | None,
    topic_rate: float | None,
    skills: Path | None,
    topics: Path | None,
    combinations: Path | None,
    windows: int,
    ks: tuple[int, ...] | None,
    rho: float,
    measured: dict[int | None, float] | None,
    samples: int,
    seed: int,
    as_json: bool,
    plot: Path | None,
) -> None:
    """The parrot bound B: at most this share of the combinations can stand in the corpus.

    A parrot earns full marks on no larger share. If the lower limit of a measured ratio exceeds B,
    it is shown to be beyond a parrot, and at least 1 - B/measured of its successes are new; rho* is
    how much skills would have to attract each other for that to fail.

    \b
    Example:
      unparrot theory novelty --skill-rate 0.0144 --topic-rate 0.0022 --windows 5e10 --k 5..6 \\
          --measured 5:0.12,6:0.08
      unparrot theory novelty --skills skills.csv --topics topics.csv --windows 1e12 --k 2..6 \\
          --measured 0.12 --plot novelty.svg
    """
    from unparrot.theory.novelty.capped import Sampling
    from unparrot.theory.novelty.parrot_bound import flip_rho, parrot_bound

    sampling = Sampling(samples, seed)
    sets, rows = _sets(skill_rate, topic_rate, skills, topics, combinations, windows, ks)
    known = [tested.k for tested in sets]
    for k in measured or {}:
        if k is not None and k not in known:
            raise BadInput(f"--measured gives a ratio for k = {k}, which is not among {known}")
    points: list[dict[str, Any]] = []
    for tested in sets:
        bound = parrot_bound(tested, rho, sampling)
        limit = (measured or {}).get(tested.k, (measured or {}).get(None))
        flip = None if limit is None else flip_rho(tested, limit, sampling)
        points.append(
            {
                "k": tested.k,
                "combinations": bound.count,
                "uncapped": bound.uncapped,
                "bound": bound.bound.as_dict(),
                "capped": bound.capped,
                "measured": limit,
                "beyond_parrot": _verdict(bound, limit),
                "new_share": None if limit is None else bound.new_share(limit),
                "flip_rho": None if flip == math.inf else flip,
            }
        )
    details = None if rows is None else _one_by_one(sets, rows, rho)
    result: dict[str, Any] = {
        "windows": windows,
        "rho": rho,
        "seed": seed,
        "points": points,
        "listed": details,
    }
    tables = [_bounds(points)]
    if measured:
        tables.append(_verdicts(points))
    if details is not None:
        tables.append(_likeliest(details))
    notes = _notes(points)
    show(result, tables, as_json, plot, lambda: _chart(points, rho, windows), notes)


def _verdict(bound: ParrotBound, measured: float | None) -> str | None:
    if measured is None:
        return None
    return "shown" if bound.is_beyond(measured) else "not shown"


def _sets(
    skill_rate: float | None,
    topic_rate: float | None,
    skills: Path | None,
    topics: Path | None,
    combinations: Path | None,
    windows: int,
    ks: tuple[int, ...] | None,
) -> tuple[list[CombinationSet], list[SkillCombination] | None]:
    """The combinations of every k, and those of a list in the same order."""
    from unparrot.theory.novelty.parrot_bound import all_combinations, average_rates, listed
    from unparrot.theory.novelty.rates import read_combinations, read_rates

    means = (skill_rate, topic_rate) != (None, None)
    if means and (skills or topics or combinations):
        raise BadInput("give mean rates (--skill-rate, --topic-rate) or files, not both")
    if skill_rate is not None and topic_rate is not None:
        return [average_rates(skill_rate, topic_rate, windows, k) for k in ks or range(2, 7)], None
    if skills is None or topics is None:
        raise BadInput(
            "the rates are missing: give --skills and --topics (CSV files), or --skill-rate and "
            "--topic-rate (means)"
        )
    of_skill, of_topic = read_rates(skills, "skill"), read_rates(topics, "topic")
    if combinations is None:
        rates = list(of_skill.values()), list(of_topic.values())
        return [all_combinations(*rates, windows, k) for k in ks or range(2, 7)], None
    tested = read_combinations(combinations, of_skill, of_topic)
    present = sorted({combination.k for combination in tested})
    chosen = [k for k in present if ks is None or k in ks]
    if not chosen:
        raise BadInput(f"{combinations} holds combinations of k = {present}, none of --k")
    rows = [[row for row in tested if row.k == k] for k in chosen]
    sets = [listed(of_k, of_skill, of_topic, windows) for of_k in rows]
    return sets, [row for of_k in rows for row in of_k]


def _one_by_one(
    sets: list[CombinationSet], rows: list[SkillCombination], rho: float
) -> list[dict[str, Any]]:
    """How often each combination of a list is expected, and the bound of that one alone."""
    logs = [float(x) + math.log(rho) for tested in sets for x in tested.log_lambdas]
    return [
        {
            "topic": row.topic,
            "skills": list(row.skills),
            "log_expected": x,
            "seen_at_most": math.exp(min(x, 0.0)),
        }
        for row, x in zip(rows, logs, strict=True)
    ]


def _bounds(points: list[dict[str, Any]]) -> Table:
    rows: list[list[object]] = []
    for point in points:
        bound = point["bound"]
        exact = bound["low"] == bound["high"]
        interval = "exact" if exact else f"{bound['low']:.4g} to {bound['high']:.4g}"
        known = point["combinations"] is not None
        rows.append(
            [
                point["k"],
                point["combinations"] if known else "unknown",
                point["uncapped"],
                bound["value"],
                interval if known else "upper bound",
            ]
        )
    header = ("k", "combinations", "mean lambda", "B", "interval")
    return Table(header, rows, "B: the share of combinations that the corpus can have shown")


def _verdicts(points: list[dict[str, Any]]) -> Table:
    keys = ("k", "measured", "beyond_parrot", "new_share", "flip_rho")
    rows = [
        ["" if point[key] is None else point[key] for key in keys[:-1]] + [_flip(point)]
        for point in points
        if point["measured"] is not None
    ]
    header = ("k", "measured", "beyond a parrot", "new, at least", "rho*")
    return Table(header, rows, "Is the measured ratio beyond a parrot?")


def _flip(point: dict[str, Any]) -> object:
    if point["beyond_parrot"] != "shown":
        return ""
    return "above 1e299" if point["flip_rho"] is None else point["flip_rho"]


def _likeliest(details: list[dict[str, Any]]) -> Table:
    first = sorted(details, key=lambda d: d["log_expected"], reverse=True)[:LISTED]
    rows = [[d["topic"], "; ".join(d["skills"]), d["seen_at_most"]] for d in first]
    title = f"The {len(first)} likeliest of {len(details)} combinations"
    return Table(("topic", "skills", "seen with at most"), rows, title)


def _notes(points: list[dict[str, Any]]) -> list[str]:
    notes: list[str] = []
    if any(point["bound"]["low"] < point["bound"]["high"] for point in points):
        notes.append(
            "Where B has an interval it was sampled: 95 %, for any distribution (empirical "
            "Bernstein). Verdicts use its upper end."
        )
    if any(point["measured"] is not None for point in points):
        notes += [
            "Shown: the lower limit of the measured ratio exceeds B. Not shown says nothing about "
            "the model.",
            "New: the share of its successes that the corpus never showed. rho*: how much more "
            "often than by chance the skills would have to meet for the verdict to fail.",
        ]
    return notes


def _chart(points: list[dict[str, Any]], rho: float, windows: int) -> Chart:
    from unparrot.report.draw.chart import Chart, Series

    ks = [point["k"] for point in points]
    bounds = [point["bound"] for point in points]
    series = [
        Series(
            "B",
            ks,
            [bound["value"] for bound in bounds],
            "line" if len(ks) > 1 else "dots",
            low=[bound["low"] for bound in bounds],
            high=[bound["high"] for bound in bounds],
        )
    ]
    if any(point["measured"] is not None for point in points):
        measured = [point["measured"] for point in points]
        series.append(Series("measured", ks, measured, "dashes" if len(ks) > 1 else "dots"))
    return Chart(
        title="What a parrot can reach",
        subtitle=f"share of combinations that a corpus of {windows:,} windows can hold",
        x_label="skills in a combination, k",
        series=series,
        alt=f"The parrot bound B against k = {ks[0]} to {ks[-1]}, with rho = {rho:g}.",
        y_log=True,
    )
