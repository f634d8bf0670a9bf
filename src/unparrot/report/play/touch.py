"""The theory to touch: a random graph, failing texts, and a change of scale, each with a slider.

The curves are computed in the reader's browser; curves.js has them, and a test holds them against
`unparrot.theory`. The same block stands on pages of runs and in the documentation.
"""

from unparrot.report.html.layout import Block, section
from unparrot.report.html.markup import Markup, el
from unparrot.report.play.scripts import play_script, play_style


def touch() -> Block:
    """Make the section with the three."""
    element = section(
        "touch",
        "Touch the theory",
        ["Three pictures carry the argument. Each moves under its slider."],
        el("noscript", el("p", "To move them, let the page run its script.")),
        *benches(),
    )
    return Block(element, touch_script(), play_style())


def touch_script() -> str:
    """Return the script of the three."""
    return play_script("curves.js", "touch.js")


def benches(level: int = 4) -> tuple[Markup, ...]:
    """Make the three pictures with their controls, to be put wherever `touch_script` runs.

    ``level`` is that of their headings.
    """
    return (
        _bench(
            level,
            "graph",
            "Enough ties, and nobody is left alone",
            "Join each two of 150 points with probability p. Points without a tie vanish at "
            "p = ln n / n, and all at once: below, some are left nearly always; above, nearly "
            "never. So it is with skills that training ties to texts.",
            _slider("p", "p, probability of a tie", 0, 0.08, 0.0005, 0.02),
            again="Another graph",
        ),
        _bench(
            level,
            "skills",
            "Failures cannot hide",
            "Each of 1,600 texts (squares) needs k of 40 skills (bars), drawn at random. A model "
            "fails a share θ of the texts. By luck every skill suffers alike. Malice aims at a few "
            "skills: it picks the texts that need most of them. The curve is the most that it can "
            "do to them.",
            _slider("theta", "θ, share of texts failed", 0.01, 0.5, 0.01, 0.1),
            _slider("k", "k, skills in a text", 1, 16, 1, 4),
            _slider("alpha", "share of skills aimed at", 0, 0.9, 0.05, 0.2),
            again="Other texts",
        ),
        _bench(
            level,
            "scale",
            "Ten times the scale, twice the skills",
            "More parameters and more text, both times the same factor, lower the excess loss as "
            "the scaling law says, and θ with it (an assumption). k′ is how many skills at once "
            "the bound still promises: nine in ten sets of k′ skills fail in at most a tenth of "
            "their texts.",
            _slider("factor", "scale, times", 0, 3, 0.01, 1),
            _slider("theta", "θ now, share of texts failed", 0.005, 0.1, 0.005, 0.01),
            _slider("k", "k, skills in a text", 8, 64, 1, 32),
        ),
    )


def _bench(
    level: int, name: str, title: str, words: str, *sliders: Markup, again: str = ""
) -> Markup:
    """One picture: controls, drawings, and what they show in words."""
    return el(
        "div",
        el(f"h{level}", title),
        el("p", words),
        el(
            "div",
            *sliders,
            el("button", again, type="button", data_part="again") if again else None,
            class_="sliders",
        ),
        el("div", el("svg", aria_hidden="true"), class_="drawings", data_part="drawings"),
        el("output", data_part="says"),
        class_="play bench",
        data_bench=name,
    )


def _slider(name: str, label: str, least: float, most: float, step: float, value: float) -> Markup:
    settings = {"min": least, "max": most, "step": step, "value": value}
    return el(
        "label",
        el("span", label, " ", el("b", data_part=f"value-{name}")),
        el("input", type="range", name=name, **{key: f"{n:g}" for key, n in settings.items()}),
    )
