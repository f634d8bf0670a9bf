"""Records: whole or not at all, and read back as they were written."""

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unparrot.core.errors import BadInput, CannotWrite
from unparrot.core.grades import EARNED, MISSED, GradedText, Mark
from unparrot.core.records import (
    RunFolder,
    atomic_write,
    closed_to_others,
    lock,
    read_json,
    write_json,
)
from unparrot.core.skills import SkillCombination

MANIFEST: dict[str, object] = {"command": "", "seed": 1} | {
    key: {} for key in ("spec", "versions", "digests", "timings", "machine")
}

plain_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
plain_marks = st.one_of(
    st.just(EARNED),
    st.just(MISSED),
    plain_text.map(lambda reason: Mark("missed", reason)),
    plain_text.filter(str.strip).map(Mark.unscored),
)


@st.composite
def graded_texts(draw: st.DrawFn) -> list[GradedText]:
    texts: list[GradedText] = []
    for sample in range(draw(st.integers(0, 4))):
        skills = draw(st.permutations(["irony", "a, b", "modus ponens", "é"]))
        skills = skills[: draw(st.integers(1, 4))]
        criteria = (*skills, "topic", "sense", "length")
        texts.append(
            GradedText(
                SkillCombination(draw(st.sampled_from(["tea", "sea"])), tuple(skills)),
                draw(plain_text),
                {name: draw(plain_marks) for name in criteria},
                draw(st.sampled_from(["9k", "64k"])),
                "seen",
                "t0.7",
                sample,
                draw(st.none() | st.integers(0, 10**6)),
            )
        )
    return texts


def one(sample: int = 0, skills: tuple[str, ...] = ("irony",)) -> GradedText:
    marks = dict.fromkeys((*skills, "topic", "sense", "length"), EARNED)
    combination = SkillCombination("tea", skills)
    return GradedText(combination, "x", marks, "m", "seen", "greedy", sample, None)


@given(graded_texts())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_graded_texts_come_back_as_they_were(tmp_path: Path, texts: list[GradedText]) -> None:
    run = RunFolder(tmp_path / "run")
    run.write_graded(texts)
    assert run.read_graded() == texts


def test_tables_are_tidy(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.write_graded([one(0, ("simile", "irony")), one(1)])
    texts, graded = run.read_table("texts"), run.read_table("graded")
    assert texts.height == 2
    assert texts["skills"].to_list() == [["simile", "irony"], ["irony"]]
    assert texts["k"].to_list() == [2, 1]
    assert graded.height == (2 + 3) + (1 + 3)
    first = graded.filter(pl.col("text_id") == texts["text_id"][0])
    assert first["criterion"].to_list() == ["simile", "irony", "topic", "sense", "length"]
    assert first["kind"].to_list() == ["skill", "skill", "topic", "sense", "length"]
    assert set(graded["status"]) == {"earned"}


def test_a_text_counted_twice_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="both sample 0"):
        RunFolder(tmp_path).write_graded([one(0), one(1), one(0)])
    assert list(tmp_path.iterdir()) == []


def test_tables_that_do_not_belong_together_are_an_error(tmp_path: Path) -> None:
    run, other = RunFolder(tmp_path / "a"), RunFolder(tmp_path / "b")
    run.write_graded([one(0), one(1)])
    other.write_graded([one(0)])
    (other.path / "texts.parquet").replace(run.path / "texts.parquet")
    with pytest.raises(BadInput, match="not in texts"):
        run.read_graded()
    run.write_graded([one(0), one(1)])
    other.write_graded([one(0)])
    (other.path / "graded.parquet").replace(run.path / "graded.parquet")
    with pytest.raises(BadInput, match="missing"):
        run.read_graded()


def test_many_texts_make_one_row_for_each_mark(tmp_path: Path) -> None:
    skills = ("a", "b", "c")
    texts = [one(sample, skills) for sample in range(5000)]
    run = RunFolder(tmp_path)
    run.write_graded(texts)
    assert run.read_table("graded").height == 5000 * 6
    assert run.read_graded() == texts


def test_manifest_and_summary_come_back(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "deep" / "run")
    manifest = {**MANIFEST, "seed": 7, "timings": {"train": 1.5}}
    run.write_manifest(manifest)
    assert msgspec.to_builtins(run.read_manifest()) == manifest
    summary = {"n": np.int64(3), "value": np.float32(0.5), "name": "é", "none": None}
    write_json(tmp_path / "summary.json", summary)
    assert read_json(tmp_path / "summary.json", dict[str, object]) == {
        "n": 3,
        "value": 0.5,
        "name": "é",
        "none": None,
    }


def test_manifest_has_exactly_its_keys(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with pytest.raises(BadInput, match="missing required field `seed`"):
        run.write_manifest({key: value for key, value in MANIFEST.items() if key != "seed"})
    with pytest.raises(BadInput, match="unknown field `sede`"):
        run.write_manifest({**MANIFEST, "sede": 1})
    odd = {"snapshots": {"a": 1}}, {"gradings": []}, {"reached": {"a": "b"}}, {"tries": "many"}
    for spec in ({"pack": 5}, {"plan": []}, {"models": [1]}, {"private": "no"}, *odd):
        with pytest.raises(BadInput, match=next(iter(spec))):
            run.write_manifest({**MANIFEST, "spec": spec})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}])
def test_summary_holds_plain_finite_data(tmp_path: Path, value: object) -> None:
    write_json(tmp_path / "summary.json", {"value": 1})
    with pytest.raises(BadInput, match=r"summary\.json"):
        write_json(tmp_path / "summary.json", {"value": value})
    assert read_json(tmp_path / "summary.json", dict[str, object]) == {"value": 1}


def test_tables(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    table = pl.DataFrame({"step": [1, 2], "loss": [2.0, 1.5]})
    run.write_table("training", table)
    assert run.read_table("training").equals(table)
    for name in ("../x", "A", "", "a.b"):
        with pytest.raises(BadInput, match="lower-case"):
            run.write_table(name, table)
    with pytest.raises(BadInput, match="write_graded"):
        run.write_table("graded", table)


@pytest.mark.parametrize(("name", "beside"), [("r[12]", "r1"), ("a?b", "axb"), ("a*", "all")])
def test_a_folder_name_is_no_pattern(tmp_path: Path, name: str, beside: str) -> None:
    own, other = RunFolder(tmp_path / name), RunFolder(tmp_path / beside)
    own.write_graded([one(0)])
    other.write_graded([one(1), one(2)])
    assert own.read_graded() == [one(0)]
    assert own.read_table("texts")["sample"].to_list() == [0]
    assert own.checked_table("texts")["sample"].to_list() == [0]
    assert set(own.checked_table("graded")["text_id"]) == set(own.read_table("texts")["text_id"])


def test_absent_and_broken_files_are_named(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    for read in (run.read_manifest, run.read_graded):
        with pytest.raises(BadInput, match="there is no"):
            read()
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(BadInput, match=r"summary\.json is not what it should be"):
        read_json(tmp_path / "summary.json", dict[str, object])
    (tmp_path / "summary.json").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(BadInput, match=r"summary\.json is not what it should be"):
        read_json(tmp_path / "summary.json", dict[str, object])
    (tmp_path / "summary.json").write_text("[]")
    with pytest.raises(BadInput, match="object"):
        read_json(tmp_path / "summary.json", dict[str, object])
    (tmp_path / "training.parquet").write_bytes(b"not a table")
    with pytest.raises(BadInput, match=r"training\.parquet"):
        run.read_table("training")


def test_atomic_write_replaces_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.bin"
    atomic_write(path, b"first, and longer")
    atomic_write(path, b"second")
    assert path.read_bytes() == b"second"
    assert [p.name for p in path.parent.iterdir()] == ["file.bin"]


def test_atomic_write_gives_a_path_of_the_same_suffix(tmp_path: Path) -> None:
    path = tmp_path / "array.npy"
    atomic_write(path, lambda temporary: np.save(temporary, np.arange(3)))
    assert np.load(path).tolist() == [0, 1, 2]
    assert [p.name for p in tmp_path.iterdir()] == ["array.npy"]


def test_a_write_that_fails_midway_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    atomic_write(path, b"old")

    def half_written(temporary: Path) -> None:
        temporary.write_bytes(b"ne")
        raise ValueError("a fault of what is written")

    with pytest.raises(ValueError, match="a fault"):
        atomic_write(path, half_written)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


def test_a_rename_that_fails_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "taken" / "inside").mkdir(parents=True)
    with pytest.raises(CannotWrite, match=r"cannot write .*taken: is a directory"):
        atomic_write(tmp_path / "taken", b"x")
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


@pytest.fixture
def loose_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.usefixtures("loose_umask")
def test_in_a_closed_folder_every_file_is_the_users_alone(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    assert not run.private
    run.path.mkdir(mode=0o700)
    run.write_manifest(MANIFEST)
    write_json(run.path / "summary.json", {"value": 1})
    run.write_table("training", pl.DataFrame({"step": [1]}))
    run.write_graded([one()])
    assert run.private
    assert mode(run.path) == 0o700
    assert {mode(path) for path in run.path.iterdir()} == {0o600}
    assert len(list(run.path.iterdir())) == 5


@pytest.mark.usefixtures("loose_umask")
def test_elsewhere_the_umask_decides(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    write_json(run.path / "summary.json", {"value": 1})
    assert not run.private
    assert (mode(run.path), mode(run.path / "summary.json")) == (0o755, 0o644)
    run.path.chmod(0o750)  # the group may enter
    write_json(run.path / "summary.json", {"value": 2})
    assert mode(run.path / "summary.json") == 0o644


@pytest.mark.usefixtures("loose_umask")
def test_no_mode_is_loosened(tmp_path: Path) -> None:
    path = tmp_path / "open" / "file.txt"
    atomic_write(path, b"old")
    path.chmod(0o600)
    atomic_write(path, b"new")
    assert (path.read_bytes(), mode(path), mode(path.parent)) == (b"new", 0o600, 0o755)


@pytest.mark.usefixtures("loose_umask")
def test_a_private_file_may_lie_anywhere(tmp_path: Path) -> None:
    seen: list[int] = []

    def write(temporary: Path) -> None:
        seen.append(mode(temporary))
        temporary.unlink()
        temporary.write_bytes(b"x")

    (tmp_path / "open").mkdir()
    atomic_write(tmp_path / "open" / "page.html", write, private=True)
    atomic_write(tmp_path / "new" / "page.html", b"x", private=True)
    assert seen == [0o600]
    assert mode(tmp_path / "open" / "page.html") == mode(tmp_path / "new" / "page.html") == 0o600
    assert (mode(tmp_path / "open"), mode(tmp_path / "new")) == (0o755, 0o700)
    assert not closed_to_others(tmp_path / "open" / "page.html" / "inside")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(
    "write",
    [
        lambda full: pl.DataFrame({"a": [1]}).write_parquet(full),
        lambda full: np.save(full, np.zeros(9)),
        lambda full: full.write_bytes(b"x"),
    ],
)
def test_a_full_disk_is_told_alike_whoever_writes(
    tmp_path: Path, write: Callable[[Path], object]
) -> None:
    path = tmp_path / "a.npy"

    def into_a_full_device(temporary: Path) -> None:
        temporary.unlink(missing_ok=True)
        temporary.symlink_to("/dev/full")
        write(temporary)

    with pytest.raises(CannotWrite) as caught:
        atomic_write(path, into_a_full_device)
    assert str(caught.value).startswith(f"cannot write {path}: no space left on device; make room")
    assert list(tmp_path.iterdir()) == []


def test_a_lock_is_held_by_one_process_until_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    code = (
        "import sys; from pathlib import Path; from unparrot.core.records import lock;"
        "lock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(BadInput, match=rf"another unparrot \(process {other.pid}\)"):
            lock(path)
        other.kill()
    descriptor = lock(path)
    assert path.read_text() == f"{os.getpid()}\n"
    os.close(descriptor)


def test_a_file_system_without_locks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(_: int, __: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", without)
    with pytest.raises(BadInput, match=r"cannot lock .*run\.lock: no locks available; where"):
        lock(tmp_path / "run.lock")
