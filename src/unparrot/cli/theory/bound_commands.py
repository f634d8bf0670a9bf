"""`unparrot theory curve` and `novelty`: how badly skills can fare, and what a parrot can reach."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from unparrot.cli.command import command, option
from unparrot.cli.output import Answer, Table, table
from unparrot.cli.values import DEGREES, MEASURED, MOST_POINTS, SEED, Count, Span, degree_of
from unparrot.core.errors import BadInput
from unparrot.core.wording import plural
from unparrot.report.draw.chart import Chart, Series

if TYPE_CHECKING:
    from unparrot.core.skills import SkillCombination
    from unparrot.theory.novelty.parrot_bound import CombinationSet


@command(plots=True)
def curve(
    theta: float | None = option("Share of the pieces that the model fails, in (0, 1)."),
    degrees: dict[int, float] = option(
        "Skills in a piece: one number, or for the sharp bound shares of the pieces by number.",
        DEGREES,
        "--k",
        required=True,
    ),
    tuple_size: int | None = option("k', the skills in a tuple.  [default: 1]", Count(), "--tuple"),
    alphas: tuple[float, ...] = option(
        "Share of the tuples given up as the worst; may be repeated.  [default: 1e-3 to 0.9]",
        None,
        "--alpha",
    ),
    points: int = option("Values of alpha.", Count(2, MOST_POINTS), default=25),
    bound: Literal["sharp", "entropic", "classic", "both"] | None = option(
        "both: sharp and classic.  [default: both; sharp where --k is a distribution]"
    ),
    failure: float | None = option("A failure rate to keep: ask for what it allows."),
) -> Answer:
    """Bound the failure rate of all but an alpha share of the k'-tuples of skills.

    With --failure and without --theta: the largest theta that keeps it. With both: the largest k'
    that keeps it.

    Examples:
      unparrot theory curve --theta 0.05 --k 8 --tuple 2 --alpha 0.1 --bound both
      unparrot theory curve --theta 0.05 --k 8 --plot curve.svg
      unparrot theory curve --failure 0.1 --k 8 --alpha 0.1
      unparrot theory curve --failure 0.3 --theta 0.05 --k 8 --alpha 0.1
    """
    import numpy as np

    from unparrot.theory.curve.inverse import largest_tuple, theta_for
    from unparrot.theory.curve.performance import BOUNDS, luck

    k = degree_of(degrees)
    bound = bound or ("both" if isinstance(k, int) else "sharp")
    bounds = ("sharp", "classic") if bound == "both" else (bound,)
    size = 1 if tuple_size is None else tuple_size
    grid = (float(f"{x:.4g}") for x in np.geomspace(1e-3, 0.9, points))
    alpha = sorted(set(alphas or grid))
    columns: dict[str, Any] = {"alpha": alpha}
    given: dict[str, Any]
    if failure is None:
        if theta is None:
            raise BadInput("give --theta, or --failure to ask for the largest theta")
        # a distribution is refused by a bound that takes none, with the remedy
        functions: dict[str, Any] = dict(BOUNDS)
        columns["luck"] = luck(theta, alpha)
        columns |= {name: functions[name](theta, alpha, k, size) for name in bounds}
        blocks = k // size if isinstance(k, int) else None
        key, given = "points", {"theta": theta, "k": k, "tuple": size, "blocks": blocks}
        what = "skills" if size == 1 else f"{size}-tuples of skills"
        heading, title = f"theta = {theta:g}", "How badly skills can fare"
        subtitle = f"Failure rate of all but an alpha share of the {what}, theta = {theta:g}"
        notes = [
            f"All but an alpha share of the {what} fail on at most this share of their pieces."
        ]
        if 1.0 in columns.get("classic", ()):
            notes.append(
                "Where the classic bound is 1 its equation has no solution: it says nothing."
            )
    elif not isinstance(k, int):
        raise BadInput("--failure takes one --k, not a distribution; give a number")
    elif theta is None:
        columns |= {name: theta_for(failure, alpha, k, size, bound=name) for name in bounds}
        key, given = "largest_theta", {"failure": failure, "k": k, "tuple": size}
        heading = title = f"Largest theta that keeps a failure rate of {failure:g}"
        subtitle = "Largest theta: the share of pieces that may be failed"
        notes = [f"{subtitle}."]
    elif tuple_size is not None:
        raise BadInput("--failure with --theta asks for the largest k'; leave out --tuple")
    else:
        for name in bounds:
            columns[name] = [largest_tuple(theta, a, failure, k, bound=name) for a in alpha]
        key, given = "largest_tuple", {"theta": theta, "failure": failure, "k": k}
        heading = title = (
            f"Largest k' whose tuples, but for an alpha share, keep a failure rate of {failure:g}"
        )
        subtitle = f"Largest k' at theta = {theta:g}; 0: not even single skills"
        notes = [f"{subtitle}."]
    values = {name: np.asarray(column).tolist() for name, column in columns.items()}
    rows = [
        # a bound that promises nothing, NaN, has no number
        {name: None if x != x else x for name, x in zip(values, row, strict=True)}
        for row in zip(*values.values(), strict=True)
    ]

    def chart() -> Chart:
        style = "dots" if key == "largest_tuple" or len(rows) == 1 else "line"
        forward = key == "points"
        lines = [
            # a bound of 1 says nothing, and the classic one can jump there
            Series(name, alpha, [None if forward and y == 1 else y for y in values[name]], style)
            for name in values
            if name != "alpha"
        ]
        x_label = "alpha, the share given up as the worst" if forward else "alpha"
        return Chart(title, subtitle, x_label, lines, x_log=True, y_percent=forward)

    return Answer({**given, key: rows}, [table(rows, heading)], notes, chart)


@command(plots=True)
def novelty(
    skill_rate: float | None = option("Mean share of windows that show a skill."),
    topic_rate: float | None = option("Mean share of windows that show a topic."),
    skills: Path | None = option("CSV file of rates: columns skill,rate."),
    topics: Path | None = option("CSV file of rates: columns topic,rate."),
    combinations: Path | None = option(
        "The tested ones: JSON lines of a topic and its skills.  [default: all of the pack]"
    ),
    windows: int = option(
        "Windows of text in the corpus, each an answer.", Count(1), required=True
    ),
    ks: tuple[int, ...] | None = option(
        "Skills in a combination.  [default: 2..6]", Span(1), "--k"
    ),
    rho: float = option("Attraction of skills.", default=1.0),
    measured: dict[int | None, float] | None = option(
        "Lower confidence limit of the full-marks ratio: 0.12, or 5:0.12,6:0.08.", MEASURED
    ),
    samples: int = option(
        "Of combinations, where they are too many.", Count(100, 10_000_000), default=200000
    ),
    seed: int = option("Of these samples.", SEED, default=1),
) -> Answer:
    """The parrot bound B: at most this share of the combinations can stand in the corpus.

    A parrot that has no luck can expect full marks on no larger share. If the rates are right and
    skills attract each other rho times at most, a measured ratio whose lower limit exceeds B is
    beyond the bound, and at least 1 - B/measured of its successes are for combinations that the
    corpus does not hold; rho* is how much skills would have to attract each other for that to fail.

    Examples:
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
    limits = measured or {}
    for k in limits:
        if k is not None and k not in known:
            raise BadInput(f"--measured gives a ratio for k = {k}, which is not among {known}")
    points: list[dict[str, Any]] = []
    for tested in sets:
        bound = parrot_bound(tested, rho, sampling)
        limit = limits.get(tested.k, limits.get(None))
        flip = None if limit is None else flip_rho(tested, limit, sampling)
        beyond = limit is not None and bound.is_beyond(limit)
        point: dict[str, Any] = {
            "k": tested.k,
            "combinations": bound.count,
            "uncapped": bound.uncapped,
            "bound": bound.bound,
            "capped": bound.capped,
            "measured": limit,
            "beyond_bound": None if limit is None else "shown" if beyond else "not shown",
            "new_share": None if limit is None else bound.new_share(limit),
            "flip_rho": None if flip == math.inf else flip,
        }
        points.append(point)
    logs = [x + math.log(rho) for t in sets if t.log_q is not None for x in t.log_q.tolist()]
    # how often each combination of a list is expected, and the bound of that one alone
    details: list[dict[str, Any]] = [
        {
            "topic": row.topic,
            "skills": list(row.skills),
            "log_expected": x,
            "seen_at_most": math.exp(min(x, 0.0)),
        }
        for row, x in zip(rows or (), logs, strict=rows is not None)
    ]
    result = {
        "windows": windows,
        "rho": rho,
        "seed": seed,
        "points": points,
        "listed": None if rows is None else details,
    }
    tables = _novelty_tables(points, details)
    return Answer(result, tables, _notes(points), lambda: _chart(points, windows))


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

    if (skill_rate, topic_rate) != (None, None) and (skills or topics or combinations):
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


def _novelty_tables(points: list[dict[str, Any]], details: list[dict[str, Any]]) -> list[Table]:
    bounds: list[tuple[object, ...]] = []
    for point in points:
        b, count = point["bound"], point["combinations"]
        interval = "exact" if b.low == b.high else f"{b.low:.4g} to {b.high:.4g}"
        known = ("unknown", "upper bound") if count is None else (count, interval)
        bounds.append((point["k"], known[0], point["uncapped"], b.value, known[1]))
    verdicts: list[tuple[object, ...]] = []
    for point in points:
        flip = "above 1e299" if point["flip_rho"] is None else point["flip_rho"]
        figures = (point["new_share"], flip) if point["beyond_bound"] == "shown" else ("", "")
        if point["measured"] is not None:
            verdicts.append((point["k"], point["measured"], point["beyond_bound"], *figures))
    first = sorted(details, key=lambda d: d["log_expected"], reverse=True)[:20]
    return [
        Table(
            ("k", "combinations", "mean lambda", "B", "interval"),
            bounds,
            "B: the share of combinations that the corpus can have shown",
        ),
        Table(
            ("k", "measured", "beyond B", "not held, at least", "rho*"),
            verdicts,
            "Is the measured ratio beyond the parrot bound, by these rates and this rho?",
        ),
        Table(
            ("topic", "skills", "seen with at most"),
            [(d["topic"], "; ".join(d["skills"]), d["seen_at_most"]) for d in first],
            f"The {len(first)} likeliest of {plural(len(details), 'combination')}",
        ),
    ]


def _notes(points: list[dict[str, Any]]) -> list[str]:
    notes: list[str] = []
    if any(point["bound"].low < point["bound"].high for point in points):
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


def _chart(points: list[dict[str, Any]], windows: int) -> Chart:
    ks = [point["k"] for point in points]
    one = len(ks) == 1
    series = [Series.of("B", ks, [p["bound"] for p in points], style="dots" if one else "line")]
    measured = [point["measured"] for point in points]
    if any(limit is not None for limit in measured):
        series.append(Series("measured", ks, measured, "dots" if one else "dashes"))
    subtitle = f"share of combinations that a corpus of {plural(windows, 'window')} can hold"
    x_label = "skills in a combination, k"
    return Chart("What a parrot can reach", subtitle, x_label, series, y_log=True)
