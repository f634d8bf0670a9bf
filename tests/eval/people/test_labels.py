"""People's labels: who is shown what, what is kept, and what becomes of it in the tables."""

import re
import stat
from collections import Counter
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from unparrot.analysis.graders.measure import measure_graders
from unparrot.analysis.read.grader_marks import read_grades
from unparrot.core.errors import BadInput
from unparrot.core.grades import EARNED, MISSED, Mark
from unparrot.core.records import RunFolder
from unparrot.eval.ask.run import rewrite
from unparrot.eval.people.label_sample import (
    CANNOT_TELL,
    Item,
    grader_name,
    open_labelling,
)
from unparrot.eval.record.journal import open_journal
from unparrot.eval.record.labels import labelled, read_labels
from unparrot.eval.record.prepare import Prepared

ADA = grader_name("ada")


@pytest.fixture
def run(journal_runs: ModuleType, tmp_path: Path) -> Prepared:
    return journal_runs.fabricate(tmp_path / "run")


def all_earned(item: Item) -> dict[str, Mark]:
    return dict.fromkeys(item.criteria, EARNED)


def test_a_sample_has_its_share_of_each_k_and_grows(run: Prepared) -> None:
    labelling = open_labelling(run.folder)
    texts = [text for text in RunFolder(run.folder).read_graded() if text.text]
    assert len(labelling.items) == len(texts) == 37
    whole = Counter(text.combination.k for text in texts)
    for n in range(1, 38):
        drawn = labelling.sample(n, 1)
        shares = Counter(item.combination.k for item in drawn)
        assert len(drawn) == n
        assert all(abs(shares[k] - n * whole[k] / 37) <= 1 for k in whole)
        assert {item.id for item in drawn} <= {item.id for item in labelling.sample(n + 1, 1)}
    assert len(labelling.sample(1000, 1)) == 37
    assert labelling.sample(10, 1) == labelling.sample(10, 1)
    assert labelling.sample(37, 1) != labelling.sample(37, 2)
    assert {item.id for item in labelling.sample(10, 1)} != {
        item.id for item in labelling.sample(10, 2)
    }


def test_every_text_is_as_likely_to_be_drawn(run: Prepared) -> None:
    labelling = open_labelling(run.folder)
    draws = 400
    counts = Counter(item.id for seed in range(draws) for item in labelling.sample(12, seed))
    chance = 12 / 37
    spread = (draws * chance * (1 - chance)) ** 0.5
    assert len(counts) == 37
    assert all(abs(count - draws * chance) < 5 * spread for count in counts.values())


def test_ids_tell_nothing_and_belong_to_one_run(
    run: Prepared, journal_runs: ModuleType, tmp_path: Path
) -> None:
    labelling = open_labelling(run.folder)
    assert all(re.fullmatch(r"(?:[b-t]{4}-){2}[b-t]{4}", id_) for id_ in labelling.items)
    assert not any(set("aeiou") & set(id_) for id_ in labelling.items)
    again = open_labelling(run.folder)
    assert list(again.items) == list(labelling.items)
    other = open_labelling(journal_runs.fabricate(tmp_path / "other").folder)
    assert {item.text_id for item in other.items.values()} == {
        item.text_id for item in labelling.items.values()
    }
    assert not set(other.items) & set(labelling.items)  # the same texts, but another secret
    # nor may places be worked out from the names of models
    orders = [[item.text_id for item in run.sample(37, 1)] for run in (labelling, other)]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])
    drawn = [{item.text_id for item in run.sample(12, 1)} for run in (labelling, other)]
    assert drawn[0] != drawn[1]


def test_labels_are_kept_and_replaced_text_by_text(run: Prepared) -> None:
    first, second, *_ = open_labelling(run.folder).sample(5, 1)
    assert read_labels(run.folder).is_empty()
    open_labelling(run.folder).keep(ADA, {first.text_id: all_earned(first)})
    open_labelling(run.folder).keep(ADA, {second.text_id: all_earned(second)})
    open_labelling(run.folder).keep(grader_name("bo"), {first.text_id: all_earned(first)})
    marks = {**all_earned(first), "sense": MISSED, "topic": CANNOT_TELL}
    open_labelling(run.folder).keep(ADA, {first.text_id: marks})
    table = read_labels(run.folder)
    assert len(table) == 2 * len(first.criteria) + len(second.criteria)
    own = table.filter((pl.col("text_id") == first.text_id) & (pl.col("grader") == ADA))
    assert {row["criterion"]: (row["status"], row["reason"]) for row in own.to_dicts()} == {
        name: (mark.status, mark.reason) for name, mark in marks.items()
    }
    assert set(table["family"]) == {"person"}
    assert set(table["round"]) == {1}
    assert labelled(run.folder, ADA) == {first.text_id, second.text_id}
    path = run.folder / "labels.parquet"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_who_has_marked_a_text_is_not_shown_it_again(run: Prepared) -> None:
    labelling = open_labelling(run.folder)
    drawn = labelling.sample(6, 1)
    open_labelling(run.folder).keep(ADA, {item.text_id: all_earned(item) for item in drawn[:4]})
    assert {item.id for item in labelling.sample(6, 1, ADA)} == {item.id for item in drawn[4:]}
    assert labelling.sample(6, 1, grader_name("bo")) == drawn
    more = {item.id for item in labelling.sample(8, 1, ADA)}
    assert len(more) == 4
    assert more > {item.id for item in drawn[4:]}


def test_people_stand_among_the_graders_with_the_length_counted(run: Prepared) -> None:
    before = pl.read_parquet(run.folder / "grades.parquet")
    drawn = open_labelling(run.folder).sample(20, 1)
    open_labelling(run.folder).keep(ADA, {item.text_id: all_earned(item) for item in drawn})
    kept = read_labels(run.folder)
    stranger = kept.head(1).with_columns(pl.lit("0123456789abcdef").alias("text_id"))
    RunFolder(run.folder).write_table("labels", pl.concat([kept, stranger]))
    rewrite(run)
    after = pl.read_parquet(run.folder / "grades.parquet")
    people = after.filter(pl.col("family") == "person")
    assert after.filter(pl.col("family") != "person").equals(before)
    assert set(people["text_id"]) == {item.text_id for item in drawn}
    assert len(people) == sum(item.combination.k + 3 for item in drawn)
    counted = before.filter(pl.col("family") == "program").select("text_id", "status")
    lengths = people.filter(pl.col("kind") == "length").select("text_id", "status")
    assert lengths.join(counted, on=["text_id", "status"]).height == 20
    # labels of a text that is not there are kept, and stay out
    assert "0123456789abcdef" in set(read_labels(run.folder)["text_id"])


def test_graders_are_measured_beside_a_person(run: Prepared) -> None:
    drawn = open_labelling(run.folder).sample(37, 1)
    open_labelling(run.folder).keep(ADA, {item.text_id: all_earned(item) for item in drawn})
    rewrite(run)
    report = measure_graders(
        read_grades(run.folder), RunFolder(run.folder).read_table("texts"), truth=ADA
    )
    assert ADA in report.graders
    assert {row.grader for row in report.errors} == {*run.whole.graders, "sentence count"}
    own = [row for row in report.corrected if row.grader == run.whole.graders[0] and row.k is None]
    # full marks of a person are defined, since the program gave the length
    assert [row.labels for row in own] == [row.texts for row in own]
    assert all(row.corrected is not None for row in own)


def test_rewriting_changes_nothing_else(run: Prepared) -> None:
    names = ("texts", "graded", "grades", "transcripts", "usage", "skills")
    before = {name: pl.read_parquet(run.folder / f"{name}.parquet") for name in names}
    manifest = RunFolder(run.folder).read_manifest()
    rewrite(run)
    assert all(
        pl.read_parquet(run.folder / f"{name}.parquet").equals(table)
        for name, table in before.items()
    )
    assert RunFolder(run.folder).read_manifest() == manifest


def test_a_run_that_is_being_worked_on_is_not_rewritten_but_labels_are_kept(run: Prepared) -> None:
    labelling = open_labelling(run.folder)
    (item,) = labelling.sample(1, 1)
    journal = open_journal(run.folder)
    try:
        assert open_labelling(run.folder).items == labelling.items
        open_labelling(run.folder).keep(ADA, {item.text_id: all_earned(item)})
        with pytest.raises(BadInput, match="is working on the run"):
            rewrite(run)
    finally:
        journal.close()
    assert labelled(run.folder, ADA) == {item.text_id}


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x1b[31m", "x" * 61])
def test_names_of_people_are_printable_and_short(name: str) -> None:
    with pytest.raises(BadInput, match="1 to 60"):
        grader_name(name)


def test_a_table_of_other_columns_is_refused(run: Prepared) -> None:
    RunFolder(run.folder).write_table("labels", pl.DataFrame({"text_id": ["x"]}))
    with pytest.raises(BadInput, match="expected"):
        read_labels(run.folder)


def test_folders_without_a_journal_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="eval run"):
        open_labelling(tmp_path)
