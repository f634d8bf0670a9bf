"""The summary of a study on disk: what is there, what is missing, its tables; what is refused."""

import json
import shutil
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from unparrot.analysis.study.study_models import read_models
from unparrot.analysis.study.study_summary import (
    read_study_summary,
    summarise_study,
    write_summary,
)
from unparrot.core.errors import BadInput


@pytest.fixture(scope="module")
def out(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    write_summary(study, folder)
    return folder


def test_it_is_made_of_what_is_there_and_names_what_is_not(out: Path) -> None:
    summary = read_study_summary(out)
    assert (summary.runs, summary.runs_of, summary.seeds) == (3, 4, 3)
    assert (len(summary.trained), summary.models_of) == (26, 36)
    assert len(summary.missing) == 10
    assert "recipe-plain-seed-2: 139k at 1.3M" in summary.missing
    assert "seed 4: 15k" in summary.missing
    assert len(summary.settings) == 9
    small = next(s for s in summary.settings if s.name == "139k at 1.3M")
    assert (small.seeds, small.of) == (2, 4)
    assert small.k50.low is small.k50.high is None


def test_growth_is_that_of_the_law_of_the_runs(out: Path, ladder_runs: ModuleType) -> None:
    growth = read_study_summary(out).growth
    assert (growth.unit, growth.exponent.n, growth.over_trainings.n) == ("seeds", 3, 12)
    for exponent in (growth.exponent, growth.over_trainings):
        assert exponent.low < ladder_runs.GAMMA < exponent.high
    assert growth.c.low < ladder_runs.C < growth.c.high
    assert growth.pairs.low < 1 < growth.pairs.high
    assert growth.halved.value == pytest.approx(2**-growth.exponent.value)
    assert not growth.own_scales


def test_texts_longer_than_training_stand_beside_the_law(out: Path) -> None:
    setting = next(s for s in read_study_summary(out).settings if s.name == "139k")
    longer = {s.k: s for s in setting.shares if s.split == "untrained_k"}
    assert sorted(longer) == [11, 12]
    # the runs fall off beyond the k of training, and the law knows nothing of it
    assert longer[12].full_marks.value < longer[12].law
    assert all(s.law is None for s in setting.shares if s.split == "seen")


def test_a_row_a_model_and_a_row_a_cell(out: Path) -> None:
    for name, rows in (("study", 26 + 6), ("study-cells", None)):
        table = pl.read_parquet(out / f"{name}.parquet")
        assert table.columns == pl.read_csv(out / f"{name}.csv").columns
        assert rows is None or table.height == rows
        assert "seed" in table.columns
        assert "recipe" not in table.columns  # it does not vary
    models = pl.read_parquet(out / "study.parquet")
    bounded = models.filter(pl.col("k50_bound").is_not_null())
    assert bounded["k50"].null_count() == bounded.height > 0
    assert models.filter(pl.col("k50").is_null() & pl.col("k50_bound").is_null()).is_empty()
    cells = pl.read_parquet(out / "study-cells.parquet")
    assert set(cells["split"]) == {"seen", "heldout_pair", "untrained_k"}
    row = cells.filter((pl.col("model") == "n-gram") & (pl.col("k") == 3)).row(0, named=True)
    assert (row["full_marks"], row["combinations"]) == (0.0, 40)


def test_the_same_runs_give_the_same_bytes(out: Path, study: Path, tmp_path: Path) -> None:
    write_summary(study, tmp_path)
    for path in out.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_a_slice_has_its_own_exponent_and_a_single_shape_shares_the_scale(
    ladder_runs: ModuleType, tmp_path: Path
) -> None:
    sizes = ("15k", "54k", "139k", "25k")
    settings = {"axis": "k_weights", "values": [(0.5, 0.5), (0.1, 0.9)], "seeds": (1,)}
    study = ladder_runs.write_ladder_study(tmp_path / "a", models=sizes, **settings)
    summary = summarise_study(read_models(study))
    assert [s.axes for s in summary.slices] == [
        {"k_weights": (0.5, 0.5)},
        {"k_weights": (0.1, 0.9)},
    ]
    assert [s.exponent.method for s in summary.slices] == ["jackknife over trainings"] * 2
    assert (summary.growth.own_scales, summary.growth.unit) == (True, "trainings")
    one = ladder_runs.write_ladder_study(tmp_path / "b", models=("54k",), **settings)
    alone = summarise_study(read_models(one))
    assert not alone.growth.own_scales
    assert alone.slices[0].exponent is None
    assert alone.growth.exponent is None  # both runs are alike


def test_shapes_of_equal_depth_and_width_are_told_apart_where_one_is_missing(study: Path) -> None:
    settings = read_models(study).settings
    assert all(len({m.growth.params for m in own}) == 1 for own in settings.values())


def test_damage_is_refused_by_name(study: Path, out: Path, tmp_path: Path) -> None:
    broken = tmp_path / "study"
    shutil.copytree(study, broken)
    (broken / "recipe-plain-seed-1" / "models.parquet").write_bytes(b"torn")
    with pytest.raises(BadInput, match=r"models\.parquet"):
        read_models(broken)
    for run in broken.glob("*/manifest.json"):
        run.unlink()
    with pytest.raises(BadInput, match="no run of the study"):
        read_models(broken)
    summary = json.loads((out / "study-summary.json").read_text())
    for change, message in (({"version": 0}, "older"), ({"seeds": "three"}, "seeds")):
        (broken / "study-summary.json").write_text(json.dumps(summary | change))
        with pytest.raises(BadInput, match=message):
            read_study_summary(broken)
