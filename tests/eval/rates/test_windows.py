"""Windows of a corpus: each word as likely as any other, whatever the file; what is refused."""

import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import zstandard
from scipy.stats import chisquare

from unparrot.core.errors import BadInput
from unparrot.eval.rates.windows import draw_windows

# words of very different lengths, in documents of very different lengths
DOCUMENTS = [
    " ".join(f"d{i}w{j}" + "x" * (j * 7 % 23) for j in range(length))
    for i, length in enumerate((40, 3, 11, 1, 25, 60))
]
JSON_LINES = "".join(
    json.dumps({"id": "i" * (i * 30), "text": text}) + "\n" for i, text in enumerate(DOCUMENTS)
)


def text(folder: Path) -> list[Path]:
    for i, document in enumerate(DOCUMENTS):
        (folder / f"{i}.txt").write_text(document + "\n")
    return [folder]


def lines(folder: Path) -> list[Path]:
    (folder / "all.jsonl").write_text(JSON_LINES)
    return [folder / "all.jsonl"]


def table(folder: Path) -> list[Path]:
    pl.DataFrame({"text": [*DOCUMENTS, None, ""]}).write_parquet(folder / "a.parquet")
    return [folder / "a.parquet"]


def gzipped(folder: Path) -> list[Path]:
    for i, document in enumerate(DOCUMENTS):
        (folder / f"{i}.txt.gz").write_bytes(gzip.compress(document.encode()))
    return [folder]


def zst_lines(folder: Path) -> list[Path]:
    content = zstandard.compress(JSON_LINES[:300].encode())
    content += zstandard.compress(JSON_LINES[300:].encode())
    (folder / "a.jsonl.zst").write_bytes(content)
    return [folder / "a.jsonl.zst"]


def patterned(folder: Path) -> list[Path]:
    pl.DataFrame({"text": ["of another table"]}).write_parquet(folder / "a1.parquet")
    pl.DataFrame({"text": DOCUMENTS}).write_parquet(folder / "a[1].parquet")
    return [folder / "a[1].parquet"]


KINDS = [text, lines, table, patterned, gzipped, zst_lines]


@pytest.mark.parametrize("corpus", KINDS)
def test_every_word_is_as_likely_as_any_other(
    tmp_path: Path, corpus: Callable[[Path], list[Path]]
) -> None:
    sample = draw_windows(corpus(tmp_path), 3000, 1, 3)
    counts = Counter(window.text for window in sample.windows)
    every = [word for document in DOCUMENTS for word in document.split()]
    assert set(counts) <= set(every)
    assert chisquare([counts[word] for word in every]).pvalue > 1e-3
    assert sample.words == pytest.approx(len(every), rel=0.1)


@pytest.mark.parametrize("corpus", KINDS)
def test_a_window_is_a_stretch_of_its_document_of_the_length_asked_for(
    tmp_path: Path, corpus: Callable[[Path], list[Path]]
) -> None:
    paths = corpus(tmp_path)
    sample = draw_windows(paths, 400, 10, 1)
    for window in sample.windows:
        document = DOCUMENTS[int(window.text[1 : window.text.index("w")])]
        assert f" {window.text} " in f" {document} "
        assert len(window.text.split()) == min(10, len(document.split()))
    # the same seed gives the same, and a longer draw begins with a shorter one
    assert draw_windows(paths, 30, 10, 1).windows == sample.windows[:30]
    assert draw_windows(paths, 30, 10, 2).windows != sample.windows[:30]


def test_compressed_files_give_the_windows_of_what_is_in_them(tmp_path: Path) -> None:
    content = "\n".join(f"word{i} über {'y' * (i % 40)}" for i in range(60_000))
    (tmp_path / "a.txt").write_text(content)
    (tmp_path / "b.txt.zst").write_bytes(zstandard.compress(content.encode()))
    (tmp_path / "c.txt.gz").write_bytes(gzip.compress(content.encode()))
    texts = [
        [window.text for window in draw_windows([tmp_path / name], 50, 20, 5).windows]
        for name in ("a.txt", "b.txt.zst", "c.txt.gz")
    ]
    assert texts[0] == texts[1] == texts[2]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.txt", b"", "holds no text: its files are empty"),
        ("a.txt", b"   \n" * 50, "holds hardly a word"),
        ("a.txt", b"a\0b c\0d " * 50, "zero bytes; this is no text"),
        ("a.txt", "Käse ".encode("latin-1") * 50, "not UTF-8 text"),
        ("a.txt", "tea ".encode("utf-16"), "in UTF-16; save it as UTF-8"),
        ("a.txt", b"\x1f\x8b123", "compressed by gzip; call it .gz"),
        ("a.txt", b"y" * 3_000_000, "where a script has none, separate them first"),
        ("a.txt", b" ".join([b"y" * 3000] * 90), "no text, or in a script without"),
        ("a.txt", b"three short words", "shorter than a window of 20 words .* longest has 3"),
        ("a.txt.gz", b"no gzip", "damaged, or not compressed as its name says"),
        ("a.txt.zst", b"no zstd", "damaged, or not compressed as its name says"),
        ("a.jsonl", b'{"body": "tea"}\n', "no text in the field 'text'; its fields are 'body'"),
        ("a.jsonl", b"tea and toast\n", "the line at byte 0: no JSON"),
        ("a.parquet", b"tea", "is no Parquet table"),
        ("a.exe", b"tea", "no kind of file that can be sampled"),
    ],
)
def test_what_is_no_text_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=why) as refusal:
        draw_windows([tmp_path / name], 30, 20, 1)
    assert name in str(refusal.value)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no file"):
        draw_windows([tmp_path / "none.txt"], 1, 1, 1)
    with pytest.raises(BadInput, match="has no file to sample"):
        draw_windows([tmp_path], 1, 1, 1)
    pl.DataFrame({"body": ["tea"]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(BadInput, match=r"no column 'text' of text; its columns are 'body'"):
        draw_windows([tmp_path], 1, 1, 1)
