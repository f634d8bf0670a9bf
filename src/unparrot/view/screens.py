"""What the app's pages are made of: the frame, the list of runs, texts, forms.

Elements, colours and most styles are those of the pages of runs; view.css adds what an app needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from unparrot.analysis.between.compare import Comparison
from unparrot.analysis.examples import Example
from unparrot.analysis.graders.rater_agreement import AgreementRow
from unparrot.analysis.resampling import DEFAULT
from unparrot.core.skills import SkillPack
from unparrot.core.wording import (
    ABSENT,
    METRIC_NAMES,
    count,
    given,
    interval,
    listed,
    number,
    plural,
    seconds,
    split_name,
)
from unparrot.report.html.layout import asset, bullets, columns, folded, scrolled, table
from unparrot.report.html.markup import Markup, el
from unparrot.report.sections.cards import SIGNS, card
from unparrot.report.theme import Theme
from unparrot.report.words.comparison_words import (
    difference_notes,
    difference_row,
    difference_title,
)
from unparrot.view.folders import JOURNAL, Run, Standing
from unparrot.view.marking import MOST, Person, Sample
from unparrot.view.search import EARNED, MARKS, PAGE, Choices, Matches, Wanted
from unparrot.view.trying import Asked, Tried

TITLE: Final = "unparrot"
_TABS: Final = {"": "Page", "/texts": "Texts", "/mark": "Mark", "/try": "Try"}


def stylesheet(own: str) -> str:
    """The style of the app: that of all pages, in one theme, and its own."""
    return f"{Theme.of(1, 1).css()}\n{asset('page.css')}\n{own}"


def screen(title: str, *content: Markup | None, kind: str | None = None, **settings: str) -> str:
    """Make a whole page of the app; ``kind`` names what view.js does on it, by the settings."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width,initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", f"{title} · {TITLE}"),
        el("link", rel="icon", href="data:,"),
        el("link", rel="stylesheet", href="/view.css"),
        el("script", src="/view.js", defer="defer"),
    )
    bar = el(
        "nav",
        el("a", TITLE, href="/", class_="home"),
        el("a", "Compare", href="/compare"),
        el("a", "Leaderboard", href="/leaderboard"),
        class_="bar",
        aria_label="The app",
    )
    body = el("body", bar, el("main", *content), data_screen=kind, class_="app", **settings)
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"


def problem(title: str, words: str) -> str:
    """Make a page that says what went wrong."""
    return screen(title, el("h1", title), el("p", words, class_="problem", role="alert"))


# --- runs -------------------------------------------------------------------------------------


def run_row(run: Run, standing: Standing) -> dict[str, str]:
    """The cells of a run in the list, as view.js keeps them up to date."""
    return {
        "id": run.id,
        "name": run.name,
        "kind": run.kind,
        "state": standing.state,
        "done": standing.done,
        "cost": standing.cost,
        "finding": standing.finding,
    }


def runs_screen(roots: Sequence[str], rows: Sequence[Mapping[str, str]]) -> str:
    """Make the list of runs."""
    where = el("p", f"Below {', '.join(roots)}.", class_="note")
    if not rows:
        words = "No run yet. `unparrot demo` makes one, or `unparrot eval run`; it appears here."
        return screen("Runs", el("h1", "Runs"), where, el("p", words), kind="runs")
    return screen("Runs", el("h1", "Runs"), where, runs_list(rows), kind="runs")


def runs_list(rows: Sequence[Mapping[str, str]], *, named: bool = True) -> Markup:
    """Make a list of runs: what each is, how far, what it cost and what it found."""
    return el("ul", *(_run_item(row, named) for row in rows), class_="runs")


def _run_item(row: Mapping[str, str], named: bool) -> Markup:
    return el(
        "li",
        el(
            "p",
            el("a", el("bdi", row["name"]), href=f"/run/{row['id']}") if named else None,
            el("span", row["kind"], class_="badge"),
            el("span", row["state"], class_="badge state", data_cell="state"),
            el("span", row["done"], data_cell="done"),
            el("span", row["cost"], data_cell="cost"),
            class_="who",
        ),
        el("p", row["finding"], class_="told", data_cell="finding") if row["finding"] else None,
        data_run=row["id"],
        data_state=row["state"],
    )


def run_head(run: Run, here: str) -> Markup:
    """Make the head of a run's pages: its name, and its other pages."""
    tabs = [
        el("a", name, href=f"/run/{run.id}{path}", aria_current="page" if path == here else None)
        for path, name in _TABS.items()
        if not (path == "/mark" and not run.has(JOURNAL))
        if not (path == "/try" and run.kind != "lab")
        if not (path and run.kind == "study")
    ]
    heading = el("h1", el("bdi", run.name))
    return el("div", heading, el("nav", *tabs, class_="tabs", aria_label="The run"), class_="top")


def page_screen(run: Run, row: Mapping[str, str], within: Sequence[Mapping[str, str]]) -> str:
    """Make the page of a run within the app, or of a study with its runs."""
    frame = el("iframe", src=f"/run/{run.id}/report.html", title=f"The page of {run.name}")
    inside = folded(plural(len(within), "run"), runs_list(within)) if within else None
    if run.has("report.html"):
        row = {**row, "finding": ""}  # its page opens with it
    alone = el("a", "Open the page alone", href=f"/run/{run.id}/report.html")
    where = el("p", alone, class_="note")
    content = (run_head(run, ""), runs_list([row], named=False), inside, frame, where)
    return screen(run.name, *content, kind="runs")


# --- texts ------------------------------------------------------------------------------------


def query_of(wanted: Wanted, **more: object) -> str:
    """The part of an address that says which texts are looked for."""
    values = {**wanted._asdict(), "calls": "1" if wanted.calls else None, **more}
    return urlencode({name: str(value) for name, value in values.items() if value})


def texts_screen(run: Run, known: Choices, wanted: Wanted, matches: Matches, start: int) -> str:
    """Make a page of the texts of a run that fit."""
    base = f"/run/{run.id}"
    cards = [
        card(text, f"{base}/text/{text.text_id}?{query_of(wanted, at=start + i + 1)}")
        for i, text in enumerate(matches.texts)
    ]
    end = start + len(cards)
    those = f"{start + 1:,} to {end:,} of {matches.number:,}" if cards else f"{matches.number:,}"
    pages = (("Earlier", start - PAGE, start > 0), ("Later", end, end < matches.number))
    turning = [
        el("a", name, href=f"{base}/texts?{query_of(wanted, start=place)}", class_="button")
        for name, place, there in pages
        if there
    ]
    return screen(
        f"Texts of {run.name}",
        run_head(run, "/texts"),
        _filters(base, known, wanted, with_calls=run.has("transcripts.parquet")),
        el("p", f"{those} texts", class_="found", role="status"),
        el("div", *cards, class_="cards"),
        el("nav", *turning, class_="turning", aria_label="Pages"),
        kind="texts",
    )


def _filters(base: str, known: Choices, wanted: Wanted, *, with_calls: bool) -> Markup:
    fields = [
        select("Model", "model", {name: name for name in known.models}, wanted.model),
        select("Skills at once", "k", {str(k): str(k) for k in known.ks}, str(wanted.k or "")),
        select("Split", "split", {name: split_name(name) for name in known.splits}, wanted.split),
        select("Marks", "marks", MARKS, wanted.marks),
        field("Words", "words", wanted.words, type="search", class_="wide"),
    ]
    if with_calls:
        checked = "checked" if wanted.calls else None
        box = el("input", type="checkbox", name="calls", value="1", checked=checked)
        fields.append(el("label", box, " in prompts and replies", class_="check"))
    button = el("button", "Search", type="submit")
    return el("form", *fields, button, class_="tools", role="search", action=f"{base}/texts")


def text_screen(
    run: Run,
    text: Example,
    marks: Sequence[Mapping[str, Any]],
    grades: Sequence[Mapping[str, Any]],
    calls: Sequence[Mapping[str, Any]],
    beside: Mapping[str, str],
) -> str:
    """Make the page of one text: its marks, by every grader and round, and its calls.

    ``beside`` are addresses of what is next to it, by what they are called.
    """
    steps = [
        el("a", name.capitalize(), href=href, class_="button", rel=name)
        for name, href in beside.items()
    ]
    turns = [call for call in calls if call["step"] == "turn"]
    gradings = [call for call in calls if call["step"] != "turn"]
    return screen(
        f"Text {text.text_id}",
        run_head(run, "/texts"),
        el("nav", *steps, class_="turning", aria_label="Texts"),
        el("div", card(text), class_="cards single"),
        el("h2", "Marks"),
        _marks_table(text, marks, grades),
        el("h2", "Calls") if calls else None,
        *(_call(f"Turn {call['round']}", call, opened=True) for call in turns),
        *(_call(f"{call['grader']}, round {call['round']}", call) for call in gradings),
        kind="text",
    )


def _marks_table(
    text: Example, marks: Sequence[Mapping[str, Any]], grades: Sequence[Mapping[str, Any]]
) -> Markup:
    """The marks that count, and those of every grader and round, with the reasons."""
    rounds: dict[tuple[str, int], dict[str, Mapping[str, Any]]] = {}
    for mark in grades:
        rounds.setdefault((mark["grader"], mark["round"]), {})[mark["criterion"]] = mark
    columns = [{mark["criterion"]: mark for mark in marks}, *rounds.values()]
    head = ["criterion", "counts", *(f"{grader}, {n}" for grader, n in rounds)]
    rows = [
        el(
            "tr",
            el("th", criterion, scope="row"),
            *(_mark_cell(column.get(criterion)) for column in columns),
        )
        for criterion in text.marks
    ]
    return scrolled(head, rows, "Marks by grader and round", "marks")


def _mark_cell(mark: Mapping[str, Any] | None) -> Markup:
    if mark is None:
        return el("td", "", class_="absent")
    state, sign = SIGNS[EARNED.get(mark["status"])]
    reason = el("small", mark["reason"]) if mark["reason"] else None
    return el("td", el("span", sign, aria_label=state), reason, class_=state)


def _call(name: str, call: Mapping[str, Any], *, opened: bool = False) -> Markup:
    tries = "" if call["try"] == 1 else f", try {call['try']}"
    tokens = [call["input_tokens"], call["output_tokens"]]
    counted = " + ".join(ABSENT if n is None else f"{n:,}" for n in tokens)
    line = f"{name}{tries}: {call['outcome']} · {seconds(call['latency'])} · {counted} tokens"
    prompt = el("div", call["prompt"] or "", class_="prose prompt", dir="auto")
    reply = el("div", call["reply"] or "", class_="prose", dir="auto")
    return el("details", el("summary", line), prompt, reply, open="open" if opened else None)


# --- models beside each other -------------------------------------------------------------------


def compare_screen(
    entrants: Sequence[tuple[Run, Sequence[str]]],
    asked: tuple[str, str, bool],
    comparisons: Sequence[Comparison],
    problem: str,
) -> str:
    """Make the page that compares two models, or two runs model by model."""
    first, second, anyway = asked
    form = el(
        "form",
        _entrant("First", "first", entrants, first),
        _entrant("Second", "second", entrants, second),
        _anyway(anyway),
        el("button", "Compare", type="submit"),
        class_="tools",
        action="/compare",
    )
    tables: dict[str, list[dict[str, object]]] = {}
    for comparison in comparisons:
        for cell in comparison.cells:
            rows = tables.setdefault(difference_title(comparison, cell), [])
            rows.append(difference_row(cell))
    parts: list[Markup] = []
    for title, rows in tables.items():
        cells = [[str(value) for value in row.values()] for row in rows]
        parts += [el("h2", title), table(list(rows[0]), cells, title)]
    notes = dict.fromkeys(
        note for each in comparisons for note in difference_notes(each, DEFAULT.level)
    )
    return screen(
        "Compare",
        el("h1", "Two models over the same combinations"),
        form,
        el("p", problem, class_="problem", role="alert") if problem else None,
        *parts,
        *(el("p", note, class_="note") for note in notes),
    )


def _entrant(
    title: str, name: str, entrants: Sequence[tuple[Run, Sequence[str]]], chosen: str
) -> Markup:
    """A field to choose a run, or a model of one."""
    groups: list[Markup] = []
    for run, models in entrants:
        values = {run.id: f"{run.name}, model by model"}
        values |= {f"{run.id}/{model}": model for model in models}
        groups.append(el("optgroup", *_options(values, chosen), label=run.name))
    return el("label", title, el("select", *groups, name=name))


def _anyway(anyway: bool) -> Markup:
    checked = "checked" if anyway else None
    box = el("input", type="checkbox", name="anyway", value="1", checked=checked)
    return el("label", box, " also runs that differ in what was asked", class_="check")


def leaderboard_screen(
    runs: Sequence[Run], chosen: Sequence[str], metric: str, *, anyway: bool
) -> str:
    """Make the page that ranks the models of runs; the board itself is in a frame."""
    boxes = [
        el(
            "label",
            el(
                "input",
                type="checkbox",
                name="run",
                value=run.id,
                checked="checked" if run.id in chosen else None,
            ),
            " ",
            el("bdi", run.name),
        )
        for run in runs
    ]
    form = el(
        "form",
        el("fieldset", el("legend", "Runs"), el("div", *boxes)),
        el(
            "div",
            select("What is ranked", "metric", METRIC_NAMES, metric, None),
            _anyway(anyway),
            el("button", "Rank", type="submit"),
            class_="tools",
        ),
        action="/leaderboard",
    )
    asked = [*(("run", name) for name in chosen), ("metric", metric)]
    asked += [("anyway", "1")] if anyway else []
    address = f"/board?{urlencode(asked)}"
    frame = el("iframe", src=address, title="The leaderboard") if chosen else None
    return screen("Leaderboard", el("h1", "Leaderboard"), form, frame)


# --- people who mark ----------------------------------------------------------------------------

_BLIND: Final = (
    "You see texts of a random sample in random order, but neither whose they are nor other marks. "
    "The same seed gives everyone the same texts, and a larger sample contains a smaller one."
)


def markers_screen(run: Run, known: Sequence[Person]) -> str:
    """Make the page that asks who marks."""
    rows = [[person.name, plural(person.texts, "text")] for person in known]
    form = el(
        "form",
        field("Your name", "by", "", required="required", maxlength="60"),
        field("Texts", "n", 50, type="number", min="1", max=str(MOST)),
        field("Seed", "seed", 1, type="number", min="0", max="999999999"),
        el("button", "Mark", type="submit"),
        class_="tools",
        action=f"/run/{run.id}/mark",
    )
    done = (
        table(["person", "marked"], rows, "People"),
        el("p", el("a", "How people agree with graders", href=f"/run/{run.id}/agreement")),
    )
    content = (run_head(run, "/mark"), el("p", _BLIND), form, *(done if known else ()))
    return screen(f"Mark {run.name}", *content)


def marking_screen(run: Run, sample: Sample) -> str:
    """Make the page on which a person marks; view.js fills it in."""
    buttons = [
        el(
            "button",
            el("kbd", key),
            f" {words}",
            type="button",
            data_key=key,
            aria_keyshortcuts=key,
        )
        for key, words in {"1": "yes", "0": "no", "?": "cannot tell", "u": "undo"}.items()
    ]
    moves = [
        el(
            "button",
            el("kbd", sign),
            f" {words}",
            type="button",
            data_key=key,
            aria_keyshortcuts=key,
        )
        for key, sign, words in (
            ("ArrowLeft", "←", "earlier text"),
            ("ArrowRight", "→", "later text"),
        )
    ]
    return screen(
        f"Mark {run.name}",
        run_head(run, "/mark"),
        el("p", "Loading …", class_="found", role="status", data_part="where"),
        el("progress", value="0", max="1", aria_label="Texts marked", data_part="progress"),
        el("p", class_="problem", role="alert", hidden="hidden", data_part="problem"),
        el(
            "div",
            el(
                "article",
                el("p", class_="asked", data_part="topic"),
                el("blockquote", dir="auto", data_part="text"),
                class_="card",
                aria_label="The text",
            ),
            el("ol", class_="points", data_part="points"),
            el("div", *buttons, *moves, class_="turning", role="group", aria_label="Keys"),
            data_part="sheet",
            hidden="hidden",
        ),
        el(
            "p",
            "Every text of the sample is marked. ",
            el("button", "End, and see the agreement", type="button", data_part="end"),
            data_part="all",
            hidden="hidden",
        ),
        el("p", data_part="announce", class_="hidden", aria_live="polite"),
        kind="marking",
        data_by=sample.by,
        data_n=str(sample.n),
        data_seed=str(sample.seed),
    )


def agreement_screen(run: Run, rows: Sequence[AgreementRow], known: Sequence[Person]) -> str:
    """Make the page that says how people agree with graders and with each other."""
    counted = listed([f"{person.name} ({plural(person.texts, 'text')})" for person in known])
    note = (
        f"Intervals hold with {given(DEFAULT.level)} each, over texts that both marked. kappa is "
        "Cohen's: low where nearly all marks are alike, however well two agree, so read it beside "
        "the agreement itself and AC1. `unparrot graders` has more."
    )
    write: Mapping[str, Callable[[AgreementRow], str]] = {
        "marks": lambda row: row.name,
        "n": lambda row: count(row.units),
        "agree": lambda row: interval(row.raw),
        "kappa": lambda row: number(row.kappa),
        "AC1": lambda row: number(row.ac1),
    }
    parts: list[Markup] = []
    for raters in dict.fromkeys(row.raters for row in rows):
        own = [row for row in rows if row.raters == raters]
        title = " and ".join(raters)
        parts += [el("h2", title), table(*columns(own, write), title)]
    nobody = (
        el("p", "There is no other grader of these texts to agree with.") if not parts else None
    )
    return screen(
        f"Agreement in {run.name}",
        run_head(run, "/mark"),
        el("p", f"Marked by {counted}."),
        *parts,
        nobody,
        el("p", note, class_="note"),
    )


# --- models that write --------------------------------------------------------------------------


def trying_screen(
    run: Run,
    pack: SkillPack,
    models: Sequence[str],
    asked: Asked,
    tried: Tried | None,
    problem: str,
) -> str:
    """Make the page on which a model of the lab writes for any request."""
    if not models:
        problem = "The checkpoints of this run are not there, so none of its models can write."
    chosen = [name for name in dict.fromkeys(asked.skills) if name in pack.skill_names]
    others = [name for name in pack.skill_names if name not in chosen]
    form = el(
        "form",
        el(
            "div",
            select("Model", "model", {name: name for name in models}, asked.model, None),
            select("Topic", "topic", {name: name for name in pack.topic_names}, asked.topic, None),
            field("Temperature", "temperature", f"{asked.temperature:g}", inputmode="decimal"),
            field("Seed", "seed", asked.seed, type="number", min="0", max="999999999"),
            class_="tools",
        ),
        el(
            "fieldset",
            el("legend", "Skills, in the order in which they are ticked"),
            el("div", *(_skill(pack, name, True) for name in chosen), data_part="chosen"),
            el("div", *(_skill(pack, name, False) for name in others), data_part="others"),
        ),
        el(
            "div",
            el("button", "Write", type="submit"),
            el("button", "Draw a pair never seen together", type="submit", name="draw", value="1"),
            class_="turning",
        ),
        action=f"/run/{run.id}/try",
    )
    return screen(
        f"Try {run.name}",
        run_head(run, "/try"),
        el("p", problem, class_="problem", role="alert") if problem else None,
        _tried(tried) if tried else None,
        form if models else None,
        kind="trying",
    )


def _skill(pack: SkillPack, name: str, chosen: bool) -> Markup:
    box = el(
        "input",
        type="checkbox",
        name="skills",
        value=name,
        checked="checked" if chosen else None,
    )
    place = str(pack.skill_names.index(name))
    return el("label", box, f" {name}", title=pack.skill(name).definition, data_place=place)


def _tried(tried: Tried) -> Markup:
    return el(
        "section",
        el("div", card(tried.card), class_="cards single"),
        el("p", f"Sense: {'; '.join(tried.faults)}.", class_="note") if tried.faults else None,
        bullets(tried.novelty) if tried.novelty else None,
        el("p", "The prompt: ", el("code", tried.prompt), class_="note"),
        aria_label="What the model wrote",
    )


# --- forms ------------------------------------------------------------------------------------


def select(
    title: str, name: str, values: Mapping[str, str], chosen: str, every: str | None = "all"
) -> Markup:
    """Make a field to choose from; ``every`` is the choice that leaves all, if there is one."""
    everything = el("option", every, value="") if every is not None else None
    return el("label", title, el("select", everything, *_options(values, chosen), name=name))


def _options(values: Mapping[str, str], chosen: str) -> list[Markup]:
    return [
        el("option", words, value=value, selected="selected" if value == chosen else None)
        for value, words in values.items()
    ]


def field(title: str, name: str, value: object, **attributes: str) -> Markup:
    """Make a field to type into."""
    kind = attributes.pop("class_", None)
    box = el("input", name=name, value=str(value), autocomplete="off", **attributes)
    return el("label", title, box, class_=kind)
