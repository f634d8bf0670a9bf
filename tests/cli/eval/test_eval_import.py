"""`unparrot eval import` on the command line, and the commands that read what it writes."""

import csv
import hashlib
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from unparrot.analysis.graders.measure import measure_graders
from unparrot.analysis.read.grader_marks import read_grades
from unparrot.cli.comparison_commands import leaderboard
from unparrot.cli.eval import eval_group
from unparrot.cli.run_commands import analyze, graders, report
from unparrot.core.errors import BadInput
from unparrot.core.records import RunFolder

ASKED = ["k", "skills", "topic", "system prompt"]
TURNS = [f"{name}_{i}" for i in (0, 1) for name in ("user", "assistant", "model_input", "text")]
MARKED = ["user_0", "assistant_0", "model_input_0", "score_0", "score_extracted_0", "points_0",
          "num_sentences_manual_in_student_answer_0", "true_sentence_lim_pt_0",
          "num_sentences_extracted_eq_num_sentences_model_0"]  # fmt: skip
TOPICS = ("tea", "hats", "canals", "kites")
PROMPT = (
    "The answer: {}\nThe criteria: Contains irony, Contains zeugma, Pertains to {}, Text makes "
    "sense, At most one sentence. Write 'Point earned: 1' or 'Point earned: 0', last 'Grade:'."
)


def write(path: Path, rows: list[list[object]]) -> None:
    path.parent.mkdir(parents=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Two students over four topics; one has two rounds; all grading rounds are copies."""
    root = tmp_path / "published"
    for student, number, good in (("high", 1, 4), ("high", 2, 2), ("low", 1, 1)):
        place = root / f"k2_s10_vp_r{number}" / student
        answers: list[list[object]] = [[*ASKED, *TURNS]]
        grades: list[list[object]] = [[*ASKED, *MARKED]]
        for i, topic in enumerate(TOPICS):
            text = f"He took the {topic}, and umbrage, at {number} o'clock."
            turn = ["ask", f"Answer: {text} Explanation: it is there.", "", text]
            answers.append([2, "irony, \nzeugma", topic, "", *turn, *turn])
            mark = int(i < good)
            reply = (
                f"Irony: {'what umbrage says of him. ' * 12}Point earned: {mark}.\n"
                "Zeugma: took. Point earned: 1.\n"
            )
            points = f"{mark}.0,1.0"
            if i < 3:
                reply += (
                    f"Pertains to {topic}: Point earned: 1.\nText makes sense: Point earned: 1.\n"
                    f"At most one sentence: Point earned: 1.\nGrade: {mark + 4}"
                )
                points += ",1.0,1.0,1.0"
            grades.append(
                [2, "irony,  \nzeugma", topic, "", PROMPT.format(text, topic), reply, "", 0, 0,
                 points, 1, 1.0, False]
            )  # fmt: skip
        write(place / "records.csv", answers)
        for grading in (1, 2, 3):
            write(place / f"graded/by_gpt-4_on_text_1_{grading}_gpt/records.csv", grades)
    return root


def output(*arguments: object) -> str:
    done = CliRunner().invoke(eval_group, ["import", *map(str, arguments)], catch_exceptions=False)
    return done.stdout


def test_json(records: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(BadInput, match="--pass-mark is for files of other programs"):
        output(records, "--out", out, "--pass-mark", "4")
    assert not out.exists()
    result = json.loads(output(records, "--out", out, "--compat", "--json"))
    found = result["found"]
    assert found["replies"] == {"gpt-4": 36}
    assert found["replies_read"] == 12
    assert found["faults"]["are cut off before their end"] == 3
    assert len(found["identical_rounds"]) == 3
    assert found["unscored_verdicts"] == {"the grader's reply is cut off before this mark": 6}
    assert found["students"][1]["missing"] == [2]
    high, low = result["cells"]
    # 3 + 2 of the 6 scored texts have full marks, but one of the others may and one cannot: at
    # most 6 of 8, and that bound is told; of the 3 scored topics all are at their best
    assert (high["model"], high["n"], high["unscored"]) == ("high", 8, 2)
    assert (high["full_marks"]["value"], high["full_marks"]["best"]["value"]) == (0.75, 0.75)
    assert high["pass_at_1"]["full_marks"]["value"] == 0.75
    assert high["max_at_rounds"]["full_marks"]["value"] == 1.0
    assert (low["full_marks"]["value"], low["max_at_rounds"]) == (0.25, None)
    # with zeros for what was cut off, 3 of 4 at best
    assert [row["full_marks"]["mean"] for row in result["published"]] == [0.75, 0.25]


def test_text(records: Path, tmp_path: Path) -> None:
    text = output(records, "--out", tmp_path / "run")
    assert "36 replies of gpt-4" in text
    assert "low, k = 2, seed 10: round 2 missing." in text
    assert "gpt-4's grading rounds 1, 2 and 3 are the same word for word: one vote." in text
    assert "3 of 12 replies are cut off before their end." in text
    assert "9 of the 60 marks that the records should hold: missing" in text
    assert "published aggregator" not in text
    assert "± " in output(records, "--out", tmp_path / "run", "--compat")


def test_the_run_folder(records: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    output(records, "--out", out)
    folder = RunFolder(out)
    manifest = folder.read_manifest()
    assert (manifest.command, manifest.seed) == ("unparrot eval import", (10,))
    assert set(manifest.digests) == {"pack", "records"}
    spec = manifest.spec
    assert isinstance(spec, dict)
    assert (spec["k"], spec["rounds"], spec["graders"]) == ([2], [1, 2], ["gpt-4"])
    name = "k2_s10_vp_r1/low/records.csv"
    assert spec["files"][name] == hashlib.sha256((records / name).read_bytes()).hexdigest()
    assert str(tmp_path) not in (out / "manifest.json").read_text()
    first = folder.read_graded()
    output(records, "--out", out)
    assert folder.read_graded() == first


def test_graders_and_leaderboard_read_it(records: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    output(records, "--out", out)
    report = measure_graders(read_grades(out), RunFolder(out).read_table("texts"))
    assert [(c.first, c.second) for c in report.identical_rounds] == [(1, 2), (1, 3)]
    told = CliRunner().invoke(graders, [str(out)], catch_exceptions=False).stdout
    assert "Rounds 1 and 2 of gpt-4 are identical" in told
    assert "Agreement of gpt-4, sentence count" in told
    board = CliRunner().invoke(leaderboard, [str(out), "--json"], catch_exceptions=False).stdout
    assert [s["model"] for s in json.loads(board)["boards"][0]["standings"]] == ["high", "low"]


def test_analyze_and_report_read_it(records: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    output(records, "--out", out)
    told = CliRunner().invoke(analyze, [str(out)], catch_exceptions=False).stdout
    assert told.startswith("With 2 skills at once, high earns full marks on 75 %")
    page = CliRunner().invoke(report, [str(out)], catch_exceptions=False).stdout.strip()
    html = Path(page).read_text()
    assert "published records" in html
    assert "Rounds 1 and 2 of gpt-4 are identical in all" in html
    assert "The run has no record of the calls." in html


def test_a_table_of_ratings_becomes_a_run(tmp_path: Path) -> None:
    missed = ("ann", "irony", 0)
    lines = [
        f"{topic},{rater},{criterion},{int((rater, criterion, i) != missed)},He sewed.,m"
        for i, topic in enumerate(TOPICS)
        for rater in ("ann", "bob")
        for criterion in ("irony", "zeugma", "topic", "sense", "length")
        if (topic, criterion) != ("kites", "sense")
    ]
    table = tmp_path / "ratings.csv"
    table.write_text("\n".join(["item,rater,criterion,mark,text,author", *lines]) + "\n")
    out = tmp_path / "run"
    text = output(table, "--out", out, "--grader", "ann")
    assert "Left out, items: 1: nobody marked sense." in text
    assert "66.7 (21, 94)" in text
    more = ["import", str(table), "--out", str(out), "--grader", "ann", "--compat"]
    refused = CliRunner().invoke(eval_group, more)
    assert refused.exit_code == 2
    assert "--compat is for published records" in refused.output
    told = CliRunner().invoke(analyze, [str(out)], catch_exceptions=False).stdout
    assert told.startswith("With 2 skills at once, m earns full marks on 67 %")
    page = CliRunner().invoke(report, [str(out)], catch_exceptions=False).stdout.strip()
    assert "files of other programs" in Path(page).read_text()


def test_bad_input(records: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(BadInput, match="holds no published records"):
        output(tmp_path / "published" / "k2_s10_vp_r1", "--out", out)
    with pytest.raises(BadInput, match="there is no grader 'me'"):
        output(records, "--out", out, "--grader", "me")
    with pytest.raises(BadInput, match="holds the records themselves"):
        output(records, "--out", records)
    assert not out.exists()
    output(records, "--out", out)
    manifest = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps({**manifest, "command": "unparrot demo"}))
    with pytest.raises(BadInput, match="holds a run of another command"):
        output(records, "--out", out)
    (out / "manifest.json").unlink()
    with pytest.raises(BadInput, match="without a manifest"):
        output(records, "--out", out)
    with pytest.raises(BadInput, match="is a file"):
        output(records, "--out", records / "k2_s10_vp_r1/low/records.csv")


def test_help_promises_what_is_there() -> None:
    text = CliRunner().invoke(eval_group, ["--help"]).stdout
    with click.Context(eval_group) as context:
        for name in eval_group.list_commands(context):
            assert name in text
            assert isinstance(eval_group.get_command(context, name), click.Command)
