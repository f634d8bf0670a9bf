"""The last sections: every cell of a run, and how it was made."""

import json
from collections.abc import Mapping

from unparrot.analysis.model.competence import METRICS, Cell
from unparrot.analysis.schema import LabSummary
from unparrot.core.wording import ABSENT, METRIC_NAMES, NOTHING, seconds, split_name
from unparrot.report.contents import AnyContents
from unparrot.report.html.layout import folded, section, table, wide
from unparrot.report.html.markup import Markup, el, join
from unparrot.report.sections.against_k import written

MARK_HEADS = {
    "skills": "skill marks",
    "topic": "topic mark",
    "sense": "sense mark",
    "length": "length mark",
}


def every_cell(contents: AnyContents) -> Markup:
    """Every cell of every model: each metric with its interval, and its bounds where it has any."""
    cells = [cell for model in contents.models for cell in model.cells]
    head = ["model", "k", "split", "decoding", "combinations", "texts", "with unscored marks"]
    head += METRIC_NAMES.values()
    if several := any(cell.pass_at_1 for cell in cells):
        head += ["pass@1", "best of", "max@rounds", "skill fraction, one", "best"]
    rows = [
        [
            cell.model,
            str(cell.k),
            split_name(cell.split),
            cell.decoding,
            *map(str, (cell.combinations, cell.n, cell.unscored)),
            *(written(cell.metric(metric)) for metric in METRICS),
            *(_rounds(cell) if several else ()),
            *(written(cell.marks.get(kind)) for kind in MARK_HEADS),
        ]
        for cell in cells
    ]
    made = table([*head, *MARK_HEADS.values()], rows, "all cells")
    return section("cells", "Every number", [], made, teaser=f"All {len(rows)} cells")


def _rounds(cell: Cell) -> list[str]:
    once, best = cell.pass_at_1, cell.max_at_rounds
    return [
        written(once and once.full_marks),
        ABSENT if best is None else str(best.rounds),
        written(best and best.full_marks),
        written(once and once.skill_fraction),
        written(best and best.skill_fraction),
    ]


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
    return table(["name", label], rows or [[NOTHING, ABSENT]], label)


def _value(value: object) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def making(contents: AnyContents) -> Markup:
    """How the run was made: command, spec, versions, digests, timings, machine."""
    manifest, summary = contents.manifest, contents.summary
    parts = [f" · seed {_value(manifest.seed)}"]
    if isinstance(summary, LabSummary):
        parts.append(f" · budget {summary.budget or ABSENT}")
    blocks: list[tuple[str, str, Mapping[str, object]]] = [
        ("Time", "time", {name: seconds(value) for name, value in manifest.timings.items()}),
        ("Machine", "value", manifest.machine),
        ("Versions", "version", manifest.versions),
        ("Digests", "sha-256", manifest.digests),
    ]
    spec = json.dumps(manifest.spec, indent=2, ensure_ascii=False, sort_keys=True)
    return section(
        "made",
        "Make it again",
        [join("Command: ", el("code", manifest.command or ABSENT), *parts)],
        wide(
            folded(
                "Time, machine, versions and digests",
                el(
                    "div",
                    *(
                        el("div", el("h4", name), pairs_table(pairs, label))
                        for name, label, pairs in blocks
                        if pairs or name != "Time"
                    ),
                    class_="made",
                ),
            ),
            folded(
                "Specification",
                el("pre", spec, tabindex="0", role="group", aria_label="Specification"),
            ),
        ),
    )
