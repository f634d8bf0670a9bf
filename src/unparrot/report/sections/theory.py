"""The section on where failures lie, between luck and malice, and how often they come."""

from collections.abc import Sequence
from typing import Any

from unparrot.analysis.schema import LabSummary
from unparrot.analysis.theory.concentration import Concentration
from unparrot.analysis.theory.laws import Theory
from unparrot.core.wording import count, interval, nats, number, percent
from unparrot.report.contents import Contents
from unparrot.report.draw.chart import Chart, Drawing, Rule, Series
from unparrot.report.draw.paint import Press
from unparrot.report.html.layout import folded, grid, numbers, section, table
from unparrot.report.html.markup import Markup, el
from unparrot.report.sections.against_k import SHARES, whole
from unparrot.report.words.growth_words import theory_findings

Lab = Contents[LabSummary]
TUPLES = {1: "skills", 2: "pairs of skills"}
SIZE = (940.0, 300.0)  # of a row of performance curves


def theory(contents: Lab, press: Press) -> Markup | None:
    """Performance curves, mistakes against excess, single skills; None without cloze pieces."""
    part = contents.summary.theory
    if part is None:
        return None
    errors = _errors(contents, press, part)
    curves = [
        grid(_curves(contents, press, size, own), kind=" wide")
        for size in TUPLES
        if (own := [curve for curve in part.curves if curve.tuple_size == size])
    ]
    findings = theory_findings(part)
    rest = (
        *curves[1:],
        *(el("p", words, class_="text") for words in findings[1:]),
        grid(errors) if errors else None,
    )
    return section(
        "laws",
        "The theory, laid over the measurement",
        [
            "The same models are shown held-out text pieces and must fill the telling words. "
            "A piece is failed if any of them is wrong; theta is the share of failed pieces.",
            "The theory asks where failures fall. If a model fails its share of pieces whatever "
            "their skills, every skill suffers alike: luck, the dotted line. At worst all failures "
            "gather on the same few skills: malice, the black line, which no model can cross; the "
            "dashed grey one is the bound as first published. Each coloured band is one model. "
            "Its upper edge ranks and measures the skills on the same pieces and reads too high, "
            "its lower edge does both on different pieces and reads too low.",
        ],
        *curves[:1],
        *(el("p", words, class_="text") for words in findings[:1]),
        folded("Pairs of skills, and the other laws", *rest, kind="fold"),
        folded("The cloze test, skill by skill", _cloze(contents), kind="fold"),
    )


def _curves(contents: Lab, press: Press, size: int, curves: Sequence[Concentration]) -> Markup:
    """One panel a model: measured between its two readings, luck, sharp and classic."""
    charts: list[Chart] = []
    rows: list[list[str]] = []
    for curve in curves:
        look: Any = {"quiet": True, "named": False}
        own = look | {"role": contents.roles.get(curve.model, "ink")}
        at, worst, cross = curve.alpha, curve.worst, curve.cross_fitted
        lines = [
            Series("measured, upper", at, worst, low=cross, high=worst, **own),
            Series("measured, lower", at, cross, **own),
            Series("sharp", at, curve.sharp, role="ink", **look),
            Series("classic", at, curve.classic, "dashes", role="soft", **look),
        ]
        charts.append(
            Chart(
                "",
                curve.model,
                f"worst share of the {TUPLES[size]}, %",
                lines,
                y_label="pieces failed",
                x_log=True,
                x_limits=(at[0], 1),
                x_ticks=(0.05, 0.1, 0.25, 0.5, 1),
                x_words=whole,
                rules=[Rule(curve.luck, role="parrot")],
                **SHARES,
            )
        )
        rows += [[curve.model, line.label, *map(percent, line.y)] for line in lines]
        rows.append([curve.model, "luck", *(percent(curve.luck) for _ in at)])
    head = ["model", "curve", *(f"worst {percent(a)}" for a in curves[0].alpha)]
    title = f"Between luck and malice: {TUPLES[size]}"
    return press.figure(
        Drawing(f"performance-{size}", charts, *SIZE, title=title),
        numbers(head, rows, f"performance curves of {TUPLES[size]}"),
    )


def _errors(contents: Lab, press: Press, part: Theory) -> Markup | None:
    """Mistakes a piece against its excess loss, both logarithmic; None without any above 0."""
    points = [(p.model, p.excess, p.rate) for p in part.errors if p.excess > 0 and p.rate]
    known = [(name, x, rate) for name, x, rate in points if rate.value]
    if not known:
        return None
    excess = [x for _, x, _ in known]
    low, high = min(excess) / 1.6, max(excess) * 1.6
    _, at, rate = max(known, key=lambda point: point[1])
    line = [(rate.value or 0.0) * end / at for end in (low, high)]
    dots = [
        Series.of(
            name, [x], [e], style="dots", role=contents.roles[name], words=[name], named=False
        )
        for name, x, e in known
    ]
    chart = Chart(
        "Mistakes against excess loss",
        "mistakes a piece, −ln(1 − θ); line: in proportion, through one model",
        "excess loss of a piece, nats",
        [Series("in proportion", [low, high], line, role="ink", quiet=True, named=False), *dots],
        x_log=True,
        y_log=True,
        x_limits=(low, high),
    )
    rows = [[p.model, nats(p.excess), number(p.rate), number(p.joint)] for p in part.errors]
    head = ["model", "excess of a piece, nats", "mistakes a piece", "c over k"]
    return press.figure(
        Drawing("errors-by-excess", [chart]), numbers(head, rows, "mistakes against excess loss")
    )


def _cloze(contents: Lab) -> Markup:
    """Theta, and competence in single skills, models side by side."""
    tests = [(m.name, m.cloze) for m in contents.transformers if m.cloze]
    competences = [test.per_skill for _, test in tests]
    skills = sorted({skill for rates in competences for skill in rates})
    rows = [
        ["theta (pieces failed)", *(interval(test.theta) for _, test in tests)],
        ["pieces", *(count(test.pieces) for _, test in tests)],
        *([skill, *(interval(rates.get(skill)) for rates in competences)] for skill in skills),
    ]
    return table(["competence in", *(name for name, _ in tests)], rows, "cloze test")
