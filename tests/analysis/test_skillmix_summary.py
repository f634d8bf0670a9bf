"""The summary of a run of language models: its parts agree with what makes them by itself."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import polars as pl
import pytest
from msgspec.structs import replace

from unparrot.analysis.certificate.certify import certify, write_certificate
from unparrot.analysis.model.competence import competence
from unparrot.analysis.model.saturation import saturation
from unparrot.analysis.read.outcomes import read_outcomes
from unparrot.analysis.schema import SkillMixSummary, read_summary
from unparrot.analysis.summary import THRESHOLD, analyze, summarise
from unparrot.core.errors import BadInput
from unparrot.core.records import RunFolder
from unparrot.core.skills import SkillPack
from unparrot.packs.reading import load_pack
from unparrot.report.words.headline_words import question

PACK = load_pack("language.en")
MODEL = "openai/gpt-4o-mini"


@pytest.fixture(scope="module")
def run(skillmix_runs: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return skillmix_runs.fabricate(tmp_path_factory.mktemp("runs") / "run", PACK)


@pytest.fixture(scope="module")
def summary(run: Path) -> SkillMixSummary:
    summary = analyze(run)
    assert isinstance(summary, SkillMixSummary)
    return summary


def test_it_is_written_and_holds_plain_data(run: Path, summary: SkillMixSummary) -> None:
    assert read_summary(run) == summary
    assert summarise(RunFolder(run)) == summary
    assert (summary.seed, summary.private) == (7, False)
    assert question(summary) == "How many skills can these models combine at once?"


def test_every_model_has_its_figures(run: Path, summary: SkillMixSummary) -> None:
    outcomes = read_outcomes(run)
    own = outcomes.filter(pl.col("model") == MODEL)
    entry = summary.models[0]
    assert entry.name == MODEL
    assert entry.cells == competence(own)
    assert entry.cells[0].pass_at_1.rounds == 1
    assert entry.cells[0].max_at_rounds.rounds == 2
    assert entry.saturation == (
        saturation(own, threshold=THRESHOLD, decoding="t0.7", splits=["unknown"])
    )
    assert {rate.split for rate in entry.per_skill} == {"all"}
    kinds = {rate.category for rate in entry.per_skill}
    assert list(entry.per_category) == [
        kind for kind in dict.fromkeys(s.category for s in PACK.skills) if kind in kinds
    ]
    asked = sum(rate.earned.n for rate in entry.per_skill)
    assert asked == sum(rate.n for rate in entry.per_category.values())
    assert {gap.reason for gap in entry.composition} == {"no text asks for one skill alone"}


def test_the_parts_belong_to_the_run(summary: SkillMixSummary) -> None:
    asked = summary.run
    assert asked.texts == sum(m.texts for m in summary.unscored.models)
    assert asked.combinations == {2: 8, 3: 8}
    assert asked.pack["name"] == "language.en"
    assert summary.run.grader == "openai/gpt-4o"
    assert summary.comparison.tests == 2
    assert summary.usage.texts == asked.texts
    assert summary.certificate is None
    assert summary.headline.first == 3
    ids = [example.text_id for example in summary.examples]
    assert len(set(ids)) == len(ids) > 4


def test_with_single_skills_there_is_a_composition_gap(
    skillmix_runs: ModuleType, tmp_path: Path
) -> None:
    small = SkillPack("small", "1", PACK.skills[:3], PACK.topics)
    shape = skillmix_runs.Shape((1, 2), 24, 2, 1)
    run = skillmix_runs.fabricate(tmp_path, small, shape)
    gaps = summarise(RunFolder(run)).models[0].composition
    assert [gap.k for gap in gaps] == [2]
    assert gaps[0].gap.value > 0


def test_an_import_without_tables_is_summarised(skillmix_runs: ModuleType, tmp_path: Path) -> None:
    lacking = ("skills", "grades", "transcripts", "usage")
    run = skillmix_runs.fabricate(tmp_path, PACK, leave_out=lacking, students={"m": 0.9})
    found = summarise(RunFolder(run))
    assert (found.graders, found.usage, found.comparison) == (None, None, None)
    assert question(found) == "How many skills can this model combine at once?"
    assert found.models[0].per_category == {}
    assert {rate.category for rate in found.models[0].per_skill} == {""}


def test_several_decodings_are_told_apart(run: Path, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    texts = RunFolder(run).read_table("texts")
    texts = texts.with_columns(
        pl.when((pl.col("k") == 2) & (pl.col("sample") == 1))
        .then(pl.lit("other"))
        .otherwise("decoding")
        .alias("decoding")
    )
    texts.write_parquet(tmp_path / "texts.parquet")
    RunFolder(run).read_table("graded").write_parquet(tmp_path / "graded.parquet")
    folder.write_manifest(RunFolder(run).read_manifest())
    entry = summarise(folder).models[0]
    assert {(c.k, c.decoding) for c in entry.cells} == {
        (2, "other"), (2, "t0.7"), (3, "t0.7"),
    }  # fmt: skip
    assert entry.saturation.decoding == "t0.7"  # it has the more values of k


def test_the_certificate_that_was_written_is_told(
    skillmix_runs: ModuleType, tmp_path: Path
) -> None:
    run = skillmix_runs.fabricate(tmp_path / "run", PACK)
    skills, topics = skillmix_runs.rates(tmp_path, PACK)
    with pytest.raises(BadInput, match="does not say what training showed"):
        certify(run)
    certificate = certify(run, skills=skills, topics=topics, windows=1e9)
    write_certificate(run, certificate)
    assert summarise(RunFolder(run)).certificate.claims == certificate.claims
    folder = RunFolder(run)
    manifest = folder.read_manifest()
    folder.write_manifest(replace(manifest, spec=manifest.spec | {"private": True}))
    told = summarise(folder).certificate
    assert told.claims == certificate.claims
    assert {skills.name, topics.name} <= set(certificate.hashes)
    assert set(told.hashes) == {"pack", "prompts", "texts.parquet", "graded.parquet"}


def test_a_run_of_something_else_is_refused(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    parts = ("spec", "versions", "digests", "timings", "machine")
    folder.write_manifest({"command": "", "seed": 1} | {part: {} for part in parts})
    with pytest.raises(BadInput, match="a run of the lab, or of language models"):
        analyze(folder)
    with pytest.raises(BadInput, match=r"there is no manifest\.json"):
        analyze(tmp_path / "nothing")
