"""The journal: rows are found by what was asked, kept for good, and never counted twice."""

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from unparrot.core.errors import BadInput, CannotWrite
from unparrot.eval.record.journal import (
    FILE,
    LOCK,
    Call,
    CallId,
    Journal,
    open_journal,
    read_journal,
    settings,
)

ID = CallId(
    role="student",
    model="openai/a",
    config=settings({"temperature": 0.7, "top_p": None}),
    prompt_hash="ab" * 32,
    student="openai/a",
    k=2,
    place=0,
    combination='["tea","irony","pun"]',
    round=1,
    step=1,
    again=1,
)


def answered(call_id: CallId, reply: str = "Lovely.", attempts: int = 1) -> Call:
    return Call(
        call_id, "answered", "prompt", "", reply, "stop", "a-1", "", "", 10, 5, None, 0.01, 0.5,
        attempts, 1.0,
    )  # fmt: skip


def failed(call_id: CallId, attempts: int) -> Call:
    return replace(
        answered(call_id, "", attempts), state="failed", kind="rate limit", error="429", cost=None
    )


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = open_journal(tmp_path)
    yield opened
    opened.close()


def add(journal: Journal, *calls: Call) -> None:
    async def all_at_once() -> None:
        await asyncio.gather(*map(journal.add, calls))

    asyncio.run(all_at_once())


def test_a_call_is_found_as_it_was_kept(journal: Journal) -> None:
    assert journal.find(ID) is None
    add(journal, answered(ID))
    assert journal.find(ID) == answered(ID)
    assert journal.usage()[0][-2] == pytest.approx(0.01)


@pytest.mark.parametrize(
    "change",
    [
        {"role": "grader"}, {"model": "b"}, {"config": "{}"}, {"prompt_hash": "cd" * 32},
        {"student": "b"}, {"combination": '["tea","pun","irony"]'}, {"round": 2}, {"step": 2},
        {"again": 2},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_whatever_was_asked_otherwise_is_another_call(
    journal: Journal, change: dict[str, object]
) -> None:
    add(journal, answered(ID))
    assert journal.find(replace(ID, **change)) is None


def test_where_in_the_draw_a_combination_is_does_not_matter(journal: Journal) -> None:
    add(journal, answered(ID))
    assert journal.find(replace(ID, place=7)) is not None


def test_an_answer_is_never_replaced(journal: Journal) -> None:
    add(journal, answered(ID, "first"))
    add(journal, answered(ID, "second", attempts=5))
    add(journal, failed(ID, 3))
    kept = journal.find(ID)
    assert kept is not None
    assert (kept.reply, kept.attempts, kept.state) == ("first", 1, "answered")
    assert journal.usage()[0][-2] == pytest.approx(0.01)


def test_a_failure_is_replaced_and_its_attempts_are_added(journal: Journal) -> None:
    add(journal, failed(ID, 3))
    add(journal, failed(ID, 4))
    add(journal, answered(ID, attempts=2))
    kept = journal.find(ID)
    assert kept is not None
    assert (kept.state, kept.attempts, kept.kind, kept.error) == ("answered", 9, "", "")


def test_many_calls_at_once_are_all_kept_once(journal: Journal) -> None:
    ids = [replace(ID, round=number) for number in range(1, 501)]
    add(journal, *map(answered, ids), *map(answered, ids))
    assert [call.id.round for call in journal.calls()] == list(range(1, 501))
    with sqlite3.connect(journal.path) as other:
        assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()


def test_calls_come_text_by_text_students_first(journal: Journal) -> None:
    grader = replace(ID, role="grader", model="openai/g")
    other = replace(ID, round=2)
    order = [ID, replace(ID, step=2), grader, replace(grader, step=2), other]
    add(journal, *(answered(call_id) for call_id in reversed(order)))
    assert [call.id for call in journal.calls()] == order


def test_a_caller_that_is_cancelled_does_not_lose_the_call(journal: Journal) -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(journal.add(answered(ID)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        journal.flush()

    asyncio.run(cancelled())
    assert journal.find(ID) is not None


def test_a_full_disk_is_told_and_loses_nothing(journal: Journal) -> None:
    add(journal, answered(ID))
    pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
    journal._db.execute(f"PRAGMA max_page_count = {pages + 1}")
    large = [answered(replace(ID, round=n), "x" * 3000) for n in range(2, 60)]
    with pytest.raises(CannotWrite, match=r"no space left.*make room.*is kept"):
        add(journal, *large)
    assert journal.find(ID) == answered(ID)
    journal._db.execute("PRAGMA max_page_count = 100000")
    add(journal, *large)
    assert journal._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len(list(journal.calls())) == 59


def test_what_is_no_journal_is_refused_and_left_alone(tmp_path: Path) -> None:
    content = b"my holiday photographs" * 100
    (tmp_path / FILE).write_bytes(content)
    for opening in (open_journal, read_journal):
        with pytest.raises(BadInput, match="cannot be read as the journal"):
            opening(tmp_path)
    assert (tmp_path / FILE).read_bytes() == content


def test_a_torn_journal_is_refused(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    add(journal, *(answered(replace(ID, round=n)) for n in range(1, 200)))
    journal.close()
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises((BadInput, sqlite3.DatabaseError)):  # noqa: PT012 - it may open and fail later
        opened = read_journal(tmp_path)
        try:
            list(opened.calls())
        finally:
            opened.close()


def test_another_version_is_refused(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.put("version", 99)
    journal.close()
    with pytest.raises(BadInput, match="version 99"):
        open_journal(tmp_path)
    # and the lock was given back
    with sqlite3.connect(tmp_path / FILE) as other:
        other.execute("UPDATE meta SET value = '1' WHERE name = 'version'")
    other.close()
    open_journal(tmp_path).close()


def test_reading_needs_a_journal(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has no journal"):
        read_journal(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_its_files_are_the_users_alone(journal: Journal, tmp_path: Path) -> None:
    add(journal, answered(ID))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [LOCK, FILE, f"{FILE}-shm", f"{FILE}-wal"]
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_reader_sees_what_is_kept_while_the_run_goes_on(journal: Journal, tmp_path: Path) -> None:
    add(journal, answered(ID))
    reader = read_journal(tmp_path)
    try:
        assert reader.find(ID) is not None
        add(journal, answered(replace(ID, round=2)))
        assert len(list(reader.calls())) == 2
        with pytest.raises(CannotWrite, match="readonly"):
            reader.put("a", 1)
    finally:
        reader.close()


def test_a_second_process_is_refused_by_name_until_the_first_has_ended(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from unparrot.eval.record.journal import *\n"
        "open_journal(Path(sys.argv[1])); print('open', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(BadInput, match=rf"process {other.pid}\).*is working on"):
            open_journal(tmp_path)
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
        open_journal(tmp_path).close()


@pytest.mark.parametrize(
    "damage",
    ["UPDATE calls SET combination = 'xx'", "UPDATE calls SET config = '{'", "DROP TABLE calls"],
)
def test_a_journal_that_was_changed_is_refused_and_not_begun_anew(
    tmp_path: Path, damage: str
) -> None:
    with open_journal(tmp_path) as journal:
        add(journal, answered(ID))
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute(damage)
    for access in (open_journal, read_journal):
        with pytest.raises(BadInput, match="restore it from a copy"), access(tmp_path) as journal:
            list(journal.calls())


def test_tables_without_their_journal_are_told(tmp_path: Path) -> None:
    (tmp_path / "texts.parquet").touch()
    with pytest.raises(BadInput, match="the journal that belongs to these tables"):
        read_journal(tmp_path)


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_journal_that_was_moved_away_is_told_at_the_next_answer(
    tmp_path: Path, what: str
) -> None:
    run, elsewhere = tmp_path / "run", tmp_path / "moved"
    journal = open_journal(run)
    asyncio.run(journal.add(answered(ID)))
    if what == "folder":
        run.rename(elsewhere)
    else:
        elsewhere.mkdir()
        (run / FILE).rename(elsewhere / FILE)
        (run / FILE).touch()  # another file in its place
    with pytest.raises(CannotWrite, match=r"is not where the run began to write it"):
        asyncio.run(journal.add(answered(replace(ID, round=2))))
    journal.close()
    if what == "folder":
        with read_journal(elsewhere) as moved:
            assert len(list(moved.calls())) == 2
