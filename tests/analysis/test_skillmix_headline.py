"""The sentence of a run of language models: fixed beforehand, honest about what is open."""

from __future__ import annotations

from typing import Any

from msgspec.structs import asdict

from unparrot.analysis.model.competence import Bounded, Cell
from unparrot.analysis.schema import Model, SkillMixHeadline
from unparrot.analysis.summary import skillmix_headline
from unparrot.report.words.headline_words import skillmix_sentence
from unparrot.stats.intervals import wilson


def cell(k: int, good: int, n: int = 40, decoding: str = "t0.7", **more: Any) -> Cell:
    plain = asdict(wilson(good, n)) | {"unscored": 0, "worst": None, "best": None} | more
    full = Bounded(**plain)
    return Cell("m", k, "all", decoding, n, n, 0, full, full, full, {})


def headline(*models: list[Cell]) -> SkillMixHeadline:
    entries = [Model(f"m{i}", "language model", tuple(cells)) for i, cells in enumerate(models)]
    return skillmix_headline(entries, {entry.name: "t0.7" for entry in entries})


def said(*models: list[Cell]) -> str:
    return skillmix_sentence(headline(*models))


def test_one_model_with_three_skills_and_with_most() -> None:
    found = headline([cell(2, 30), cell(3, 20), cell(4, 12), cell(5, 4)])
    assert skillmix_sentence(found) == (
        "With 3 skills at once, m0 earns full marks on 50 % (35 to 65) of its texts; with 5, on "
        "10 % (4 to 23)."
    )
    assert (found.first, found.last) == (3, 5)
    assert found.told[0].first.value == 0.5


def test_without_three_skills_the_smallest_number_above_one() -> None:
    assert headline([cell(1, 40), cell(2, 20), cell(4, 4)]).first == 2
    sentence = said([cell(4, 4), cell(6, 2)])
    assert sentence.startswith("With 4 skills at once, m0 earns full marks on 10 % (4")
    alone = headline([cell(1, 20)])
    assert alone.last is None
    assert (
        skillmix_sentence(alone)
        == "With 1 skill, m0 earns full marks on 50 % (35 to 65) of its texts."
    )


def test_several_models_stay_in_their_order() -> None:
    found = headline([cell(3, 4), cell(4, 2)], [cell(3, 20), cell(4, 10)], [cell(3, 8)])
    assert skillmix_sentence(found) == (
        "With 3 skills at once, m0 earns full marks on 10 % (4 to 23) of its texts, m1 on 50 % (35 "
        "to 65) and m2 on 20 % (10 to 35); with 4, on 5 % (1 to 17), 25 % (14 to 40) and an "
        "unknown share (none was asked for)."
    )
    many = said(*([cell(3, 4)] for _ in range(6)))
    assert many.endswith("2 more models are listed below.")


def test_what_is_open_is_said_to_be() -> None:
    bounds = {"worst": wilson(0, 15), "best": wilson(5, 15)}
    found = headline([cell(3, 0, 0, unscored=15, **bounds)])
    assert skillmix_sentence(found) == (
        "With 3 skills at once, m0 earns full marks on an unknown share between 0 % and 33.4 % "
        "of its texts. Where no share is known, every text has an unscored mark."
    )
    assert "50 % (no interval)" in said([cell(3, 20, low=None, high=None)])


def test_only_the_named_decoding_counts() -> None:
    found = headline([cell(3, 40, decoding="other"), cell(3, 4)])
    assert found.told[0].first.value == 0.1
