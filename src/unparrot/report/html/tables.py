"""The tables of the page: the data behind every figure, all cells, and how it was made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from unparrot.core.estimate import Estimate
from unparrot.core.wording import (
    ABSENT,
    METRIC_NAMES,
    count,
    interval,
    nats,
    seconds,
    split_name,
)
from unparrot.report.contents import METRICS, Contents, Json
from unparrot.report.draw.heatmap import rates, skill_rows
from unparrot.report.html.markup import Markup, el, join
from unparrot.report.sections.against_k import split_at
from unparrot.report.sections.scale import curve

MARK_KINDS = ("skills", "topic", "sense", "length")


def table(head: Sequence[str], rows: Iterable[Sequence[str]], label: str) -> Markup:
    """Make a table that scrolls within itself; the first column heads its row.

    A cell that reads 'not measured' is set apart, so that it is not taken for a number.
    """
    body = [
        el(
            "tr",
            el("th", row[0], scope="row"),
            *(el("td", cell, class_="absent" if cell == ABSENT else None) for cell in row[1:]),
        )
        for row in rows
    ]
    return scrolled(head, body, label)


def scrolled(head: Sequence[str], body: Iterable[Markup], label: str) -> Markup:
    """Put rows that are made already into a table that scrolls within itself."""
    return el(
        "div",
        el(
            "table",
            el("thead", el("tr", *(el("th", name, scope="col") for name in head))),
            el("tbody", *body),
        ),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label=label,
    )


def folded(summary: str, content: Markup) -> Markup:
    """Put content behind a line that opens it."""
    return el("details", el("summary", summary), content)


def panel_table(contents: Contents, metric: str, split: str, decoding: str) -> Markup:
    """The numbers of one panel: models by k."""
    rows = [
        [
            model.name,
            *(
                interval(
                    model.estimate(metric, k, split_at(split, k, contents.trained_k), decoding)
                )
                for k in contents.ks
            ),
        ]
        for model in contents.models
    ]
    label = f"{METRIC_NAMES[metric]}, {split_name(split)}, {decoding}"
    return folded("Numbers", table(["model", *(f"k = {k}" for k in contents.ks)], rows, label))


def model_table(contents: Contents) -> Markup:
    """One row a model: size, tokens, loss, excess, time, largest k."""
    rows = [
        [
            m.name,
            "parrot" if m.is_parrot else "transformer",
            "–" if m.is_parrot and m.params is None else count(m.params),
            "–" if m.is_parrot and m.layers is None else _shape(m.layers, m.width),
            count(m.tokens),
            nats(m.loss),
            nats(m.entropy),
            nats(m.excess),
            "–" if m.train_seconds is None else seconds(m.train_seconds),
            ABSENT if m.largest_k is None else str(m.largest_k),
        ]
        for m in contents.models
    ]
    head = ("model", "kind", "parameters", "layers × width", "training tokens", "loss", "entropy")
    return folded("Numbers", table([*head, "excess", "training time", "largest k"], rows, "models"))


def _shape(layers: int | None, width: int | None) -> str:
    return ABSENT if layers is None or width is None else f"{layers} × {width}"


def training_table(contents: Contents) -> Markup:
    """Points of the training curves, at most eight a model, the first and the last among them."""
    rows: list[list[str]] = []
    for m in contents.transformers:
        points = curve(contents.training, m.name)
        last = len(points) - 1
        chosen = sorted({round(i * last / 7) for i in range(8)}) if points else []
        rows += [[m.name, count(int(points[i][0])), nats(points[i][1])] for i in chosen]
        if not points:
            rows.append([m.name, ABSENT, ABSENT])
    return folded("Numbers", table(["model", "training tokens", "loss"], rows, "training curves"))


def skill_table(contents: Contents, split: str) -> Markup:
    """The numbers of one heat map."""
    found = rates(contents, split)
    missing = Estimate(None, None, None, 0.95, ABSENT, 0)
    rows = [
        [
            skill,
            category,
            *(interval(found.get((m.name, skill), missing)) for m in contents.models),
        ]
        for category, skill in skill_rows(contents)
    ]
    head = ["skill", "category", *(m.name for m in contents.models)]
    return folded("Numbers", table(head, rows, f"marks by skill, {split_name(split)}"))


def cloze_table(contents: Contents) -> Markup:
    """Competence in single skills from the cloze test, models side by side."""
    measured = [m for m in contents.transformers if m.theta.value is not None]
    skills = sorted({skill for m in measured for skill in m.cloze_per_skill})
    missing = Estimate(None, None, None, 0.95, ABSENT, 0)
    rows = [["theta (pieces failed)", *(interval(m.theta) for m in measured)]]
    rows += [["pieces", *(count(m.pieces) for m in measured)]]
    rows += [
        [skill, *(interval(m.cloze_per_skill.get(skill, missing)) for m in measured)]
        for skill in skills
    ]
    head = ["competence in", *(m.name for m in measured)]
    return folded("Numbers", table(head, rows, "cloze test"))


def cell_table(contents: Contents) -> Markup:
    """Every cell of every model."""
    rows = [
        [
            m.name,
            str(c.k),
            split_name(c.split),
            c.decoding,
            str(c.n),
            *(interval(c.metrics[metric]) for metric in METRICS),
            *(interval(c.marks[kind]) if kind in c.marks else ABSENT for kind in MARK_KINDS),
        ]
        for m in contents.models
        for c in m.cells
    ]
    head = ["model", "k", "split", "decoding", "texts", *METRIC_NAMES.values()]
    head += ["skill marks", "topic mark", "sense mark", "length mark"]
    return folded(f"All {len(rows)} cells", table(head, rows, "all cells"))


def pairs_table(pairs: Mapping[str, object], label: str, *, timed: bool = False) -> Markup:
    """Two columns: name and value; values that are not text are written as JSON."""
    rows = [[name, _value(value, timed)] for name, value in pairs.items()]
    return table(["", label], rows or [["–", ABSENT]], label)


def _value(value: object, timed: bool) -> str:
    if timed and isinstance(value, int | float):
        return seconds(float(value))
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _part(source: Json, key: str) -> Json:
    return cast(Json, source.get(key) or {})


def making(contents: Contents) -> Markup:
    """How the run was made: command, spec, versions, digests, timings, machine."""
    manifest: Json = contents.manifest
    timings = _part(manifest, "timings")
    spec = json.dumps(manifest.get("spec") or {}, indent=2, ensure_ascii=False, sort_keys=True)
    command = manifest.get("command")
    words = str(command or ABSENT)
    if isinstance(command, list):
        words = " ".join(str(word) for word in cast(list[object], command))
    seed = manifest.get("seed", contents.summary.get("seed"))
    return join(
        el(
            "p",
            "Command: ",
            el("code", words),
            f" · seed {ABSENT if seed is None else _value(seed, timed=False)}",
            None if contents.protocol else f" · budget {contents.summary.get('budget') or ABSENT}",
            class_="text",
        ),
        el(
            "div",
            el("div", el("h3", "Time"), pairs_table(timings, "time", timed=True))
            if timings
            else None,
            el("div", el("h3", "Machine"), pairs_table(_part(manifest, "machine"), "value")),
            el("div", el("h3", "Versions"), pairs_table(_part(manifest, "versions"), "version")),
            el("div", el("h3", "Digests"), pairs_table(_part(manifest, "digests"), "sha-256")),
            class_="made",
        ),
        el("h3", "Specification"),
        el("pre", spec, tabindex="0"),
    )
