"""Running text on the terminal, in scripts whose signs take one column or two."""

import pytest
from rich.cells import cell_len

from unparrot.cli.output import rows_of


@pytest.mark.parametrize(
    "text",
    [
        "The plough was the pencil of the field. " * 6,
        "쟁기는 밭의 연필이었고 소는 종일 받아쓰기를 했다. " * 6,
        "المحراث قلم الحقل والثور تلميذ لا يكتب اسمه. " * 6,
        "המחרשה היא העט של השדה והשור תלמיד. " * 6,
        "犁是田的笔" * 40,
    ],
)
def test_rows_fit_the_terminal_and_keep_every_word(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    rows = rows_of(text, 4)
    assert all(0 < cell_len(row) <= 56 for row in rows)
    assert "".join("".join(rows).split()) == "".join(text.split())
