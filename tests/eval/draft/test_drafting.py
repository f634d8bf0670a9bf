"""A pack drafted from texts: whole, counted, paid for once; and what a model cannot do is named."""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from unparrot.core.errors import BadInput, UnparrotError
from unparrot.eval.ask.run import Access
from unparrot.eval.draft.drafting import Draft, DraftSpec, draft, estimate
from unparrot.eval.draft.texts import read_texts
from unparrot.eval.wire.cost_limit import OverBudget
from unparrot.eval.wire.models import Limits, Settings
from unparrot.eval.wire.prices import Price
from unparrot.packs.reading import load_pack

MODEL = "openai-api/local/drafter-good"
SPEC = DraftSpec(MODEL, "tea.en", "en", 40, 40, 3, 2, 3, Settings(0.7, 512), "auto")
FORKS = get_context("forkserver")


def tasks(n: int, skills: int = 5) -> tuple[str, ...]:
    """Texts that need two skills each, of which one is spelled in two ways."""
    return tuple(
        f"Task {i}, which needs (steeping{' like tea' * (i % 2)}; brew {'abcdefgh'[i % skills]}), "
        f"about (place {i})"
        for i in range(n)
    )


def drafted(texts: Sequence[str], folder: Path, url: str, **changes: Any) -> Draft:
    os.environ["LOCAL_API_KEY"] = "sk-0123456789abcdef0123"
    most, prices = changes.pop("max_cost", None), {MODEL: Price(1.0, 2.0)}
    access = Access(limits=Limits(4), base_url=url, prices=prices, max_cost=most)
    return draft(replace(SPEC, **changes), texts, folder, access, "Drafted.")


def test_a_draft_is_a_pack_with_the_skills_that_texts_need(
    chat_server: Any, tmp_path: Path
) -> None:
    made = drafted(tasks(20), tmp_path / "a", chat_server.base_url)
    assert made.mend == []
    counts = {skill.name: skill.texts for skill in made.skills}
    assert counts == {"steeping": 20, **{f"brew {letter}": 4 for letter in "abcde"}}
    assert made.skills[0].names == ("steeping", "steeping like tea")
    pack = load_pack(tmp_path / "a/pack.yaml")
    assert set(pack.skill_names) == set(counts)
    assert pack.skill("brew a").category == "kind b"
    assert set(pack.topic_names) == {f"place {i}" for i in range(20)}
    assert made.report is not None
    assert made.report.errors == ()
    # 20 labels, one round of merging, one of sorting, 6 meanings; and nothing is paid twice
    assert chat_server.stats()["requests"] == 28
    again = drafted(tasks(20), tmp_path / "a", chat_server.base_url)
    assert again.skills == made.skills
    assert chat_server.stats()["requests"] == 28
    drafted(tasks(25), tmp_path / "a", chat_server.base_url)
    assert chat_server.stats()["requests"] == 28 + 5  # the names are the same, so their questions


def test_more_names_than_a_question_holds_are_merged_in_rounds(
    chat_server: Any, tmp_path: Path
) -> None:
    texts = [f"Task {i} needs (brewing like {i}; a{i // 2}), about (place {i})" for i in range(100)]
    made = drafted(texts, tmp_path / "a", chat_server.base_url, skills=10)
    counts = {skill.name: skill.texts for skill in made.skills}
    assert counts["brewing"] == 100
    assert len(counts) == 10
    assert {counts[name] for name in counts if name != "brewing"} == {2}


def test_garbage_is_asked_again_and_what_stays_is_named(chat_server: Any, tmp_path: Path) -> None:
    chat_server.control(faults={"garbage": 0.3, "empty": 0.05, "cut_off": 0.05})
    made = drafted(tasks(30), tmp_path / "a", chat_server.base_url, tries=8)
    assert made.mend == []
    assert {skill.name: skill.texts for skill in made.skills}["steeping"] == 30
    assert made.tally.unusable
    chat_server.control(faults={"garbage": 1.0})
    none = drafted(tasks(30), tmp_path / "b", chat_server.base_url)
    assert none.file is None
    assert not (tmp_path / "b/pack.yaml").exists()
    assert "Of 30 of 30 texts the model named no skill" in none.mend[0]
    assert "give more texts than these 30" in none.mend[1]


def test_a_skill_that_the_model_cannot_show_is_left_out_by_name(
    chat_server: Any, tmp_path: Path
) -> None:
    texts = [*tasks(6), *(f"{i}: (untellable; a list), (thing {i})" for i in range(3))]
    texts += [f"{i}: (a list; steeping), (object {i})" for i in range(3)]
    made = drafted(texts, tmp_path / "a", chat_server.base_url)
    (words,) = made.mend
    assert "'untellable', needed by 3 texts, is left out" in words
    assert "it names a skill" in words
    names = load_pack(tmp_path / "a/pack.yaml").skill_names
    assert "untellable" not in names
    # of what was first two names in one the second try told one
    assert {skill.name: skill.texts for skill in made.skills}["a list"] == 6
    assert not any("," in name for name in names)


def test_too_few_texts_are_told(chat_server: Any, tmp_path: Path) -> None:
    texts = [f"(skill {i}), (thing {i})" for i in range(3)]
    made = drafted(texts, tmp_path / "a", chat_server.base_url)
    assert made.file is None
    assert "No skill is needed by 2 texts" in made.mend[-1]
    (tmp_path / "one.txt").write_text("one task\n\none task")
    with pytest.raises(BadInput, match="has 1 text, of which no skills can be told"):
        read_texts(tmp_path / "one.txt", "text", 10)


def test_a_pack_that_was_changed_is_not_written_over(chat_server: Any, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    drafted(tasks(8), folder, chat_server.base_url)
    before = chat_server.stats()["requests"]
    with (folder / "pack.yaml").open("a") as file:
        file.write("  - sickrooms\n")
    with pytest.raises(BadInput, match="was changed since it was drafted"):
        drafted(tasks(9), folder, chat_server.base_url)
    assert chat_server.stats()["requests"] == before
    (tmp_path / "b").mkdir()
    (tmp_path / "b/notes.txt").write_text("mine")
    with pytest.raises(BadInput, match="holds something other than a draft"):
        drafted(tasks(8), tmp_path / "b", chat_server.base_url)


def test_a_budget_is_kept_and_a_draft_goes_on(chat_server: Any, tmp_path: Path) -> None:
    with pytest.raises(OverBudget):
        drafted(tasks(20), tmp_path / "a", chat_server.base_url, max_cost=0.01)
    first = chat_server.stats()["requests"]
    assert 0 < first < 28
    drafted(tasks(20), tmp_path / "a", chat_server.base_url, max_cost=1.0)
    assert chat_server.stats()["requests"] == 28


def test_a_call_without_a_reply_ends_its_step(chat_server: Any, tmp_path: Path) -> None:
    chat_server.control(faults={"400": 0.2})
    with pytest.raises(UnparrotError, match=r"stayed without a reply .* give the same command"):
        drafted(tasks(20), tmp_path / "a", chat_server.base_url)
    assert chat_server.stats()["requests"] == 20  # the others of the step were asked
    chat_server.control(faults={})
    assert drafted(tasks(20), tmp_path / "a", chat_server.base_url).mend == []
    outcomes = chat_server.stats()["by_outcome"]
    assert outcomes.keys() == {"ok", "400"}
    assert outcomes["ok"] == 28


def test_an_estimate_is_near_what_a_draft_takes(chat_server: Any, tmp_path: Path) -> None:
    about = estimate(SPEC, tasks(20), Price(1.0, 2.0))
    made = drafted(tasks(20), tmp_path / "a", chat_server.base_url)
    assert about.cost is not None
    assert made.tally.cost / 3 < about.cost < 3 * made.tally.cost
    assert about.calls >= made.tally.made


def test_killed_again_and_again_it_pays_only_for_what_was_under_way(
    chat_server: Any, tmp_path: Path
) -> None:
    chat_server.control(latency=0.1)
    texts, folder, kills = tasks(60), tmp_path / "killed", 3
    for _ in range(kills):
        before = chat_server.stats()["requests"]
        child = FORKS.Process(target=drafted, args=(texts, folder, chat_server.base_url))
        child.start()
        while child.is_alive() and chat_server.stats()["requests"] < before + 8:
            time.sleep(0.005)
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
    chat_server.control(latency=0.0)
    made = drafted(texts, folder, chat_server.base_url)
    stats = chat_server.stats()
    assert stats["distinct"] == 60 + 8
    assert stats["distinct"] < stats["requests"] <= stats["distinct"] + kills * 4
    undisturbed = drafted(texts, tmp_path / "calm", chat_server.base_url)
    assert made.skills == undisturbed.skills
    packs = [(tmp_path / name / "pack.yaml").read_bytes() for name in ("killed", "calm")]
    assert packs[0] == packs[1]


def test_texts_are_read_from_all_kinds_of_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntask\n\n \nanother\n\none\ntask\n")
    (tmp_path / "b.txt").write_text("one\nanother\n")
    (tmp_path / "c.jsonl").write_text('{"question": "one"}\n{"question": "another"}\n')
    (tmp_path / "d.csv").write_text('id,question\n1,"one, or\n two"\n2,another\n')
    assert set(read_texts(tmp_path / "a.txt", "text", 10)) == {"one\ntask", "another"}
    assert set(read_texts(tmp_path / "b.txt", "text", 10)) == {"one", "another"}
    assert set(read_texts(tmp_path / "c.jsonl", "question", 10)) == {"one", "another"}
    assert set(read_texts(tmp_path / "d.csv", "question", 10)) == {"one, or\n two", "another"}
    with pytest.raises(BadInput, match=r"line 1: no text in the field 'text'; .*give --column"):
        read_texts(tmp_path / "c.jsonl", "text", 10)
    with pytest.raises(BadInput, match="has no column 'text'"):
        read_texts(tmp_path / "d.csv", "text", 10)
    (tmp_path / "e.txt").write_text("\n".join(f"task {i}" for i in range(50)))
    fewer, more = (read_texts(tmp_path / "e.txt", "text", n) for n in (10, 20))
    assert set(fewer) < set(more)
