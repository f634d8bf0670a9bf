"""A study's file: what it may hold, what its runs are, and what is wrong with it, by name."""

from __future__ import annotations

from itertools import combinations, islice, pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from unparrot.core.errors import BadInput
from unparrot.lab.study.spec import Measure, RunSpec, Setting, Shape, label, read_spec, shipped
from unparrot.lab.study.work import source_of
from unparrot.lab.world.english import World

SMALL = """
name = "small"
[axes]
shape = [{ width = 8, layers = 1, heads = 1, hidden = 16 }]
tokens = 30_000
"""


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "study.toml"
    path.write_text(text)
    return str(path)


def test_every_shipped_study_can_be_run() -> None:
    assert {"tiny", "scale", "extrapolation", "vocabulary", "quick", "standard"} <= set(shipped())
    for name in shipped():
        spec = read_spec(name)
        runs = list(spec.runs())
        assert spec.name == name
        assert len(runs) == len(spec) == len({run.setting.key for run in runs})
        assert spec.about
        for run in runs:  # there is a combination for every text of training
            documents = islice(source_of(run).documents(run.setting.curriculum), 500)
            trained = {document.combination.k for document in documents}
            assert trained == {*range(1, run.setting.max_k + 1)}


def test_an_axis_is_a_value_or_a_list_and_runs_go_through_all(tmp_path: Path) -> None:
    text = f"{SMALL}seed = [1, 2, 3]\npair_share = [0, 0.15]\n"
    runs = list(read_spec(written(tmp_path, text)).runs())
    got = [(run.setting.seed, run.setting.pair_share) for run in runs]
    assert got == [(seed, share) for seed in (1, 2, 3) for share in (0.0, 0.15)]
    assert {run.tokens for run in runs} == {(30_000,)}
    assert runs[0].setting == Setting(1, pair_share=0.0), "all else is as in the demo"


def test_runs_that_differ_in_the_recipe_alone_share_their_corpus() -> None:
    one = Setting(3)
    recipe = replace(one, learning_rate=0.01, decay=0.2, muon_factor=0.5, documents_per_step=24)
    assert one.key != recipe.key
    assert one.data_key == recipe.data_key
    for name, value in {
        "seed": 4, "skills": 20, "topics": 10, "k_weights": (1.0, 1.0), "exponent": 0.0,
        "pair_share": 0.1, "triple_share": 0.0, "cell_share": 0.0, "held_out_by": "category",
    }.items():  # fmt: skip
        other = replace(one, **{name: value})
        assert other.data_key != one.data_key, name


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "small"', 'name = "A study"', "'A study' cannot name a study"),
        ('name = "small"', 'name = "small"\ncolour = 1', "unknown field `colour`"),
        ("tokens = 30_000", "tokens = 30_000\nsede = 1", r"unknown field `sede` - at `\$.axes`"),
        ("tokens = 30_000", "tokens = []", "'tokens' has no value"),
        ("tokens = 30_000", "tokens = 10", "tokens must be at least 1000, not 10"),
        ("tokens = 30_000", "tokens = [30_000, 30_000]", "'tokens' has 30000 twice"),
        ("tokens = 30_000", "tokens = [30_000, 30_001]", "two numbers of tokens .* called 30k"),
        ("tokens = 30_000", "tokens = 30_000\nseed = -1", "from 0 on, not -1"),
        ("tokens = 30_000", "tokens = 30_000\nseed = 1.5", r"Expected.*got `float` - at `\$.axes"),
        ("tokens = 30_000", "tokens = 30_000\nskills = 99", "the world has 36 skills; 99"),
        ("tokens = 30_000", "tokens = 30_000\ntopics = 0", "the world has 20 topics; 0"),
        ("tokens = 30_000", "tokens = 30_000\nskills = 4", "texts of 8 skills, and there are 4"),
        ("tokens = 30_000", "tokens = 30_000\npair_share = 1", "pair_share must be at least 0"),
        ("tokens = 30_000", "tokens = 30_000\npair_share = nan", "pair_share must be at least 0"),
        ("tokens = 30_000", "tokens = 30_000\nk_weights = [[0, 0]]", "positive sum"),
        ("tokens = 30_000", "tokens = 30_000\ndecay = 0", "decay is 0"),
        ("tokens = 30_000", "tokens = 30_000\nmuon_factor = inf", "muon_factor must be a number"),
        ("width = 8", "width = 7", "no even head size"),
        ("width = 8", "width = 8, parameters = 9000", "width or a number of parameters"),
        ("width = 8, ", "", "width or a number of parameters"),
        ("hidden = 16", "hidden = 16, name = 'a/b'", "'a/b' cannot name a shape"),
        ("tokens = 30_000", "tokens = 30_000\n[measure]\nks = [0]", "ks must be different numbers"),
        ("tokens = 30_000", "tokens = 30_000\n[measure]\npieces = 0", "pieces must be at least 1"),
        ("[axes]", "[axes", "small|toml|Expected|Invalid"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in SMALL
    path = written(tmp_path, SMALL.replace(old, new))
    with pytest.raises(BadInput, match=message):
        list(read_spec(path).runs())


def test_a_study_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(BadInput, match=r"no study 'scalee'.*scale.*tiny"):
        read_spec("scalee")


def test_a_shape_by_its_parameters_is_the_nearest() -> None:
    vocabulary = len(World().vocabulary)
    for wanted in (50_000, 200_000, 1_000_000):
        shape = Shape(parameters=wanted, layers=4, heads=4).sizes(vocabulary)
        others = [Shape(width=shape.width + d).sizes(vocabulary) for d in (-8, 8)]
        assert all(abs(shape.params - wanted) <= abs(o.params - wanted) for o in others)


def test_two_shapes_of_one_size_need_names() -> None:
    deep = Shape(parameters=100_000, layers=8)
    wide = Shape(parameters=100_000, layers=2)
    names = {label(shape.sizes(len(World().vocabulary)).params) for shape in (deep, wide)}
    if len(names) == 1:
        with pytest.raises(BadInput, match="give one of them a name"):
            RunSpec("r", Setting(), (deep, wide), (9000,), Measure())
    with pytest.raises(BadInput, match="two shapes would be called wide"):
        RunSpec(
            "r", Setting(), tuple(replace(s, name="wide") for s in (deep, wide)), (9000,), Measure()
        )


def test_held_out_categories_are_whole() -> None:
    setting = Setting(5, held_out_by="category", triple_share=0.0)
    kinds = {skill.name: skill.category for skill in setting.world.pack.skills}
    held = setting.held_out()
    across = {tuple(sorted((kinds[a], kinds[b]))) for a, b in held.pairs}
    assert all(a != b for a, b in across)
    for a, b in combinations(sorted(kinds), 2):
        assert ((a, b) in held.pairs) == (tuple(sorted((kinds[a], kinds[b]))) in across)
    assert len(held.pairs) >= 0.15 * len(list(combinations(kinds, 2)))


def test_a_world_of_fewer_skills_has_frequent_and_rare_ones() -> None:
    every = World().pack
    few = World(12, 7).pack
    assert (len(few.skills), len(few.topics)) == (12, 7)
    places = [every.skill_names.index(name) for name in few.skill_names]
    assert (places[0], places[-1]) == (0, len(every.skills) - 1)
    steps = [b - a for a, b in pairwise(places)]
    assert max(steps) - min(steps) <= 1
