"""Full marks on held-out pairs of a run of the lab, apart by whether one skill acts in the other.

    python benchmarks/pairs_apart.py runs/demo

A held-out pair is nested where the plan of the request puts both skills into one clause; otherwise
what the text holds is all that binds them. Prints, for every model, k and kind, full marks in per
cent and the number of texts (greedy).
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from unparrot.core.records import RunFolder
from unparrot.lab.world.english import plan


def main() -> None:
    """Print the shares."""
    folder = RunFolder(Path(sys.argv[1]))
    held = {tuple(row["skills"]) for row in folder.checked_table("heldout").to_dicts()}
    marks: defaultdict[tuple[str, int, bool], list[bool]] = defaultdict(list)
    for text in folder.read_graded():
        if text.split != "heldout_pair" or text.decoding != "greedy":
            continue
        (pair,) = held.intersection(text.combination.pairs())
        nested = any(
            {*unit.operators, *unit.modifiers, unit.proposition} >= set(pair)
            for unit in plan(text.combination.skills)
        )
        marks[text.model, text.combination.k, nested].append(bool(text.full_marks))
    for (model, k, nested), given in sorted(marks.items()):
        kind = "one in the other" if nested else "side by side"
        print(f"{model:12} k {k:2} {kind:17} {100 * np.mean(given):5.1f} % of {len(given)}")


if __name__ == "__main__":
    main()
