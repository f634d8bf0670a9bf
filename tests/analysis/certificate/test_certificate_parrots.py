"""Real parrots on a fresh corpus: recall is perfect, and neither is ever certified."""

from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from unparrot.analysis.certificate.certify import certify
from unparrot.core.grades import EARNED, MISSED, GradedText
from unparrot.core.records import RunFolder
from unparrot.core.skills import HeldOut
from unparrot.lab.cells import draw_cells
from unparrot.lab.corpus import Mixture, Source
from unparrot.lab.grader.exact import marks
from unparrot.lab.parrots import NgramParrot, SpliceParrot
from unparrot.lab.world.english import World, WorldSpec

DOCUMENTS = 6000


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_real_parrots_are_never_certified(seed: int, tmp_path: Path) -> None:
    world = World(WorldSpec(fields=False))
    rng = np.random.default_rng(seed)
    held = HeldOut.draw(world.pack, rng, 0.3, 0.1, 0.2, max_k=4)
    source = Source(world, held, Mixture(), seed)
    drawn = [source.document(i) for i in range(DOCUMENTS)]
    documents = [(d.combination, " ".join(d.words)) for d in drawn]
    counts = Counter(d.combination.id for d in drawn)
    cells = draw_cells(world.pack, held, [c for c, _ in documents], (1, 2, 3, 4, 5), 100, rng)
    texts: list[GradedText] = []
    parrots = {"n-gram": NgramParrot(documents), "splice": SpliceParrot(documents)}
    for name, parrot in parrots.items():
        for cell in cells:
            for combination in cell.combinations:
                text = parrot.write(combination, None)
                given = {
                    criterion: EARNED if mark else MISSED
                    for criterion, mark in marks(combination, text).items()
                }
                count = counts.get(combination.id, 0)
                where = (name, cell.split, "greedy", 0, count)
                texts.append(GradedText(combination, text, given, *where))
    run = RunFolder(tmp_path)
    run.write_graded(texts)
    kinds = pl.DataFrame({"name": ["n-gram", "splice"], "kind": ["parrot", "parrot"]})
    run.write_table("models", kinds)
    recalled = [t.full_marks for t in texts if t.model == "splice" and t.trained_count]
    assert len(recalled) > 300
    assert sum(map(bool, recalled)) == len(recalled)
    for slip in (None, 0.0):
        certificate = certify(tmp_path, slip=slip)
        assert {row.verdict for row in certificate.rows} == {"not shown"}
        assert all(row.evidence for row in certificate.rows)
