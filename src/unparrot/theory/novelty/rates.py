"""Reading how often skills and topics appear in a corpus, and lists of tested combinations.

Rates are CSV files with the columns ``skill,rate`` or ``topic,rate``; a rate is the share of the
windows that show it. Combinations are JSON lines::

    {"topic": "sewing", "skills": ["irony", "simile"]}

Other columns and keys may stand beside these and are left alone. Used by `unparrot theory novelty`.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from unparrot.core.errors import BadInput, did_you_mean
from unparrot.core.inputs import names_in, number, opened, read_lines, read_rows
from unparrot.core.skills import SkillCombination

# Less than one window of any corpus that there will be
LEAST_RATE = 1e-30


def read_rates(path: Path, kind: str) -> dict[str, float]:
    """Read a rate for each name, in the order of the file.

    Parameters
    ----------
    path
        The CSV file.
    kind
        Name of the first column: ``'skill'`` or ``'topic'``.

    Raises
    ------
    BadInput
        If the file is not there or empty or not UTF-8, a column is missing, a name is empty or
        stands there twice, or a rate is no number above 0 and at most 1; with the line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "skills.csv"
    ...     _ = path.write_text("skill,rate\\nirony,0.004\\nsimile,1e-2\\n")
    ...     read_rates(path, "skill")
    {'irony': 0.004, 'simile': 0.01}
    """
    rates: dict[str, float] = {}
    lines: dict[str, int] = {}
    for line, row in read_rows(path, (kind, "rate"), numbers=("rate",)):
        name, text = row[kind], row["rate"]
        if not name:
            raise BadInput(f"{path}, line {line}: the {kind} has no name")
        if name in lines:
            raise BadInput(
                f"{path}, line {line}: the {kind} {name!r} stands on line {lines[name]} already; "
                "give each once"
            )
        lines[name] = line
        rates[name] = number(text)
        if not LEAST_RATE <= rates[name] <= 1:
            raise BadInput(
                f"{path}, line {line}: the rate of {name!r} must be a number from {LEAST_RATE:g} "
                f"to 1, not {text!r}; it is a share of the windows"
            )
    if not rates:
        raise BadInput(f"{path} holds no {kind}; give one a line below the header {kind},rate")
    return rates


def read_combinations(
    path: Path, skills: Collection[str], topics: Collection[str]
) -> list[SkillCombination]:
    """Read the tested combinations, in the order of the file.

    Parameters
    ----------
    path
        JSON lines, in UTF-8.
    skills, topics
        The names that have a rate.

    Raises
    ------
    BadInput
        As `read_rates`; also if a name has no rate or a combination lists a skill twice.
    """

    def read(content: Mapping[str, Any]) -> SkillCombination:
        combination = SkillCombination(content["topic"], names_in(content["skills"]))
        _known(combination.topic, "topic", topics)
        for name in combination.skills:
            _known(name, "skill", skills)
        return combination

    with opened(path) as lines:
        tested = [c for _, c in read_lines(lines, str(path), ("topic", "skills"), read)]
    if not tested:
        raise BadInput(f"{path} holds no combination; give one a line: a topic and its skills")
    return tested


def _known(name: str, kind: str, names: Collection[str]) -> None:
    if name not in names:
        raise BadInput(f"the {kind} {name!r} has no rate{did_you_mean(name, names)}")
