"""The transcripts of a run, packed for its page: every text with its marks, calls and gradings.

They are JSON, compressed (gzip) and written in letters (base64), which the script of the page
unpacks in the reader's browser: nothing of them is HTML. Prompts repeat each other line by line,
so their lines are kept once. Where all would make the page too heavy, a sample drawn by the seed of
the run is packed; all are in transcripts.parquet.
"""

import base64
import gzip
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from unparrot.core.records import RunFolder
from unparrot.core.skills import CRITERIA
from unparrot.core.wording import count
from unparrot.report.html.layout import asset, section
from unparrot.report.html.markup import Markup, el

MOST_PACKED: Final = 22_000_000  # bytes of packed transcripts: a page stays under 24 MB
MOST_UNPACKED: Final = 120_000_000  # bytes that they may take in the reader's browser
_PILOT: Final = 400


@dataclass(frozen=True, slots=True)
class Packed:
    """Transcripts for a page.

    Parameters
    ----------
    data
        Letters of base64: gzip of JSON.
    texts, of
        How many texts are packed, and how many the run has.
    with_calls
        Whether prompts and replies are there, or only texts and marks.
    ids
        Of the texts that are packed.
    """

    data: str
    texts: int
    of: int
    with_calls: bool
    ids: frozenset[str]


def pack_transcripts(
    run: Path,
    seed: int,
    *,
    models: Sequence[str],
    deciding: str | None = None,
    keep: Iterable[str] = (),
    most_packed: int = MOST_PACKED,
    most_unpacked: int = MOST_UNPACKED,
) -> Packed | None:
    """Pack the transcripts of a run, or the texts and marks of one that has no transcripts.

    Parameters
    ----------
    run
        Folder of the run.
    seed
        Of the sample, where not all fit.
    models
        Names, in the order of the page.
    deciding
        The grader that comes before the others.
    keep
        Ids of texts that the page refers to: they are in every sample.
    most_packed, most_unpacked
        Bytes that they may take on the page, and unpacked.

    Returns
    -------
    Packed or None
        None if the run has no texts, or not even one fits.
    """
    texts = RunFolder(run).checked_table("texts")
    if texts.is_empty():
        return None
    with_calls = (run / "transcripts.parquet").is_file()
    place = {name: i for i, name in enumerate(models)}
    texts = texts.with_columns(
        pl.col("model").replace_strict(place, default=len(place)).alias("of model")
    ).sort("of model", "k", maintain_order=True)
    first = set(keep)
    order = np.random.default_rng(seed).permutation(texts.height)
    ids: list[str] = texts["text_id"].to_list()
    drawn = sorted(order.tolist(), key=lambda i: ids[i] not in first)  # a stable sort
    n = min(texts.height, _PILOT)  # says how many may fit
    settled = n == texts.height
    while n:
        chosen = texts[sorted(drawn[:n])]
        plain = _plain(run, chosen, deciding)
        packed = base64.b64encode(gzip.compress(plain, 6, mtime=0))
        room = min(most_packed / len(packed), most_unpacked / len(plain))
        if settled and room >= 1:
            chosen_ids = frozenset(chosen["text_id"])
            return Packed(packed.decode(), n, texts.height, with_calls, chosen_ids)
        fit = int(0.95 * n * room)
        n = min(n - 1, fit) if room < 1 else min(texts.height, max(n, fit))
        settled = True
    return None


def _plain(run: Path, texts: pl.DataFrame, deciding: str | None) -> bytes:
    """The JSON of some texts; browser.js tells what is what.

    Only the text that is at hand is held as more than a table.
    """
    numbered = _Numbered(deciding)
    parts = [_by_text(run, name, texts, own) for name, own in _COLUMNS.items()]
    packed: list[bytes] = []
    for text in texts.select(_TEXT).iter_rows():
        key = (text[0],)
        rows = [part[key].rows() if key in part else [] for part in parts]
        packed.append(_json(numbered.text(text, *rows)))
    tables = {name: list(own) for name, own in numbered.tables.items()} | {"criteria": CRITERIA}
    return _json(tables)[:-1] + b',"texts":[' + b",".join(packed) + b"]}"


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


_TEXT: Final = ("text_id", "model", "k", "topic", "skills", "sample", "text")
_MARK: Final = ("kind", "criterion", "status", "reason")
_COLUMNS: Final = {
    "graded": _MARK,
    "grades": ("grader", "round", *_MARK),
    "transcripts": (
        "step", "grader", "round", "try", "prompt", "reply", "stop_reason", "outcome", "latency",
        "input_tokens", "output_tokens",
    ),
}  # fmt: skip
_STATUS: Final = {"earned": 1, "missed": 0, "unscored": -1}
_Rows = list[tuple[Any, ...]]


def _by_text(
    run: Path, name: str, texts: pl.DataFrame, columns: Sequence[str]
) -> dict[tuple[Any, ...], pl.DataFrame]:
    """Rows of a table by the id of the text, round by round; none if there is no such table."""
    if not (run / f"{name}.parquet").is_file():
        return {}
    order = ["text_id", *(column for column in ("round", "try") if column in columns)]
    with RunFolder(run).scanned_table(name) as rows:
        return (
            rows.join(texts.lazy(), on="text_id", how="semi")
            .sort(order, maintain_order=True)
            .select("text_id", *columns)
            .collect()
            .partition_by("text_id", as_dict=True, include_key=False)
        )


class _Numbered:
    """Texts whose frequent words are numbers in tables, which list each word once, in order."""

    def __init__(self, deciding: str | None) -> None:
        self.deciding = deciding
        names = ("models", "graders", "words", "lines")
        self.tables: dict[str, dict[str, int]] = {name: {} for name in names}

    def of(self, name: str, word: str | None) -> int:
        """The number of a word in a table; None is the empty one."""
        table = self.tables[name]
        return table.setdefault(word or "", len(table))

    def call(self, row: tuple[Any, ...]) -> list[Any]:
        """A call, from its try on."""
        attempt, prompt, reply, stop, outcome, latency, *tokens = row
        return [
            attempt,
            [self.of("lines", line) for line in (prompt or "").split("\n")],
            reply or "",
            self.of("words", stop),
            self.of("words", outcome),
            None if latency is None else round(latency, 2),
            *tokens,
        ]

    def marks(self, rows: _Rows, criteria: Sequence[tuple[str, str]]) -> list[Any]:
        """The marks for some criteria; None where there is none."""
        given = {(kind, criterion): mark for kind, criterion, *mark in rows}
        return [
            [_STATUS[given[key][0]], self.of("words", given[key][1])] if key in given else None
            for key in criteria
        ]

    def text(
        self, text: tuple[Any, ...], given: _Rows, rounds: _Rows, calls: _Rows
    ) -> dict[str, Any]:
        """A text with its marks, the turns it was written in, and its gradings."""
        name, model, k, topic, skills, sample, words = text
        criteria = [("skill", skill) for skill in skills] + [(kind, kind) for kind in CRITERIA]
        gradings: dict[tuple[str, int], tuple[_Rows, _Rows]] = {}
        for grader, number, *mark in rounds:
            gradings.setdefault((grader, number), ([], []))[0].append(tuple(mark))
        for step, grader, number, *call in calls:
            if step == "grading":
                gradings.setdefault((grader or "", number), ([], []))[1].append(tuple(call))
        order = sorted(gradings, key=lambda key: (key[0] != self.deciding, key))
        return {
            "id": name,
            "model": self.of("models", model),
            "k": k,
            "topic": self.of("words", topic),
            "skills": [self.of("words", skill) for skill in skills],
            "round": sample + 1,
            "text": words,
            "marks": self.marks(given, criteria),
            "turns": [[row[2], *self.call(row[3:])] for row in calls if row[0] == "turn"],
            "gradings": [
                [
                    self.of("graders", key[0]),
                    key[1],
                    self.marks(gradings[key][0], criteria),
                    [self.call(row) for row in gradings[key][1]],
                ]
                for key in order
            ],
        }


# --- the section of the page ------------------------------------------------------------------


def transcript_browser(packed: Packed) -> Markup:
    """Make the section with the controls and the packed transcripts, which browser.js reads.

    Every text can be picked out by model, k, verdict and skill, searched for, and linked to
    (``report.html#t=TEXT_ID``).
    """
    names = "transcripts" if packed.with_calls else "texts with their marks"
    files = "transcripts.parquet" if packed.with_calls else "texts.parquet and grades.parquet"
    words = [
        "Every text as it was asked for, written and graded: the prompts, the replies, each mark "
        "of each round and the reason for it."
        if packed.with_calls
        else "Every text and its marks, round by round. The run has no record of the calls.",
        "A link to a text can be passed on. Left and right arrow keys go from text to text.",
    ]
    if packed.texts < packed.of:
        words.append(
            f"{count(packed.texts)} of {count(packed.of)} {names}, drawn by the seed of the run; "
            f"all are in {files}."
        )
    return section(
        "transcripts",
        "Read all of it" if packed.texts == packed.of else "Read it",
        words,
        el(
            "noscript",
            el("p", f"To show the {names}, let the page run its script; all are in {files}."),
        ),
        Markup(re.sub(r"\n\s*", "", asset("browser.html"))),
        # letters of base64 only; the script takes them out of the page and unpacks them
        el("script", Markup(packed.data), type="application/gzip", id="packed-transcripts"),
    )
