"""The sections of the page, in order, and the document around them."""

from __future__ import annotations

from pathlib import Path

from unparrot.core.estimate import Estimate
from unparrot.core.wording import ABSENT, count, interval, nats, percent, split_name
from unparrot.report.contents import Contents
from unparrot.report.draw.heatmap import heat_map, heat_splits
from unparrot.report.draw.theme import Theme
from unparrot.report.html.document import document
from unparrot.report.html.layout import Press, fact, grid, section
from unparrot.report.html.markup import Markup, el, join
from unparrot.report.html.tables import (
    cell_table,
    cloze_table,
    making,
    model_table,
    panel_table,
    skill_table,
    training_table,
)
from unparrot.report.sections.against_k import DASHES, overview, panels
from unparrot.report.sections.cards import cards
from unparrot.report.sections.certificate import certificate
from unparrot.report.sections.composition_gap import composition
from unparrot.report.sections.scale import (
    cloze_theta,
    largest_k,
    loss_by_size,
    metric_comparison,
    training_curves,
)
from unparrot.report.sections.theory import theory

QUESTION = "Does a language model combine skills in ways it never saw?"


def _with_interval(estimate: Estimate) -> tuple[str, str]:
    if estimate.value is None:
        return ABSENT, ""
    if estimate.low is None or estimate.high is None:
        return percent(estimate.value), f"n = {estimate.n}"
    spelt = interval(estimate)
    level = f"{100 * estimate.level:g} % interval, n = {estimate.n}"
    return percent(estimate.value), f"{spelt[spelt.index('(') + 1 : -1]} ({level})"


def opening(contents: Contents) -> Markup:
    """The question, the finding with its interval, and what stands behind it."""
    headline = contents.part("headline")
    parrot = contents.part("headline", "parrot")
    world, corpus = contents.part("world"), contents.part("corpus")
    held = contents.part("world", "heldout")
    kicker = f"{contents.summary.get('title') or 'unparrot'}"
    budget = contents.summary.get("budget")
    value, small = _with_interval(contents.headline)
    other, other_small = _with_interval(contents.parrot_headline)
    asked = f"k = {headline.get('k')}, {split_name(str(headline.get('split')))}"
    pairs = f"{count(held.get('pairs'))} of {count(held.get('pairs_of'))}"
    return el(
        "header",
        el("p", kicker if not budget else f"{kicker} · {budget} budget", class_="kicker"),
        el("h1", QUESTION),
        el("p", str(headline.get("sentence") or f"The finding: {ABSENT}."), class_="finding"),
        el(
            "dl",
            fact(f"{headline.get('model') or 'best model'}, full marks, {asked}", value, small),
            fact(
                f"{parrot.get('name') or 'best parrot'}, the same texts asked", other, other_small
            ),
            fact("skills × topics", f"{count(world.get('skills'))} × {count(world.get('topics'))}"),
            fact("skill pairs held out of training", pairs),
            fact("training texts", count(corpus.get("documents"))),
            fact("entropy of the world, nats a token", nats(contents.entropy)),
            class_="facts",
        ),
    )


def legend(contents: Contents) -> Markup:
    """Which colour and dash is which model."""
    rows: list[Markup] = []
    for i, model in enumerate(contents.transformers):
        rows.append(_key(f"m{i}", None, model.name, "transformer", count(model.params)))
    for i, model in enumerate(contents.parrots):
        offset, pattern = DASHES[i % len(DASHES)]
        dash = " ".join(f"{part:g}" for part in pattern) if offset == 0 else None
        rows.append(_key("parrot", dash, model.name, "parrot", ""))
    return el("ul", *rows, class_="legend", aria_label="Models")


def _key(role: str, dash: str | None, name: str, kind: str, size: str) -> Markup:
    line = el(
        "line",
        x1="0",
        y1="5",
        x2="30",
        y2="5",
        stroke=f"var(--{role})",
        stroke_width="2.5",
        stroke_dasharray=dash,
    )
    title = f"{kind}, {size} parameters" if size else kind
    return el("li", el("svg", line, viewBox="0 0 30 10", aria_hidden="true"), name, title=title)


def against_k(contents: Contents, press: Press) -> Markup:
    """Full marks against k, seen beside held out; other decodings in a fold."""
    blocks: list[Markup] = []
    for decoding in contents.decodings or ("greedy",):
        drawn = [
            (
                split,
                press.figure(drawing, panel_table(contents, "full_marks", split, decoding)),
            )
            for split, drawing in panels(contents, "full_marks", decoding)
        ]
        major = grid(*(f for split, f in drawn if split in ("seen", "heldout_pair")))
        minor = [f for split, f in drawn if split not in ("seen", "heldout_pair")]
        block = join(major, grid(*minor, kind=" minor") if minor else None)
        blocks.append(
            block
            if decoding == "greedy"
            else el("details", el("summary", f"The same at {decoding}"), block, class_="fold")
        )
    press.file(overview(contents))
    last = contents.trained_k
    return section(
        "full-marks",
        "Full marks against the number of skills",
        [
            "A text earns full marks only if it shows every skill asked for, keeps to the topic, "
            "makes sense and is short enough. Each line is one model; the bands are 95 % "
            "intervals. Dashed grey lines are the parrots: they had the same training texts and "
            "can only copy.",
            "First, seen combinations; beside them, texts that ask for two skills which no "
            f"training text put together. Training texts had at most {last} skills, so in the "
            "shaded part every text asks for more than training ever showed.",
        ],
        legend(contents),
        *blocks,
    )


def smooth(contents: Contents, press: Press) -> Markup:
    """Full marks beside the smooth metric."""
    made: list[Markup] = []
    for metric, drawing in zip(
        ("full_marks", "skill_fraction"), metric_comparison(contents), strict=True
    ):
        made.append(press.figure(drawing, panel_table(contents, metric, "seen", "greedy")))
    return section(
        "smooth",
        "Sudden or smooth? It depends on the mark",
        [
            "Full marks ask for everything at once, so they can seem to appear out of nowhere "
            "as models grow. The skill fraction gives part of the mark for part of the skills, "
            "on the same texts."
        ],
        grid(*made),
    )


def loss(contents: Contents, press: Press) -> Markup:
    """Loss over the exact floor, and training curves."""
    return section(
        "loss",
        "How far from perfect prediction",
        [
            "The world's texts are drawn from known rules, so the entropy of the text is computed "
            "and not fitted: no model can get under the dashed line. What is left above it is the "
            "excess, and that is what scale buys."
        ],
        grid(
            press.figure(loss_by_size(contents), model_table(contents)),
            press.figure(training_curves(contents), training_table(contents)),
        ),
    )


def scale(contents: Contents, press: Press) -> Markup:
    """Largest k with a fifth of full marks."""
    threshold = percent(next((m.threshold for m in contents.models if m.threshold), 0.2))
    return section(
        "scale",
        "How many skills at once, by scale",
        [
            f"The largest k up to which at least {threshold} of the texts earn full marks. "
            "Dashed lines are the parrots."
        ],
        grid(press.figure(largest_k(contents), model_table(contents))),
    )


def skills(contents: Contents, press: Press) -> Markup | None:
    """Heat maps of single skills."""
    splits = heat_splits(contents)
    if not splits:
        return section("skills", "Skill by skill", [f"Marks by skill: {ABSENT}."])
    return section(
        "skills",
        "Skill by skill",
        ["How often each skill's mark was earned, whatever else was asked for."],
        grid(*(press.figure(heat_map(contents, s), skill_table(contents, s)) for s in splits)),
    )


def cloze(contents: Contents, press: Press) -> Markup | None:
    """Cloze errors, if a model has them."""
    if all(m.theta.value is None for m in contents.transformers):
        return section("cloze", "Reading instead of writing", [f"Cloze errors: {ABSENT}."])
    return section(
        "cloze",
        "Reading instead of writing",
        [
            "The same models are shown held-out text pieces and must fill the telling words. "
            "A piece is failed if any of them is wrong; theta is the share of failed pieces."
        ],
        grid(press.figure(cloze_theta(contents), cloze_table(contents))),
    )


def texts(contents: Contents) -> Markup:
    """Example texts."""
    if not contents.examples:
        return section("examples", "What they wrote", [f"Example texts: {ABSENT}."])
    return section(
        "examples",
        "What they wrote",
        ["Drawn by the seed of the run, not by hand: successes and failures."],
        cards(contents.examples),
    )


def compose(contents: Contents, figures: Path, *, private: bool | None = None) -> str:
    """Make the whole document of a run of the lab and write the figure files.

    Parameters
    ----------
    contents
        What to show.
    figures
        An existing folder for the SVG and PNG files.
    private
        Whether the files are to be the user's alone, as `unparrot.core.records.atomic_write` has
        it.
    """
    theme = Theme.of(len(contents.transformers), len(contents.ks))
    press = Press(theme, figures, private)
    title = str(contents.summary.get("title") or "unparrot")
    body = el(
        "main",
        opening(contents),
        against_k(contents, press),
        certificate(contents),
        composition(contents, press),
        smooth(contents, press),
        loss(contents, press),
        scale(contents, press),
        skills(contents, press),
        cloze(contents, press),
        theory(contents, press),
        texts(contents),
        section("cells", "Every number", [], el("div", cell_table(contents), class_="text-wide")),
        section("made", "How it was made", [], making(contents)),
        el(
            "footer",
            "Intervals are given at the level stated with each estimate. A value that is absent "
            f"is written as '{ABSENT}', never as 0.",
        ),
    )
    return document(f"{title} · {QUESTION}", theme, body)
