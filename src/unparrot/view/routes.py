"""The addresses of the app, and what each shows.

Every handler works in a thread of its own, so that a long search keeps nobody waiting.
"""

from __future__ import annotations

import json
import math
import os
import re
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from random import SystemRandom
from typing import Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from unparrot.analysis.between.compare import Comparison, compare_runs
from unparrot.analysis.between.leaderboard import leaderboard as make_boards
from unparrot.analysis.read.protocol import Side
from unparrot.core.errors import BadInput, UnparrotError, refusal
from unparrot.core.inputs import number as read_number
from unparrot.core.records import decoded
from unparrot.report.page_leaderboard import leaderboard_html
from unparrot.view import screens
from unparrot.view.folders import Folders, Run
from unparrot.view.guard import FILE_POLICY, PROBLEM_POLICY
from unparrot.view.marking import Given, Sample, Sheets, agreement, people
from unparrot.view.search import MARKS, PAGE, Searched, Wanted, rows_of_text, texts_of
from unparrot.view.trying import Asked, Desk, Tried, drawn, models_of, world_of

_FILE: Final = {"Content-Security-Policy": FILE_POLICY}


class Page(HTMLResponse):
    """A page; of a name that is no UTF-8, as file systems allow, what it can show."""

    def render(self, content: str) -> bytes:
        """Encode the page."""
        return content.encode("utf-8", "replace")


class Data(JSONResponse):
    """The same as JSON."""

    def render(self, content: object) -> bytes:
        """Encode the values."""
        return json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


class NoSuch(BadInput):
    """The address is that of nothing."""


def make_app(roots: Sequence[Path], scratch: Path) -> Starlette:
    """Make the app, which `unparrot.view.guard.Guard` goes around.

    Parameters
    ----------
    roots
        Folders below which runs are looked for.
    scratch
        A folder for pages of runs whose own folder may not be written to.
    """
    views = Views(roots, scratch)
    return Starlette(
        routes=[
            Route("/", views.runs),
            Route("/runs.json", views.rows),
            Route("/view.css", _style),
            Route("/view.js", _script),
            Route("/compare", views.compare),
            Route("/leaderboard", views.leaderboard),
            Route("/board", views.board),
            Route("/run/{run}", views.page),
            Route("/run/{run}/report.html", views.report),
            Route("/run/{run}/texts", views.texts),
            Route("/run/{run}/text/{text}", views.text),
            Route("/run/{run}/mark", views.mark),
            Route("/run/{run}/mark.json", views.sheet),
            Route("/run/{run}/mark.json", writing(views.keep_mark), methods=["POST"]),
            Route("/run/{run}/try", views.trying),
            Route("/run/{run}/agreement", views.agreement),
            Route("/run/{run}/agreement", writing(views.end_marking), methods=["POST"]),
        ],
        exception_handlers={
            UnparrotError: _problem,
            OSError: _problem,
            404: lambda request, _: _problem(
                request, NoSuch(f"{request.url.path} is nothing here")
            ),
        },
    )


def _problem(request: Request, error: Exception) -> Response:
    status = 404 if isinstance(error, NoSuch) else 400 if isinstance(error, BadInput) else 500
    words = refusal(error) or str(error)
    if request.method == "POST" or request.url.path.endswith(".json"):
        return Data({"problem": words}, status)
    title = "Not here" if isinstance(error, NoSuch) else "That did not work"
    headers = {"Content-Security-Policy": PROBLEM_POLICY}
    return Page(screens.problem(title, words), status, headers)


def _style(_: Request) -> Response:
    own = files("unparrot.view").joinpath("view.css").read_text("utf-8")
    return Response(screens.stylesheet(own), media_type="text/css")


def _script(_: Request) -> Response:
    script = files("unparrot.view").joinpath("view.js").read_text("utf-8")
    return Response(script, media_type="text/javascript")


def writing(handler: Callable[[Request, bytes], object]) -> Callable[..., Any]:
    """Make a handler of a request that sends JSON and is answered with JSON."""

    async def answer(request: Request) -> Response:
        sent = await request.body()
        result = await run_in_threadpool(handler, request, sent)
        return Data(result)

    return answer


class Views:
    """What the addresses show, of the runs below some folders."""

    def __init__(self, roots: Sequence[Path], scratch: Path) -> None:
        self.folders, self.scratch, self.sheets = Folders(roots), scratch, Sheets()
        self.desk, self.searched = Desk(), Searched()
        self._drawing = threading.Lock()

    def _run(self, request: Request) -> Run:
        run = self.folders.run(request.path_params["run"])
        if run is None:
            raise NoSuch("There is no such run below the folders that are shown.")
        if run.fault:
            raise BadInput(run.fault)
        return run

    def _row(self, run: Run) -> dict[str, str]:
        return screens.run_row(run, self.folders.standing(run))

    # --- runs -----------------------------------------------------------------------------------

    def runs(self, _: Request) -> Response:
        """All runs."""
        roots = [str(root) for root in self.folders.roots]
        rows = [self._row(run) for run in self.folders.runs()]
        return Page(screens.runs_screen(roots, rows))

    def rows(self, _: Request) -> Response:
        """The same for view.js, which asks for it while the list is looked at."""
        return Data([self._row(run) for run in self.folders.runs()])

    def page(self, request: Request) -> Response:
        """A run, with its page in a frame."""
        run = self._run(request)
        within = [self._row(each) for each in self.folders.within(run)]
        return Page(screens.page_screen(run, self._row(run), within))

    def report(self, request: Request) -> Response:
        """The page of a run as it lies there; it is made if it does not."""
        return FileResponse(self._page_of(self._run(request)), headers=_FILE)

    def _page_of(self, run: Run) -> Path:
        own, other = (folder / "report.html" for folder in (run.path, self.scratch / run.id))
        with self._drawing:
            if run.has("report.html"):
                return own
            if os.path.lexists(own) or not os.access(run.path, os.W_OK):
                own = other  # a link that leads elsewhere stays as it is
            if not own.is_file():
                write_page_of(run, own.parent)
            return own

    # --- texts ----------------------------------------------------------------------------------

    def texts(self, request: Request) -> Response:
        """Texts that fit, a page of them."""
        run = self._run(request)
        wanted = _wanted(request)
        if not run.has("transcripts.parquet"):
            wanted = wanted._replace(calls=False)
        start = _number(request, "start") or 0
        matches = self.searched.search(run.path, wanted, start)
        known = self.searched.choices(run.path)
        return Page(screens.texts_screen(run, known, wanted, matches, start))

    def text(self, request: Request) -> Response:
        """One text with all that is known of it."""
        run, text_id = self._run(request), str(request.path_params["text"])
        text = next(iter(texts_of(run.path, [text_id])), None)
        if text is None:
            raise NoSuch(f"The run has no text {text_id!r}.")
        marks, grades, calls = (
            rows_of_text(run.path, name, text_id) for name in ("graded", "grades", "transcripts")
        )
        beside = self._beside(request, run)
        return Page(screens.text_screen(run, text, marks, grades, calls, beside))

    def _beside(self, request: Request, run: Run) -> dict[str, str]:
        """The addresses of the list that a text was found in, and of its neighbours there."""
        at, wanted, base = _number(request, "at"), _wanted(request), f"/run/{run.id}"
        if not at:
            return {}
        start = (at - 1) // PAGE * PAGE
        beside = {"list": f"{base}/texts?{screens.query_of(wanted, start=start)}"}
        first = max(0, at - 2)
        near = self.searched.search(run.path, wanted, first, 3).texts
        for name, place in (("previous", at - 1), ("next", at + 1)):
            if 0 <= place - 1 - first < len(near) and place >= 1:
                text_id = near[place - 1 - first].text_id
                beside[name] = f"{base}/text/{text_id}?{screens.query_of(wanted, at=place)}"
        return beside

    # --- models beside each other ---------------------------------------------------------------

    def _entrants(self) -> list[tuple[Run, list[str]]]:
        """Runs that can be compared, with their models."""
        entrants: list[tuple[Run, list[str]]] = []
        for run in self.folders.runs():
            if run.kind != "study" and run.has("texts.parquet") and run.has("graded.parquet"):
                with suppress(UnparrotError):
                    entrants.append((run, self.searched.choices(run.path).models))
        return entrants

    def _side(self, written: str) -> Side:
        """A run, or a model of one, as `screens.entrant` writes it."""
        run_id, _, model = written.partition("/")
        run = self.folders.run(run_id)
        if run is None:
            raise NoSuch("There is no such run below the folders that are shown.")
        return Side(run.path, model or None)

    def compare(self, request: Request) -> Response:
        """Two models over the same combinations."""
        first, second = (request.query_params.get(name, "") for name in ("first", "second"))
        anyway, problem = "anyway" in request.query_params, ""
        comparisons: list[Comparison] = []
        if first and second:
            try:
                comparisons = compare_runs(self._side(first), self._side(second), anyway=anyway)
            except BadInput as error:
                problem = str(error)
        asked = (first, second, anyway)
        page = screens.compare_screen(self._entrants(), asked, comparisons, problem)
        return Page(page)

    def leaderboard(self, request: Request) -> Response:
        """The form of a leaderboard, and the board in a frame."""
        asked = request.query_params
        metric, chosen = asked.get("metric", ""), asked.getlist("run")
        page = screens.leaderboard_screen(
            [run for run, _ in self._entrants()], chosen, metric, anyway="anyway" in asked
        )
        return Page(page)

    def board(self, request: Request) -> Response:
        """A leaderboard as `unparrot leaderboard --html` writes it."""
        asked = request.query_params
        metric: Any = asked.get("metric") or "full_marks"
        sides = [self._side(name) for name in asked.getlist("run")]
        boards = make_boards(sides, metric=metric, anyway="anyway" in asked)
        return Page(leaderboard_html(boards), headers=_FILE)

    # --- people who mark ------------------------------------------------------------------------

    def mark(self, request: Request) -> Response:
        """Who marks, or the sample that a person marks."""
        run = self._run(request)
        if "by" not in request.query_params:
            return Page(screens.markers_screen(run, people(run.path)))
        return Page(screens.marking_screen(run, _sample(request)))

    def sheet(self, request: Request) -> Response:
        """The texts of a sample with the marks of the person."""
        return Data(self.sheets.sheet(self._run(request).path, _sample(request)))

    def keep_mark(self, request: Request, sent: bytes) -> object:
        """Keep a mark, and answer with those of its text."""
        given = decoded(sent, Given, "what was sent", "open the page again")
        return self.sheets.keep(self._run(request).path, given)

    def agreement(self, request: Request) -> Response:
        """How people agree with graders."""
        run = self._run(request)
        return Page(screens.agreement_screen(run, agreement(run.path), people(run.path)))

    def end_marking(self, request: Request, _: bytes) -> object:
        """Put the labels into the tables of the run, as people stop."""
        self.sheets.put_into_tables(self._run(request).path)
        return {}

    # --- models that write ----------------------------------------------------------------------

    def trying(self, request: Request) -> Response:
        """A request for a model of the lab, and what it wrote for it."""
        run, values = self._run(request), request.query_params
        known, models = world_of(run.path).pack, models_of(run.path)
        skills, topic, problem = tuple(values.getlist("skills")), values.get("topic", ""), ""
        if "draw" in values:
            topic, skills = drawn(run.path, SystemRandom(), len(skills) or 2)
        written = values.get("temperature") or "0"
        temperature = read_number(written)
        if math.isnan(temperature):
            problem = f"A temperature is a number from 0 on, not {written[:80]!r}."
            temperature = 0.0
        elif "model" in values and not skills:
            problem = "Tick a skill, or more."
        asked = Asked(
            values.get("model") or (models[-1] if models else ""),
            topic,
            skills,
            temperature,
            _checked_number(request, "seed") or 0,
        )
        tried: Tried | None = None
        if skills and not problem:
            try:
                tried = self.desk.write(run.path, asked)
            except UnparrotError as error:
                problem = str(error)
        return Page(screens.trying_screen(run, known, models, asked, tried, problem))


def write_page_of(run: Run, out: Path) -> None:
    """Write the page of a run or study into a folder, and the figures that it shows, if need be."""
    if run.kind == "study":
        from unparrot.analysis.study.study_summary import write_summary
        from unparrot.report.page_study import write_study_page

        write_study_page(out, write_summary(run.path, out))
        return
    from unparrot.analysis.summary import analyze
    from unparrot.report.page import write_page

    if not run.has("manifest.json"):
        raise NoSuch("The run has no records yet: they are written when it ends.")
    if not run.has("summary.json"):
        analyze(run.path)
    write_page(run.path, out / "report.html")


def _number(request: Request, name: str) -> int | None:
    written = request.query_params.get(name, "")
    return int(written) if re.fullmatch(r"[0-9]{1,9}", written) else None


def _checked_number(request: Request, name: str) -> int | None:
    """The same where another number in its place would give another sample or text."""
    number, written = _number(request, name), request.query_params.get(name, "")
    if written and number is None:
        raise BadInput(f"{name} is a whole number of up to nine digits, not {written[:80]!r}")
    return number


def _sample(request: Request) -> Sample:
    numbers = {name: _checked_number(request, name) for name in ("n", "seed")}
    given = {name: number for name, number in numbers.items() if number is not None}
    return Sample(request.query_params.get("by", ""), **given)


def _wanted(request: Request) -> Wanted:
    asked = request.query_params
    marks = asked.get("marks", "")
    return Wanted(
        words=asked.get("words", "")[:400],
        model=asked.get("model", ""),
        k=_number(request, "k"),
        split=asked.get("split", ""),
        marks=marks if marks in MARKS else "",
        calls=bool(asked.get("calls")),
    )
