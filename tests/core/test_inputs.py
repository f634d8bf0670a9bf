"""Input files in the encodings and layouts that programs write, and what is no file."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from unparrot.core.errors import BadInput
from unparrot.core.inputs import opened, read_lines, read_rows, read_text

TABLE = "name,rate\nNaïve,0.25\nplain,1e-2\n"
EUROPEAN = "name;rate\nNaïve;0,25\nplain;1e-2\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "text",
    [
        TABLE,
        TABLE.replace(",", "\t"),
        EUROPEAN,
        "sep=;\n" + EUROPEAN,
        EUROPEAN.replace(";", "\t"),
        "\n" + TABLE,
    ],
)
def test_a_table_is_read_as_spreadsheets_write_it(
    tmp_path: Path, text: str, ends: str, encoding: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(text.replace("\n", ends).encode(encoding))
    if text.startswith("sep=") and ends == "\r":
        return  # no program writes it
    rows = [row for _, row in read_rows(path, ("name", "rate"), numbers=("rate",))]
    assert [row["name"] for row in rows] == ["Naïve", "plain"]
    assert [float(row["rate"]) for row in rows] == [0.25, 0.01]


def test_a_cell_may_be_large(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"name,rate\n{'x' * 1_000_000},1\n")
    ((_, row),) = read_rows(path, ("name", "rate"))
    assert len(row["name"]) == 1_000_000


def test_a_name_keeps_its_comma_and_lines_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('sep=;\nname;rate\n1,5;0,5\n"two\nlines";1\n')
    assert list(read_rows(path, ("name", "rate"), numbers=("rate",))) == [
        (3, {"name": "1,5", "rate": "0.5"}),
        (4, {"name": "two\nlines", "rate": "1"}),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,rate\ncafé,1\n".encode("latin-1"), r"line 2: not UTF-8 .*e9 is 'é'"),
        (b"n\0a\0m\0e\0", "zero bytes"),
        (b"PK\x03\x04\x14\0", "is a ZIP archive, as sheets of Excel are"),
        (b"\x1f\x8b\x08\0", "is compressed by gzip"),
        (bytes(range(256)), "not UTF-8"),
        (b"\xff\xfeabc", "not UTF-16"),
        (b"", "no column 'name'"),
        (b"name;rate\na;1.234\nb;2,5\n", r"line 3: rate is '2,5', .* decimal point"),
        (b"name;rate\na;1.234,5\n", r"line 2: rate is '1.234,5'"),
        (b'name,rate\n"a,1\n', "line 2: not CSV"),
        (b"name;rate\na;1;2\n", r"line 2: 3 cells .* one ';' between"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=rf"t\.csv.*{message}"):
        list(read_rows(path, ("name", "rate"), numbers=("rate",)))


def test_what_is_no_file_is_named_for_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    for name, kind in (
        ("pipe", "a named pipe"),
        ("socket", "a socket"),
        (".", "a folder"),
        ("/dev/zero", "a device"),
    ):
        with pytest.raises(BadInput, match=f"{name} is {kind}: give a file"), opened(Path(name)):
            pass
    with pytest.raises(BadInput, match="there is no file absent"):
        read_text(Path("absent"))
    with pytest.raises(BadInput, match="cannot be read: file name too long"):
        read_text(Path("x" * 5000))


@pytest.mark.parametrize("text", [r'{"a": "\ud800"}', r'{"\udfff": 1}', r'{"a": ["\uDC00x"]}'])
def test_half_a_surrogate_pair_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"line 1: .*surrogate"):
        list(read_lines([text.encode()], "f", (), dict))
    pair = rb'{"a": "\ud83d\ude00 and \\ud800"}'
    assert list(read_lines([pair], "f", (), dict)) == [(1, {"a": "\U0001f600 and \\ud800"})]
