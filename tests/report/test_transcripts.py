"""Transcripts are packed whole, unpack as they were, and stay under the cap."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from unparrot.core.records import RunFolder
from unparrot.packs.reading import load_pack
from unparrot.report.transcripts import Packed, pack_transcripts

PACK = load_pack("language.en")
DECIDES = "openai/gpt-4o"


@pytest.fixture(scope="module")
def run(skillmix_runs: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return skillmix_runs.fabricate(tmp_path_factory.mktemp("runs") / "run", PACK)


def unpacked(packed: Packed | None) -> Any:
    assert packed is not None
    return json.loads(gzip.decompress(base64.b64decode(packed.data)))


def test_every_word_comes_back(run: Path) -> None:
    folder = RunFolder(run)
    texts, graded, grades, calls = (
        folder.read_table(name) for name in ("texts", "graded", "grades", "transcripts")
    )
    packed = pack_transcripts(run, 1, models=["openai/gpt-4o-mini"], deciding=DECIDES)
    found = unpacked(packed)
    assert packed is not None
    assert (packed.texts, packed.of, packed.with_calls) == (texts.height, texts.height, True)
    assert packed.ids == set(texts["text_id"])
    words, lines = found["words"], found["lines"]
    rows = {row["text_id"]: row for row in texts.iter_rows(named=True)}
    by_call = {
        (r["text_id"], r["step"], r["grader"], r["round"], r["try"]): r
        for r in calls.iter_rows(named=True)
    }
    by_mark = {(r["text_id"], r["criterion"]): r for r in graded.iter_rows(named=True)}
    by_grade = {
        (r["text_id"], r["criterion"], r["grader"], r["round"]): r
        for r in grades.iter_rows(named=True)
    }
    status = {1: "earned", 0: "missed", -1: "unscored"}

    def same_call(told: list[Any], row: dict[str, Any]) -> None:
        number, prompt, reply, stop, outcome, latency, read, written = told
        assert number == row["try"]
        assert "\n".join(lines[i] for i in prompt) == row["prompt"]
        assert (reply, words[stop], words[outcome]) == (
            row["reply"],
            row["stop_reason"],
            row["outcome"],
        )
        assert latency == round(row["latency"], 2)
        assert (read, written) == (row["input_tokens"], row["output_tokens"])

    for told in found["texts"]:
        row = rows.pop(told["id"])
        assert (told["text"], told["k"], told["round"]) == (
            row["text"],
            row["k"],
            row["sample"] + 1,
        )
        assert words[told["topic"]] == row["topic"]
        skills = [words[i] for i in told["skills"]]
        assert skills == row["skills"]
        assert found["models"][told["model"]] == row["model"]
        for name, mark in zip([*skills, *found["criteria"]], told["marks"], strict=True):
            kept = by_mark[told["id"], name]
            assert (status[mark[0]], words[mark[1]]) == (kept["status"], kept["reason"])
        for turn, *call in told["turns"]:
            same_call(call, by_call.pop((told["id"], "turn", None, turn, call[0])))
        names = [found["graders"][grader] for grader, *_ in told["gradings"]]
        assert not names or names[0] == DECIDES
        for grader, number, marks, tries in told["gradings"]:
            name = found["graders"][grader]
            for call in tries:
                same_call(call, by_call.pop((told["id"], "grading", name, number, call[0])))
            for criterion, mark in zip([*skills, *found["criteria"]], marks, strict=True):
                kept = by_grade.pop((told["id"], criterion, name, number), None)
                if mark is None:
                    assert kept is None
                else:
                    assert kept is not None
                    assert status[mark[0]] == kept["status"]
    assert rows == by_call == by_grade == {}
    assert found["models"][0] == "openai/gpt-4o-mini"


def test_the_same_run_gives_the_same_letters(run: Path) -> None:
    one, two = (pack_transcripts(run, 1, models=[]) for _ in range(2))
    assert one == two


def test_beyond_the_cap_a_sample_is_packed(run: Path) -> None:
    whole = pack_transcripts(run, 1, models=[])
    assert whole is not None
    keep = sorted(whole.ids)[:3]
    cap = len(whole.data) // 2
    part = pack_transcripts(run, 1, models=[], keep=keep, most_packed=cap)
    assert part is not None
    assert 3 < part.texts < whole.texts
    assert len(part.data) <= cap
    assert len(part.data) > cap // 3
    assert set(keep) <= part.ids < whole.ids
    assert {text["id"] for text in unpacked(part)["texts"]} == part.ids
    assert part == pack_transcripts(run, 1, models=[], keep=keep, most_packed=cap)
    other = pack_transcripts(run, 2, models=[], keep=keep, most_packed=cap)
    assert other is not None
    assert other.ids != part.ids
    small = pack_transcripts(run, 1, models=[], most_unpacked=60_000)
    assert small is not None
    assert len(gzip.decompress(base64.b64decode(small.data))) <= 60_000
    assert pack_transcripts(run, 1, models=[], most_packed=10) is None


def test_a_run_larger_than_the_pilot(
    skillmix_runs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = skillmix_runs.fabricate(tmp_path, PACK)
    monkeypatch.setattr("unparrot.report.transcripts._PILOT", 5)
    whole = pack_transcripts(run, 1, models=[])
    assert whole is not None
    assert whole.texts == whole.of
    part = pack_transcripts(run, 1, models=[], most_packed=len(whole.data) // 2)
    assert part is not None
    assert 5 < part.texts < part.of
    assert len(part.data) <= len(whole.data) // 2


def test_a_run_without_calls_has_its_texts_and_marks(
    skillmix_runs: ModuleType, tmp_path: Path
) -> None:
    run = skillmix_runs.fabricate(tmp_path / "a", PACK, leave_out=("transcripts",))
    packed = pack_transcripts(run, 1, models=[])
    assert packed is not None
    assert not packed.with_calls
    assert all(text["turns"] == [] for text in unpacked(packed)["texts"])
    assert any(text["gradings"] for text in unpacked(packed)["texts"])
    run = skillmix_runs.fabricate(tmp_path / "b", PACK, leave_out=("transcripts", "grades"))
    assert not any(t["gradings"] for t in unpacked(pack_transcripts(run, 1, models=[]))["texts"])
