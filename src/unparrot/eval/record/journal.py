"""The journal of a run: `journal.sqlite`, a row for every call of a model, kept before its use.

A row is found by its *key*, a hash of all that identifies the call: whose text it is about, who was
called with what settings and what prompt, for which combination, in which round, turn and try. A
run asks the journal before it asks a model, so that running again, grading again and adding rounds
are all one thing: filling in the rows that are missing.

SQLite in WAL mode with full synchronisation: a row that `Journal.add` has returned from survives
the death of the process and of the machine. Rows that arrive while the disk is busy are committed
together, so a slow disk takes more calls at a time and not more time for each.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, fields
from operator import attrgetter
from os.path import samestat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal, Self

from unparrot.core.errors import BadInput, CannotWrite, refusal, writing
from unparrot.core.records import decoded, lock

FILE: Final = "journal.sqlite"
LOCK: Final = "journal.lock"
VERSION: Final = 1
# Seconds that a finished call waits for others to be committed with: far less than a call takes,
# and a commit, which waits for the disk, costs as much as a tenth of the work of a call.
GATHERING: Final = 0.01
# Pages of 4 KiB that the log may hold before it is merged into the database, which takes time.
_CHECKPOINT_PAGES: Final = 10_000

Role = Literal["student", "grader"]
State = Literal["answered", "failed"]


@dataclass(frozen=True, slots=True)
class CallId:
    """What identifies a call.

    Parameters
    ----------
    role, model
        Who was called, and as what.
    config
        The settings that shape the answer, as canonical JSON.
    prompt_hash
        SHA-256 of what was sent, but for what is drawn anew at every call (a grader's token).
    student
        Whose text it is about.
    k, place
        Number of skills, and the place of the combination in the draw, from 0.
    combination
        The topic and the skills in the order of the prompt, as JSON.
    round
        Round of generation, from 1.
    step
        Turn of the conversation, or round of grading, from 1.
    again
        Which try this is: 1, and more where an earlier reply could not be used.
    """

    role: Role
    model: str
    config: str
    prompt_hash: str
    student: str
    k: int
    place: int
    combination: str
    round: int
    step: int
    again: int

    @property
    def key(self) -> str:
        """32 hex digits that name the call.

        The place is left out: it says where in the draw the combination is, not what is asked.
        """
        return hashlib.blake2b(canonical(_key_parts(self)).encode(), digest_size=16).hexdigest()

    def seed(self, seed: int) -> int:
        """Return the seed of the call, 31 bits: its own, and the same whenever it is made."""
        label = f"unparrot call 1, seed {seed}, {self.key}"
        digest = hashlib.blake2b(label.encode(), digest_size=4).digest()
        return int.from_bytes(digest, "big") >> 1


@dataclass(frozen=True, slots=True)
class Call:
    """A call and what came of it.

    Parameters
    ----------
    state
        ``answered``, or ``failed`` after all attempts: no reply, and the call is made again when
        the run goes on.
    prompt, token
        The last message sent, and the token that marks a grader's reply.
    reply, stop_reason, snapshot
        What the model wrote (its thinking first, between think tags), why it stopped, and what it
        calls itself.
    error, kind
        What went wrong, in full and in two words.
    input_tokens, output_tokens, reasoning_tokens, cost
        As reported; the cost in US dollars, None where a price or a count is unknown.
    latency
        Seconds of the attempt that succeeded, or of all that failed.
    attempts
        How often the call was tried, over all runs.
    finished
        Seconds since 1970 (UTC).
    """

    id: CallId
    state: State
    prompt: str
    token: str
    reply: str
    stop_reason: str
    snapshot: str
    error: str
    kind: str
    input_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    cost: float | None
    latency: float
    attempts: int
    finished: float


def canonical(value: object) -> str:
    """Return the one JSON text of plain data: keys sorted, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


_key_parts: Final = attrgetter(
    *("role", "model", "config", "prompt_hash", "student", "combination", "round", "step", "again")
)
# SQL of a column, by the type of the field that it holds.
_KINDS: Final = {
    "Role": "TEXT NOT NULL CHECK (role IN ('student', 'grader'))",
    "State": "TEXT NOT NULL CHECK (state IN ('answered', 'failed'))",
    "str": "TEXT NOT NULL",
    "int": "INTEGER NOT NULL",
    "float": "REAL NOT NULL",
    "int | None": "INTEGER",
    "float | None": "REAL",
}
_ID_COLUMNS: Final = {field.name: _KINDS[str(field.type)] for field in fields(CallId)}
_CALL_COLUMNS: Final = {field.name: _KINDS[str(field.type)] for field in fields(Call)[1:]}
_COLUMNS: Final = _ID_COLUMNS | _CALL_COLUMNS
_SCHEMA: Final = f"""
BEGIN;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS calls (
    key TEXT PRIMARY KEY, {", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())}
) STRICT;
CREATE INDEX IF NOT EXISTS texts ON calls (student, k, place, round, role, model, step, again);
COMMIT;
"""
# an answered row is never replaced, whatever arrives; a failed one is, and its attempts add up
_ADD: Final = f"""
INSERT INTO calls (key, {", ".join(_COLUMNS)})
VALUES ({", ".join("?" * (len(_COLUMNS) + 1))})
ON CONFLICT (key) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in _CALL_COLUMNS if name != "attempts")},
    attempts = calls.attempts + excluded.attempts
WHERE calls.state = 'failed'
"""
_SELECT: Final = f"SELECT key, {', '.join(_COLUMNS)} FROM calls"


class Journal:
    """An open journal. Made by `open_journal`, which locks it, or by `read_journal`."""

    def __init__(self, path: Path, *, writable: bool, copy: str = "") -> None:
        self.path, self.held = path, ExitStack()
        with self._blaming():
            if writable:  # its owner's alone before anything is in it
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            place = (Path(copy, FILE) if copy else path).absolute().as_uri()
            self._db = sqlite3.connect(f"{place}?mode={'rwc' if writable else 'ro'}", uri=True)
            tables = self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            tables = {name for (name,) in tables}
            if tables and not tables >= {"meta", "calls"}:
                raise sqlite3.DatabaseError(f"its tables are {', '.join(sorted(tables))}")
            if writable:
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = FULL")
                self._db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
                self._db.executescript(_SCHEMA)
            elif not tables:
                # a disk was full before the first record: nothing is lost, and the run goes on
                self._db.close()
                self._db = sqlite3.connect(":memory:")
                self._db.executescript(_SCHEMA)
        self._file = path.stat() if writable else None
        version = self.get("version", int)
        if version not in (None, VERSION):
            raise BadInput(
                f"{path} was written in version {version!r} of the format, this is {VERSION}: "
                "read it with the unparrot that wrote it"
            )
        if version is None and writable:
            self.put("version", VERSION)
        self._waiting: list[tuple[tuple[Any, ...], asyncio.Future[None]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _blaming(self) -> Generator[None]:
        """Refuse a file that SQLite finds wrong, where the disk is not to blame."""
        try:
            yield
        except sqlite3.Error as error:
            if refusal(error):
                raise
            raise BadInput(
                f"{self.path} cannot be read as the journal of a run ({error}); it was left as it "
                "is: restore it from a copy, or run into another folder"
            ) from error

    def _rows(self, statement: str, *values: object) -> Iterator[tuple[Any, ...]]:
        with self._blaming():
            # as a map, which has no close(): the journal may be closed before the rows are all read
            yield from map(tuple[Any, ...], self._db.execute(statement, values))

    def get(self, name: str, kind: Any = Any) -> Any:
        """Return what `put` kept under the name, as msgspec reads this kind; None if nothing."""
        row = next(self._rows("SELECT value FROM meta WHERE name = ?", name), None)
        where = f"{self.path}, {name},"
        return None if row is None else decoded(row[0], kind, where, "restore it from a copy")

    def put(self, name: str, value: object) -> None:
        """Keep plain data about the run."""
        self._commit_all("INSERT OR REPLACE INTO meta VALUES (?, ?)", [(name, canonical(value))])

    def find(self, call_id: CallId) -> Call | None:
        """Return the call, answered or failed; None if it was never finished."""
        row = next(self._rows(f"{_SELECT} WHERE key = ?", call_id.key), None)
        return None if row is None else self._call(row)

    def calls(self) -> Iterator[Call]:
        """Every call, those about one text together, in the order of a conversation."""
        rows = self._rows(
            f"{_SELECT} ORDER BY student, k, place, round, role DESC, model, step, again"
        )
        return map(self._call, rows)

    def _call(self, row: tuple[Any, ...]) -> Call:
        size = len(_ID_COLUMNS) + 1
        call = Call(CallId(*row[1:size]), *row[size:])
        if call.id.key != row[0]:
            raise BadInput(
                f"{self.path} was changed: its row {row[0]} says of a call what its key does not; "
                "restore it from a copy, or run into another folder"
            )
        return call

    def usage(self) -> list[tuple[Any, ...]]:
        """Model, role, calls, attempts, calls without a reply, tokens read, written and thought,
        cost and seconds, in this order, of each model in each role.

        A sum of tokens is None where no call reports any; the cost if that of some call is unknown.
        """
        rows = self._rows(
            "SELECT model, role, COUNT(*), SUM(attempts), SUM(state = 'failed'), "
            "SUM(input_tokens), SUM(output_tokens), SUM(reasoning_tokens), "
            "CASE WHEN SUM(state = 'answered' AND cost IS NULL) = 0 THEN TOTAL(cost) END, "
            "TOTAL(latency) FROM calls GROUP BY model, role ORDER BY model, role"
        )
        return list(rows)

    async def add(self, call: Call) -> None:
        """Keep a call; returns once it is on disk.

        Calls that come within a moment (`GATHERING`), and so all that came while the disk was busy,
        are committed together.

        Raises
        ------
        CannotWrite
            If it cannot be written.
        """
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        if not self._waiting:
            loop.call_later(GATHERING, self.flush)
        self._waiting.append((_row_of(call), future))
        await future  # the call of a caller that is cancelled here is kept all the same

    def flush(self) -> None:
        """Write all that was given to `add`, and wake the callers that wait for it."""
        batch, self._waiting = self._waiting, []
        failed: CannotWrite | None = None
        try:
            if batch:
                self._commit_all(_ADD, [row for row, _ in batch])
        except CannotWrite as error:
            failed = error
        for _, future in batch:
            if not future.done():
                future.set_result(None) if failed is None else future.set_exception(failed)

    def _commit_all(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        try:
            with writing(self.path, "What was answered before is kept."), self._db:
                self._db.executemany(statement, rows)
            if self._file and not (self.path.exists() and samestat(self._file, self.path.stat())):
                raise CannotWrite(
                    f"{self.path} is not where the run began to write it: its folder was moved, "
                    "and what was answered with it, or removed. Move it back, or give its new "
                    "place, and the same command goes on"
                )
        except (ValueError, OverflowError) as error:
            # unless this is raised, callers awaiting the rows would hang
            raise CannotWrite(f"{self.path} cannot hold what a model answered: {error}") from error

    def close(self) -> None:
        """Close the journal and release its lock."""
        self._db.close()
        self.held.close()


def open_journal(folder: Path) -> Journal:
    """Open the journal of a run for one process alone, making it if there is none.

    Raises
    ------
    BadInput
        If another process works on the run, or the file is no journal of ours.
    """
    with ExitStack() as held:
        held.callback(os.close, lock(folder / LOCK))
        with writing(folder / FILE, "The journal was left as it is."):
            journal = Journal(folder / FILE, writable=True)
        journal.held = held.pop_all()
        return journal


def read_journal(folder: Path) -> Journal:
    """Open the journal of a run to read it, also while another process writes it.

    SQLite keeps files beside a journal that it reads; where none can be, as on a full disk or in
    an archive, a copy is read.

    Raises
    ------
    BadInput
        If the folder has no journal, or the file is none of ours.
    """
    if not (folder / FILE).is_file():
        why = "give the folder of an `unparrot eval run`"
        if (folder / "texts.parquet").is_file():
            why += ", with the journal that belongs to these tables"
        elif (folder / LOCK).is_file():
            why = "its run was stopped, or begins, before the first call"
        raise BadInput(f"{folder} has no {FILE}: {why}")
    with suppress(sqlite3.OperationalError):
        return Journal(folder / FILE, writable=False)
    with ExitStack() as held:
        copy = held.enter_context(TemporaryDirectory(prefix="unparrot."))
        for path in folder.glob(f"{FILE}*"):
            shutil.copyfile(path, Path(copy, path.name))
        journal = Journal(folder / FILE, writable=False, copy=copy)
        journal.held = held.pop_all()
        return journal


_row_of: Final = attrgetter("id.key", *(f"id.{name}" for name in _ID_COLUMNS), *_CALL_COLUMNS)


def settings(values: Mapping[str, object]) -> str:
    """Return settings as the journal keeps them: canonical JSON without what is not set."""
    return canonical({name: value for name, value in values.items() if value is not None})
