"""The summary of hand-made texts: cells, skills, cloze, headline and examples."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from msgspec.structs import asdict, replace

from unparrot.analysis.examples import examples
from unparrot.analysis.model.competence import Bounded
from unparrot.analysis.read.outcomes import outcomes_of
from unparrot.analysis.schema import BestParrot, Model
from unparrot.analysis.summary import lab_headline, lab_model
from unparrot.core.estimate import Estimate
from unparrot.core.grades import EARNED, MISSED, GradedText, Mark
from unparrot.core.skills import Skill, SkillCombination, SkillPack, Topic
from unparrot.core.tables import CLOZE_SCHEMA, SKILLS_SCHEMA
from unparrot.report.words.headline_words import lab_sentence
from unparrot.stats.intervals import wilson

PACK = SkillPack(
    "small",
    "1",
    (Skill("a", "one", "", ""), Skill("b", "one", "", ""), Skill("c", "two", "", "")),
    (Topic("tea"),),
)


def text(
    skills: str,
    marks: str,
    split: str = "seen",
    decoding: str = "greedy",
    model: str = "64k",
    topic: str = "tea",
) -> GradedText:
    """`marks`: one of 1 and 0 for each skill, then for topic, sense and length."""
    names = (*skills, "topic", "sense", "length")
    given = {n: EARNED if m == "1" else MISSED for n, m in zip(names, marks, strict=True)}
    combination = SkillCombination(topic, tuple(skills))
    return GradedText(combination, f"{skills} {marks}", given, model, split, decoding, 0, 0)


SKILLS = pl.DataFrame(
    [(s.name, s.category) for s in PACK.skills], schema=SKILLS_SCHEMA, orient="row"
)
NO_CLOZE = pl.DataFrame(schema=CLOZE_SCHEMA)
ROW: dict[str, Any] = dict.fromkeys(("params", "tokens", "loss", "entropy", "layers", "width"))


def summarised(texts: list[GradedText], **more: Any) -> Model:
    row = {"name": "64k", "kind": "transformer", **ROW, **more}
    return lab_model(row, outcomes_of(texts), SKILLS, NO_CLOZE, seed=1)


def unbounded(estimate: Estimate) -> Bounded:
    return Bounded(**asdict(estimate), unscored=0, worst=None, best=None)


def test_a_cell_by_hand() -> None:
    texts = [
        text("ab", "11111"),
        text("ba", "11101", topic="rain"),  # no sense: all skills, yet a skill fraction of 0
        text("ac", "10111"),
        text("bc", "01001"),
    ]
    (cell,) = summarised(texts).cells
    assert (cell.k, cell.split, cell.decoding, cell.n) == (2, "seen", "greedy", 4)
    assert cell.full_marks == unbounded(wilson(1, 4))
    assert cell.all_skills == unbounded(wilson(2, 4))
    assert cell.skill_fraction.value == pytest.approx((1 + 0 + 0.5 + 0) / 4)
    assert cell.marks["skills"].value == pytest.approx((1 + 1 + 0.5 + 0.5) / 4)
    assert cell.marks["topic"] == unbounded(wilson(3, 4))
    assert cell.marks["sense"] == unbounded(wilson(2, 4))
    assert cell.marks["length"] == unbounded(wilson(4, 4))
    for estimate in (cell.full_marks, cell.skill_fraction, cell.marks["skills"]):
        assert estimate.low <= estimate.value <= estimate.high


def test_cells_come_greedy_first_then_by_k_then_by_split() -> None:
    asked = [
        (2, "heldout_pair", "t0.7"), (2, "heldout_pair", "greedy"), (1, "heldout_topic", "greedy"),
        (1, "seen", "t0.7"), (2, "seen", "greedy"), (1, "seen", "greedy"),
    ]  # fmt: skip
    cells = summarised([text("ab"[:k], "11111"[: k + 3], s, d) for k, s, d in asked]).cells
    assert [(c.k, c.split, c.decoding) for c in cells] == [
        (1, "seen", "greedy"),
        (1, "heldout_topic", "greedy"),
        (2, "seen", "greedy"),
        (2, "heldout_pair", "greedy"),
        (1, "seen", "t0.7"),
        (2, "heldout_pair", "t0.7"),
    ]


def test_per_skill_pools_greedy_texts_over_k() -> None:
    texts = [
        text("a", "1111"),
        text("ab", "01111"),
        text("ab", "11111", "heldout_pair", topic="rain"),
        text("ab", "00111", decoding="t0.7"),
    ]
    rows = summarised(texts).per_skill
    found = {(r.skill, r.split): (r.category, r.earned) for r in rows}
    assert found == {
        ("a", "all"): ("one", unbounded(wilson(2, 3))),
        ("a", "seen"): ("one", unbounded(wilson(1, 2))),
        ("a", "heldout_pair"): ("one", unbounded(wilson(1, 1))),
        ("b", "all"): ("one", unbounded(wilson(2, 2))),
        ("b", "seen"): ("one", unbounded(wilson(1, 1))),
        ("b", "heldout_pair"): ("one", unbounded(wilson(1, 1))),
    }
    assert len(rows) == len(found)


def test_what_is_absent_is_null() -> None:
    texts = [text("a", "1111")]
    entry = summarised(texts, params=64_000, loss=1.5, entropy=1.25)
    assert (entry.params, entry.excess) == (64_000, 0.25)
    assert (entry.tokens, entry.layers, entry.width, entry.cloze) == (None,) * 4
    assert summarised(texts, loss=1.5).excess is None
    assert entry.composition == ()


def models(*named: tuple[str, str, int, int, int]) -> list[Model]:
    """(name, kind, params, full marks of 4 on held-out pairs, of 4 at k = 3)"""
    entries: list[Model] = []
    for name, kind, params, pairs, beyond in named:
        texts = [
            text("ab", "1111" + "01"[i < pairs], "heldout_pair", topic=f"topic {i}")
            for i in range(4)
        ]
        texts += [
            text("abc", "11111" + "01"[i < beyond], "untrained_k", topic=f"topic {i}")
            for i in range(4)
        ]
        model = summarised(texts, name="64k", kind=kind, params=params or None)
        entries.append(replace(model, name=name))
    return entries


def test_the_headline_is_of_the_largest_model_even_if_a_smaller_one_did_better() -> None:
    entries = models(
        ("9k", "transformer", 9_000, 4, 4),
        ("450k", "transformer", 449_600, 3, 1),
        ("n-gram", "parrot", 0, 0, 0),
        ("splice", "parrot", 0, 1, 0),
        ("editor", "parrot", 0, 4, 0),
    )
    found = lab_headline(entries, {"editor"})
    assert (found.model, found.k, found.split) == ("450k", 2, "heldout_pair")
    assert found.estimate == unbounded(wilson(3, 4))
    assert found.parrot == BestParrot("splice", unbounded(wilson(1, 4)))
    assert found.editor == BestParrot("editor", unbounded(wilson(4, 4)))
    assert lab_sentence(found, entries) == (
        "A transformer of 450,000 parameters earns full marks on 75 % (30 to 95) of the pairs of "
        "skills that it never saw together; on the same pairs the best parrot that copies whole "
        "stretches (splice) earns 25 % (5 to 70), and the best that weaves or edits them (editor) "
        "100 % (51 to 100)."
    )


def test_the_headline_leaves_out_what_was_not_measured() -> None:
    both = models(("50M", "transformer", 50_400_000, 4, 4), ("splice", "parrot", 0, 0, 0))
    sentence = lab_sentence(lab_headline(both, ()), both)
    assert "50.4 million parameters" in sentence
    for given, told in (
        (both[:1], "100 % (51 to 100) of the pairs of skills that it never saw together; no par"),
        ([replace(both[0], cells=()), both[1]], "measured no held-out pairs"),
        (both[1:], "no trained model"),
    ):
        found = lab_headline(given, ())
        assert found.parrot is None
        assert told in lab_sentence(found, given)


def test_the_headline_counts_the_parrots_and_owns_up_to_no_interval() -> None:
    large, one = models(("50M", "transformer", 0, 4, 4), ("splice", "parrot", 0, 0, 0))
    cells = [
        replace(cell, full_marks=replace(cell.full_marks, low=None, high=None))
        for cell in large.cells
    ]
    large = replace(large, cells=tuple(cells))

    def sentence_of(*entries: Model) -> str:
        return lab_sentence(lab_headline(entries, ()), entries)

    sentence = sentence_of(large, one)
    assert sentence.startswith("A transformer earns full marks on 100 % (no interval) of")
    assert sentence.endswith(
        "the best parrot that copies whole stretches (splice) earns 0 % (0 to 49)."
    )


def test_examples_are_drawn_by_seed_from_successes_and_failures() -> None:
    texts = [
        text("ab", f"1111{i % 2}", topic=f"topic {i}", model="64k", decoding=decoding)
        for i in range(40)
        for decoding in ("greedy", "t0.7")
    ]
    texts += [text("a", "1111", topic=f"topic {i}") for i in range(40)]
    texts += [text("ab", "00000", topic=f"topic {i}", model="splice") for i in range(2)]
    outcomes = outcomes_of(texts)
    written = pl.DataFrame({"text_id": [t.id for t in texts], "text": [t.text for t in texts]})
    both = ["64k", "splice"]
    drawn = examples(written, outcomes, both, seed=1)
    assert drawn == examples(written, outcomes, both, seed=1)
    assert drawn != examples(written, outcomes, both, seed=2)
    assert [(e.model, e.full_marks) for e in drawn] == (
        [("64k", True)] * 3 + [("64k", False)] * 3 + [("splice", False)] * 2
    )
    first = drawn[0]
    assert (first.decoding, first.split, first.k) == ("greedy", "seen", 2)
    assert first.skills == ("a", "b")
    assert first.text == "ab 11111"
    assert first.marks == dict.fromkeys(("a", "b", "topic", "sense", "length"), True)
    assert first.trained_count == 0


def test_unscored_marks_are_told_and_count_neither_way() -> None:
    lost = text("ab", "11111", topic="other")
    marks = {**lost.marks, "b": Mark.unscored("the grader did not answer")}
    open_text = GradedText(lost.combination, "", marks, "64k", "seen", "greedy", 0, 0)
    entry = summarised([text("ab", "11111"), text("ac", "01111"), open_text])
    (cell,) = entry.cells
    assert (cell.n, cell.unscored) == (3, 1)
    assert cell.full_marks.value == pytest.approx(1 / 2)
    assert cell.full_marks.worst.value == pytest.approx(1 / 3)
    assert cell.full_marks.best.value == pytest.approx(2 / 3)
    rates = {r.skill: r.earned.n for r in entry.per_skill if r.split == "all"}
    assert rates == {"a": 3, "b": 1, "c": 1}
