"""The page of a run of language models: its opening, its sections in order, and its transcripts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from unparrot.core.wording import ABSENT, count, interval, percent, points, short_names
from unparrot.report.contents import Contents, Example
from unparrot.report.draw.strip import STRIP_CSS
from unparrot.report.draw.theme import Theme
from unparrot.report.html.browser import browser, browser_css, browser_script
from unparrot.report.html.document import document
from unparrot.report.html.layout import Press, fact, section
from unparrot.report.html.markup import Markup, el
from unparrot.report.html.tables import MARK_KINDS, making
from unparrot.report.reading import bounds_of, estimate_of
from unparrot.report.sections.ability import (
    every_cell,
    full_marks,
    lost_marks,
    rounds,
    saturation_point,
)
from unparrot.report.sections.cards import cards
from unparrot.report.sections.certificate import certificate
from unparrot.report.sections.composition_gap import composition
from unparrot.report.sections.cost import spending, spent
from unparrot.report.sections.differences import comparison
from unparrot.report.sections.grader_tables import graders, unscored
from unparrot.report.sections.skill_by_skill import SKILLS_CSS, skill_rates
from unparrot.report.transcripts import Packed

Row = dict[str, Any]
MOST_CARDS = 12
PAGE_CSS = (
    ".text-wide.open{max-width:860px}section>.scroll{margin-top:10px;max-height:none}"
    "a{color:var(--accent)}.facts div:last-child:nth-child(3n+2){grid-column:span 2}"
    ".facts div:last-child:nth-child(3n+1){grid-column:span 3}@media (max-width:760px){"
    ".facts div:last-child:nth-child(n){grid-column:auto}"
    ".facts div:last-child:nth-child(odd){grid-column:span 2}}"
    ".note.aside{margin-top:16px}th.group{padding-top:14px;font-size:14px}"
)


def compose_skillmix(
    contents: Contents, figures: Path, packed: Packed | None, *, private: bool | None = None
) -> str:
    """Make the whole document of a run of language models and write the figure files.

    Parameters
    ----------
    contents
        What to show.
    figures
        An existing folder for the SVG and PNG files.
    packed
        The transcripts; None leaves them out.
    private
        Whether the files are to be the user's alone, as `unparrot.core.records.atomic_write` has
        it.
    """
    theme = Theme.of(len(contents.models), max(len(contents.ks), len(MARK_KINDS)))
    press = Press(theme, figures, private)
    decoding = contents.decodings[0] if contents.decodings else ""
    linked = packed.ids if packed else frozenset[str]()
    body = el(
        "main",
        opening(contents),
        full_marks(contents, press),
        rounds(contents, press),
        comparison(contents, press),
        certificate(contents),
        composition(contents, press, sorted(contents.splits), decoding),
        lost_marks(contents, press),
        skill_rates(contents),
        graders(contents),
        unscored(contents),
        _examples(contents, linked),
        browser(packed) if packed else None,
        spending(contents),
        section("cells", "Every number", [], el("div", every_cell(contents), class_="text-wide")),
        section("made", "How it was made", [], making(contents)),
        el(
            "footer",
            "Intervals are given at the level stated with each estimate. A value that is absent "
            f"is written as '{ABSENT}', never as 0.",
        ),
    )
    css = STRIP_CSS + SKILLS_CSS + PAGE_CSS
    title = str(contents.summary.get("title") or "unparrot")
    named = ", ".join(model.label for model in contents.models[:3])
    return document(
        f"{named} · {title}" if named else title,
        theme,
        body,
        css=css + browser_css() if packed else css,
        script=browser_script() if packed else "",
    )


def _examples(contents: Contents, linked: frozenset[str]) -> Markup | None:
    shown = list(contents.examples)
    if not shown:
        return None
    if len(shown) > MOST_CARDS:  # the first success and the first failure of each model
        first: dict[tuple[str, bool | None], Example] = {}
        for example in shown:
            first.setdefault((example.model, example.full_marks), example)
        shown = list(first.values())
    return section(
        "examples",
        "What they wrote",
        ["Drawn by the seed of the run, not by hand: successes and failures."],
        cards(shown, linked),
    )


def opening(contents: Contents) -> Markup:
    """The question, the finding, what stands behind it, and what a private pack may tell."""
    run, headline = contents.part("run"), contents.part("headline")
    spec = contents.part("run", "spec")
    pack = cast(Row, spec.get("pack") or {})
    named = f"{pack['name']} {pack.get('version', '')}".strip() if pack.get("name") else ""
    parts = ["SKILL-MIX", named or ("a private pack" if contents.private else "")]
    parts.append("published records" if spec.get("origin") == "published records" else "")
    if spec.get("grader"):
        parts.append(f"marked by {short_names([str(spec['grader'])])[0]}")
    return el(
        "header",
        el("p", " · ".join(part for part in parts if part), class_="kicker"),
        el("h1", str(contents.summary.get("title"))),
        el("p", str(headline.get("sentence") or f"The finding: {ABSENT}."), class_="finding"),
        el("dl", *_facts(contents, run, headline), class_="facts"),
        *(el("p", words, class_="note aside") for words in _asides(contents, run, pack)),
    )


def _facts(contents: Contents, run: Any, headline: Any) -> list[Markup]:
    told = cast(list[Row], headline.get("told") or [])
    labels = {model.name: model.label for model in contents.models}
    first, last = headline.get("first"), headline.get("last")
    facts = [_share(labels[row["model"]], first, row["first"]) for row in told[:3]]
    if len(told) == 1 and last is not None:
        facts.append(_share(labels[told[0]["model"]], last, told[0]["last"]))
        point = cast(Row, cast(list[Row], contents.summary["models"])[0]["saturation"])
        least, more = contents.ks[0], point["at_least"] and point["k"] == point["high"]
        known = saturation_point(point, lambda k: str(k) if k >= least else f"under {least}")
        reach = "or more" if more and known == str(point["k"]) else ""
        share = percent(point["threshold"])
        facts.append(
            fact(f"skills at once with full marks on {share} of texts", f"{known} {reach}".strip())
        )
    if len(told) == 2:
        facts.append(_difference(contents, first))
    marks = cast(list[Row], contents.part("unscored").get("models") or [])
    lost, given = (sum(row[name] for row in marks) for name in ("unscored", "marks"))
    asked = cast(list[Row], run.get("combinations") or [])
    ks = [int(row["k"]) for row in asked]
    number = sum(int(row["n"]) for row in asked)
    reach = f"{ks[0]} to {ks[-1]}" if len(ks) > 1 else "".join(map(str, ks))
    many = "" if number == 1 else "s"
    small = f"{count(number)} combination{many} of {reach} skill{'' if ks == [1] else 's'}"
    facts.append(fact("texts", count(run.get("texts")), small))
    share = percent(lost / given) if given else ABSENT
    facts.append(fact("of the marks nobody could give", share, f"{count(lost)} of {count(given)}"))
    if contents.part("usage") and len(facts) < 6:
        facts.append(spent(contents))
    return facts


def _share(label: str, k: object, plain: Any) -> Markup:
    estimate, bounds = estimate_of(plain, "the headline"), bounds_of(plain)
    name = f"{label}, full marks, k = {k}"
    if estimate.value is None:
        small = "" if bounds is None else f"{percent(bounds[0])} to {percent(bounds[1])} possible"
        return fact(name, ABSENT, small)
    spelt = interval(estimate)
    inside = spelt[spelt.index("(") + 1 : -1]
    return fact(name, percent(estimate.value), f"{inside} ({100 * estimate.level:g} % interval)")


def _difference(contents: Contents, k: object) -> Markup:
    pairs = cast(Sequence[Row], contents.part("comparison").get("pairs") or [])
    cells = [cell for pair in pairs for cell in cast(list[Row], pair["cells"]) if cell["k"] == k]
    found = estimate_of(cells[0]["full_marks"] if cells else None, "a comparison")
    name = f"second less first, points, k = {k}"
    if found.value is None:
        return fact(name, ABSENT)
    value, _, rest = points(found).partition(" (")
    return fact(name, value, f"{rest.removesuffix(')')} (on the same combinations)")


def _asides(contents: Contents, run: Any, pack: Row) -> list[str]:
    said: list[str] = []
    if contents.private:
        said.append(
            "The pack is private. This page names none of its skills and topics and shows no text: "
            f"{count(pack.get('skills'))} skills in {count(pack.get('categories'))} categories, "
            f"{count(pack.get('topics'))} topics, SHA-256 {pack.get('digest') or ABSENT}."
        )
    silent = cast(list[str], run.get("silent") or [])
    if silent:
        said.append(f"No text yet of {', '.join(silent)}.")
    return said
