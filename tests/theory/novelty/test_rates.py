"""Files of rates and combinations: what is read, and what each broken line is told."""

from pathlib import Path

import pytest

from unparrot.core.errors import BadInput
from unparrot.core.skills import SkillCombination
from unparrot.theory.novelty.rates import read_combinations, read_rates

SKILLS, TOPICS = {"irony": 0.1, "red herring, folk": 0.2, "simile": 0.3}, {"sewing": 0.01}


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_rates_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = '\ufeffnote, rate ,skill\nx,1e-3, irony\n\n,1,"red herring, folk"\n'
    assert read_rates(written(tmp_path / "s.csv", text), "skill") == {
        "irony": 1e-3,
        "red herring, folk": 1.0,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column 'skill' but nothing; its first line must name the columns skill,rate"),
        ("topic,rate\na,0.1\n", "no column 'skill' but topic, rate"),
        ("skill,p\na,0.1\n", "no column 'rate' but skill, p"),
        ("skill,rate\n\n", "holds no skill; give one a line below the header skill,rate"),
        ("skill,rate\na,0.1\nb\n", "line 3: 1 cell where the header has 2"),
        (
            "skill,rate\na,much\n",
            "line 2: the rate of 'a' must be a number from 1e-30 to 1, not 'much';",
        ),
        (
            "skill,rate\na,\n",
            "line 2: the rate of 'a' must be a number from 1e-30 to 1, not '';",
        ),
        (
            "skill,rate\na,0\n",
            "line 2: the rate of 'a' must be a number from 1e-30 to 1, not '0';",
        ),
        ("skill,rate\na,1.01\n", "not '1.01'"),
        ("skill,rate\na,1e-320\n", "not '1e-320'"),
        ("skill,rate\na,-1\n", "not '-1'"),
        ("skill,rate\na,nan\n", "not 'nan'"),
        ("skill,rate\n ,0.1\n", "line 2: the skill has no name"),
        ("skill,rate\na,0.1\nb,0.1\na,0.2\n", "line 4: the skill 'a' stands on line 2 already"),
        ('skill,rate\n"a,0.1\n', "not CSV"),
    ],
)
def test_broken_rates_are_named_with_their_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read_rates(written(tmp_path / "s.csv", text), "skill")


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"there is no file .*absent\.csv"):
        read_rates(tmp_path / "absent.csv", "topic")
    (tmp_path / "latin.csv").write_bytes("skill,rate\né,0.1\n".encode("latin-1"))
    with pytest.raises(BadInput, match=r"line 2: not UTF-8 text .*'é'"):
        read_rates(tmp_path / "latin.csv", "skill")


def test_combinations(tmp_path: Path) -> None:
    lines = (
        '{"topic": "sewing", "skills": ["irony"], "id": 3}\n\n'
        '{"topic": "sewing", "skills": ["simile", "red herring, folk"]}\n'
    )
    assert read_combinations(written(tmp_path / "c.jsonl", lines), SKILLS, TOPICS) == [
        SkillCombination("sewing", ("irony",)),
        SkillCombination("sewing", ("simile", "red herring, folk")),
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "c.jsonl",
            '\n{"topic": "sewing", "skills": ["irony", "ironi"]}\n',
            "line 2: the skill 'ironi' has no rate; ",
        ),
        (
            "c.jsonl",
            '{"topic": "knots", "skills": ["irony"]}\n',
            "line 1: the topic 'knots' has no rate$",
        ),
        (
            "c.jsonl",
            '{"topic": "sewing", "skills": ["irony", "irony"]}\n',
            "line 1: a combination lists each skill",
        ),
        ("c.jsonl", "", "holds no combination"),
        (
            "c.jsonl",
            '{"topic": "sewing"}\n',
            "line 1: missing 'skills'; a line needs topic, skills",
        ),
        ("c.jsonl", "[]\n", "line 1: a line must be a JSON object, not "),
        ("c.jsonl", "\n{\n", "line 2: broken JSON"),
        (
            "c.jsonl",
            '{"topic": "sewing", "skills": [7]}\n',
            "line 1: 'skills' must hold names, not 7",
        ),
        (
            "c.jsonl",
            '{"topic": "sewing", "skills": []}\n',
            "line 1: 'skills' must be a list of one name",
        ),
    ],
)
def test_broken_combinations_are_named_with_their_line(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        read_combinations(written(tmp_path / name, text), SKILLS, TOPICS)
