"""Tables of runs: what is read, and what is refused with which line."""

from pathlib import Path

import pytest

from unparrot.core.errors import BadInput
from unparrot.theory.law.runs import Runs, read_runs


def read(tmp_path: Path, text: str | bytes) -> Runs:
    path = tmp_path / "runs.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_runs(path)


def test_tokens(tmp_path: Path):
    runs = read(tmp_path, "name,params,tokens,loss\na,1e9,2e10,2.5\nb, 5 ,3,4\n")
    assert runs.params.tolist() == [1e9, 5]
    assert runs.tokens is not None
    assert runs.tokens.tolist() == [2e10, 3]
    assert runs.loss.tolist() == [2.5, 4]


def test_flops(tmp_path: Path):
    runs = read(tmp_path, "loss,flops,params\n3,1.2e20,1e9\n")
    assert runs.tokens is not None
    assert runs.tokens.tolist() == pytest.approx([2e10])


def test_tokens_count_before_flops(tmp_path: Path):
    runs = read(tmp_path, "loss,flops,params,tokens\n3,1e20,1e9,7\n")
    assert runs.tokens is not None
    assert runs.tokens.tolist() == [7]


def test_params_alone(tmp_path: Path):
    assert read(tmp_path, "params,loss\n1e6,3\n").tokens is None


def test_forms_of_the_file(tmp_path: Path):
    text = '\ufeff\n"params", loss,tokens\r\n1,2,3\r\n\r\n4,"5",6\r\n\r\n'
    runs = read(tmp_path, text)
    assert runs.params.tolist() == [1, 4]
    assert runs.loss.tolist() == [2, 5]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no column 'params' but nothing"),
        (" \n\n", "has no column 'params' but nothing"),
        ("params,tokens,loss\n", "no run below it"),
        ("params,tokens,loss\n\n\n", "no run below it"),
        ("N,tokens,loss\n1,2,3\n", "no column 'params' but N, tokens, loss"),
        ("params,tokens\n1,2\n", "no column 'loss' but params, tokens"),
        ("1,2,3\n4,5,6\n", "no column 'params' but 1, 2, 3; its first line must name the columns"),
        ("params|tokens|loss\n1|2|3\n", r"no column 'params' but params\|tokens\|loss"),
        ("params;tokens;loss\n1,5;2;3\n1.5;2;3\n", "line 3: params is '1.5', .*decimal comma"),
        ("params,loss,tokens,loss\n1,2,3,4\n", "the header names loss 2 times"),
        ("params,tokens,loss\n1,2,3\n\n4,,6\n", "line 4: tokens is empty"),
        ("\n\nparams,tokens,loss\n1,2,3\n4,5\n", "line 5: 2 cells where the header has 3"),
        ("params,tokens,loss\n1,2,n/a\n", "line 2: loss is 'n/a'"),
        ("params,tokens,loss\n1,2,3\n1,2,nan\n4,2,inf\n", "line 3: loss is 'nan'"),
        ("params,tokens,loss\n1,2,3\n-1,2,3\n", "line 3: params is '-1'"),
        ("params,tokens,loss\n1,2,0\n", "line 2: loss is '0'"),
        ("params,flops,loss\n1,0,3\n", "line 2: flops is '0'"),
        (
            "params,tokens,loss\n1,2,3\n1,000,2,3\n",
            "line 3: 4 cells where the header has 3",
        ),
        ('params,tokens,loss\n"1" ,2,3\n', "line 2: not CSV"),
        (b"params,tokens,loss\n1,2,\xff\n", "not UTF-8"),
    ],
)
def test_refuses(tmp_path: Path, text: str | bytes, words: str):
    with pytest.raises(BadInput, match=words):
        read(tmp_path, text)


def test_no_file(tmp_path: Path):
    with pytest.raises(BadInput, match="there is no file"):
        read_runs(tmp_path / "none.csv")
