"""Charts of lines and points: three formats, what is left out, and what cannot be drawn."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path
from random import Random

import matplotlib as mpl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from unparrot.core.errors import BadInput
from unparrot.report.draw.chart import Chart, Drawing, Series
from unparrot.report.draw.paint import SETTINGS, _charts, write_chart
from unparrot.report.theme import Theme


def chart(*series: Series, **options: bool) -> Chart:
    return Chart("Title", "what it means, %", "the axis", series, "what it shows", **options)


LINE = Series("sharp", [0.01, 0.1, 1.0], [0.9, 0.5, 0.1])
DOTS = Series("measured", [0.01, 0.1], [0.8, 0.4], "dots", low=[0.7, None], high=[0.9, None])


@pytest.mark.parametrize(
    ("name", "start"), [("a.svg", b"<svg"), ("a.png", b"\x89PNG"), ("deep/a.pdf", b"%PDF")]
)
def test_the_ending_chooses_the_format(tmp_path: Path, name: str, start: bytes) -> None:
    path = write_chart(chart(LINE, DOTS, x_log=True, y_percent=True), tmp_path / name)
    assert path.read_bytes().startswith(start)
    again = path.read_bytes()
    write_chart(chart(LINE, DOTS, x_log=True, y_percent=True), path)
    assert path.read_bytes() == again, "the same chart gives the same bytes"


def test_the_svg_names_everything(tmp_path: Path) -> None:
    mark = Series("threshold", [0.05], [], "mark", quiet=True)
    path = write_chart(chart(LINE, DOTS, mark, x_log=True), tmp_path / "a.svg")
    words = "".join(ET.fromstring(path.read_text()).itertext())
    for name in ("Title", "what it means, %", "the axis", "sharp", "measured", "threshold"):
        assert name in words


@pytest.mark.filterwarnings("error")
def test_control_characters_in_a_name_are_made_visible(tmp_path: Path) -> None:
    line = Series("tab\there, \x1b[31mred, \u202eback", [1, 10], [0.1, 0.9])
    path = write_chart(chart(line), tmp_path / "a.svg")
    words = "".join(ET.fromstring(path.read_text()).itertext())
    assert "tab    here, \\x1b[31mred, \\u202eback" in words
    write_chart(chart(line), tmp_path / "a.png")


def test_labels_stand_at_the_ends_of_their_lines(tmp_path: Path) -> None:
    series = [Series("low", [1, 10], [1.0, 1e-6]), Series("high", [1, 10], [1.0, 1.0])]
    path = write_chart(chart(*series, y_log=True), tmp_path / "a.svg")
    found = re.findall(r'y="([\d.]+)"[^>]*>(low|high)<', path.read_text())
    heights = {name: float(y) for y, name in found}
    assert heights["low"] > heights["high"] + 200, "200 pixels further down the page"


def test_words_beside_points_cover_neither_each_other_nor_leave_the_chart() -> None:
    rng = Random(1)
    places = [(10 ** rng.uniform(0, 1), 10 ** rng.uniform(0, 1)) for _ in range(7)]
    places += [(x * 1.01, y) for x, y in places[:3]]
    dots = [
        Series("", [x], [y], "dots", role="m0", words=[f"117k@{i}M"], named=False)
        for i, (x, y) in enumerate(places)
    ]
    drawing = Drawing("", [chart(*dots, x_log=True, y_log=True)], 900, 450)
    with mpl.rc_context(SETTINGS):
        figure = _charts(drawing, Theme.of(1, 1).light)
        FigureCanvasAgg(figure).draw()
    (axes,) = figure.axes
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == len(places)
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    frame = axes.get_window_extent()
    assert all(frame.x0 - 8 < box.x0 and box.x1 < frame.x1 + 8 for box in boxes)


def test_points_that_cannot_be_drawn_are_left_out(tmp_path: Path) -> None:
    odd = Series("odd", [0.0, 1.0, 2.0, 3.0], [1.0, None, math.inf, 5.0])
    write_chart(chart(odd, x_log=True), tmp_path / "a.png")
    nothing = Series("nothing", [0.0, 1.0], [1.0, -1.0])
    with pytest.raises(BadInput, match="nothing to draw"):
        write_chart(chart(nothing, x_log=True, y_log=True), tmp_path / "b.png")
    assert not (tmp_path / "b.png").exists()


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"a\.jpg: name a file that ends in \.svg, \.png or \.pdf"):
        write_chart(chart(LINE), tmp_path / "a.jpg")


def test_less_than_a_decade_has_ticks(tmp_path: Path) -> None:
    near = Series("sharp", [0.21, 0.27], [0.31, 0.37])
    text = write_chart(chart(near, x_log=True, y_log=True), tmp_path / "a.svg").read_text()
    ticks = [float(word) for word in re.findall(r">(0\.\d+)<", text)]
    assert sum(0.21 <= tick <= 0.27 for tick in ticks) >= 2
    assert sum(0.31 <= tick <= 0.37 for tick in ticks) >= 2


def test_shares_that_are_all_0_show_no_negative_share(tmp_path: Path) -> None:
    flat = Series("measured", [0.1, 0.2], [0.0, 0.0])
    text = write_chart(chart(flat, y_percent=True), tmp_path / "a.svg").read_text()
    shown = re.findall(r">(\S+) %<", text)
    assert {"0", "100"} <= set(shown)
    assert not any(tick.startswith(("-", "\u2212")) for tick in shown)


def test_one_whole_number_is_the_only_tick(tmp_path: Path) -> None:
    one = Series("B", [3], [1.0], "dots")
    text = write_chart(chart(one, y_log=True), tmp_path / "a.svg").read_text()
    assert ">3<" in text
    assert "2.9" not in text


def test_a_line_of_one_point_is_seen(tmp_path: Path) -> None:
    lone = Series("classic", [0.1, 0.2], [None, 0.4])
    one = write_chart(chart(LINE, lone), tmp_path / "a.svg").read_text()
    none = write_chart(chart(LINE), tmp_path / "b.svg").read_text()
    assert one.count("<use") > none.count("<use")
