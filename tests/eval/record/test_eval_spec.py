"""What a run is: checked, kept, and grown only where it may grow."""

from dataclasses import replace
from pathlib import Path

import pytest

from unparrot.core.errors import BadInput
from unparrot.eval.record.eval_spec import EvalSpec, grown, read_toml, spec_of

SPEC = EvalSpec(models=("openai/a",), graders=("openai/g",))


def test_names_are_made_full_and_k_is_sorted() -> None:
    spec = EvalSpec(models=("lab:runs/demo",), graders=("openai/g",), k=(4, 2, 4))
    assert spec.models == ("lab/runs/demo",)
    assert spec.k == (2, 4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"models": ()}, "name at least one model"),
        ({"graders": ()}, "name a grader"),
        ({"models": ("a/b", "a/b")}, "'a/b' is named twice among the models"),
        ({"k": ()}, "k is one or more numbers"),
        ({"k": (0, 2)}, r"not \(0, 2\)"),
        ({"n": 0}, "n must be at least 1, not 0"),
        ({"tries": 0}, "tries must be at least 1"),
        ({"seed": -1}, "not -1"),
        ({"temperature": 2.5}, "temperature lies between 0 and 2, not 2.5"),
        ({"grader_temperature": -0.1}, "grader_temperature lies"),
        ({"top_p": 0.0}, "top_p lies above 0"),
        ({"form": "prose"}, "not 'prose'"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_values_are_quoted(change: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        replace(SPEC, **change)  # type: ignore[arg-type]


def test_plain_data_and_back() -> None:
    spec = replace(SPEC, k=(2, 3), top_p=0.9, deduct_names=True)
    assert spec_of(spec.as_dict(), "here") == spec


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"model": "a/b"}, "unknown name 'model'; there are models"),
        ({"n": "many"}, "n is 'many'; expected `int`, got `str`"),
        ({"n": True}, "n is True; expected `int`"),
        ({"temperature": "warm"}, "temperature is 'warm'; expected `float | null`"),
        ({"k": [2, "3"]}, r"k is \[2, '3'\]; expected `int`"),
        ({"models": [1]}, r"models is \[1\]; expected `str`"),
    ],
)
def test_a_file_with_other_things_is_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=f"here.*{said}"):
        spec_of({"models": ["a/b"], "graders": ["c/d"], **values}, "here")


def test_toml(tmp_path: Path) -> None:
    path = tmp_path / "spec.toml"
    path.write_text('models = ["a/b"]\ngraders = ["c/d"]\nk = [2, 3]\nn = 7\ntemperature = 1\n')
    spec = spec_of(read_toml(path), str(path))
    assert (spec.k, spec.n, spec.temperature) == ((2, 3), 7, 1.0)
    path.write_text("n = = 7")
    with pytest.raises(BadInput, match="is no TOML"):
        read_toml(path)
    with pytest.raises(BadInput, match="there is no file"):
        read_toml(tmp_path / "none.toml")


def test_a_run_grows_to_all_of_both() -> None:
    now = replace(SPEC, models=("openai/b",), graders=("openai/h",), k=(6,), n=50, rounds=5)
    both = grown(SPEC, now, Path("r"))
    assert both.models == ("openai/a", "openai/b")
    assert both.graders == ("openai/h", "openai/g")
    assert (both.k, both.n, both.rounds) == ((2, 3, 4, 5, 6), 100, 5)
    assert grown(SPEC, now, Path("r"), new_decides=False).graders == ("openai/g", "openai/h")


@pytest.mark.parametrize(
    "change",
    [{"seed": 11}, {"temperature": 0.0}, {"max_tokens": 100}, {"reasoning_effort": "low"}],
    ids=lambda change: next(iter(change)),
)
def test_what_shapes_answers_may_not_change(change: dict[str, object]) -> None:
    name, value = next(iter(change.items()))
    with pytest.raises(BadInput, match=f"r holds a run with {name} = .*, now it is {value!r}"):
        grown(SPEC, replace(SPEC, **change), Path("r"))  # type: ignore[arg-type]


def test_how_texts_were_decoded_is_told() -> None:
    assert SPEC.decoding == "t0.7"
    assert replace(SPEC, temperature=0.0).decoding == "greedy"


def test_how_graders_grade_may_change_and_the_run_keeps_what_it_began_with() -> None:
    now = replace(SPEC, graders=("openai/g [form=text]",), form="text", grader_max_tokens=9)
    whole = grown(SPEC, now, Path("r"))
    assert (whole.form, whole.grader_max_tokens) == (SPEC.form, SPEC.grader_max_tokens)
    assert whole.graders == ("openai/g [form=text]", "openai/g")


def test_no_grader_yet_gives_way_to_any() -> None:
    later = replace(SPEC, graders=("later",))
    assert (later.graders, later.markers) == (("later",), ())
    assert grown(later, SPEC, Path("r")).graders == ("openai/g",)
    assert grown(SPEC, later, Path("r")).graders == ("openai/g",)
    assert grown(later, later, Path("r")).graders == ("later",)
    with pytest.raises(BadInput, match="stands alone"):
        replace(SPEC, graders=("later", "openai/g"))
