"""Real parrots on a fresh corpus: put to the test again, none is beyond all of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unparrot.analysis.certificate.certify import certify
from unparrot.core.grades import GradedText
from unparrot.core.skills import HeldOut
from unparrot.lab.answers import PARROTS
from unparrot.lab.cells import draw_cells, questions
from unparrot.lab.corpus import Mixture, Source, read_documents, write_corpus
from unparrot.lab.grader.exact import grade
from unparrot.lab.world.english import World

TOKENS = 300_000


@pytest.mark.slow
def test_a_real_parrot_is_never_beyond_the_real_parrots(
    tmp_path: Path, lab_run: Callable[..., Path]
) -> None:
    seed = 1
    world, rng = World(), np.random.default_rng(seed)
    held = HeldOut.draw(world.pack, rng, 0.15, 0.02, 0.05, max_k=8)
    corpus = tmp_path / "corpus"
    write_corpus(Source(world, held, Mixture(), seed), corpus, TOKENS, 0)
    documents = read_documents(corpus)
    seen = [example.combination for example in documents]
    cells = draw_cells(world.pack, held, seen, (2, 4), 40, rng)
    texts: list[GradedText] = []
    for name, kind in PARROTS:
        # the second time as if it were a model, which met ties in another order
        for as_name, read in ((name, documents), (f"{name} again", documents[::-1])):
            parrot = kind(read)
            for q in questions(cells):
                about = world.about(q.combination)
                words = parrot.write(q.combination, about)
                given = grade(q.combination, about, words)
                where = (as_name, q.split, "greedy", 0, q.trained_count)
                texts.append(GradedText(q.combination, words, given, *where))
    run = lab_run(tmp_path / "run", texts, {name: True for name, _ in PARROTS}, held.rows())
    claims: Any = certify(run).claims
    assert {claim.model for claim in claims} == {f"{name} again" for name, _ in PARROTS}
    assert {claim.verbatim.verdict for claim in claims} == {"not shown"}
    pairs = next(c for c in claims if (c.k, c.split) == (2, "heldout_pair"))
    assert 20 < pairs.units < pairs.combinations
