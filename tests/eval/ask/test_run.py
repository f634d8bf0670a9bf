"""Whole runs against a real server: filled, continued, grown, stopped, and never paid twice."""

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from unparrot.core.errors import BadInput, CannotWrite
from unparrot.core.records import RunFolder
from unparrot.core.skills import CRITERIA
from unparrot.eval.ask.asking import Tally
from unparrot.eval.ask.run import Access, run
from unparrot.eval.record.eval_spec import EvalSpec
from unparrot.eval.record.journal import read_journal
from unparrot.eval.record.prepare import prepare, stored_spec
from unparrot.eval.wire.cost_limit import OverBudget
from unparrot.eval.wire.models import Limits, Refused
from unparrot.eval.wire.prices import Price
from unparrot.packs.drawing import draw_combinations
from unparrot.packs.reading import load_pack

GOOD, WEAK = "openai-api/local/student-good", "openai-api/local/student-weak"
STRICT, LENIENT = "openai-api/local/grader-strict", "openai-api/local/grader-lenient"
KEY = "sk-planted-0123456789abcdef"

Test = Callable[..., Tally]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_API_KEY", KEY)


@pytest.fixture
def skillmix(chat_server: Any, tmp_path: Path) -> Test:
    """Run a small test into tmp_path/run; returns what was done."""

    def start(
        *,
        models: Sequence[str] = (GOOD,),
        graders: Sequence[str] = (STRICT,),
        out: Path | None = None,
        retries: int = 5,
        max_cost: float | None = None,
        prices: Mapping[str, Price] | None = None,
        share: bool = False,
        write: bool = True,
        new_decides: bool = True,
        timeout: float = 20.0,
        **values: Any,
    ) -> Tally:
        small = {"k": (2, 3), "n": 4, "rounds": 2, "grading_rounds": 3, **values}
        spec = EvalSpec(models=tuple(models), graders=tuple(graders), **small)
        access = Access(
            limits=Limits(8, timeout, retries),
            base_url=chat_server.base_url,
            grader_base_url=chat_server.base_url,
            max_cost=max_cost,
            prices=prices or {},
        )
        prepared = prepare(spec, out or tmp_path / "run", new_decides=new_decides)
        return run(prepared, access, share=share, write=write)

    return start


def journal_rows(folder: Path) -> dict[str, tuple[str, str, str, int]]:
    """What each call said, by its key; without clocks."""
    journal = read_journal(folder)
    try:
        return {
            call.id.key: (call.state, call.reply, call.stop_reason, call.attempts)
            for call in journal.calls()
        }
    finally:
        journal.close()


def test_every_call_is_made_once_and_everything_is_marked(
    skillmix: Test, chat_server: Any, tmp_path: Path
) -> None:
    tally = skillmix(models=(GOOD, WEAK), graders=(STRICT, LENIENT))
    texts = 2 * 2 * 4 * 2  # models, k, combinations, rounds
    calls = texts * (2 + 2 * 3)  # turns, graders x rounds
    assert (tally.made, tally.kept, tally.failed, tally.planned) == (calls, 0, 0, calls)
    assert chat_server.stats()["by_outcome"] == {"ok": calls}
    graded = RunFolder(tmp_path / "run").read_graded()
    assert len(graded) == texts
    assert {mark.status for text in graded for mark in text.marks.values()} == {"earned", "missed"}
    assert {(text.decoding, text.split, text.trained_count) for text in graded} == {
        ("t0.7", "unknown", None)
    }
    grades = pl.read_parquet(tmp_path / "run/grades.parquet")
    # k + 3 marks of each grading, and the program's one of each text
    assert len(grades) == 2 * 4 * 2 * (2 * 3 * (5 + 6) + 2)
    usage = pl.read_parquet(tmp_path / "run/usage.parquet")
    assert usage["calls"].sum() == calls
    assert usage["cost"].null_count() == usage.height  # no price is known
    transcripts = pl.read_parquet(tmp_path / "run/transcripts.parquet")
    assert len(transcripts) == calls
    assert set(transcripts["outcome"]) == {"ok"}


def test_every_model_is_given_the_same_combinations_and_more_extend_fewer(
    skillmix: Test, tmp_path: Path
) -> None:
    skillmix(models=(GOOD, WEAK), rounds=1, grading_rounds=1)
    texts = pl.read_parquet(tmp_path / "run/texts.parquet")
    asked = {
        model: rows.select("topic", "skills").rows()
        for (model,), rows in texts.partition_by("model", as_dict=True).items()
    }
    assert asked[GOOD] == asked[WEAK]
    drawn = [c for k in (2, 3) for c in draw_combinations(load_pack("language.en"), k, 4, 10)]
    assert asked[GOOD] == [(c.topic, list(c.skills)) for c in drawn]


def test_the_same_again_calls_nobody(skillmix: Test, chat_server: Any, tmp_path: Path) -> None:
    first = skillmix()
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").glob("*.parquet")}
    chat_server.reset()
    again = skillmix()
    assert (again.made, again.kept) == (0, first.made)
    assert chat_server.stats()["requests"] == 0
    after = {path.name: path.read_bytes() for path in (tmp_path / "run").glob("*.parquet")}
    assert after == before


def test_growing_adds_only_what_is_missing(skillmix: Test, tmp_path: Path) -> None:
    made = skillmix(k=(2,), n=3, rounds=1, grading_rounds=2).made
    assert made == 3 * 4
    assert skillmix(k=(2,), n=5, rounds=1, grading_rounds=2).made == 2 * 4
    assert skillmix(k=(2,), n=5, rounds=2, grading_rounds=2).made == 5 * 4
    assert skillmix(k=(2,), n=5, rounds=2, grading_rounds=3).made == 10
    assert skillmix(k=(2, 3), n=5, rounds=2, grading_rounds=3).made == 10 * 5
    assert skillmix(models=(WEAK,), k=(2,), n=5, rounds=2, grading_rounds=3).made == 10 * 5
    spec = stored_spec(tmp_path / "run")
    assert (spec.models, spec.k, spec.n, spec.rounds) == ((GOOD, WEAK), (2, 3), 5, 2)
    texts = pl.read_parquet(tmp_path / "run/texts.parquet")
    assert Counter(texts["model"]) == {GOOD: 20, WEAK: 10}


def test_another_grader_marks_what_is_there_and_asks_no_student(
    skillmix: Test, chat_server: Any, tmp_path: Path
) -> None:
    skillmix()
    folder = tmp_path / "run"
    verdicts = pl.read_parquet(folder / "graded.parquet")
    chat_server.reset()
    tally = skillmix(graders=(LENIENT,), write=False, new_decides=False)
    assert tally.made == 2 * 4 * 2 * 3
    assert set(chat_server.stats()["by_model"]) == {"grader-lenient"}
    assert pl.read_parquet(folder / "graded.parquet").equals(verdicts)
    grades = pl.read_parquet(folder / "grades.parquet")
    assert set(grades["grader"]) == {STRICT, LENIENT, "sentence count"}
    skillmix(graders=(LENIENT,), write=False, new_decides=True)
    assert not pl.read_parquet(folder / "graded.parquet").equals(verdicts)
    assert json.loads((folder / "manifest.json").read_text())["spec"]["grader"] == LENIENT


def test_what_was_asked_otherwise_needs_another_folder(skillmix: Test, tmp_path: Path) -> None:
    skillmix()
    rows = journal_rows(tmp_path / "run")
    with pytest.raises(BadInput, match=r"holds a run with temperature = 0\.7, now it is 0\.0"):
        skillmix(temperature=0.0)
    assert journal_rows(tmp_path / "run") == rows
    (tmp_path / "other").mkdir()
    (tmp_path / "other/notes.txt").write_text("mine")
    with pytest.raises(BadInput, match="holds something other"):
        skillmix(out=tmp_path / "other")


def test_a_run_that_was_stopped_before_its_first_record_goes_on(
    skillmix: Test, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/journal.lock").write_text("1\n")
    skillmix()
    assert journal_rows(tmp_path / "run")


def test_a_pack_that_was_changed_is_refused(skillmix: Test, tmp_path: Path) -> None:
    pack = tmp_path / "mine.yaml"
    text = Path("src/unparrot/packs/mathematics.en.yaml").resolve().read_text()
    pack.write_text(text)
    skillmix(pack=str(pack))
    pack.write_text(text.replace('version: "1"', 'version: "2"'))
    with pytest.raises(BadInput, match=r"other pack \(SHA-256 .*it was changed since"):
        skillmix(pack=str(pack))


def test_a_private_pack_is_told_by_its_hash_alone(skillmix: Test, tmp_path: Path) -> None:
    pack = tmp_path / "mine.yaml"
    pack.write_text(Path("src/unparrot/packs/mathematics.en.yaml").resolve().read_text())
    skillmix(pack=str(pack))
    spec = json.loads((tmp_path / "run/manifest.json").read_text())["spec"]
    assert spec["private"] is True
    assert set(spec["pack"]) == {"digest", "skills", "language", "categories", "topics"}
    assert "mine.yaml" not in (tmp_path / "run/manifest.json").read_text()


@pytest.mark.parametrize("fault", ["empty", "garbage", "refusal", "cut_off"])
def test_what_cannot_be_used_is_asked_again_and_then_missed_or_unscored(
    skillmix: Test, chat_server: Any, tmp_path: Path, fault: str
) -> None:
    chat_server.control(faults={fault: 0.5}, seed=3)
    tally = skillmix(n=8, rounds=1, tries=2)
    assert tally.unusable.total() > 0
    assert tally.failed == 0
    graded = RunFolder(tmp_path / "run").read_graded()
    assert len(graded) == 16
    grades = pl.read_parquet(tmp_path / "run/grades.parquet")
    assert "unscored" in grades["status"], "a grader is as bad, twice in a row for a quarter"
    codes = {"empty": "empty", "garbage": "no_answer", "refusal": "filtered", "cut_off": "cut_off"}
    assert {text.no_text for text in graded} == {None, codes[fault]}
    for text in graded:
        assert bool(text.text) == (text.no_text is None)
        if not text.text:
            assert {mark.status for mark in text.marks.values()} == {"missed"}
            assert text.full_marks is False
        else:
            assert text.marks["length"].status != "unscored"
    transcripts = pl.read_parquet(tmp_path / "run/transcripts.parquet")
    assert transcripts["try"].max() == 2
    # a second try only where the first could not be used
    firsts = transcripts.filter(pl.col("try") == 1)
    seconds = transcripts.filter(pl.col("try") == 2)
    assert len(seconds) <= len(firsts.filter(pl.col("outcome") != "ok"))
    usage = pl.read_parquet(tmp_path / "run/usage.parquet")
    assert usage["unusable"].sum() == len(transcripts.filter(pl.col("outcome") != "ok"))


@pytest.mark.parametrize("fault", ["html", "torn", "truncated", "500"])
def test_passing_faults_are_mended_by_asking_again(
    skillmix: Test, chat_server: Any, tmp_path: Path, fault: str
) -> None:
    chat_server.control(faults={fault: 1.0}, first_asks=1, role="grader")
    tally = skillmix(k=(2,), n=1, rounds=1, grading_rounds=1)
    assert (tally.made, tally.failed) == (3, 0)
    assert chat_server.stats()["by_outcome"]["ok"] == 3


def test_a_call_without_a_reply_is_told_and_made_again_later(
    skillmix: Test, chat_server: Any, tmp_path: Path
) -> None:
    chat_server.control(faults={"400": 1.0}, role="grader")
    tally = skillmix(k=(2,), n=2, rounds=1)
    assert tally.failed == 6
    assert tally.failures == {"HTTP 400": 6}
    (text, *_) = RunFolder(tmp_path / "run").read_graded()
    assert text.text
    assert {text.marks[name].reason for name in ("topic", "sense")} == {"no reply: HTTP 400"}
    chat_server.control(faults={})
    again = skillmix(k=(2,), n=2, rounds=1)
    assert (again.made, again.kept, again.failed) == (6, 4, 0)
    (text, *_) = RunFolder(tmp_path / "run").read_graded()
    assert "unscored" not in {mark.status for mark in text.marks.values()}
    usage = pl.read_parquet(tmp_path / "run/usage.parquet")
    assert usage.filter(role="grader")["attempts"].item() == 12


def test_keys_are_nowhere_even_if_a_server_echoes_them(
    skillmix: Test, chat_server: Any, tmp_path: Path
) -> None:
    chat_server.control(faults={"401": 1.0}, role="grader")
    with pytest.raises(Refused, match=r"HTTP 401\): .*\[key\].*check the key") as caught:
        skillmix()
    assert KEY not in str(caught.value)
    chat_server.control(faults={})
    skillmix()
    from unparrot.analysis.summary import analyze
    from unparrot.report.page import write_page

    analyze(tmp_path / "run")
    write_page(tmp_path / "run")
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in files:
        assert KEY.encode() not in path.read_bytes(), path
        assert path.stat().st_mode & 0o077 == 0, path
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700


def test_a_refused_model_does_not_hold_up_the_others(
    skillmix: Test, chat_server: Any, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match=r"local/nobody was refused \(HTTP 404\): no model"):
        skillmix(models=("openai-api/local/nobody", GOOD))
    texts = pl.read_parquet(tmp_path / "run/texts.parquet")
    assert Counter(texts["model"]) == {GOOD: 16}


def test_without_any_grader_no_more_texts_are_paid_for(skillmix: Test, chat_server: Any) -> None:
    chat_server.control(faults={"401": 1.0}, role="grader", latency=0.02)
    with pytest.raises(Refused, match=r"grader-strict was refused \(HTTP 401\): wrong key"):
        skillmix(n=40, k=(2,))
    assert chat_server.stats()["by_model"]["student-good"] < 2 * 40 * 2 / 2


def test_nobody_at_the_address_is_told_soon(tmp_path: Path) -> None:
    spec = EvalSpec(models=(GOOD,), graders=(STRICT,), k=(2,), n=50)
    access = Access(
        limits=Limits(8, 5.0, 0), base_url="http://127.0.0.1:9/v1",
        grader_base_url="http://127.0.0.1:9/v1",
    )  # fmt: skip
    with pytest.raises(Refused, match=r"student-good cannot be reached .*check the address"):
        run(prepare(spec, tmp_path / "run"), access)


def test_the_cost_is_counted_and_limited(skillmix: Test, chat_server: Any, tmp_path: Path) -> None:
    prices = {GOOD: Price(1.0, 10.0), STRICT: Price(1.0, 10.0)}
    with pytest.raises(BadInput, match=r"the price of .*grader-strict is not known"):
        skillmix(prices={GOOD: Price(1.0, 10.0)}, max_cost=1.0)
    assert not (tmp_path / "run").exists()
    with pytest.raises(OverBudget, match="nothing more was sent"):
        skillmix(prices=prices, max_cost=0.05)
    usage = pl.read_parquet(tmp_path / "run/usage.parquet")
    spent = usage["cost"].sum()
    # as far as it may go without the dearest call exceeding it: 2,048 tokens at $10 and a prompt
    assert 0.05 - 0.03 < spent <= 0.05
    by_hand = (usage["input_tokens"] * 1.0 + usage["output_tokens"] * 10.0).sum() / 1e6
    assert spent == pytest.approx(by_hand)
    done = chat_server.stats()["requests"]
    tally = skillmix(prices=prices, max_cost=5.0)
    assert tally.kept == done
    assert tally.failed == 0


def test_sharing_is_asked_for(skillmix: Test, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        skillmix(k=(2,), n=1, rounds=1, grading_rounds=1, share=True)
    finally:
        os.umask(before)
    assert (tmp_path / "run/texts.parquet").stat().st_mode & 0o777 == 0o644


def test_names_in_the_text_lose_the_point_if_asked(skillmix: Test, tmp_path: Path) -> None:
    skillmix(n=8)
    marks = {text.id: text.marks for text in RunFolder(tmp_path / "run").read_graded()}
    skillmix(n=8, deduct_names=True)
    named = 0
    for text in RunFolder(tmp_path / "run").read_graded():
        for name in text.combination.skills:
            mark = text.marks[name]
            if mark.reason == "the text names the skill":
                named += 1
                assert mark.status == "missed"
                assert name.split(" (")[0].lower()[:4] in text.text.lower()
            else:
                assert mark == marks[text.id][name]
        for name in CRITERIA:
            assert text.marks[name] == marks[text.id][name]
    assert json.loads((tmp_path / "run/manifest.json").read_text())["spec"]["deduct_names"] is True


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("gpt-4o", "there is no model 'gpt-4o': write provider/model"),
        ("nowhere/gpt", "there is no model 'nowhere/gpt'"),
        ("openai-api/other/x", "needs a key: set OTHER_API_KEY"),
    ],
)
def test_a_model_that_cannot_be_opened_costs_nothing(
    skillmix: Test, chat_server: Any, tmp_path: Path, model: str, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        skillmix(models=(GOOD, model))
    assert not (tmp_path / "run").exists()
    assert chat_server.stats()["requests"] == 0


def test_no_room_for_tables_loses_no_answer(
    skillmix: Test, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "grades.parquet")

    with monkeypatch.context() as patched:
        patched.setattr(RunFolder, "write_table", full)
        with pytest.raises(CannotWrite, match=r"no space left.*make room.*kept in the journal"):
            skillmix()
    assert skillmix().made == 0
    assert len(RunFolder(tmp_path / "run").read_graded()) == 16


def test_k_beyond_the_pack_is_refused(skillmix: Test, tmp_path: Path) -> None:
    pack = tmp_path / "two.yaml"
    skills = "".join(
        f"  - name: {name}\n    category: c\n    definition: a definition of enough length\n"
        f"    example: an example of enough length\n"
        for name in ("first", "second")
    )
    pack.write_text(f'name: two\nversion: "1"\nskills:\n{skills}topics:\n  - tea\n')
    with pytest.raises(BadInput, match=r"k is 3, but the pack 'two' has only 2 skills"):
        skillmix(pack=str(pack), k=(3,))
    with pytest.raises(BadInput, match="4 combinations were asked for"):
        skillmix(pack=str(pack), k=(2,))
