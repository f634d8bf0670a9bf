"""Packs on the command line: what is listed, shown, checked and drawn, and what the page tells."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from unparrot.cli.main import run as unparrot
from unparrot.cli.packs import packs_group as packs
from unparrot.core.errors import BadInput
from unparrot.packs.drawing import draw_combinations
from unparrot.packs.reading import load_pack, shipped_packs

PAGE = Path(__file__).parents[2] / "docs" / "packs.md"
BAD = "name: x\nversion: 1\nskills:\n  - name: length\n    category: c\n    example: Words.\n"


def called(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(packs, arguments, catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.stdout


@pytest.mark.parametrize(
    "command", [[], ["list"], ["show"], ["check"], ["draw"], ["draft"]], ids=str
)
def test_help_has_an_example(command: list[str]) -> None:
    assert re.search(r"Examples?:\n +unparrot packs ", called(*command, "--help"))


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from unparrot.cli.packs import packs_group as packs;"
        "packs.main(['draw', '--help'], standalone_mode=False);"
        "print(sorted({'numpy', 'rich', 'yaml', 'unparrot.packs'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.splitlines()[-1] == "[]"


def test_list_names_every_pack() -> None:
    rows = [json.loads(line) for line in called("list", "--json").splitlines()]
    assert [row["name"] for row in rows] == list(shipped_packs())
    assert [row["digest"] for row in rows] == [load_pack(row["name"]).digest for row in rows]
    table = called("list")
    for row in rows:
        assert row["name"] in table
        assert row["digest"][:12] in table


@pytest.mark.parametrize("name", shipped_packs())
def test_show_has_all_of_a_pack(name: str) -> None:
    pack = load_pack(name)
    shown = json.loads(called("show", name, "--json"))
    assert shown["digest"] == pack.digest
    assert shown["topics"] == list(pack.topic_names)
    assert [(s["name"], s["category"], s["definition"], s["example"]) for s in shown["skills"]] == [
        (s.name, s.category, s.definition, s.example) for s in pack.skills
    ]
    printed = " ".join(called("show", name).split())
    for skill in pack.skills:
        assert f"{skill.name} {skill.definition} > {skill.example}" in printed
    assert ", ".join(pack.topic_names) in printed
    assert pack.digest in printed


def test_check_of_a_good_pack_is_0() -> None:
    report = json.loads(called("check", "language.en", "--json"))
    assert report["ok"]
    assert report["skills"] == len(load_pack("language.en").skills)
    assert report["errors"] == report["warnings"] == []
    assert called("check", "language.en").endswith("0 errors, 0 warnings\n")


def test_check_of_a_bad_pack_is_2_and_tells_all(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(BAD)
    told = called("check", str(path), code=2).splitlines()
    assert told == [
        f"{path}:1: error: the pack: the field 'topics' is missing",
        f"{path}:4: error: skill 'length': the field 'definition' is missing",
        f"{path}:4: error: a skill cannot be called 'length': every text is marked on a criterion "
        "of that name (topic, sense, length)",
        f"{path}:6: warning: skill 'length': the example is short: 6 characters, usually 15 to 400",
        f"{path} cannot be used: 3 errors, 1 warning",
    ]
    report = json.loads(called("check", str(path), "--json", code=2))
    assert not report["ok"]
    assert [error["line"] for error in report["errors"]] == [1, 4, 4]
    assert "digest" not in report


def test_check_of_a_fault_without_a_line(tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.touch()
    assert called("check", str(path), code=2).startswith(f"{path}: error: the file is empty")


@pytest.mark.parametrize(
    "arguments",
    [["show", "no such pack"], ["check", "absent.yaml"], ["draw", "language.en", "-k", "900"]],
)
def test_what_is_not_there_is_bad_input(arguments: list[str]) -> None:
    with pytest.raises(BadInput, match=r"no such pack|absent\.yaml|k is 900, but the pack"):
        called(*arguments)


def test_draw_prints_the_draw() -> None:
    drawn = draw_combinations(load_pack("mathematics.en"), 2, 7, seed=3)
    ask = ("draw", "mathematics.en", "-k", "2", "-n", "7", "--seed", "3")
    assert [json.loads(line) for line in called(*ask, "--json").splitlines()] == [
        {"id": c.id, "topic": c.topic, "skills": list(c.skills)} for c in drawn
    ]
    assert called(*ask).splitlines() == [f"{c.topic}: {', '.join(c.skills)}" for c in drawn]


def test_the_page_shows_what_the_commands_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = PAGE.read_text("utf-8")
    (pack,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    Path("tea.yaml").write_text(pack)
    slips = pack.replace("A third of", "After steeping, a third of") + "  - Sickrooms\n"
    Path("slips.yaml").write_text(slips)
    sessions = re.findall(r"```console\n\$ unparrot packs (.*?)\n(.*?)```", page, re.DOTALL)
    assert len(sessions) == 4
    for command, printed in sessions:
        code = 2 if "cannot be used" in printed else 0
        assert called(*shlex.split(command), code=code) == printed


def test_common_skills_are_left_out_of_a_draw(tmp_path: Path) -> None:
    names = load_pack("language.en").skill_names
    common, rare = names[:40], names[40:]
    lines = ["skill,rate", *(f"{n},0.05" for n in common), *(f"{n},0.049" for n in rare)]
    (tmp_path / "rates.csv").write_text("\n".join(lines) + "\n")
    rates = ("--without-common", str(tmp_path / "rates.csv"))
    out = called("draw", "language.en", "-k", "3", "-n", "50", "--json", *rates)
    drawn = {name for line in out.splitlines() for name in json.loads(line)["skills"]}
    assert len(drawn) > 40
    assert drawn <= set(rare)


TASKS = "\n".join(f"{i}: (steeping; brew {'ab'[i % 2]}), (place {i})" for i in range(12))


def test_draft_tells_its_cost_before_and_writes_a_pack_that_can_be_used(
    server: Any, at: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "tea time.txt").write_text(TASKS)
    command = ["packs", "draft", "--from", "tea time.txt", "--language", "ko", *at[:2],
               "--model", "openai-api/local/drafter-good"]  # fmt: skip
    price = ["--price", "openai-api/local/drafter-good=1,2"]
    assert unparrot([*command, *price, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "12 texts: about" in out
    assert "Nothing was called" in out
    assert server.stats()["requests"] == 0
    assert not (tmp_path / "packs").exists()
    assert unparrot(command) == 0
    out = capsys.readouterr().out
    file = "packs/tea-time/pack.yaml"
    assert f"{file} can be used: tea-time.ko, version 1, 3 skills, 12 topics; 0 errors" in out
    assert unparrot(["packs", "check", file]) == 0
    assert load_pack(tmp_path / file).language == "ko"
    capsys.readouterr()
    assert unparrot([*command, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["calls"] == {"made": 0, "kept": 17}
    assert [(skill["name"], skill["texts"]) for skill in facts["skills"]] == [
        ("steeping", 12), ("brew a", 6), ("brew b", 6),
    ]  # fmt: skip


def test_draft_says_what_to_mend(
    at: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "tasks.txt").write_text(TASKS.replace("brew a", "untellable"))
    command = ["packs", "draft", "--from", "tasks.txt", *at[:2]]
    assert unparrot([*command, "--model", "openai-api/local/drafter-good"]) == 1
    out = capsys.readouterr().out
    assert "The skill 'untellable', needed by 6 texts, is left out" in out
    assert "2 skills, 12 topics; 0 errors" in out
    # a model that says nothing of use: no pack
    assert unparrot([*command, "--model", "openai-api/local/student-good", "--out", "none"]) == 1
    assert "Of 12 of 12 texts the model named no skill" in capsys.readouterr().out
    assert not (tmp_path / "none/pack.yaml").exists()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--language", "Korean!"], "a tag such as en, ko or pt-BR"),
        (["--name", "my pack"], "a pack cannot be called 'my pack'"),
        (["--column", "x", "--from", "none.csv"], "there is no file none.csv"),
        (["--out", "."], "holds something other than a draft"),
        (["--model", "nobody"], "there is no model 'nobody'"),
    ],
)
def test_draft_refuses_what_cannot_be_drafted(
    server: Any, at: list[str], capsys: pytest.CaptureFixture[str], more: list[str], why: str
) -> None:
    Path("tasks.txt").write_text(TASKS)
    command = ["packs", "draft", "--from", "tasks.txt", *at[:2]]
    assert unparrot([*command, "--model", "openai-api/local/drafter-good", *more]) == 2
    assert why in capsys.readouterr().err
    assert server.stats()["requests"] == 0
