"""Windows of a corpus, as long as an answer, drawn uniformly over its words.

Every word of the corpus is equally likely to be drawn, and a window of so many words is laid around
it, at a random place, within its document; a document with fewer words is a window as it is. Words
are what white space separates: unlike tokens, they are the same whoever reads them, and they can be
found from any byte on, so that plain text and JSON lines are read at the places drawn and nowhere
else. For that a *byte* is drawn, and drawn again unless it stands for a word: in plain text the
first byte of a word does, and of the b bytes of a line of JSON, or of a document of a table, the
first w do, one for each of its w words.

Files of plain text (a document each), JSON lines, Parquet tables, and the first two compressed by
gzip or Zstandard, which have to be read through: once for their size, once for the windows. Draws
depend on the seed, the names' order and the content: a longer draw begins with a shorter one.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unparrot.core.errors import BadInput, MissingExtra
from unparrot.core.inputs import opened
from unparrot.core.wording import plural
from unparrot.eval.rates.spread import Spread, one_machine

TEXT: Final = (".txt", ".text", ".md", ".rst", "")
LINES: Final = (".jsonl", ".ndjson")
TABLES: Final = (".parquet",)
PACKED: Final = (".gz", ".zst")
# Bytes on each side of a byte that are read for each word of a window: words of 12 letters, and
# where that is not enough, more, up to words of a thousand.
_REACH: Final = 16
_LONGEST_WORD: Final = 1000
# Bytes of a compressed file, or of a long line, that are read at a time.
_CHUNK: Final = 1 << 20
_LINE: Final = 1 << 14
_MOST_LINE: Final = 1 << 30
# Draws for each window that is still missing, and those after which nothing will come.
_DRAWS: Final = 8
_MOST_DRAWS: Final = 500
# Draws in one part of a file that is read where they are.
_AT_ONCE: Final = 4000
# Rows of a table in its first slice, and bytes of text in later ones, about.
_FIRST_ROWS: Final = 1024
_SLICE: Final = 1 << 24
_WORD: Final = re.compile(rb"[^\s\0]+")
_OTHER: Final = {
    b"\x1f\x8b": "compressed by gzip; call it .gz",
    b"\x28\xb5\x2f\xfd": "compressed by Zstandard; call it .zst",
    b"PK\x03\x04": "a ZIP archive; give what is in it",
    b"%PDF": "a PDF; give its text",
    b"PAR1": "a Parquet table; call it .parquet",
    b"\xff\xfe": "in UTF-16; save it as UTF-8",
    b"\xfe\xff": "in UTF-16; save it as UTF-8",
}


class Window(NamedTuple):
    """A window.

    ``place`` is that of its document in the file ``source``: the byte at which a line begins, the
    number of a row, 0 for a file of plain text.
    """

    source: str
    place: int
    text: str


@dataclass(frozen=True, slots=True)
class Sample:
    """Windows in the order in which they were drawn.

    Parameters
    ----------
    windows
        Independent draws, so that one may come twice.
    words
        Of the corpus, estimated from how many draws hit a word.
    bytes
        Of the corpus, its compressed files unpacked, other fields of lines included.
    """

    windows: tuple[Window, ...]
    words: float
    bytes: int


class _Draw(NamedTuple):
    """A byte of a file, and how many words of the window stand before the word it stands for."""

    place: int
    before: int


@dataclass(frozen=True, slots=True)
class _Source:
    """A file, of which windows of so many words are drawn.

    Of a table, ``ends`` are the bytes of text up to the end of each row, and ``slices`` the rows
    with which the parts begin that it is read in.
    """

    path: Path
    words: int
    column: str
    size: int
    ends: NDArray[np.int64] | None = None
    slices: tuple[int, ...] = ()

    def windows(self, draws: Sequence[_Draw]) -> list[Window | None]:
        """Return the windows at sorted draws, None for those that stand for no word."""
        suffix, _ = _suffixes(self.path)
        read = _rows if self.ends is not None else _lines if suffix in LINES else _text
        return list(read(self, draws))


def draw_windows(
    paths: Sequence[Path],
    n: int,
    words: int,
    seed: int,
    column: str = "text",
    spread: Spread = one_machine,
) -> Sample:
    """Draw windows from files and folders.

    Parameters
    ----------
    paths
        Files, and folders whose files of a known kind are taken, below them too.
    n
        Number of windows, at least 1.
    words
        Of a window, at least 1.
    seed
        Of the draw; equal seeds give equal windows.
    column
        The field of JSON lines, and the column of tables, that holds the text.
    spread
        Where files are read; the windows are the same.

    Raises
    ------
    BadInput
        If there is no such file, none of them has text, or one is not what its name says; the
        message names the file and, where there is one, the byte.
    MissingExtra
        If a file is compressed by Zstandard and nothing can read that.
    """
    if n < 1 or words < 1:
        raise BadInput(f"a sample has at least 1 window of at least 1 word, not {n} of {words}")
    named = ", ".join(map(str, paths[:3]))
    work = partial(_source, words=words, column=column)
    sources = spread("measuring the files", work, corpus_files(paths))
    ends = list(accumulate(source.size for source in sources))
    total = ends[-1]
    if not total:
        raise BadInput(f"{named} holds no text: its files are empty")
    # the random numbers of Random.random() are the same in every version of Python
    rng = random.Random(f"unparrot windows 1, seed {seed}")
    windows: list[Window] = []
    drawn = 0
    while len(windows) < n:
        if drawn > _MOST_DRAWS * (n + 10):
            raise BadInput(
                f"{named} holds hardly a word: {len(windows)} of {drawn:,} places drawn begin one. "
                "Words stand between white space; where a script has none, separate them first"
            )
        batch = [
            (int(rng.random() * total), int(rng.random() * words))
            for _ in range(_DRAWS * (n - len(windows)) + 64)
        ]
        hits = _at(batch, sources, ends, spread)
        for window in hits:
            drawn += 1
            windows += [] if window is None else [window]
            if len(windows) == n:
                break
    if all(len(window.text.split()) < words for window in windows):
        most = max(len(window.text.split()) for window in windows)
        raise BadInput(
            f"every document of {named} that was drawn is shorter than a window of "
            f"{plural(words, 'word')} (the longest has {most}), and so than an answer; give "
            "--words, or a corpus of longer documents"
        )
    return Sample(tuple(windows), total * n / drawn, total)


def corpus_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files of a corpus: those named, and those of a known kind in the folders named.

    Raises
    ------
    BadInput
        If a path is not there, or there is nothing to read.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = [each for each in sorted(path.rglob("*")) if each.is_file() and _kind(each)]
            files += [each for each in inside if _suffixes(each)[0]]
            continue
        with opened(path):  # which refuses what is no file
            pass
        if _kind(path) is None:
            raise BadInput(
                f"{path} is no kind of file that can be sampled: give plain text (.txt, .md), JSON "
                "lines (.jsonl), these compressed (.gz, .zst), or Parquet tables (.parquet)"
            )
        files.append(path)
    if not files:
        raise BadInput(
            f"{', '.join(map(str, paths)) or 'the corpus'} has no file to sample: .txt, .md, "
            ".jsonl, these with .gz or .zst, or .parquet"
        )
    return files


def _suffixes(path: Path) -> tuple[str, str]:
    """What tells the kind of a file, and how it is compressed."""
    packed = path.suffix.lower() if path.suffix.lower() in PACKED else ""
    return (Path(path.stem).suffix if packed else path.suffix).lower(), packed


def _kind(path: Path) -> str | None:
    suffix, packed = _suffixes(path)
    if packed and suffix in TABLES:
        return None
    # a name without an ending, as those of fortunes, is text; one that ends otherwise may be
    # anything
    return suffix if suffix in (*TEXT, *LINES, *TABLES) else None


def _at(
    batch: Sequence[tuple[int, int]],
    sources: Sequence[_Source],
    ends: Sequence[int],
    spread: Spread,
) -> list[Window | None]:
    """The windows of some draws, in their order; each file is read from its beginning to its end.

    A draw is a byte of the whole corpus, and words before it.
    """
    windows: list[Window | None] = [None] * len(batch)
    order = sorted(range(len(batch)), key=lambda i: batch[i])
    parts: list[list[int]] = []
    items: list[tuple[_Source, list[_Draw]]] = []
    start = 0
    while start < len(order):
        which = bisect_right(ends, batch[order[start]][0])
        source, begin = sources[which], ends[which] - sources[which].size
        seekable = source.ends is None and not _suffixes(source.path)[1]
        most = _AT_ONCE if seekable else len(order)  # else each part would read it all
        stop = start
        while stop < min(len(order), start + most) and batch[order[stop]][0] < ends[which]:
            stop += 1
        parts.append(order[start:stop])
        items.append((source, [_Draw(batch[i][0] - begin, batch[i][1]) for i in parts[-1]]))
        start = stop
    for part, drawn in zip(parts, spread("reading windows", _drawn, items), strict=True):
        for i, window in zip(part, drawn, strict=True):
            windows[i] = window
    return windows


def _drawn(item: tuple[_Source, list[_Draw]]) -> list[Window | None]:
    source, draws = item
    return source.windows(draws)


def _source(path: Path, words: int, column: str) -> _Source:
    suffix, packed = _suffixes(path)
    if suffix in TABLES:
        return _table(path, words, column)
    with opened(path) as file:
        head = file.read(4)
        for sign, what in _OTHER.items():
            if head.startswith(sign) and not packed:
                raise BadInput(f"{path} is {what}")
        size = _unpacked_size(path, packed) if packed else path.stat().st_size
    return _Source(path, words, column, size)


def _chunks(path: Path, packed: str) -> Iterator[bytes]:
    """The unpacked bytes of a compressed file, some at a time."""
    with opened(path) as file:
        if packed == ".gz":
            stream: Any = gzip.GzipFile(fileobj=file, mode="rb")
            faults: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error)
        else:
            try:
                import zstandard
            except ImportError as error:
                raise MissingExtra("eval", "zstandard") from error
            stream = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
            faults = (zstandard.ZstdError,)
        try:
            while chunk := stream.read(_CHUNK):
                yield chunk
        except faults as error:
            raise BadInput(
                f"{path} is damaged, or not compressed as its name says: {error}"
            ) from error


def _unpacked_size(path: Path, packed: str) -> int:
    return sum(map(len, _chunks(path, packed)))


# --- plain text: the window stands around the byte ------------------------------------------------


class _Reader:
    """Bytes of a file between two places, the first of which never falls."""

    def __init__(self, path: Path, packed: str, file: BinaryIO) -> None:
        self._file = None if packed else file
        self._chunks = _chunks(path, packed) if packed else iter(())
        self._buffer, self._begin = b"", 0

    def __call__(self, start: int, stop: int) -> bytes:
        if self._file is not None:
            self._file.seek(start)
            return self._file.read(stop - start)
        parts, have = [self._buffer], self._begin + len(self._buffer)
        while have < stop and (chunk := next(self._chunks, b"")):
            if have + len(chunk) <= start:  # nothing of it is wanted any more
                parts, self._begin = [], have + len(chunk)
            else:
                parts.append(chunk)
            have += len(chunk)
        kept = b"".join(parts)
        self._buffer, self._begin = kept[max(0, start - self._begin) :], max(start, self._begin)
        return self._buffer[: stop - start]


def _text(source: _Source, draws: Sequence[_Draw]) -> Iterator[Window | None]:
    """Windows of a file of plain text, which is one document."""
    path, size, words, (_, packed) = source.path, source.size, source.words, _suffixes(source.path)
    with opened(path) as file:
        # a stream cannot be read again further back, so that it is read far enough at once
        narrow = _REACH * words + 256
        reach = narrow * 8 if packed else narrow
        read = _Reader(path, packed, file)
        for place, before in draws:
            while True:
                start, stop = max(0, place - reach), min(size, place + reach)
                block = read(start, stop)
                window = _around(block, place - start, words, before, start == 0, stop == size)
                if window is not False:
                    break
                if packed or reach > _LONGEST_WORD * words + 256:
                    raise BadInput(
                        f"{path}, near byte {place:,}: {plural(words, 'word')} between white space "
                        f"take more than {reach:,} bytes; this is no text, or in a script without "
                        "spaces, whose words have to be separated first"
                    )
                reach *= 4
            reach = reach if packed else narrow
            yield None if window is None else Window(str(path), 0, _decoded(window, path, place))


def _around(
    block: bytes, at: int, words: int, before: int, first: bool, last: bool
) -> bytes | bool | None:
    """The window around the byte ``at`` of a block; None if no word begins there, False if the
    block does not reach far enough. ``first`` and ``last``: whether it has an end of the file."""
    begins = not block[at : at + 1].isspace() and (at == 0 or block[at - 1 : at].isspace())
    if not begins:
        return None
    spans = [match.span() for match in _WORD.finditer(block)]
    # words that the ends of the block may have cut off do not count
    low = 0 if first else 1
    high = len(spans) if last else len(spans) - 1
    word = next((i for i, span in enumerate(spans) if span[0] <= at < span[1]), None)
    if word is None:  # a zero byte
        return block[max(0, at - 1) : at + 1]
    start = word - before
    if last:
        start = min(start, high - words)
    start = max(start, 0) if first else start
    if start < low or (start + words > high and not last):
        return False
    return block[spans[start][0] : spans[min(start + words, high) - 1][1]]


def _decoded(content: bytes | bool, path: Path, place: int) -> str:
    assert isinstance(content, bytes)
    if b"\0" in content:
        raise BadInput(f"{path}, near byte {place:,}: zero bytes; this is no text in UTF-8")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{path}, near byte {place:,}: not UTF-8 text ({error.reason}); save it as UTF-8"
        ) from error


# --- documents: the first bytes stand for their words ---------------------------------------------


def _of_document(
    text: str, number: int, words: int, before: int, source: str, place: int
) -> Window | None:
    """The window around a word of a document, None if it does not have so many."""
    spans = [match.span() for match in re.finditer(r"\S+", text)]
    if number >= len(spans):
        return None
    start = max(0, min(number - before, len(spans) - words))
    stop = min(start + words, len(spans))
    return Window(source, place, text[spans[start][0] : spans[stop - 1][1]])


def _lines(source: _Source, draws: Sequence[_Draw]) -> Iterator[Window | None]:
    """Windows of JSON lines, a document each."""
    path, size, (_, packed) = source.path, source.size, _suffixes(source.path)
    whole = _packed_lines if packed else _lines_around
    for (place, before), (begin, line) in zip(draws, whole(path, packed, size, draws), strict=True):
        if len(line) <= 2 * (place - begin):  # there are at least two bytes to a word
            yield None
            continue
        text = _field(line, source.column, path, begin)
        yield _of_document(text, place - begin, source.words, before, str(path), begin)


def _field(line: bytes, column: str, path: Path, begin: int) -> str:
    where = f"{path}, the line at byte {begin:,}"
    if not line.strip():
        return ""
    if b"\0" in line:
        raise BadInput(f"{where}: zero bytes; these are no JSON lines")
    try:
        content: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{where}: no JSON ({error})") from error
    fields = cast(dict[str, object], content if isinstance(content, dict) else {})
    text = fields.get(column)
    if not isinstance(text, str):
        names = ", ".join(map(repr, fields)) or "none"
        raise BadInput(
            f"{where}: no text in the field {column!r}; its fields are {names}: give --column"
        )
    return text


def _lines_around(
    path: Path, _: str, size: int, draws: Sequence[_Draw]
) -> Iterator[tuple[int, bytes]]:
    """The line that each byte is in, with the place of its beginning."""
    begin, line = 0, b""
    with opened(path) as file:
        for place, _before in draws:
            if not begin <= place < begin + len(line) + 1 or not line:
                begin, line = _line_at(file, path, place, size)
            yield begin, line


def _line_at(file: BinaryIO, path: Path, place: int, size: int) -> tuple[int, bytes]:
    before, start, step = b"", place, _LINE
    while start > 0 and b"\n" not in before:
        low = max(0, start - step)
        file.seek(low)
        before, start, step = file.read(start - low) + before, low, step * 2
        if place - start > _MOST_LINE:
            raise BadInput(f"{path}: the line around byte {place:,} is longer than a gigabyte")
    before = before.rpartition(b"\n")[2]
    file.seek(place)
    return place - len(before), before + file.readline(_MOST_LINE).removesuffix(b"\n")


def _packed_lines(
    path: Path, packed: str, _: int, draws: Sequence[_Draw]
) -> Iterator[tuple[int, bytes]]:
    begin, rest, waiting = 0, b"", iter(draws)
    draw = next(waiting, None)
    for chunk in _chunks(path, packed):
        rest += chunk
        while draw is not None:
            line, ended, more = rest.partition(b"\n")
            if not ended:
                break
            if draw.place <= begin + len(line):
                yield begin, line
                draw = next(waiting, None)
            else:
                begin, rest = begin + len(line) + 1, more
        if draw is None:
            return
    while draw is not None:
        yield begin, rest
        draw = next(waiting, None)


def _table(path: Path, words: int, column: str) -> _Source:
    """A Parquet table, a document a row."""
    table = pl.scan_parquet(path, glob=False)
    try:
        schema = table.collect_schema()
        if schema.get(column) != pl.String:
            names = ", ".join(map(repr, schema)) or "none"
            raise BadInput(
                f"{path} has no column {column!r} of text; its columns are {names}: give --column"
            )
        slices = [0]
        sizes: list[NDArray[np.int64]] = []
        rows = _FIRST_ROWS
        while len(texts := _slice(table, column, slices[-1], rows)):
            sizes.append(texts.str.len_bytes().fill_null(0).cast(pl.Int64).to_numpy())
            slices.append(slices[-1] + len(texts))
            of_row = max(1, int(sizes[-1].sum()) // len(texts))
            rows = min(8 * rows, max(1, _SLICE // of_row))
    except pl.exceptions.PolarsError as error:
        raise BadInput(f"{path} is no Parquet table: {error}") from error
    ends = np.cumsum(np.concatenate(sizes or [np.zeros(0, np.int64)]))
    size = int(ends[-1]) if len(ends) else 0
    return _Source(path, words, column, size, ends, tuple(slices))


def _slice(table: pl.LazyFrame, column: str, start: int, rows: int) -> pl.Series:
    """Some rows, decoded alone: of a row group the rest stays compressed."""
    return table.select(column).slice(start, rows).collect()[column]


def _rows(source: _Source, draws: Sequence[_Draw]) -> Iterator[Window | None]:
    """Windows of a table, whose slices are read where rows were drawn."""
    assert source.ends is not None
    table, ends, slices = pl.scan_parquet(source.path, glob=False), source.ends, source.slices
    start = stop = 0
    texts = pl.Series(dtype=pl.String)
    for place, before in draws:
        row = int(np.searchsorted(ends, place, side="right"))
        if row >= stop:
            which = bisect_right(slices, row)
            start, stop = slices[which - 1], slices[which]
            texts = _slice(table, source.column, start, stop - start)
        number = place - (int(ends[row - 1]) if row else 0)
        text: str = texts[row - start]
        yield _of_document(text, number, source.words, before, str(source.path), row)
