"""The section of the page that lays the theory over the measurement."""

from __future__ import annotations

from typing import Any, cast

from unparrot.core.estimate import Estimate
from unparrot.core.wording import ABSENT, interval, nats, percent
from unparrot.report.contents import Contents
from unparrot.report.draw.theory_figures import (
    TUPLES,
    curve_rows,
    error_law,
    growth,
    joint,
    performance_curves,
)
from unparrot.report.html.layout import Press, grid, section
from unparrot.report.html.markup import Markup, el, join
from unparrot.report.html.tables import folded, table

Row = dict[str, Any]


def theory(contents: Contents, press: Press) -> Markup | None:
    """Performance curves, errors against excess, slingshot and growth; None without them."""
    part = contents.part("theory")
    if not part:
        return None
    curves = [
        press.figure(performance_curves(contents, size), _curve_table(contents, size))
        for size in TUPLES
        if curve_rows(contents, size)
    ]
    pair: list[Markup] = []
    # logarithmic axes have no place for nothing: without a point above 0 there is no figure
    if any(p["excess"] > 0 for p in part["errors"]["points"]):
        pair.append(press.figure(error_law(contents), _error_table(part)))
    if any((p["exponent"] or 0) > 0 for p in part["joint"]):
        pair.append(press.figure(joint(contents), _joint_table(part)))
    excess = {m.name: m.excess or 0.0 for m in contents.transformers}
    placed = any(excess.get(p["model"], 0.0) > 0 for p in part["growth"]["points"])
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
            *_findings(part),
        ],
        *(grid(figure, kind=" wide") for figure in curves),
        *([grid(*pair)] if pair else []),
        *([grid(press.figure(growth(contents), _growth_table(part)))] if placed else []),
    )


def _findings(part: Any) -> list[str | Markup]:
    return [str(sentence) for sentence in cast(list[object], part.get("findings") or [])]


def _curve_table(contents: Contents, size: int) -> Markup:
    rows = curve_rows(contents, size)
    alpha = cast(list[float], rows[0]["alpha"])
    head = ["model", "curve", *(f"worst {percent(a)}" for a in alpha)]
    body: list[list[str]] = []
    for row in rows:
        for name, words in (
            ("worst", "measured, upper"),
            ("cross_fitted", "measured, lower"),
            ("sharp", "sharp"),
            ("classic", "classic"),
        ):
            body.append([row["model"], words, *(percent(value) for value in row[name])])
        body.append([row["model"], "luck", *(percent(row["luck"]) for _ in alpha)])
    words = f"performance curves of {TUPLES[size]}"
    return folded("The numbers", table(head, body, words))


def _estimate(plain: Row | None) -> str:
    if plain is None or plain["value"] is None:
        return ABSENT
    return interval(Estimate(**plain))


def _number(plain: Row | None) -> str:
    """An estimate that is not a share, with two decimals."""
    if plain is None or plain["value"] is None:
        return ABSENT
    if plain["low"] is None:
        return f"{plain['value']:.2f}"
    return f"{plain['value']:.2f} ({plain['low']:.2f}–{plain['high']:.2f})"


def _error_table(part: Any) -> Markup:
    rows = [
        [p["model"], nats(p["excess"]), _estimate(p["theta"]), percent(p["limit"])]
        for p in part["errors"]["points"]
    ]
    head = ["model", "excess of a piece, nats", "theta", "at most"]
    return folded("The numbers", table(head, rows, "errors against excess loss"))


def _joint_table(part: Any) -> Markup:
    rows = [
        [
            p["model"],
            str(p["k"]),
            percent(p["predicted"]),
            _estimate(p["measured"]),
            _signed(p["residual"]),
        ]
        for p in part["joint"]
    ]
    head = ["model", "k", "predicted", "measured", "residual, points"]
    return folded("The numbers", table(head, rows, "the slingshot"))


def _signed(plain: Row) -> str:
    value, low, high = (100 * plain[key] for key in ("value", "low", "high"))
    return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"


def _growth_table(part: Any) -> Markup:
    rows = [
        [
            p["model"],
            ("at least " if p["beyond"] else "") + _number(p["measured"]),
            *(ABSENT if p[key] is None else f"{p[key]:.1f}" for key in ("by_excess", "by_theta")),
        ]
        for p in part["growth"]["points"]
    ]
    head = ["model", "k measured", "predicted by excess", "predicted by theta"]
    exponent = part["growth"]["exponent"]
    words = f"Exponent of k against excess: {_number(exponent)}; the theory says −1."
    numbers = join(table(head, rows, "growth of k"), el("p", words))
    return folded("The numbers", numbers)
