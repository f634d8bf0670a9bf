"""Any table of ratings, read as the tables of a run."""

from pathlib import Path

import polars as pl
import pytest

from unparrot.analysis.graders.measure import measure_graders
from unparrot.core.errors import BadInput
from unparrot.core.ratings import read_ratings

# Twelve items by two authors. `harsh` withholds item 3; `gpt-judge` gives everything of gpt-4.
TRUTH = [1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
HEADER = "item,rater,mark,text,author,human"


def write(path: Path, *lines: str, header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def judged(path: Path) -> Path:
    lines: list[str] = []
    for item, mark in enumerate(TRUTH):
        author = "gpt-4" if item % 2 else "claude-3"
        text = " ".join(["word"] * (item + 1))
        for rater in ("gpt-judge", "harsh"):
            given = 1 if rater == "gpt-judge" and author == "gpt-4" else mark
            given = 0 if (rater, item) == ("harsh", 2) else given
            lines.append(f"{item},{rater},{given},{text},{author},{mark}")
    return write(path, *lines)


def test_raters_are_measured_against_hand_arithmetic(tmp_path: Path):
    grades, texts, truth = read_ratings(judged(tmp_path / "r.csv"))
    report = measure_graders(grades, texts, truth=truth)
    assert report.graders == ("gpt-judge", "harsh", "human")
    agreement = {row.raters: row for row in report.agreement}
    # gpt-judge differs from the person on items 7, 9 and 11; harsh on item 2
    assert agreement["gpt-judge", "human"].raw.value == 9 / 12
    assert agreement["harsh", "human"].raw.value == 11 / 12
    # kappa of 11 in 12 with shares 5/12 and 6/12: (11/12 - 1/2) / (1 - 1/2)
    kappa = agreement["harsh", "human"].kappa
    assert kappa is not None
    assert kappa.value == pytest.approx(5 / 6)
    errors = {row.grader: row for row in report.errors}
    assert errors["gpt-judge"].sensitivity.value == 1
    assert errors["gpt-judge"].specificity.value == 1 / 2
    family = {row.family: row for row in report.family_bias}["gpt"]
    # 3 of 6 marks of its own beyond the mean of the others; of claude's, item 2 by a half
    assert family.own.value == pytest.approx(3 / 6)
    assert family.other.value == pytest.approx(0.5 / 6)
    length = {row.grader: row for row in report.length_bias}["gpt-judge"]
    assert length.words == 6.5
    # items 6 to 11: three beyond the others; items 0 to 5: item 2 by a half
    assert (length.longer.value, length.shorter.value) == pytest.approx((3 / 6, 0.5 / 6))
    assert length.bias.value == pytest.approx(3 / 6 - 0.5 / 6)
    right = {(row.grader, row.model): row for row in report.corrected if row.k is None}
    assert right["gpt-judge", "gpt-4"].graded == 1
    assert right["gpt-judge", "gpt-4"].labels == 6


def test_parquet_says_the_same_as_csv(tmp_path: Path):
    csv = judged(tmp_path / "r.csv")
    other = tmp_path / "anything"
    pl.read_csv(csv).with_columns(pl.col("mark").cast(pl.Boolean)).write_parquet(other)
    for one, two in zip(read_ratings(csv)[:2], read_ratings(other)[:2], strict=True):
        assert one.equals(two)


def test_the_name_of_a_parquet_table_is_no_pattern(tmp_path: Path):
    table = pl.read_csv(judged(tmp_path / "r.csv"))
    table.head(1).write_parquet(tmp_path / "r1.parquet")
    table.write_parquet(tmp_path / "r[1].parquet")
    first, second = (read_ratings(tmp_path / name)[0] for name in ("r.csv", "r[1].parquet"))
    assert first.equals(second)


def test_criteria_and_rounds_stand_apart(tmp_path: Path):
    lines = [
        f"{item},{rater},{criterion},{n},{(item + n * (criterion == 'clear')) % 2}"
        for item in range(30)
        for rater in ("a", "b")
        for criterion in ("true", "clear")
        for n in (1, 2, 3)
    ]
    path = write(tmp_path / "r.csv", *lines, header="item,rater,criterion,round,mark")
    report = measure_graders(*read_ratings(path)[:2])
    assert {row.name for row in report.agreement} == {"all marks", "full marks", "true", "clear"}
    rounds = {row.name: row for row in report.agreement if row.between == "rounds"}
    assert rounds["true"].raw.value == 1
    # 'clear' is turned round in round 2; round 3 is round 1 throughout, and no vote of its own
    assert rounds["clear"].raw.value == 0
    copies = {(copy.grader, copy.first, copy.second) for copy in report.identical_rounds}
    assert copies == {("a", 1, 3), ("b", 1, 3)}
    assert not report.errors


def test_scales_need_a_pass_mark(tmp_path: Path):
    path = write(tmp_path / "r.csv", "1,a,4.5", "1,b,3", "2,a,5", "2,b,?", header="item,rater,mark")
    with pytest.raises(BadInput, match=r"r\.csv, line 2: the mark is '4.5'.*--pass-mark"):
        read_ratings(path)
    statuses = read_ratings(path, 4)[0]["status"].to_list()
    assert statuses == ["earned", "missed", "earned", "unscored"]


@pytest.mark.parametrize(
    ("lines", "header", "message"),
    [
        (["1,a,maybe"], "item,rater,mark", "line 2: the mark is 'maybe'"),
        (["1,,1"], "item,rater,mark", "line 2: name item and rater"),
        (["1,a,1,0"], "item,rater,mark,round", "line 2: .* count rounds from 1"),
        (["1,a,1,1e9"], "item,rater,mark,round", "line 2: .* count rounds from 1"),
        (["1,human,1,,,0"], HEADER, "line 2: human rates '1' a second time"),
        (["1,a,+nan"], "item,rater,mark", r"line 2: the mark is '\+nan'"),
        (["1,a,1", "2,a,1", "1,a,0"], "item,rater,mark", "line 4: a rates '1' a second time"),
        (["1,a,1"], "item,judge,mark", "no column 'rater' but item, judge, mark"),
        (["1,a"], "item,rater,mark", "line 2: 2 cells where the header has 3"),
        ([], "item,rater,mark", "has no row"),
        (["1,a,1,x,,", "1,b,1,y,,"], HEADER, "line 3: the text of '1' is 'y', and 'x' in .*line 2"),
        (["1,a,1,x,,1", "1,b,1,x,,0"], HEADER, "line 3: the human of '1' is '0'"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(
    tmp_path: Path, lines: list[str], header: str, message: str
):
    with pytest.raises(BadInput, match=message):
        read_ratings(write(tmp_path / "r.csv", *lines, header=header))


def test_a_torn_parquet_file_is_refused(tmp_path: Path):
    path = tmp_path / "r.parquet"
    path.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(BadInput, match=r"r\.parquet is not whole"):
        read_ratings(path)


def test_cells_of_other_types_are_read_or_refused(tmp_path: Path):
    path = tmp_path / "r.parquet"
    # as pandas has whole numbers beside gaps
    pl.DataFrame(
        {"item": [1.0, 1.0], "rater": ["a ", "b"], "mark": [1.0, None], "round": [1.0, 2.0]}
    ).write_parquet(path)
    grades = read_ratings(path)[0]
    assert grades.select("grader", "round", "status").rows() == [
        ("a", 1, "earned"),
        ("b", 2, "unscored"),
    ]
    for mark in ([1], b"\xff"):
        pl.DataFrame({"item": [1], "rater": ["a"], "mark": [mark]}).write_parquet(path)
        with pytest.raises(BadInput, match=r"r\.parquet is not whole, or a cell is no text"):
            read_ratings(path)


def test_a_pass_mark_leaves_words_as_they_are(tmp_path: Path):
    path = tmp_path / "r.csv"
    path.write_text("item;rater;mark\n1;a;pass\n1;b;4,5\n1;c;3\n")
    assert read_ratings(path, 4)[0]["status"].to_list() == ["earned", "earned", "missed"]
    path.write_text("item;rater;mark\n1;a;80%\n")
    with pytest.raises(BadInput, match=r"'80%'.* no number for --pass-mark"):
        read_ratings(path, 4)
