"""The first screen: its sentence and its three facts agree to the digit, on each kind of page."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

# of a page: what says in sentences the figures that facts repeat
TOLD = r'<p class="finding">.*?</p>|<h3 id="(?:growth|pairs|settings)">.*?</section>'


def words(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", html)).replace("\u00a0", " ")


@pytest.mark.parametrize(("kind", "least"), [("lab", 2), ("skillmix", 2), ("study", 3)])
def test_facts_are_those_of_the_sentences(pages: dict[str, Path], kind: str, least: int) -> None:
    html = pages[kind].read_text("utf-8")
    screen = html[html.index("<header") : html.index("</header>")]
    told = words(" ".join(re.findall(TOLD, html, re.DOTALL)))
    facts = re.findall(r"<dd>(.*?)<small>(.*?)</small></dd>", screen)
    assert len(re.findall("<dd>", screen)) == 3
    assert 'data-figure="' in screen
    same = 0
    for value, small in facts:
        ends = re.match(r"(?:from )?[−\d.]+(?: to [−\d.]+)?", unescape(small))
        value = unescape(value).removeprefix("× ")
        if ends is None or not re.match(r"[−\d]", value) or "combination" in small:
            continue
        same += 1
        assert f"{value} (" in told or f" {value} " in told, (value, told)
        if " to " in ends[0]:
            # in sentences, or in the table under the figure
            assert f"{value} ({ends[0]}" in words(html) or kind == "study", (value, small)
    assert same >= least
