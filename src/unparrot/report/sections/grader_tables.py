"""The sections on the graders of a run, and on the marks that nobody could give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from unparrot.core.estimate import Estimate
from unparrot.core.wording import ABSENT, count, interval, percent, points, short_names
from unparrot.report.contents import Contents
from unparrot.report.draw.strip import strip
from unparrot.report.html.layout import section
from unparrot.report.html.markup import Markup, el, join
from unparrot.report.html.tables import folded, scrolled, table
from unparrot.report.reading import estimate_of

Row = dict[str, Any]
MOST_ROWS = 12  # of a table that stands open


def graders(contents: Contents) -> Markup | None:
    """Agreement, voting, and what another grader would have said; None without their marks."""
    part = contents.part("graders")
    if not part:
        return None
    names = cast(list[str], part["graders"])
    labels = dict(zip(names, short_names(names), strict=True))
    labels |= {model.name: model.label for model in contents.models if model.name not in labels}
    deciding = part.get("deciding")
    words: list[str | Markup] = [
        "A grader is a measuring instrument, so it is measured, too: how far it agrees with other "
        "graders and with itself from round to round. Raw agreement is high wherever nearly all "
        "marks are alike; AC1 and alpha take out what chance would give, each in its own way.",
        join(el("code", "unparrot graders RUN"), " tells more, skill by skill."),
    ]
    if deciding:
        words.append(
            f"The marks that count are those of {deciding}: what most of its rounds say. "
            "Sentences are counted by a program, and its count decides the mark for length."
        )
    copies = cast(list[Row], part["identical_rounds"])
    words += [
        f"Rounds {row['first']} and {row['second']} of {row['grader']} are identical in all "
        f"{count(row['marks'])} marks: they count as one."
        for row in copies
    ]
    agreement = cast(list[Row], part["agreement"])
    if not agreement:
        words.append(
            "Nothing can be said of agreement: there is one grader, and no second round of it."
            if len(names) < 2
            else "Nothing can be said of agreement: no mark was given twice."
        )
    return section(
        "graders",
        "The graders, measured",
        words,
        *([el("h3", "Agreement"), _agreement(agreement, labels)] if agreement else []),
        el("h3", "How the rounds voted"),
        _voting(cast(list[Row], part["voting"])),
        *_instead(str(deciding), labels, cast(list[Row], part["if_another_decided"])),
        *_bias(cast(list[Row], part["family_bias"])),
    )


def _agreement(rows: Sequence[Row], labels: Mapping[str, str]) -> Markup:
    """A table in groups: each pair of graders, and the rounds of each grader."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        raters = [str(name) for name in row["raters"]]
        who = " and ".join(labels.get(name, name) for name in raters)
        if row["between"] == "rounds":
            grader = raters[0].rpartition(" round ")[0]
            who = f"{labels.get(grader, grader)}, its {len(raters)} rounds"
        groups.setdefault(who, []).append(row)
    body: list[Markup] = []
    for who, found in groups.items():
        body.append(el("tr", el("th", who, scope="rowgroup", colspan=str(_WIDE), class_="group")))
        body += [_agreed(row) for row in found]
    head = ["marks", "n", "raw agreement", "AC1", "", "alpha"]
    return scrolled(head, body, "agreement of graders and of grading rounds")


_WIDE = 6


def _agreed(row: Row) -> Markup:
    ac1 = _estimate(row["ac1"])
    return el(
        "tr",
        el("th", str(row["name"]), scope="row"),
        el("td", count(row["units"])),
        el("td", interval(_estimate(row["raw"]))),
        el("td", _coefficient(ac1)),
        el("td", strip(ac1)),
        el("td", _coefficient(_estimate(row["alpha"]))),
    )


def _estimate(plain: Any) -> Estimate:
    return estimate_of(plain, "an agreement")


def _coefficient(estimate: Estimate) -> str:
    if estimate.value is None:
        return "–"
    said = f"{estimate.value:.2f}"
    if estimate.low is not None and estimate.high is not None:
        said += f" ({estimate.low:.2f} to {estimate.high:.2f})"
    return said.replace("-", "−")


def _voting(rows: Sequence[Row]) -> Markup:
    body = [
        [
            str(row["grader"]),
            str(row["rounds"]),
            count(row["verdicts"]),
            *(_part(row[name], row["verdicts"]) for name in ("agreed", "split", "ties", "silent")),
            _part(row["abstained"], row["marks"]),
        ]
        for row in rows
    ]
    head = ["grader", "rounds", "verdicts", "all alike", "by majority", "tied", "no mark at all"]
    return table([*head, "marks not given"], body, "how the rounds of each grader voted")


def _part(some: int, whole: int) -> str:
    return f"{count(some)} ({percent(some / whole)})" if whole else count(some)


def _instead(deciding: str, labels: Mapping[str, str], rows: Sequence[Row]) -> list[Markup]:
    if not rows:
        return []
    body = [
        [
            labels.get(row["grader"], row["grader"]),
            labels.get(row["model"], row["model"]),
            str(row["k"]),
            count(row["texts"]),
            ABSENT if row["decided"] is None else percent(row["decided"]),
            ABSENT if row["instead"] is None else percent(row["instead"]),
            points(estimate_of(row["difference"], "a grader")),
        ]
        for row in rows
    ]
    head = ["grader", "text by", "k", "texts", "full marks as decided", "had it decided"]
    return [
        el("h3", "If another grader had decided"),
        el(
            "p",
            f"Full marks by the same rule on the same texts, with the grader's marks in place of "
            f"{deciding}'s; the count of sentences stays the program's.",
            class_="text",
        ),
        tall([*head, "difference, points"], body, "full marks had another grader decided"),
    ]


def _bias(rows: Sequence[Row]) -> list[Markup]:
    if not rows:
        return []
    body = [
        [
            str(row["family"]),
            *(points(estimate_of(row[name], "a family")) for name in ("own", "other", "bias")),
            count(row["bias"]["n"]),
        ]
        for row in rows
    ]
    head = ["family", "on its own texts", "on others", "bias, points", "texts"]
    return [
        el("h3", "Does a family of models favour its own?"),
        el(
            "p",
            "Points in a hundred that graders of a family give beyond others on the same marks.",
            class_="text",
        ),
        table(head, body, "what graders give to texts of their own family"),
    ]


def tall(head: Sequence[str], rows: Sequence[Sequence[str]], label: str) -> Markup:
    """A table, folded if it has many rows."""
    made = table(head, rows, label)
    if len(rows) <= MOST_ROWS:
        return made
    return el("div", folded(f"All {len(rows)} rows", made), class_="text-wide")


def unscored(contents: Contents) -> Markup:
    """How many marks are unscored, of whom and why."""
    part = contents.part("unscored")
    models, reasons = cast(list[Row], part["models"]), cast(list[Row], part["reasons"])
    if not reasons:
        return section("unscored", "Nothing is left open", ["Every mark of every text was scored."])
    names = [model.label for model in contents.models]
    by_model = [
        [
            str(row["model"]),
            _part(row["texts_unscored"], row["texts"]),
            _part(row["unscored"], row["marks"]),
            *(count(value) for value in cast(Row, row["kinds"]).values()),
        ]
        for row in models
    ]
    by_reason = [
        [
            str(row["reason"]),
            count(row["marks"]),
            count(row["texts"]),
            *(count(value) for value in cast(list[int], row["by_model"])),
        ]
        for row in reasons
    ]
    head = ["model", "texts with an unscored mark", "unscored marks", "skills", "topic", "sense"]
    return section(
        "unscored",
        "What could not be scored",
        [
            "A refusal, a text that was cut off, a grader without an answer: such marks are "
            "neither points nor misses. They are left out of every share and counted here.",
        ],
        table([*head, "length"], by_model, "unscored marks by model"),
        el("h3", "Why"),
        tall(["why", "marks", "texts", *names], by_reason, "unscored marks by reason"),
    )
