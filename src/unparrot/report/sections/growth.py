"""The section on the growth of k: k50 against excess loss, and one curve for all models."""

from collections.abc import Sequence
from typing import Any

from unparrot.analysis.schema import LabSummary
from unparrot.analysis.theory.growth import Growth, ModelGrowth, token_steps
from unparrot.core.wording import ABSENT, count, interval, listed, nats, number, percent
from unparrot.report.contents import Contents
from unparrot.report.draw.chart import Chart, Drawing, Rule, Series, Shade
from unparrot.report.draw.paint import Press
from unparrot.report.html.layout import folded, grid, numbers, section, table, wide
from unparrot.report.html.markup import Markup, el
from unparrot.report.sections.against_k import SHARES
from unparrot.report.words.growth_words import growth_findings, growth_sentences, reach_words

Lab = Contents[LabSummary]
MARKERS = "osD^P"  # by number of tokens, the most first
FLOOR, ROOF = 0.5, 1.25  # of the axis of k50: the least k, and the largest trained k times this
SIZE, NARROW = (640.0, 440.0), (390.0, 400.0)  # of the headline figure; in a narrow window


def growth_figure(contents: Lab, press: Press) -> Markup | None:
    """The figure of the first screen: k50 against excess loss; None without any k50."""
    measured = contents.summary.growth
    if measured.reference is None:
        return None
    return _against_excess(contents, press, measured)


def growth(contents: Lab, press: Press) -> Markup | None:
    """k50 against excess loss, and full marks against k over k50; None without any k50."""
    measured = contents.summary.growth
    if measured.reference is None:
        return None
    return section(
        "growth",
        "Less loss, more skills at once",
        [
            " ".join(growth_sentences(measured)),
            "Each mark is one model, its height k50, its bar a 95 % interval. One colour is one "
            "size, one shape one number of training tokens; a triangle on the floor is a model "
            "without full marks on half of even the smallest texts. If the loss is what counts, "
            "both kinds of models lie on one line. The solid line is the theory's, drawn through "
            "one model and fitted to none: half the excess loss, twice the skills. The dashed one "
            "is the fit. The small crosses are k50 on pairs of skills that no training text has, "
            "and the parrots are held to those.",
        ],
        grid(_collapse(contents, press, measured)),
        wide(
            folded(
                "The fit, and what its intervals cover",
                *(el("p", words, class_="text") for words in growth_findings(measured)),
            ),
            _longer(measured),
        ),
    )


def _against_excess(contents: Lab, press: Press, measured: Growth) -> Markup:
    """The headline: k50 against excess loss, both logarithmic."""
    placed = [
        (m, m.excess.value) for m in measured.models if m.excess and m.excess.value > 0 and m.k50
    ]
    x = [excess for _, excess in placed]
    right, left = min(x) / 1.5, max(x) * 1.5
    trained = contents.summary.world.max_k
    ends = [left, right]
    lines: list[Series] = []
    reference = next((m for m, _ in placed if m.name == measured.reference), None)
    if reference and reference.k50 and reference.k50.value and reference.excess:
        k, at = reference.k50.value, reference.excess.value
        theory = [k * (end / at) ** measured.predicted for end in ends]
        lines.append(Series("theory", ends, theory, role="ink", quiet=True, named=False))
    if measured.scale is not None and measured.exponent and measured.exponent.value is not None:
        fit = [measured.scale * end**measured.exponent.value for end in ends]
        lines.append(Series("fit", ends, fit, "dashes", role="accent", quiet=True, named=False))
    steps = token_steps([m.tokens for m, _ in placed])
    for (m, excess), step in zip(placed, steps, strict=True):
        marker = MARKERS[min(step, len(MARKERS) - 1)]
        lines += _marks(m, excess, contents.roles[m.name], marker, ROOF * trained)
    chart = Chart(
        "How many skills at once",
        "k50; solid line: theory, through one model; dashed: fit",
        "excess loss, nats a token (falls to the right)",
        lines,
        x_log=True,
        y_log=True,
        x_limits=(left, right),
        y_limits=(FLOOR, ROOF * trained),
        y_ticks=[k for k in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32) if k <= trained],
        rules=_parrots(contents, measured),
        shades=[Shade(trained, ROOF * trained, "k never trained", "y")],
    )
    rows = [
        [
            m.name,
            count(m.params) if m.params else "–",
            count(m.tokens) if m.tokens else "–",
            _excess(m),
            *(reach_words(reach) for reach in (m.k50, m.k20, m.k50_heldout_pair)),
            number(m.c),
            ABSENT if m.isotonic is None else f"{m.isotonic:.1f}",
        ]
        for m in measured.models
    ]
    head = ["model", "parameters", "tokens", "excess, nats", "k50", "k20", "k50, held-out pairs"]
    below = numbers([*head, "c", "k50, monotone"], rows, "growth of k")
    narrow = Drawing("growth-narrow", [chart], *NARROW)
    return press.figure(Drawing("growth", [chart], *SIZE), below, narrow=narrow)


def _marks(m: ModelGrowth, x: float, role: str, marker: str, roof: float) -> list[Series]:
    """The mark of a model with its bar, and a cross for its k50 on held-out pairs.

    A k50 beyond what was asked is drawn there; one below, as a bound on the floor.
    """
    reach, pairs = m.k50, m.k50_heldout_pair
    assert reach is not None
    if reach.value is None and "<" in reach.bound:
        return [
            Series(
                m.name,
                [x],
                [1.08 * FLOOR],
                "dots",
                role=role,
                marker="v",
                size=8,
                named=False,
                values=[reach_words(reach)],
            )
        ]
    value, word = reach.value, m.name
    if value is None:  # the mark stands at the end of what was asked, its bar beyond
        value = float(reach.bound.split()[1])
        word += f" {reach.bound.replace('>=', '≥')}"
    mark = Series(
        m.name, [x], [value], "dots", [reach.low or value], [reach.high or roof], role=role,
        marker=marker, size=9, words=[word], values=[reach_words(reach)], named=False,
    )  # fmt: skip
    cross = Series(
        f"{m.name}, held-out pairs",
        [x],
        [pairs and pairs.value],
        "dots",
        role="ink",
        marker="X",
        values=[reach_words(pairs)],
        named=False,
    )
    return [mark, cross]


def _parrots(contents: Lab, measured: Growth) -> list[Rule]:
    """Where the parrots stand on held-out pairs: those without a k50 on the floor, in one line."""
    names = {m.name for m in contents.models if m.is_parrot}
    reaches = [
        (m.name, m.k50_heldout_pair)
        for m in measured.models
        if m.name in names and m.k50_heldout_pair is not None
    ]
    rules = [Rule(r.value, name, "parrot") for name, r in reaches if r.value is not None]
    low = [name for name, r in reaches if r.value is None and r.bound.startswith("<")]
    bound = next((r.bound for _, r in reaches if r.bound.startswith("<")), "")
    if low:
        who = listed(low) if len(low) < 3 else f"{len(low)} parrots"
        rules.append(Rule(1.4 * FLOOR, f"{who} on held-out pairs: {bound}", "parrot"))
    return rules


def _excess(m: ModelGrowth) -> str:
    if m.excess is None:
        return "–"
    if m.excess.low is None or m.excess.high is None:
        return nats(m.excess.value)
    return f"{nats(m.excess.value)} ({nats(m.excess.low)} to {nats(m.excess.high)})"


def _collapse(contents: Lab, press: Press, measured: Growth) -> Markup:
    """Full marks against k over k50: one curve for all models, if the law holds."""
    places = [0.05 * 1.06**i for i in range(100)]
    steepness = measured.c.value if measured.c else None
    lines = [
        Series("independent skills", places, [0.5**x for x in places], role="ink", quiet=True,
               named=False),
    ]  # fmt: skip
    if steepness is not None:
        fit = [0.5**x**steepness for x in places]
        lines.append(Series("fit", places, fit, "dashes", role="accent", quiet=True, named=False))
    rows: list[list[str]] = []
    for m in measured.models:
        model = next(model for model in contents.models if model.name == m.name)
        if m.excess is None or m.k50 is None or m.k50.value is None:
            continue
        cells = [
            cell
            for cell in model.cells
            if (cell.split, cell.decoding) == ("seen", "greedy") and not contents.untrained(cell.k)
        ]
        x = [cell.k / m.k50.value for cell in cells]
        shares = [cell.full_marks for cell in cells]
        look: Any = {"style": "dots", "role": contents.roles[m.name], "named": False, "size": 5.0}
        lines.append(Series(m.name, x, [share.value for share in shares], **look))
        rows += [
            [m.name, str(cell.k), f"{at:.2f}", interval(share)]
            for cell, at, share in zip(cells, x, shares, strict=True)
        ]
    chart = Chart(
        "One curve for all",
        "full marks, %; solid: (rate of one skill)^k, c = 1; dashed: fit",
        "k in units of the model's own k50",
        lines,
        x_log=True,
        x_limits=(0.08, 12),
        x_ticks=(0.1, 0.25, 0.5, 1, 2, 4, 8),
        **SHARES,
    )
    head = ["model", "k", "k / k50", "full marks"]
    return press.figure(Drawing("one-curve", [chart]), numbers(head, rows, "one curve for all"))


def _longer(measured: Growth) -> Markup | None:
    """Texts longer than any of training: measured, and by the law of what was trained."""
    rows: Sequence[Sequence[str]] = [
        [m.name, str(at.k), interval(at.full_marks), percent(at.law)]
        for m in measured.models
        for at in m.longer
        if m.excess is not None
    ]
    if not rows:
        return None
    head = ["model", "k", "full marks", "by the law of smaller k"]
    words = "More skills than any training text: another question, of length"
    return folded(words, table(head, rows, words))
