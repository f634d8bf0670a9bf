"""The world on the command line: what is listed, drawn, graded, measured, and refused."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from unparrot.cli import main as entry
from unparrot.cli.world_commands import world
from unparrot.core.errors import BadInput
from unparrot.core.skills import SkillCombination
from unparrot.lab.grader import exact
from unparrot.lab.world.english import World

GOOD = {
    "topic": "sewing",
    "about": "paul and mary 's wet needle",
    "skills": ["modus ponens"],
    "text": "Mary found her wet needle dull, since it was wet and whatever is wet is dull.",
}
PROGRAM = [sys.executable, "-c", "from unparrot.cli.main import main; main()", "world"]
PAGE = Path(__file__).parents[2] / "docs" / "world.md"


def printed(*arguments: str, given: str | bytes | None = None) -> str:
    result = CliRunner().invoke(world, arguments, input=given, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def lines(*arguments: str, given: str | bytes | None = None) -> list[dict[str, object]]:
    return [json.loads(line) for line in printed(*arguments, given=given).splitlines()]


@pytest.mark.parametrize("command", [[], ["list"], ["sample"], ["grade"], ["entropy"]], ids=str)
def test_help_has_an_example(command: list[str]) -> None:
    assert re.search(r"Examples?:\n +unparrot world ", printed(*command, "--help"))


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from unparrot.cli.main import run; run(['world', 'sample', '--help']);"
        "print(sorted({'numpy', 'rich', 'torch', 'unparrot.lab'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.splitlines()[-1] == "[]"


def test_each_text_of_a_sample_has_skills_of_its_own() -> None:
    drawn = lines("sample", "--k", "3", "--n", "5", "--json")
    assert len({str(text["skills"]) for text in drawn}) == 5


def test_list_has_every_skill_and_topic() -> None:
    pack = json.loads(printed("list", "--json"))
    assert isinstance(pack["skills"], list)
    assert isinstance(pack["topics"], list)
    assert len(pack["skills"]) == 36
    assert len(pack["topics"]) == 20
    for skill in pack["skills"]:
        assert set(skill) == {"name", "category", "definition", "example"}
        combination = SkillCombination("sewing", (skill["name"],))
        marks = exact.marks(combination, World().about(combination), skill["example"])
        assert all(marks.values()), skill


def test_the_table_names_every_skill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    table = printed("list")
    for skill in World().pack.skills:
        assert skill.name in table
        assert skill.definition in table
    assert "sewing, fishing" in table


def test_samples_depend_on_the_seed_alone_and_fewer_begin_more() -> None:
    ask = ("sample", "--k", "3", "--json")
    five = lines(*ask, "--n", "5", "--seed", "1")
    assert five == lines(*ask, "--n", "5", "--seed", "1")
    assert lines(*ask, "--n", "9", "--seed", "1")[:5] == five
    assert lines(*ask, "--n", "5", "--seed", "2") != five
    for line in five:
        assert list(line) == ["topic", "about", "skills", "text"]
        assert isinstance(line["skills"], list)
        assert len(set(line["skills"])) == 3


def test_sample_takes_topic_and_skills() -> None:
    ask = ("sample", "--topic", "chess", "--skill", "simile", "--skill", "metaphor", "--json")
    for line in lines(*ask):
        assert (line["topic"], line["skills"]) == ("chess", ["simile", "metaphor"])
    for line in lines(*ask, "--k", "4"):
        assert isinstance(line["skills"], list)
        assert line["skills"][:2] == ["simile", "metaphor"]
        assert len(set(line["skills"])) == 4


def test_sample_can_be_read() -> None:
    text = lines("sample", "--n", "1", "--json")[0]["text"]
    assert f"\n  {text}\n" in printed("sample", "--n", "1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--k", "0"], "'0' must be at least 1"),
        (["--k", "37"], "k is 37, but the world has only 36 skills"),
        (["--n", "0"], "'0' must be at least 1"),
        (["--seed", "-1"], "'-1' must be at least 0"),
        (["--topic", "sowing"], "unknown topic 'sowing'; did you mean 'sewing'"),
        (["--skill", "similes"], "unknown skill 'similes'; did you mean 'simile'"),
        (["--skill", "simile", "--skill", "simile"], "each skill once"),
        (["--skill", "simile", "--skill", "metaphor", "--k", "1"], "more than --k 1"),
    ],
    ids=" ".join,
)
def test_sample_refuses(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry.run(["world", "sample", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


def test_without_about_a_text_is_graded_as_a_test_of_its_combination() -> None:
    combination = SkillCombination("chess", ("simile", "doubt"))
    text = World().sample(combination, Random(1).random).pretty
    task = {"topic": "chess", "skills": list(combination.skills), "text": text}
    (bare,) = lines("grade", "-", given=json.dumps(task))
    assert bare["full_marks"] is True
    (other,) = lines("grade", "-", given=json.dumps({**task, "about": "paul and mary 's wet pawn"}))
    assert other["full_marks"] is False


@pytest.mark.parametrize("k", [1, 2, 3, 5, 8, 12])
def test_what_is_sampled_earns_full_marks(k: int, tmp_path: Path) -> None:
    texts = printed("sample", "--k", str(k), "--n", "100", "--seed", "7", "--json")
    file = tmp_path / "texts.jsonl"
    file.write_text(texts)
    graded = lines("grade", str(file))
    assert graded == lines("grade", "-", given=texts)
    assert len(graded) == 100
    for line in graded:
        assert isinstance(line["skills"], list)
        assert isinstance(line["marks"], dict)
        assert list(line["marks"]) == [*line["skills"], "topic", "sense", "length"]
        assert line["full_marks"] is True
        assert all(mark is True for mark in line["marks"].values())


def test_a_wrong_text_loses_marks_and_why_says_what_for() -> None:
    text = (
        "Mary found her wet needle dull, since it was wet and whatever is wet is old. Nonsense she."
    )
    given = json.dumps({**GOOD, "text": text, "author": "Zoë"})
    (plain,) = lines("grade", "-", given=given)
    assert plain["marks"] == {"modus ponens": False, "topic": True, "sense": False, "length": False}
    assert plain["full_marks"] is False
    assert plain["author"] == "Zoë"
    assert "faults" not in plain
    (why,) = lines("grade", "-", "--why", given=given)
    assert any("nonsense" in str(fault) for fault in why["faults"])  # type: ignore[union-attr]
    assert {**plain, "faults": why["faults"]} == why


def test_any_text_is_graded() -> None:
    texts = ["", " ", "\x00", "猫 " * 50, "word " * 5000]
    given = "\n".join(json.dumps({**GOOD, "text": text}) for text in texts)
    graded = lines("grade", "-", given=given)
    assert [line["text"] for line in graded] == texts
    assert not any(line["full_marks"] for line in graded)
    with pytest.raises(BadInput, match="line 1: a text holds half of a surrogate pair"):
        lines("grade", "-", given=json.dumps({**GOOD, "text": "\ud800"}))


@pytest.mark.parametrize("given", [b"", b"\n \r\n", b"\xef\xbb\xbf"])
def test_nothing_to_grade_prints_nothing(given: bytes) -> None:
    assert printed("grade", "-", given=given) == ""


def test_line_ends_and_byte_order_mark_do_no_harm() -> None:
    line = json.dumps(GOOD).encode()
    graded = lines("grade", "-", given=b"\xef\xbb\xbf" + line + b"\r\n\r\n" + line)
    assert [g["full_marks"] for g in graded] == [True, True]


BAD = {
    "broken": (b'{"topic": ', "broken JSON"),
    "too deep": (b"[" * 100_000, "nested too deeply"),
    "not an object": (b"[1]", "must be a JSON object, not [1]"),
    "keys": (b'{"topic": "sewing"}', "missing 'skills', 'text'"),
    "double key": (b'{"topic": "a", "topic": "b"}', "'topic' occurs twice"),
    "topic": (json.dumps({**GOOD, "topic": "sowing"}).encode(), "unknown topic 'sowing'"),
    "skill": (json.dumps({**GOOD, "skills": ["irony"]}).encode(), "unknown skill 'irony'"),
    "twice": (json.dumps({**GOOD, "skills": ["simile"] * 2}).encode(), "names 'simile' twice"),
    "no skill": (json.dumps({**GOOD, "skills": []}).encode(), "one name or more, not []"),
    "bare skill": (json.dumps({**GOOD, "skills": "simile"}).encode(), 'not "simile"'),
    "skill type": (json.dumps({**GOOD, "skills": [3]}).encode(), "must hold names, not 3"),
    "topic type": (json.dumps({**GOOD, "topic": None}).encode(), "'topic' must be a text"),
    "about": (json.dumps({**GOOD, "about": "mary"}).encode(), "'mary'"),
    "about type": (json.dumps({**GOOD, "about": 3}).encode(), "'about' must be a text"),
    "text type": (json.dumps({**GOOD, "text": ["a"]}).encode(), "'text' must be a text"),
    "infinite": (b'{"a": 1e999}', "1e999 is not a number"),
    "NaN": (b'{"a": NaN}', "NaN is not a number"),
    "bytes": (b"\xff\xfe", "not UTF-8"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_is_named_and_a_file_is_checked_first(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, message = BAD[name]
    content = json.dumps(GOOD).encode() + b"\n\n" + bad + b"\n"
    file = tmp_path / "texts.jsonl"
    file.write_bytes(content)
    assert entry.run(["world", "grade", str(file)]) == 2
    captured = capsys.readouterr()
    assert f"{file}, line 3: " in captured.err
    assert message in captured.err
    assert captured.out == ""

    result = CliRunner().invoke(world, ["grade", "-"], input=content)
    assert isinstance(result.exception, BadInput)
    assert "standard input, line 3: " in str(result.exception)
    assert [json.loads(line)["full_marks"] for line in result.stdout.splitlines()] == [True]


def test_a_file_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    assert entry.run(["world", "grade", str(tmp_path / "absent")]) == 2
    assert entry.run(["world", "grade", str(tmp_path)]) == 2


def test_entropy_agrees_with_the_texts_drawn() -> None:
    rows = lines("entropy", "--k", "1..4", "--samples", "400", "--json")
    assert [row["k"] for row in rows] == [1, 2, 3, 4]
    for row in rows:
        values = [row[key] for key in ("entropy", "monte_carlo", "standard_error")]
        exact, drawn, error = (float(str(value)) for value in values)
        assert 0 < error < 0.05 * exact
        assert abs(drawn - exact) < 4 * error
    (alone,) = lines("entropy", "--k", "2", "--samples", "400", "--json")
    assert alone == rows[1]
    assert f"{rows[1]['entropy']:.4f}" in printed("entropy", "--k", "2", "--samples", "400")


def test_the_standard_error_is_that_of_repeated_runs() -> None:
    runs = [
        lines("entropy", "--k", "2", "--samples", "100", "--seed", str(seed), "--json")[0]
        for seed in range(60)
    ]
    deviates = [
        (float(str(r["monte_carlo"])) - float(str(r["entropy"]))) / float(str(r["standard_error"]))
        for r in runs
    ]
    mean_square = sum(d * d for d in deviates) / len(deviates)
    # chi-square with 60 degrees of freedom over 60: 0.5 to 1.7 leaves out about one in a thousand
    assert 0.5 < mean_square < 1.7


@pytest.mark.parametrize("k", ["0", "4..1", "x", "1..", "-1", "1..37", "1.5", ""])
def test_entropy_refuses_a_bad_range(k: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run(["world", "entropy", f"--k={k}"]) == 2
    wanted = "not 37" if k == "1..37" else repr(k)
    assert wanted in capsys.readouterr().err


def test_a_closed_pipe_ends_quietly() -> None:
    """Read one line of many, hang up, and see that nothing complains."""
    command = [*PROGRAM, "sample", "--n", "100000", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    assert json.loads(process.stdout.readline())
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes")
def test_sample_and_grade_as_a_pipeline(tmp_path: Path) -> None:
    """Through a named pipe, which can be read only once."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    grade = subprocess.Popen([*PROGRAM, "grade", str(pipe)], stdout=subprocess.PIPE, text=True)
    with pipe.open("w") as end:
        subprocess.run([*PROGRAM, "sample", "--n", "20", "--json"], stdout=end, check=True)
    out, _ = grade.communicate()
    assert grade.returncode == 0
    assert [json.loads(line)["full_marks"] for line in out.splitlines()] == [True] * 20


def test_the_page_names_every_skill_with_an_example_that_shows_it() -> None:
    page = PAGE.read_text("utf-8")
    examples = dict(re.findall(r"^- \*\*(.+?)\*\*: _(.+?)_$", page, re.M))
    assert set(examples) == set(World().pack.skill_names)
    for name, text in examples.items():
        combination = SkillCombination("sewing", (name,))
        marks = exact.marks(combination, World().about(combination), text)
        assert all(marks.values()), (name, text, marks)
