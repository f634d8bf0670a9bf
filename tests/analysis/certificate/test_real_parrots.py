"""Real parrots on a fresh corpus: recall is perfect, and neither is beyond both."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from unparrot.analysis.certificate.certify import certify
from unparrot.core.grades import EARNED, MISSED, GradedText
from unparrot.core.skills import HeldOut
from unparrot.lab.cells import draw_cells
from unparrot.lab.corpus import Example, Mixture, Source
from unparrot.lab.grader.exact import marks
from unparrot.lab.parrots.old import NgramParrot, SpliceParrot
from unparrot.lab.world.english import World

DOCUMENTS = 6000


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_real_parrot_is_never_beyond_the_real_parrots(
    seed: int, tmp_path: Path, lab_run: Callable[..., Path]
) -> None:
    world = World()
    rng = np.random.default_rng(seed)
    held = HeldOut.draw(world.pack, rng, 0.3, 0.1, 0.2, max_k=4)
    source = Source(world, held, Mixture(), seed)
    drawn = [source.document(i) for i in range(DOCUMENTS)]
    documents = [
        Example(d.combination, " ".join(d.situation.words), " ".join(d.text.words)) for d in drawn
    ]
    counts = Counter(d.combination.id for d in drawn)
    cells = draw_cells(
        world.pack, held, [d.combination for d in documents], (1, 2, 3, 4, 5), 100, rng
    )
    parrots = {"n-gram": NgramParrot(documents), "splice": SpliceParrot(documents)}
    # each is examined as if it were a model, with luck of its own
    writers = {name: (parrot, 1) for name, parrot in parrots.items()}
    writers |= {f"{name} again": (parrot, 2) for name, parrot in parrots.items()}
    texts: list[GradedText] = []
    for name, (parrot, luck) in writers.items():
        for c, cell in enumerate(cells):
            for i, combination in enumerate(cell.combinations):
                text = parrot.write(
                    combination, world.about(combination), Random(f"{luck} {c} {i}")
                )
                given = {
                    criterion: EARNED if mark else MISSED
                    for criterion, mark in marks(
                        combination, world.about(combination), text
                    ).items()
                }
                where = (name, cell.split, "t0.7", 0, counts.get(combination.id, 0))
                texts.append(GradedText(combination, text, given, *where))
    lab_run(tmp_path, texts, dict.fromkeys(parrots, True), held.rows())
    recalled = [t.full_marks for t in texts if t.model == "splice" and t.trained_count]
    assert len(recalled) > 300
    assert sum(map(bool, recalled)) == len(recalled)
    claims: Any = certify(tmp_path).claims
    assert {claim.model for claim in claims} == {"n-gram again", "splice again"}
    assert {claim.verbatim.verdict for claim in claims} == {"not shown"}
    pairs = next(c for c in claims if (c.k, c.split) == (3, "heldout_pair"))
    assert 20 < pairs.units < pairs.combinations
