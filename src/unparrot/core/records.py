"""The only disk format of the package: a run is a folder of Parquet tables and JSON files.

    manifest.json     spec, command, seed, versions, digests, timings, machine
    texts.parquet     one row per text: what was asked, who wrote it, what it says
    graded.parquet    one row per text and criterion, joined to texts by ``text_id``
    summary.json      every figure that the report shows
    <name>.parquet    other tables, for example training.parquet

`unparrot.core.tables` has the columns of every table.

Every file is written beside its place and then renamed into it, so that a reader, or a run that
was killed and continues, sees the old file or the new one and never half of either.

The folder decides who may read: in a folder that is closed to others (mode 700, say) every file is
the user's alone (600), whatever the umask.
"""

import fcntl
import json
import os
import re
import secrets
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, cast

import msgspec
import numpy as np
import polars as pl

from unparrot.core.errors import BadInput, CannotWrite, refusal, writing
from unparrot.core.grades import GradedText, Mark
from unparrot.core.skills import CRITERIA, HeldOut, Skill, SkillCombination
from unparrot.core.tables import (
    EXACT,
    GRADED_SCHEMA,
    MAY_BE_NULL,
    NEVER_NULL,
    SCHEMAS,
    TEXTS_SCHEMA,
)
from unparrot.core.wording import plural

_TABLE_NAME = re.compile(r"[a-z][a-z0-9_]*")
_GRADED_TABLES = ("texts", "graded")
# Rows of a lazy table that are in memory at a time; a transcript has some kilobytes a row.
_ROWS_AT_A_TIME = 1000
# Columns of texts.parquet that are attributes of a graded text.
_OWN = ("model", "split", "decoding", "sample", "trained_count", "text", "no_text")
_OWNER = 0o600
_OTHERS = 0o077


class EarlierTexts(BadInput):
    """The texts of a run of language models do not say why some did not come, nor whose failure it
    was; they are of an earlier version."""


class Busy(BadInput):
    """Another process works on it."""


def lock(path: Path, *, wait: bool = False) -> int:
    """Lock a file, which is made if it is not there, for this process alone.

    Parameters
    ----------
    path
        A file in the folder that the lock is for, which is made too; it holds the number of the
        process.
    wait
        Whether to wait for another process that has the lock.

    Returns
    -------
    int
        File descriptor. The lock lasts until it is closed, or the process ends in whatever way.

    Raises
    ------
    Busy
        If another process has the lock.
    BadInput
        If the file system has none to give.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, _OWNER)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise Busy(
            f"another unparrot (process {holder}) is working on the run {path.parent}: wait for "
            "it, or stop it; nothing was changed"
        ) from None
    except OSError as error:
        os.close(descriptor)
        raise BadInput(
            f"cannot lock {path}: {refusal(error)}; where a file system has no locks (as on some "
            "network drives), choose a folder on a local disk and copy the run later"
        ) from error
    try:
        with writing(path):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except CannotWrite:
        os.close(descriptor)
        raise
    return descriptor


def is_locked(path: Path) -> bool:
    """Whether a process of this machine has the lock of a file that `lock` locks.

    It is not waited for, and a process that wants it is not kept from it: where the number in the
    file is that of no process, nothing is tried.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        os.kill(int(os.pread(descriptor, 20, 0)), 0)
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # another user's process may not be signalled
        return True
    except (ValueError, OSError):
        return False
    finally:
        os.close(descriptor)
    return False


def closed_to_others(path: Path) -> bool:
    """Whether a file or folder is there and neither its group nor others may do anything with it.

    Examples
    --------
    >>> closed_to_others(Path("no/such/folder"))
    False
    """
    try:
        return path.stat().st_mode & _OTHERS == 0
    except (FileNotFoundError, NotADirectoryError):
        return False


def atomic_write(
    path: Path, content: bytes | Callable[[Path], object], *, private: bool | None = None
) -> None:
    """Write a file so that it is there whole or not at all.

    Parameters
    ----------
    path
        Where the file goes; its folder is made if it does not exist.
    content
        The bytes, or a function that is given a temporary path in the same folder, of the same
        suffix, and writes the file there.
    private
        Whether the file is to be the user's alone (mode 600; a folder made for it gets 700). None
        if the folder decides (`closed_to_others`), or the older file: no mode is ever loosened.

    Raises
    ------
    CannotWrite
        If the file cannot be written. Whatever fails, also ``content`` itself, an older file at
        ``path`` is left as it was and the temporary file is removed.
    """
    with writing(path):
        if private is None:
            private = closed_to_others(path.parent) or closed_to_others(path)
        path.parent.mkdir(mode=0o700 if private else 0o777, parents=True, exist_ok=True)
        temporary = path.parent / f".{path.stem}.{secrets.token_hex(6)}.tmp{path.suffix}"
        try:
            if private:
                temporary.touch(mode=_OWNER, exist_ok=False)
            if isinstance(content, bytes):
                temporary.write_bytes(content)
            else:
                content(temporary)
            if private:  # content may have put another file there
                temporary.chmod(_OWNER)
            _sync(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _plain(value: object) -> object:
    """Turn a Struct, or what NumPy computes, into what JSON can hold."""
    if isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value, str_keys=True, enc_hook=_plain)
    if isinstance(value, np.generic):
        return cast(object, value.item())
    raise TypeError(f"{type(value).__name__} {value!r}")


def write_json(
    path: Path, content: Mapping[str, object] | msgspec.Struct, *, private: bool | None = None
) -> None:
    """Write a JSON file of plain data, or of a msgspec Struct, whole or not at all.

    ``private`` is that of `atomic_write`.

    Raises
    ------
    BadInput
        If a value cannot be written as JSON; NaN and infinity cannot.
    """
    try:
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False, default=_plain)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{path.name} can hold only plain, finite data: {error}") from error
    atomic_write(path, (text + "\n").encode(), private=private)


Seed = Annotated[int, msgspec.Meta(ge=0)]


class Spec(msgspec.Struct):
    """The fields of a manifest's ``spec`` that are read again; it may have any others."""

    protocol: str | None = None
    plan: dict[str, Any] | None = None
    private: bool = False
    pack: dict[str, Any] | str | None = None
    grader: str | None = None
    models: tuple[str, ...] = ()
    students: tuple[str, ...] = ()
    tries: int | None = None
    reached: dict[str, dict[str, Any]] = {}
    gradings: dict[str, dict[str, Any]] = {}
    snapshots: dict[str, tuple[str, ...]] = {}


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """manifest.json: how a run was made.

    ``seed`` is a list where records of several were imported; ``timings`` is seconds by stage.
    """

    spec: dict[str, Any]
    command: str
    seed: Seed | Annotated[tuple[Seed, ...], msgspec.Meta(min_length=1)]
    versions: dict[str, str | None]
    digests: dict[str, str | None]
    timings: dict[str, float]
    machine: dict[str, Any]

    def __post_init__(self) -> None:
        msgspec.convert(self.spec, Spec)


class PocketModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model of the lab, small enough for a page: its sizes and its weights.

    ``weights`` are float16, little-endian, one matrix after another, row by row: the embedding
    [vocabulary, width]; of each layer queries, keys and values [3 width, width], output [width,
    width], gate and up [2 hidden, width], down [width, hidden]; then the gains of the last norm
    [width]. The gains of the other norms are in the matrices behind them.
    """

    name: str
    params: int
    width: int
    layers: int
    heads: int
    hidden: int
    weights: bytes

    def size(self, vocabulary: int) -> int:
        """Return the bytes that the weights take with so many tokens."""
        layer = 4 * self.width + 3 * self.hidden
        return 2 * self.width * (vocabulary + self.layers * layer + 1)


class Pocket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """pocket.json: what lets a page write as the models of a run of the lab do.

    Parameters
    ----------
    models
        From small to large.
    vocabulary
        All tokens, by their numbers.
    capitals
        Tokens that people write with a capital letter wherever they stand.
    most_tokens
        A text of k skills ends after ``most_tokens * (1 + k)`` tokens, if not before.
    skills
        That there are to combine.
    held_out
        What training never showed together.
    situations
        For each topic, what tests on it were about.
    read, documents
        Texts of training, evenly over all of it, for a parrot to copy (topic, about, skills, text),
        and how many there were in all.
    """

    models: tuple[PocketModel, ...]
    vocabulary: tuple[str, ...]
    capitals: tuple[int, ...]
    most_tokens: int
    skills: tuple[Skill, ...]
    held_out: HeldOut
    situations: dict[str, tuple[str, ...]]
    read: tuple[tuple[str, str, tuple[str, ...], str], ...]
    documents: int
    grader: dict[str, Any]

    def __post_init__(self) -> None:
        for model in self.models:
            if len(model.weights) != (size := model.size(len(self.vocabulary))):
                raise ValueError(
                    f"the weights of {model.name} are {len(model.weights)} bytes and not {size}"
                )


class TaggedSample(msgspec.Struct, frozen=True):
    """sample.json: windows of a corpus that a model has tagged.

    Parameters
    ----------
    pack, corpus
        SHA-256 of the pack, and of the windows that were tagged.
    words, windows
        Words of a window, and how many such windows the corpus has.
    sampled, taggers, rounds
        Number of windows that were tagged, by whom, and how often.
    topics, counted
        In how many of ``counted`` windows each topic occurs.
    """

    FILE: ClassVar = "sample.json"
    VERSION: ClassVar = 1

    version: int
    pack: str
    corpus: str
    words: int
    windows: float
    sampled: int
    taggers: tuple[str, ...]
    rounds: int
    skills: tuple[str, ...]
    topics: dict[str, int]
    counted: int


class _Versioned(msgspec.Struct):
    version: int = 1


def read_typed(path: Path, kind: Any, version: int, remedy: str) -> Any:
    """Read a JSON file strictly into a msgspec Struct, or a union of some.

    Parameters
    ----------
    path
        A JSON file.
    kind
        What it must hold; ``version`` must be one of its fields.
    version
        Of the form of the file; one that names none is of version 1.
    remedy
        What to do about a file that cannot be read, for example 'run `unparrot analyze RUN`'.

    Raises
    ------
    BadInput
        If the file is absent, of another version, or not what it should be; the message names the
        file and the field at fault.
    """
    written = read_json(path, _Versioned, remedy).version
    if written != version:
        age = "an older" if written < version else "a newer"
        raise BadInput(f"{path} was made by {age} version: {remedy}")
    return read_json(path, kind, remedy)


def read_json(path: Path, kind: Any, remedy: str = "restore it from a copy") -> Any:
    """Read a JSON file strictly as a type that msgspec knows.

    Raises
    ------
    BadInput
        If the file is absent or is not what it should be; the message names the file and the field
        at fault.
    """
    return decoded(_existing(path).read_bytes(), kind, path, remedy)


def decoded(content: bytes, kind: Any, path: object, remedy: str) -> Any:
    """Return what the bytes of a record stand for, checked as `read_json` checks it."""
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"{path} is not what it should be ({error}); {remedy}") from error


@contextmanager
def _parquet(path: Path) -> Generator[Path]:
    """The path of a table that is there; what polars finds wrong with it is `BadInput`."""
    try:
        str(_existing(path)).encode()
        yield path
    except UnicodeEncodeError as error:
        raise BadInput(f"{str(path)!r} is not a name in UTF-8; rename it") from error
    except pl.exceptions.PolarsError as error:
        raise BadInput(f"{path} is not a Parquet table: {error}") from error


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise BadInput(
            f"there is no {path.name} in {path.parent}: name the folder of a run that wrote one; a "
            "run that was stopped before goes on by its own command"
        )
    return path


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run. Making the object touches nothing; the first write makes the folder.

    Every ``read_`` method raises `BadInput` if its file is absent or is not what it should be.
    """

    path: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))

    @property
    def private(self) -> bool:
        """Whether the folder is there and closed to others, and so what is written to it."""
        return closed_to_others(self.path)

    def write_manifest(self, manifest: Mapping[str, object] | Manifest) -> None:
        """Write manifest.json.

        Raises
        ------
        BadInput
            If the fields are not those of `Manifest`, or a value cannot be written as JSON.
        """
        try:
            msgspec.convert(manifest, Manifest)
        except msgspec.ValidationError as error:
            raise BadInput(f"the manifest is not what it should be: {error}") from error
        write_json(self.path / "manifest.json", manifest)

    def read_manifest(self) -> Manifest:
        """Read manifest.json."""
        return read_json(self.path / "manifest.json", Manifest)

    def write_table(self, name: str, table: pl.DataFrame | pl.LazyFrame) -> None:
        """Write ``<name>.parquet``; a lazy table is written as it is worked out, piece by piece.

        Raises
        ------
        BadInput
            If the name is not lower-case letters, digits and underscores, or is that of a table
            that `write_graded` writes.
        """
        if name in _GRADED_TABLES:
            raise BadInput(f"the table {name!r} is written by write_graded; choose another name")
        if isinstance(table, pl.LazyFrame):
            write = partial(table.sink_parquet, row_group_size=_ROWS_AT_A_TIME)
            atomic_write(self._table(name), write)
        else:
            atomic_write(self._table(name), table.write_parquet)

    def read_table(self, name: str) -> pl.DataFrame:
        """Read ``<name>.parquet``, also ``texts`` and ``graded``, whatever its columns."""
        with _parquet(self._table(name)) as path:
            return pl.read_parquet(path, glob=False)

    def checked_table(self, name: str, *, without: Collection[str] = ()) -> pl.DataFrame:
        """Read a table and check it against its schema in `unparrot.core.tables`.

        Parameters
        ----------
        name
            One of `unparrot.core.tables.SCHEMAS`.
        without
            Columns that are checked, but neither read nor returned: prompts and replies can be
            large.

        Raises
        ------
        BadInput
            If the table is absent, is no Parquet table, or lacks a column of its schema or has it
            of another type; a table of `unparrot.core.tables.EXACT` also if it has others.
        """
        with self.scanned_table(name) as rows:
            return rows.drop(without).collect()

    @contextmanager
    def scanned_table(self, name: str) -> Generator[pl.LazyFrame]:
        """A table to be read row group by row group, checked as by `checked_table`."""
        expected = SCHEMAS[name]
        with _parquet(self._table(name)) as path:
            schema = pl.scan_parquet(path, glob=False).collect_schema()
            if earlier := name == "texts" and "no_text" not in schema:
                schema["no_text"] = pl.String()
            if name in EXACT and schema != expected:
                raise BadInput(f"{path} has the columns {schema!r}; expected {expected!r}")
            for column, kind in expected.items():
                enumerated = kind == pl.String and isinstance(schema.get(column), pl.Enum)
                if schema.get(column) != kind and not enumerated:
                    raise BadInput(
                        f"{name}.parquet in {self.path} needs a column {column!r} of {kind!r}; it "
                        f"has {dict(schema)!r}"
                    )
            rows = self._earlier_texts() if earlier else pl.scan_parquet(path, glob=False)
            rows = rows.cast(cast(Any, expected))
            known = path.stat()
            if lacking := _nulls(name, path, known.st_mtime_ns, known.st_size):
                column, number = lacking[0]
                raise BadInput(
                    f"{path} lacks the {column} of {plural(number, 'row')}; make it again"
                )
            yield rows

    def _earlier_texts(self) -> pl.LazyFrame:
        """The texts of a version without the column ``no_text``, if it can be put in: if all came,
        or in the lab, where an empty text is a text."""
        texts = self.read_table("texts")
        named = (self.path / "manifest.json").is_file() and "protocol" in self.read_manifest().spec
        if lost := named and int((texts["text"] == "").sum()):
            raise EarlierTexts(
                f"{self.path} was written by an earlier version, which does not say why {lost} "
                f"texts did not come: give `unparrot analyze {self.path}`, which reads its journal "
                "anew, or import published records again"
            )
        return texts.lazy().with_columns(no_text=pl.lit(None, pl.String))

    def _table(self, name: str) -> Path:
        if not _TABLE_NAME.fullmatch(name):
            raise BadInput(
                f"a table is named in lower-case letters, digits and underscores, not {name!r}"
            )
        return self.path / f"{name}.parquet"

    def write_graded(self, texts: Iterable[GradedText]) -> None:
        """Write graded texts as texts.parquet and graded.parquet, replacing what was there.

        graded.parquet is written last, so texts without marks are never taken for graded ones.

        Raises
        ------
        BadInput
            If two texts share model, split, decoding, combination and sample: one of them would
            be counted twice.
        """
        by_id: dict[str, GradedText] = {}
        for text in texts:
            text_id = text.id
            if text_id in by_id:
                raise BadInput(
                    f"two texts of the model {text.model!r} (split {text.split!r}, decoding "
                    f"{text.decoding!r}) are both sample {text.sample} of {text.combination!r}; "
                    "number them"
                )
            by_id[text_id] = text
        (self.path / "graded.parquet").unlink(missing_ok=True)
        atomic_write(self.path / "texts.parquet", texts_table(by_id).write_parquet)
        atomic_write(self.path / "graded.parquet", marks_table(by_id).write_parquet)

    def read_graded(self) -> list[GradedText]:
        """Read the graded texts back, in the order in which they were written.

        Raises
        ------
        BadInput
            If the two tables do not belong together: a text lacks a mark, or a mark its text.
        """
        table, graded = self.checked_table("texts"), self.checked_table("graded")
        marks: dict[str, dict[str, Mark]] = {}
        for text_id, criterion, _, status, reason in graded.iter_rows():
            marks.setdefault(text_id, {})[criterion] = Mark(status, reason)
        texts = [
            GradedText(
                SkillCombination(row["topic"], tuple(row["skills"])),
                marks=marks.get(row["text_id"], {}),
                **{name: row[name] for name in _OWN},
            )
            for row in table.iter_rows(named=True)
        ]
        if sum(len(text.marks) for text in texts) != graded.height:
            raise BadInput(
                f"graded.parquet in {self.path} marks texts that are not in texts.parquet, or a "
                "criterion twice"
            )
        return texts


@lru_cache(maxsize=256)
def _nulls(name: str, path: Path, modified: int, size: int) -> list[tuple[str, int]]:
    """The columns of a table that lack what they never lack, with how many rows: all of a table is
    read for it, so a file that is as it was is not looked through again."""
    del modified, size
    table = pl.scan_parquet(path, glob=False)
    there = table.collect_schema()
    filled = [c for c in SCHEMAS[name] if c in NEVER_NULL and (name, c) not in MAY_BE_NULL]
    columns = [column for column in filled if column in there]
    nulls = table.select(pl.col(columns).null_count()).collect()
    return [(column, number) for column, number in nulls.row(0, named=True).items() if number]


def texts_table(texts: Mapping[str, GradedText]) -> pl.DataFrame:
    combinations = [text.combination for text in texts.values()]
    # polars makes lists of strings four times faster out of JSON than out of Python's lists
    skills = pl.Series([json.dumps(c.skills) for c in combinations], dtype=pl.String)
    columns = {name: [getattr(text, name) for text in texts.values()] for name in _OWN} | {
        "text_id": list(texts),
        "k": [c.k for c in combinations],
        "topic": [c.topic for c in combinations],
        "skills": skills.str.json_decode(pl.List(pl.String)),
    }
    return pl.DataFrame({name: columns[name] for name in TEXTS_SCHEMA}, schema=TEXTS_SCHEMA)


def marks_table(texts: Mapping[str, GradedText]) -> pl.DataFrame:
    """The rows of graded.parquet; no skill bears the name of a criterion, so names tell kinds."""
    names = [name for text in texts.values() for name in text.marks]
    marks = [mark for text in texts.values() for mark in text.marks.values()]
    columns = {
        "text_id": [text_id for text_id, text in texts.items() for _ in text.marks],
        "criterion": names,
        "kind": [name if name in CRITERIA else "skill" for name in names],
        "status": [mark.status for mark in marks],
        "reason": [mark.reason for mark in marks],
    }
    return pl.DataFrame(columns, schema=GRADED_SCHEMA)
