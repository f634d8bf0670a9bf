"""The transcripts of a run, packed for its page: every text with its marks, calls and gradings.

They are JSON, compressed (gzip) and written in letters (base64), which the script of the page
unpacks in the reader's browser: nothing of them is HTML. Prompts repeat each other line by line,
so their lines are kept once. Where all would make the page too heavy, a sample drawn by the seed of
the run is packed; all are in transcripts.parquet.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from unparrot.core.records import RunFolder
from unparrot.core.skills import CRITERIA

MOST_PACKED: Final = 22_000_000
"""Bytes that packed transcripts may take, so that a page stays under 24 MB."""
MOST_UNPACKED: Final = 120_000_000
"""Bytes that they may take in the reader's browser."""
_PILOT: Final = 400
_CALL: Final = ("try", "prompt", "reply", "stop_reason", "outcome", "latency")
_COUNTED: Final = ("input_tokens", "output_tokens")
_STATUS: Final = {"earned": 1, "missed": 0, "unscored": -1}


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
        Names, in the order in which they are told.
    deciding
        The grader that is told before the others.
    keep
        Ids of texts that the page refers to: they are in every sample.
    most_packed, most_unpacked
        Bytes that they may take on the page, and unpacked.

    Returns
    -------
    Packed or None
        None if the run has no texts, or not even one fits.
    """
    folder = RunFolder(run)
    texts = folder.read_table("texts")
    if texts.is_empty():
        return None
    marks = folder.read_table("graded")
    grades = folder.read_table("grades") if (run / "grades.parquet").is_file() else None
    calls = run / "transcripts.parquet"
    place = {name: i for i, name in enumerate(models)}
    texts = texts.with_columns(
        pl.col("model").replace_strict(place, default=len(place)).alias("of model")
    ).sort("of model", "k", maintain_order=True)
    first = set(keep)
    order = np.random.default_rng(seed).permutation(texts.height)
    ids: list[str] = texts["text_id"].to_list()
    drawn = sorted(order.tolist(), key=lambda i: ids[i] not in first)  # a stable sort
    n = min(texts.height, _PILOT)
    whole = False
    while n:
        chosen = texts[sorted(drawn[:n])]
        plain = _plain(chosen, marks, grades, calls if calls.is_file() else None, deciding)
        packed = base64.b64encode(gzip.compress(plain, 6, mtime=0))
        room = min(most_packed / len(packed), most_unpacked / len(plain))
        if room < 1:
            n, whole = min(n - 1, int(0.95 * n * room)), True
        elif whole or n == texts.height:
            return Packed(
                packed.decode(), n, texts.height, calls.is_file(), frozenset(chosen["text_id"])
            )
        else:  # a pilot that fits: as many as should fit
            n = min(texts.height, max(n, int(0.95 * n * room)))
            whole = n < texts.height
    return None


@dataclass(slots=True)
class _Numbers:
    """Words that occur often, each written once and told by its number."""

    words: list[str] = field(default_factory=list[str])
    places: dict[str, int] = field(default_factory=dict[str, int])

    def __call__(self, word: str) -> int:
        place = self.places.get(word)
        if place is None:
            place = self.places[word] = len(self.words)
            self.words.append(word)
        return place


def _plain(
    texts: pl.DataFrame,
    marks: pl.DataFrame,
    grades: pl.DataFrame | None,
    calls: Path | None,
    deciding: str | None,
) -> bytes:
    """The JSON of some texts; `transcripts.js` tells what is what."""
    ids = texts.select("text_id")
    lines, words, graders, models = _Numbers(), _Numbers(), _Numbers(), _Numbers()
    given = _by_text(marks.join(ids, on="text_id", how="semi"))
    rounds: dict[str, list[dict[str, Any]]] = {}
    if grades is not None:
        rounds = _by_text(grades.join(ids, on="text_id", how="semi"))
    asked: dict[str, list[dict[str, Any]]] = {}
    if calls is not None:
        found = pl.scan_parquet(calls).join(ids.lazy(), on="text_id", how="semi").collect()
        asked = _by_text(
            found.sort("step", "grader", "round", "try", descending=[True, *[False] * 3])
        )

    def call(row: dict[str, Any]) -> list[Any]:
        number, prompt, reply, stop, outcome, latency = (row[name] for name in _CALL)
        return [
            number,
            [lines(line) for line in (prompt or "").split("\n")],
            reply or "",
            words(stop or ""),
            words(outcome or ""),
            None if latency is None else round(latency, 2),
            *(row[name] for name in _COUNTED),
        ]

    def marked(rows: Sequence[dict[str, Any]], criteria: Sequence[tuple[str, str]]) -> list[Any]:
        by_name = {(row["kind"], row["criterion"]): row for row in rows}
        told: list[Any] = []
        for key in criteria:
            row = by_name.get(key)
            told.append(
                None if row is None else [_STATUS[row["status"]], words(row["reason"] or "")]
            )
        return told

    packed: list[dict[str, Any]] = []
    for text in texts.iter_rows(named=True):
        name = text["text_id"]
        criteria = [("skill", skill) for skill in text["skills"]]
        criteria += [(kind, kind) for kind in CRITERIA]
        own = asked.get(name, [])
        gradings = _rounds(rounds.get(name, []), own, deciding)
        packed.append(
            {
                "id": name,
                "model": models(text["model"]),
                "k": text["k"],
                "topic": words(text["topic"]),
                "skills": [words(skill) for skill in text["skills"]],
                "round": text["sample"] + 1,
                "text": text["text"],
                "marks": marked(given.get(name, []), criteria),
                "turns": [[row["round"], *call(row)] for row in own if row["step"] == "turn"],
                "gradings": [
                    [graders(grader), number, marked(rows, criteria), [call(r) for r in tries]]
                    for (grader, number), (rows, tries) in gradings.items()
                ],
            }
        )
    content = {
        "models": models.words,
        "graders": graders.words,
        "words": words.words,
        "lines": lines.words,
        "criteria": list(CRITERIA),
        "texts": packed,
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _by_text(table: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    table = table.with_columns(pl.col(pl.Enum).cast(pl.String))
    for row in table.iter_rows(named=True):
        found.setdefault(row["text_id"], []).append(row)
    return found


def _rounds(
    grades: Sequence[dict[str, Any]], calls: Sequence[dict[str, Any]], deciding: str | None
) -> dict[tuple[str, int], tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """The marks and the calls of each grader and round, whichever of the two there are."""
    found: dict[tuple[str, int], tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {}
    for row in grades:
        found.setdefault((row["grader"], row["round"]), ([], []))[0].append(row)
    for row in calls:
        if row["step"] == "grading":
            found.setdefault((row["grader"], row["round"]), ([], []))[1].append(row)
    return dict(sorted(found.items(), key=lambda item: (item[0][0] != deciding, item[0])))
