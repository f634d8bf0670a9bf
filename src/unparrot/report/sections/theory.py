"""The section that lays the theory over the measurement: curves, errors, slingshot, growth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unparrot.analysis.schema import LabSummary
from unparrot.analysis.theory.concentration import Concentration
from unparrot.analysis.theory.prediction import (
    ErrorPoint,
    GrowthPoint,
    JointPoint,
    Theory,
    failed_at_most,
    failed_by_slingshot,
)
from unparrot.core.estimate import Estimate
from unparrot.core.wording import ABSENT, interval, nats, number, percent, points
from unparrot.report.contents import Contents
from unparrot.report.draw.chart import Chart, Drawing, Rule, Series, Style
from unparrot.report.draw.paint import Press
from unparrot.report.html.layout import folded, grid, numbers, section, table
from unparrot.report.html.markup import Markup, el
from unparrot.report.sections.against_k import SHARES, whole
from unparrot.report.words.theory_words import theory_findings

Lab = Contents[LabSummary]
TUPLES = {1: "skills", 2: "pairs of skills"}
SHARE_AXIS = SHARES | {"y_limits": (-0.02, 1.03)}
SIZE = (940.0, 300.0)  # of a row of performance curves


def theory(contents: Lab, press: Press) -> Markup | None:
    """Performance curves, errors against excess, slingshot and growth; None without them."""
    part = contents.summary.theory
    if part is None:
        return None
    excess = {m.name: m.excess or 0.0 for m in contents.transformers}
    # logarithmic axes have no place for nothing: without a point above 0 there is no figure
    errors = [p for p in part.errors.points if p.excess > 0]
    joint = [p for p in part.joint if p.exponent]
    grown = [(excess[p.model], p) for p in part.growth.points if excess.get(p.model, 0) > 0]
    pair = [
        *([_errors(contents, press, errors, part)] if errors else []),
        *([_joint(contents, press, joint, part)] if joint else []),
    ]
    curves = [
        grid(_curves(contents, press, size, own), kind=" wide")
        for size in TUPLES
        if (own := [curve for curve in part.curves if curve.tuple_size == size])
    ]
    return section(
        "theory",
        "The theory, laid over the measurement",
        [
            "The theory asks where failures fall. If a model fails its share of pieces whatever "
            "their skills, every skill suffers alike: luck, the dotted line. At worst all failures "
            "gather on the same few skills: malice, the black line, which no model can cross; the "
            "dashed grey one is the bound as first published. Each coloured band is one model. "
            "Its upper edge ranks and measures the skills on the same pieces and reads too high, "
            "its lower edge does both on different pieces and reads too low.",
            *theory_findings(part),
        ],
        *curves,
        grid(*pair),
        grid(_growth(contents, press, grown, part)) if grown else None,
    )


def _curves(contents: Lab, press: Press, size: int, curves: Sequence[Concentration]) -> Markup:
    """One panel a model: measured between its two readings, luck, sharp and classic."""
    charts: list[Chart] = []
    rows: list[list[str]] = []
    for curve in curves:
        role = contents.roles.get(curve.model, "ink")
        upper, lower = "measured, upper", "measured, lower"
        lines = [
            Series(upper, curve.alpha, curve.worst, low=curve.cross_fitted, high=curve.worst,
                   role=role, quiet=True, named=False),
            Series(lower, curve.alpha, curve.cross_fitted, role=role, quiet=True, named=False),
            Series("sharp", curve.alpha, curve.sharp, role="ink", quiet=True, named=False),
            Series("classic", curve.alpha, curve.classic, "dashes", role="soft", quiet=True,
                   named=False),
        ]  # fmt: skip
        charts.append(
            Chart(
                curve.model,
                "",
                f"worst share of the {TUPLES[size]}, %",
                lines,
                x_log=True,
                x_percent=True,
                x_limits=(curve.alpha[0], 1),
                x_ticks=(0.05, 0.1, 0.25, 0.5, 1),
                x_words=whole,
                **SHARE_AXIS,
                rules=[Rule(curve.luck, role="parrot")],
                title_role=role,
            )
        )
        rows += [[curve.model, line.label, *map(percent, line.y)] for line in lines]
        rows.append([curve.model, "luck", *(percent(curve.luck) for _ in curve.alpha)])
    head = ["model", "curve", *(f"worst {percent(a)}" for a in curves[0].alpha)]
    title = f"Between luck and malice: {TUPLES[size]}"
    return press.figure(
        Drawing(f"performance-{size}", charts, *SIZE, title=title),
        numbers(head, rows, f"performance curves of {TUPLES[size]}"),
    )


def _errors(contents: Lab, press: Press, known: Sequence[ErrorPoint], part: Theory) -> Markup:
    """Theta against the excess loss of a piece, both logarithmic, under the limit."""
    excess = [p.excess for p in known]
    low, high = min(excess) / 1.6, max(excess) * 1.6
    places = [low * (high / low) ** (i / 60) for i in range(61)]
    last = max(known, key=lambda p: p.excess)
    slope = (last.theta.value or 0.0) / last.excess
    lines = [
        Series("the limit", places, [failed_at_most(x) for x in places], role="ink", quiet=True,
               named=False),
        Series("in proportion", [low, high], [slope * low, slope * high], "dotted", quiet=True,
               named=False),
    ]  # fmt: skip
    dots = [_dot(contents, p.model, p.excess, p.theta, p.model) for p in known]
    chart = Chart(
        "Errors against excess loss",
        "theta, %; line: the limit; dotted: in proportion",
        "excess loss of a piece, nats",
        [*lines, *dots],
        x_log=True,
        y_log=True,
        y_percent=True,
        x_limits=(low, high),
        y_limits=(min(p.theta.low or 1e-3 for p in known) / 1.5, 1.3),
        y_words=lambda share: f"{100 * share:.4g}",
    )
    rows = [
        [p.model, nats(p.excess), interval(p.theta), percent(p.limit)] for p in part.errors.points
    ]
    head = ["model", "excess of a piece, nats", "theta", "at most"]
    return press.figure(
        Drawing("errors-by-excess", [chart]), numbers(head, rows, "errors against excess loss")
    )


def _dot(contents: Lab, model: str, x: float, estimate: Estimate, label: str) -> Series:
    role = contents.roles.get(model, "ink")
    return Series.of(label, [x], [estimate], style="dots", role=role, words=[label], named=False)


def _joint(contents: Lab, press: Press, known: Sequence[JointPoint], part: Theory) -> Markup:
    """Failed pieces against the exponent that the slingshot says they depend on alone."""
    exponents = [p.exponent for p in known if p.exponent]
    low, high = min(exponents) / 1.5, max(exponents) * 1.3
    places = [low * (high / low) ** (i / 60) for i in range(61)]
    lines = [
        Series("predicted", places, [failed_by_slingshot(x) for x in places], role="ink",
               quiet=True, named=False),
    ]  # fmt: skip
    for model in dict.fromkeys(p.model for p in known):
        own = [p for p in known if p.model == model]
        role = contents.roles.get(model, "ink")
        x = [p.exponent or 0.0 for p in own]
        measured = [p.measured for p in own]
        path = Series("", x, [e.value for e in measured], "dotted", role=role, named=False)
        lines.append(replace(path, quiet=True))
        lines.append(Series.of(model, x, measured, style="dots", role=role))
    chart = Chart(
        "The slingshot, tested",
        "failed pieces of k = 1, 2, 3, 4 skills, %",
        "k × failures on one skill, −k ln(1 − θ₁)",
        lines,
        x_log=True,
        x_limits=(low, high),
        **SHARE_AXIS,
    )
    rows = [
        [p.model, str(p.k), percent(p.predicted), interval(p.measured), points(p.residual)]
        for p in part.joint
    ]
    head = ["model", "k", "predicted", "measured", "residual, points"]
    return press.figure(Drawing("slingshot", [chart]), numbers(head, rows, "the slingshot"))


def _growth(
    contents: Lab, press: Press, placed: Sequence[tuple[float, GrowthPoint]], part: Theory
) -> Markup:
    """The k at the threshold against excess loss: measured and predicted."""
    grown = part.growth
    # the predictions start from the measured k of one model
    start = [p.measured.value if p.model == grown.start else None for _, p in placed]
    x = [x for x, _ in placed]
    predictions: list[tuple[str, Style, list[float | None]]] = [
        (
            "by excess",
            "dashes",
            [k or p.by_excess for k, (_, p) in zip(start, placed, strict=True)],
        ),
        ("by theta", "dotted", [k or p.by_theta for k, (_, p) in zip(start, placed, strict=True)]),
    ]
    lines = [Series(name, x, k, style, quiet=True, named=False) for name, style, k in predictions]
    dots = [
        _dot(contents, p.model, x, p.measured, f"{'≥ ' * p.beyond}{p.model}") for x, p in placed
    ]
    values = [v for _, p in placed for v in (p.measured.low, p.measured.high, p.measured.value)]
    reached = [v for v in values if v]
    share = percent(grown.threshold)
    chart = Chart(
        "How k grows",
        f"k at {share} full marks, ≥ if untested; grey: by excess (dashed), theta (dotted)",
        "excess loss, nats a token (falls with scale)",
        [*lines, *dots],
        x_log=True,
        y_log=True,
        x_limits=(max(x) * 1.5, min(x) / 1.5),
        y_limits=(0.9 * min(0.9, *reached), 1.1 * max(9.0, *reached)),
    )
    rows = [
        [
            p.model,
            ("at least " if p.beyond else "") + number(p.measured),
            *(ABSENT if k is None else f"{k:.1f}" for k in (p.by_excess, p.by_theta)),
        ]
        for p in grown.points
    ]
    head = ["model", "k measured", "predicted by excess", "predicted by theta"]
    words = f"Exponent of k against excess: {number(grown.exponent)}; the theory says −1."
    below = folded("Numbers", table(head, rows, "growth of k"), el("p", words))
    return press.figure(Drawing("growth", [chart]), below)
