"""The runs and studies below some folders: what they are, how far they are, what they found.

Folders are walked without following links. A run is known by a name that is made of its path, so
no address of the app holds a path.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, Literal, TypeVar

import msgspec

from unparrot.core.errors import UnparrotError, refusal
from unparrot.core.records import RunFolder, is_locked
from unparrot.core.studies import STUDY
from unparrot.core.wording import dollars, duration, percent, plural

T = TypeVar("T")
Kind = Literal["lab", "SKILL-MIX", "study"]
State = Literal["going on", "finished", "stopped"]

JOURNAL: Final = "journal.sqlite"
DEEPEST: Final = 6
"""Folders below a root that a run may lie in."""
FRESH: Final = 2.0
"""Seconds for which a list of folders, or how far a run is, is not worked out again."""
SILENT: Final = 60.0
"""Seconds after which a process that works on a study is no longer taken to be there."""
_SKIPPED: Final = frozenset({"node_modules", "__pycache__", "site-packages"})
# What changes where a run goes on, or is analyzed.
_STAMPED: Final = (
    "manifest.json", "summary.json", "texts.parquet", JOURNAL, f"{JOURNAL}-wal", STUDY,
    "study-summary.json",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """A run or a study: the name of its folder for people, its kind, and its name in addresses."""

    path: Path
    name: str
    kind: Kind

    @property
    def id(self) -> str:
        """16 hex digits made of the path."""
        return hashlib.blake2b(os.fsencode(self.path), digest_size=8).hexdigest()

    @property
    def fault(self) -> str:
        """Why the tables of the folder cannot be read whatever they hold; empty if they can."""
        try:
            str(self.path).encode()
        except UnicodeEncodeError:
            return "The name of this folder is not UTF-8, so its tables cannot be read: rename it."
        return ""

    def has(self, name: str) -> bool:
        """Whether the folder has a file of this name, and not a link that leads elsewhere."""
        path = self.path / name
        return path.is_file() and path.resolve().is_relative_to(self.path.resolve())


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a run is.

    Parameters
    ----------
    state
        Whether a process works on it, and else whether it has all that was asked for.
    done
        What is done of what, in words; empty where nothing is known.
    cost
        In words: dollars of model calls, or time of this machine.
    finding
        The headline of its page, or why there is none.
    """

    state: State
    done: str
    cost: str
    finding: str


class Recent(Generic[T]):
    """A value by key, worked out again when its stamp has changed, and not too often.

    One thread at a time works a value out; the others are given the earlier one, if there is one.
    What takes long is worked out rarely: the time between is ten times what it took.
    """

    def __init__(self) -> None:
        self._known: dict[object, tuple[object, float, T]] = {}
        self._locks: dict[object, threading.Lock] = {}

    def get(self, key: object, stamp: object, make: Callable[[], T]) -> T:
        """Return the value of the key."""
        known = self._known.get(key)
        if known and (known[0] == stamp or time.monotonic() < known[1]):
            return known[2]
        lock = self._locks.setdefault(key, threading.Lock())
        if not lock.acquire(blocking=known is None):
            assert known is not None
            return known[2]
        try:
            again = self._known.get(key)
            if again is not known and again is not None:
                return again[2]
            began = time.monotonic()
            value = make()
            due = time.monotonic() + max(FRESH, 10 * (time.monotonic() - began))
            self._known[key] = stamp, due, value
            return value
        finally:
            lock.release()


class Folders:
    """The runs and studies below some folders."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self.roots = [root.resolve() for root in roots]
        self._runs: Recent[dict[str, Run]] = Recent()
        self._standings: Recent[Standing] = Recent()

    def runs(self) -> list[Run]:
        """All of them, those of a study left out, by name."""
        return sorted(self._all().values(), key=lambda run: run.name)

    def run(self, run_id: str) -> Run | None:
        """The run or study of this name in addresses, also a run within a study."""
        every = self._all()
        if run_id in every:
            return every[run_id]
        within = (run for study in every.values() for run in self.within(study))
        return next((run for run in within if run.id == run_id), None)

    def within(self, study: Run) -> list[Run]:
        """The runs of a study that have texts; none of a run."""
        if study.kind != "study":
            return []
        folders = sorted((study.path / "runs").glob("*/texts.parquet"))
        return [
            Run(path.parent, f"{study.name}/runs/{path.parent.name}", "lab")
            for path in folders
            if not path.parent.is_symlink()
        ]

    def standing(self, run: Run) -> Standing:
        """How far a run is; what cannot be read is said in its finding."""
        stamp = (_stamps(run.path), is_busy(run))
        return self._standings.get(run.path, stamp, lambda: standing_of(run))

    def _all(self) -> dict[str, Run]:
        stamp = int(time.monotonic() / FRESH)
        return self._runs.get("all", stamp, lambda: {run.id: run for run in self._walk()})

    def _walk(self) -> Iterator[Run]:
        taken: set[Path] = set()
        for root in self.roots:
            for folder, folders, files in os.walk(root):
                path = Path(folder)
                kind = kind_of(path, files)
                if kind and path not in taken:
                    taken.add(path)
                    inside = path.relative_to(root).as_posix()
                    alone = len(self.roots) == 1
                    name = inside if alone else f"{root.name}/{inside}"
                    yield Run(path, root.name if inside == "." else name, kind)
                deep = len(path.relative_to(root).parts) >= DEEPEST
                folders[:] = [] if kind or deep else sorted(map(str, filter(_is_walked, folders)))


def _is_walked(name: str) -> bool:
    return not name.startswith(".") and name not in _SKIPPED


def kind_of(path: Path, files: Sequence[str]) -> Kind | None:
    """What a folder with these files holds; None if it is neither a run nor a study."""
    if STUDY in files:
        return "study"
    if "windows.parquet" in files:  # the rates of a corpus
        return None
    if JOURNAL in files:
        return "SKILL-MIX"
    if "manifest.json" in files and "texts.parquet" in files:
        try:
            return "SKILL-MIX" if "protocol" in RunFolder(path).read_manifest().spec else "lab"
        except (UnparrotError, OSError):
            return None
    if "spec.json" in files:
        try:
            known = msgspec.json.decode((path / "spec.json").read_bytes(), type=dict[str, Any])
        except (msgspec.MsgspecError, OSError):
            return None
        if "axes" in known:
            return "study"
        return "lab" if "run.lock" in files else None
    return None


def is_busy(run: Run) -> bool:
    """Whether a process on this machine works on a run, or was heard of a study lately."""
    if run.kind == "study":
        notes = (run.path / "progress").glob("*.json")
        return any(time.time() - _modified(note) < SILENT for note in notes)
    return is_locked(run.path / ("run.lock" if run.kind == "lab" else "journal.lock"))


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _stamps(path: Path) -> tuple[float, ...]:
    return tuple(_modified(path / name) for name in _STAMPED)


def standing_of(run: Run) -> Standing:
    """Work out how far a run is."""
    of_kind = {"lab": _of_lab, "SKILL-MIX": _of_skillmix, "study": _of_study}[run.kind]
    busy = is_busy(run)
    if run.fault:
        return Standing("going on" if busy else "stopped", "", "", run.fault)
    try:
        finished, done, cost = of_kind(run)
    except (UnparrotError, OSError, ImportError) as error:
        return Standing("going on" if busy else "stopped", "", "", refusal(error) or str(error))
    state: State = "going on" if busy else "finished" if finished else "stopped"
    return Standing(state, done, cost, finding_of(run))


def finding_of(run: Run) -> str:
    """The headline of a run's page, or why there is none."""
    from unparrot.analysis.schema import read_summary
    from unparrot.analysis.study.study_summary import read_study_summary
    from unparrot.report.words.headline_words import finding
    from unparrot.report.words.study_words import study_sentence

    try:
        if run.kind == "study":
            if not run.has("study-summary.json"):
                return "No report yet: `unparrot lab study report` makes it."
            return study_sentence(read_study_summary(run.path))
        if not run.has("summary.json"):
            return "Not analyzed yet."
        return finding(read_summary(run.path))
    except (UnparrotError, OSError) as error:
        return refusal(error) or str(error)


def _of_lab(run: Run) -> tuple[bool, str, str]:
    """Whether a run of the lab is finished, its models, and the time it took."""
    finished = run.has("manifest.json") and run.has("texts.parquet")
    if finished:
        seconds = sum(RunFolder(run.path).read_manifest().timings.values())
        return True, "", duration(seconds) if seconds else ""
    from unparrot.core.records import read_json
    from unparrot.lab.study.spec import RunSpec

    spec: RunSpec = read_json(run.path / "spec.json", RunSpec)
    models = len(spec.shapes) * len(spec.tokens)
    tested = len(list(run.path.glob("models/*/answers.msgpack.gz")))
    return False, f"{tested} of {plural(models, 'model')} trained and tested", ""


def _of_study(run: Run) -> tuple[bool, str, str]:
    """Whether a study is finished, its cells, and what is heard of those who work on it."""
    from unparrot.lab.study.studies import open_study

    state = open_study(run.path).state()
    words = [f"{state.done} of {plural(state.cells, 'cell')}"]
    words += [f"{len(state.failed)} failed"] if state.failed else []
    for working in state.working:
        left = working.seconds_left
        if working.silent < SILENT:
            words.append(
                percent(working.share) + (f", about {duration(left)} left" if left else "")
            )
    if state.done < state.cells and run.has("study-summary.json"):
        # the checkpoints may be gone since all of them were reported
        from unparrot.analysis.study.study_summary import read_study_summary

        summary = read_study_summary(run.path)
        if len(summary.trained) == summary.models_of:
            return True, plural(summary.models_of, "model"), ""
    return state.done == state.cells, " · ".join(words), ""


def _of_skillmix(run: Run) -> tuple[bool, str, str]:
    """Whether a run of language models is finished, its texts and gradings, and what it spent."""
    if not run.has(JOURNAL):  # published records have none
        from unparrot.core.errors import BadInput

        try:
            costs: list[float | None] = RunFolder(run.path).checked_table("usage")["cost"].to_list()
        except BadInput:
            return True, "", ""
        return True, "", _spent(costs)
    from unparrot.eval.ask.status import status_of

    parts, _, _ = status_of(prepared_run(run.path))
    words: list[str] = []
    for role, noun in (("student", "texts"), ("grader", "gradings")):
        own = [part for part in parts if part.role == role]
        if asked := sum(part.asked for part in own):
            ended = asked - sum(part.left for part in own)
            words.append(f"{ended:,} of {asked:,} {noun}")
    costs = [part.spent for part in parts]
    return not any(part.left for part in parts), " · ".join(words), _spent(costs)


def _spent(costs: Sequence[float | None]) -> str:
    known = dollars(sum(cost or 0.0 for cost in costs), narrow=True)
    return f"{known}{' and more' * (None in costs)}"


def prepared_run(folder: Path) -> Any:
    """The run of language models in a folder, as it was asked
    (`unparrot.eval.record.prepare.Prepared`)."""
    from unparrot.eval.record.prepare import prepare, stored_spec
    from unparrot.lab.world.english import world_pack

    return prepare(stored_spec(folder), folder, world_pack)
