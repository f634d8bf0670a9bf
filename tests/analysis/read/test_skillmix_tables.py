"""The tables of a run of language models are checked, and made nameless if the pack is private."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest
from msgspec.structs import replace

from unparrot.analysis.read.skillmix_tables import (
    is_skillmix,
    public_manifest,
    read_skillmix,
    without_names,
)
from unparrot.core.errors import BadInput
from unparrot.core.records import Manifest, RunFolder
from unparrot.core.skills import Skill, SkillPack, Topic
from unparrot.packs.reading import load_pack

PACK = load_pack("language.en")
SECRET = SkillPack(
    "hush-pack",
    "9",
    tuple(Skill(f"qxskill{i}", f"qxkind{i % 2}", f"qxdef{i}", f"qxexample{i}") for i in range(6)),
    (Topic("qxtopic1"), Topic("qxtopic2")),
)


@pytest.fixture(scope="module")
def run(skillmix_runs: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return skillmix_runs.fabricate(tmp_path_factory.mktemp("runs") / "run", PACK)


def changed(run: Path, out: Path, **spec: Any) -> RunFolder:
    """The run with another specification."""
    folder = RunFolder(out)
    for table in run.glob("*.parquet"):
        (folder.path / table.name).parent.mkdir(parents=True, exist_ok=True)
        (folder.path / table.name).write_bytes(table.read_bytes())
    manifest = RunFolder(run).read_manifest()
    folder.write_manifest(replace(manifest, spec=manifest.spec | spec))
    return folder


def test_read(run: Path, skillmix_runs: ModuleType) -> None:
    tables = read_skillmix(RunFolder(run))
    assert is_skillmix(RunFolder(run))
    assert tables.models == tuple(skillmix_runs.STUDENTS)
    assert (tables.seed, tables.private, tables.silent) == (7, False, ())
    assert tables.spec["grader"] == "openai/gpt-4o"
    assert tables.outcomes.height == tables.texts.height
    asked = set(tables.outcomes["skills"].explode().to_list())
    assert dict(tables.categories) == {s.name: s.category for s in PACK.skills if s.name in asked}
    assert tables.calls is not None
    assert "prompt" not in tables.calls.columns


def test_models_come_as_the_run_names_them(run: Path, tmp_path: Path) -> None:
    names = ["openai-api/local/tiny-llama-1.1b-chat", "nobody", "openai/gpt-4o-mini"]
    tables = read_skillmix(changed(run, tmp_path, models=names))
    assert tables.models == (names[0], names[2])
    assert tables.silent == ("nobody",)


def test_what_an_import_lacks_is_none(skillmix_runs: ModuleType, tmp_path: Path) -> None:
    lacking = ("skills", "grades", "transcripts", "usage")
    run = skillmix_runs.fabricate(tmp_path, PACK, leave_out=lacking)
    tables = read_skillmix(RunFolder(run))
    assert (tables.grades, tables.usage, tables.calls) == (None, None, None)
    assert set(tables.categories.values()) == {""}


def test_another_run_is_not_of_the_protocol(tmp_path: Path) -> None:
    assert not is_skillmix(RunFolder(tmp_path))


@pytest.mark.parametrize("seed", [None, "7", -1, True, [], ["7"]])
def test_a_seed_is_a_whole_number(run: Path, tmp_path: Path, seed: object) -> None:
    folder = changed(run, tmp_path)
    manifest = folder.path / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"seed": seed}))
    with pytest.raises(BadInput, match=r"manifest\.json .*seed"):
        read_skillmix(folder)


def test_the_first_seed_of_several_counts(run: Path, tmp_path: Path) -> None:
    folder = changed(run, tmp_path)
    folder.write_manifest(replace(folder.read_manifest(), seed=(10, 11)))
    assert read_skillmix(folder).seed == 10


def test_odd_tables_are_refused_by_name(run: Path, tmp_path: Path) -> None:
    folder = changed(run, tmp_path)
    folder.write_table("skills", folder.read_table("skills")[:1])
    with pytest.raises(BadInput, match=r"skills\.parquet in .* does not list"):
        read_skillmix(folder)
    calls = folder.read_table("transcripts")
    folder.write_table("skills", RunFolder(run).read_table("skills"))
    folder.write_table("transcripts", calls.drop("latency"))
    with pytest.raises(BadInput, match=r"transcripts\.parquet in .* needs a column 'latency'"):
        read_skillmix(folder)
    (folder.path / "transcripts.parquet").write_bytes(b"torn")
    with pytest.raises(BadInput, match=r"transcripts\.parquet is not a Parquet table"):
        read_skillmix(folder)
    folder.write_table("transcripts", calls)
    folder.write_table("usage", pl.DataFrame({"model": ["a"]}))
    with pytest.raises(BadInput, match=r"usage\.parquet .* needs a column 'role'"):
        read_skillmix(folder)


def test_empty_grades_are_none(run: Path, tmp_path: Path) -> None:
    folder = changed(run, tmp_path)
    folder.write_table("grades", folder.read_table("grades").clear())
    assert read_skillmix(folder).grades is None


def test_a_private_run_has_no_names(skillmix_runs: ModuleType, tmp_path: Path) -> None:
    run = skillmix_runs.fabricate(tmp_path, SECRET, private=True)
    folder = RunFolder(run)
    graded = folder.read_table("graded")
    odd = pl.int_range(pl.len()) == 0
    graded.with_columns(
        pl.when(odd)
        .then(pl.lit("unscored").cast(graded["status"].dtype))
        .otherwise("status")
        .alias("status"),
        pl.when(odd)
        .then(pl.lit("the mark 'qxdef1' for QXSKILL3 is odd"))
        .otherwise("reason")
        .alias("reason"),
    ).write_parquet(run / "graded.parquet")
    tables = read_skillmix(folder)
    assert tables.grades is not None
    frames = (tables.outcomes, tables.texts, tables.graded, tables.grades)
    plain = [frame.drop("text_id").to_dicts() for frame in frames]
    said = json.dumps([plain, dict(tables.spec), dict(tables.categories)], ensure_ascii=False)
    assert not re.search("qx|hush", said, re.IGNORECASE)
    assert "the mark … for … is odd" in said
    assert set(tables.texts["text"]) == {""}
    # the same figures come out of it: who earned what is as it was
    named = read_skillmix(changed(run, tmp_path / "open", private=False)).outcomes
    kept = ["text_id", "model", "k", "sample", "full_marks", "skills_earned", "unscored"]
    assert tables.outcomes.select(kept).equals(named.select(kept))
    assert tables.outcomes["combination"].n_unique() == named["combination"].n_unique()


def test_a_private_manifest_tells_nothing_but_the_protocol() -> None:
    pack = {"name": "qx", "digest": "ab", "skills": 3}
    spec = {"protocol": "SKILL-MIX", "k": [2], "notes": "qx", "pack": pack}
    whole = Manifest(spec, "unparrot eval run m --pack ./qx.yaml", 1, {}, {}, {}, {})
    assert public_manifest(whole) == Manifest(
        {"protocol": "SKILL-MIX", "k": [2], "pack": {"digest": "ab", "skills": 3}},
        *("unparrot eval run", 1, {}, {}, {}, {}),
    )


def test_names_are_taken_out_of_reasons() -> None:
    assert without_names("no marks for red herring and Irony", ["irony", "red herring"]) == (
        "no marks for … and …"
    )
    assert without_names('said "cut" off', ["ironing"]) == "said … off"
    assert without_names("ironing", ["iron"]) == "ironing"
