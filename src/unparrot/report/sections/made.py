"""The last sections: every cell of a run of the lab, and how a run was made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from unparrot.analysis.model.competence import METRICS
from unparrot.analysis.schema import LabSummary
from unparrot.core.wording import ABSENT, METRIC_NAMES, interval, seconds, split_name
from unparrot.report.contents import AnyContents, Contents
from unparrot.report.html.layout import folded, section, table, wide
from unparrot.report.html.markup import Markup, el, join

MARK_HEADS = {
    "skills": "skill marks",
    "topic": "topic mark",
    "sense": "sense mark",
    "length": "length mark",
}


def every_lab_cell(contents: Contents[LabSummary]) -> Markup:
    """Every cell of every model."""
    rows = [
        [
            m.name,
            str(c.k),
            split_name(c.split),
            c.decoding,
            str(c.n),
            *(interval(c.metric(metric)) for metric in METRICS),
            *(interval(c.marks.get(kind)) for kind in MARK_HEADS),
        ]
        for m in contents.models
        for c in m.cells
    ]
    head = ["model", "k", "split", "decoding", "texts", *METRIC_NAMES.values()]
    head += MARK_HEADS.values()
    title = f"All {len(rows)} cells"
    return section("cells", "Every number", [], wide(folded(title, table(head, rows, "all cells"))))


def footer() -> Markup:
    """What holds for every number of the page."""
    return el(
        "footer",
        "Intervals are given at the level stated with each estimate. A value that is absent "
        f"is written as '{ABSENT}', never as 0.",
    )


def pairs_table(pairs: Mapping[str, object], label: str) -> Markup:
    """Two columns: name and value; values that are not text are written as JSON."""
    rows = [[name, _value(value)] for name, value in pairs.items()]
    return table(["", label], rows or [["–", ABSENT]], label)


def _value(value: object) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def making(contents: AnyContents) -> Markup:
    """How the run was made: command, spec, versions, digests, timings, machine."""
    manifest = contents.manifest
    command: Any = manifest.get("command") or ABSENT
    words = command if isinstance(command, str) else " ".join(map(str, command))
    seed = manifest.get("seed", contents.summary.seed)
    budget = (contents.summary.budget or ABSENT) if isinstance(contents.summary, LabSummary) else ""
    times: Mapping[str, float] = manifest.get("timings") or {}
    spec = json.dumps(manifest.get("spec") or {}, indent=2, ensure_ascii=False, sort_keys=True)
    blocks: list[tuple[str, str, Mapping[str, object] | None]] = [
        ("Time", "time", {name: seconds(value) for name, value in times.items()} or None),
        ("Machine", "value", manifest.get("machine") or {}),
        ("Versions", "version", manifest.get("versions") or {}),
        ("Digests", "sha-256", manifest.get("digests") or {}),
    ]
    return section(
        "made",
        "How it was made",
        [
            join(
                "Command: ",
                el("code", words),
                f" · seed {ABSENT if seed is None else _value(seed)}",
                f" · budget {budget}" if budget else None,
            )
        ],
        el(
            "div",
            *(
                el("div", el("h3", title), pairs_table(pairs, label))
                for title, label, pairs in blocks
                if pairs is not None
            ),
            class_="made",
        ),
        el("h3", "Specification"),
        el("pre", spec, tabindex="0"),
    )
