"""The values of a figure lie where matplotlib draws its points, and say what they are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from unparrot.report.draw.chart import Chart, Drawing, Series
from unparrot.report.draw.paint import Press
from unparrot.report.theme import Theme


def values_of(figure: str) -> list[dict[str, Any]]:
    found = re.search(r'<script type="application/json">(.*?)</script>', figure, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def drawn(chart: Chart, folder: Path) -> str:
    return Press(Theme.of(3, 1), folder).figure(Drawing("figure", [chart]))


@pytest.mark.parametrize("logarithmic", [False, True])
def test_places_are_those_of_the_marks(tmp_path: Path, logarithmic: bool) -> None:
    x, y = [1.0, 2.5, 4.0, 9.0], [0.2, 0.9, None, 0.4]
    series = Series("a", x, y, marker="o")
    chart = Chart("t", "share; of all", "k, skills", [series], x_log=logarithmic)
    figure = drawn(chart, tmp_path)
    (line,) = values_of(figure)[0]["lines"]
    marks = re.findall(r'<use href="[^"]*" x="([\d.]+)" y="([\d.]+)"', figure)
    places = [(float(a), float(b)) for a, b in marks]
    assert len(line["points"]) == 3
    for across, down, *_ in line["points"]:
        assert min(abs(across - a) + abs(down - b) for a, b in places) < 0.2


def test_a_point_says_its_value_and_its_interval(tmp_path: Path) -> None:
    ends: dict[str, Any] = {"low": [0.7, None], "high": [0.9, None]}
    line = Series("a </script>", [2, 3], [0.8, 0.5], **ends)
    bound = Series("b", [2], [1.1], values=["< 1"], low=[0.5], high=[2.0])
    nameless = Series("", [2], [0.3])
    chart = Chart("t", "share; of all", "k, skills", [line, bound, nameless], y_percent=True)
    (panel,) = values_of(drawn(chart, tmp_path))
    assert (panel["panel"], panel["x"], panel["y"]) == ("t", "k", "share")
    assert [own["name"] for own in panel["lines"]] == ["a </script>", "b"]
    first, second = panel["lines"][0]["points"]
    assert first[2:] == [2, 0.8, 0.7, 0.9, "2", "80 % (70 % to 90 %)"]
    assert second[2:] == [3, 0.5, None, None, "3", "50 %"]
    # ends that were only drawn are no data
    assert panel["lines"][1]["points"][0][2:] == [2, 1.1, None, None, "2", "< 1"]


def test_a_point_outside_of_the_axes_has_no_place(tmp_path: Path) -> None:
    chart = Chart("t", "s", "x", [Series("a", [1, 5], [1, 1])], x_limits=(0, 2), y_limits=(0, 2))
    points = values_of(drawn(chart, tmp_path))[0]["lines"][0]["points"]
    assert [point[:2] == [None, None] for point in points] == [False, True]
