"""`unparrot eval run` and `eval grade`: ask models, have their texts marked, write the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

from unparrot.cli.command import argument, command, option, was_given
from unparrot.cli.eval.display import Display, money, tokens, troubles
from unparrot.cli.eval.options import ACCESS, CONNECTIONS, access_of, lab_pack
from unparrot.cli.output import Answer, table
from unparrot.cli.values import FOLDER, NUMBER, PLACE, WITHOUT_COMMON, Count, Span, Unset
from unparrot.core.wording import dollars, plural, short
from unparrot.eval.ask.asking import Tally
from unparrot.eval.ask.cost_estimate import estimate
from unparrot.eval.ask.run import Access
from unparrot.eval.ask.run import run as run_eval
from unparrot.eval.ask.schedule import Interrupted
from unparrot.eval.record.eval_spec import FORMS, EvalSpec, read_toml, spec_of
from unparrot.eval.record.prepare import Prepared, prepare, stored_spec
from unparrot.eval.wire.cost_limit import OverBudget
from unparrot.eval.wire.models import Refused
from unparrot.eval.wire.prices import price_source

if TYPE_CHECKING:
    from unparrot.analysis.schema import SkillMixSummary

Done = TypeVar("Done")
INTERRUPTED: Final = 130
INCOMPLETE: Final = 1
# Bytes of the name of a folder; file systems allow 255.
LONGEST_NAME: Final = 200
# Calls of the lab's models at a time: those that are under way are written together.
LAB_CONNECTIONS: Final = 128


def _usual(options: Mapping[str, tuple[Any, ...]]) -> dict[str, Any]:
    """Options by the names of settings; the defaults are those of the spec."""
    spec = EvalSpec(("model",), ("grader",))
    return {name: option(*rest, default=getattr(spec, name)) for name, rest in options.items()}


# The settings of a grading, which are no part of what students are asked.
GRADING_SETTINGS: Final = _usual(
    {
        "grader_temperature": ("", Unset(NUMBER)),
        "grader_max_tokens": ("", Unset(Count(1))),
        "grader_top_p": ("", Unset(NUMBER)),
        "grader_reasoning_effort": ("For graders that think.",),
        "form": (
            "How graders reply: under a JSON schema, where the provider keeps to one, or in lines.",
            click.Choice(FORMS),
        ),
    }
)
# The options that are settings of the spec, by their names there.
SETTINGS: Final[dict[str, Any]] = {
    "graders": option(
        "Who marks; may be repeated. The first one's marks decide. 'later': grade another day.",
        *(None, "--grader"),
        multiple=True,
        metavar="MODEL",
    ),
    "k": option("Skills.", Span(1), "-k", "--k", default="2..5"),
    **_usual(
        {
            "n": ("Combinations of each k.", Count(1), "-n", "--n"),
            "rounds": ("Texts for each combination.", Count(1)),
            "grading_rounds": ("Gradings of each text.", Count(1)),
            "seed": ("Of the draw of combinations.", Count(0)),
            "pack": ("Skills and topics: the name of a pack, or a file of your own.",),
            "prompts": ("Name of prompts, or a file; 'skillmix': in the language of the pack.",),
            "temperature": (
                "'none' leaves it to the provider, for models that accept no other; so for the "
                "next two.",
                Unset(NUMBER),
            ),
            "max_tokens": (
                "Most tokens of a reply; models that think first need many times more.",
                Unset(Count(1)),
            ),
            "top_p": ("", Unset(NUMBER)),
            "reasoning_effort": ("For models that think: minimal, low, medium, high.",),
            "tries": (
                "How often a student is asked for a reply that can be used; more than once favours "
                "weak models.",
                Count(1),
            ),
            "grader_tries": ("How often a grader is asked for marks that can be used.", Count(1)),
        }
    ),
    "deduct_names": option("A skill that the text names loses its point.", is_flag=True),
    **GRADING_SETTINGS,
}


@command()
def run(
    models: tuple[str, ...] = argument(click.STRING, nargs=-1, metavar="MODEL..."),
    settings: dict[str, Any] = SETTINGS,
    spec_file: Path | None = option(
        "TOML file with any of these settings; what is given here comes before it.",
        *(PLACE, "--spec"),
    ),
    out: Path | None = option(
        "Folder of the run; one that was stopped goes on there.  [default: runs/MODEL]", FOLDER
    ),
    without_common: Path | None = option(WITHOUT_COMMON, PLACE, metavar="RATES"),
    dry_run: bool = option("Tell calls, tokens and cost, and call nobody."),
    share: bool = option("Let others on this machine read the run."),
    access: dict[str, Any] = ACCESS,  # pyright: ignore[reportArgumentType]
) -> Answer:
    """Test whether MODEL... combine skills: SKILL-MIX (Yu et al. 2023).

    Every model writes texts for the same random combinations of skills and a topic; graders mark
    every skill, topic, sense and length. Everything is kept call by call in OUT/journal.sqlite: the
    same command goes on where it was stopped, and more models, k, combinations or rounds add only
    what is missing. No call is paid for twice.

    MODEL is a name of Inspect (openai/..., anthropic/..., google/..., hf/..., vllm/...,
    openai-api/NAME/MODEL with --base-url), or lab:PATH for a model of the lab.

    Examples:
      unparrot eval run openai/gpt-4o-mini --grader openai/gpt-4o -k 2..5 --dry-run
      unparrot eval run openai/gpt-4o-mini --grader openai/gpt-4o --max-cost 20 --out runs/mini
      unparrot eval run openai-api/x/qwen --base-url http://localhost:8000/v1 --grader openai/gpt-4o
      unparrot eval run lab:runs/demo/models/463k --grader lab/exact -k 1..6 --out runs/lab
    """
    given = {name: value for name, value in settings.items() if was_given(name) and value != ()}
    given |= {"models": models} if models else {}
    from_file = read_toml(spec_file) if spec_file else {}
    values = {"models": (), **settings, **from_file, **given}
    if _all_of_the_lab(values["models"]):
        # a model of the lab reads the prompts of its world, and no English
        values |= {"pack": "world", "prompts": "world", **from_file, **given}
    if without_common is not None:
        from unparrot.analysis.certificate.measured_rates import common_skills

        values["without"] = common_skills(without_common)
    spec = spec_of(values, str(spec_file or "the command line"))
    prepared = prepare(spec, out or Path("runs") / _slug(spec.models[0]), lab_pack)
    most = LAB_CONNECTIONS if _all_of_the_lab(spec.models) else CONNECTIONS
    reached = access_of(access, prepared.whole, most)
    if dry_run:
        return _estimate(prepared, reached)
    return _carry_out(prepared, reached, share=share)


def _all_of_the_lab(models: object) -> bool:
    # a file may hold one name without a list, or something else that is refused later
    named = cast(Sequence[object], models if isinstance(models, (list, tuple)) else [models])
    return bool(named) and all(str(model).startswith(("lab:", "lab/")) for model in named)


def _slug(model: str) -> str:
    name = re.sub(r"[^\w.-]+", "-", model).strip("-.") or "run"
    return name.encode()[:LONGEST_NAME].decode(errors="ignore")


def _carry_out(
    prepared: Prepared,
    access: Access,
    *,
    share: bool = False,
    command: str = "unparrot eval run",
    write: bool = True,
) -> Answer:
    """Run what was prepared with a display, then work out the figures and write the page.

    The exit code is 1 if calls stayed without a reply, a provider refused a model, the budget was
    used up, texts lack a grade or nothing was measured, 130 if the user stopped the run.
    """
    from unparrot.analysis.summary import analyze
    from unparrot.report.page import write_page
    from unparrot.report.words.headline_words import cautions, finding

    folder = prepared.folder
    work = partial(run_eval, prepared, access, command=command, share=share, write=write)
    _, tally, ended = carried_out(work)
    summary, page = cast("SkillMixSummary", analyze(folder)), write_page(folder)
    headline = finding(summary)
    result = {
        "run": str(folder),
        "page": str(page),
        "headline": summary.headline,
        "finding": headline,
        "calls": {"made": tally.made, "kept": tally.kept, "failed": tally.failed},
        "failed_attempts": dict(tally.failures),
        "unusable": dict(tally.unusable),
        "cost": None if tally.unpriced else round(tally.cost, 6),
        "ended": ended,
    }
    shares = [share for row in summary.headline.told for share in (row.first, row.last)]
    measured = any(share is not None and share.value is not None for share in shares)
    measured |= summary.run.ungraded  # which is what was asked for
    notes = [headline, *cautions(summary), "", *calls_of(tally, ended)]
    if tally.failed and tally.failed == tally.made:
        notes.append("Nothing new was measured: no call was answered.")
    elif not measured:
        notes.append(_nothing_measured(summary))
    notes.append(f"The page: {page}")
    incomplete = tally.failed or ended or not measured or tally.lacking
    return Answer(result, notes=notes, code=INCOMPLETE if incomplete else 0)


def carried_out(work: Callable[..., Done]) -> tuple[Done | None, Tally, str]:
    """Do work that calls models, with a display; return what it returns, its tally, and what ended
    it early, if anything.

    ``work`` is given ``watch``, as `unparrot.eval.ask.run.run` takes it. The program ends with 130
    if the user stopped it.
    """
    display = Display()
    done, ended = None, ""
    try:
        with display:
            done = work(watch=display.watch)
    except (Refused, OverBudget) as error:
        if display.tally is None or not display.tally.made + display.tally.kept:
            raise
        ended = str(error)
    except Interrupted as error:
        click.echo(f"unparrot: {error}", err=True)
        click.get_current_context().exit(INTERRUPTED)
    assert display.tally is not None
    return done, display.tally, ended


def calls_of(tally: Tally, ended: str) -> list[str]:
    """Say what calls a run took, what was amiss with them, and what ended it early, if anything."""
    calls = f"{plural(tally.made, 'call')} made, {tally.kept:,} from the journal"
    amiss = [f"{words[0].upper()}{words[1:]}." for words in troubles(tally)]
    amiss += [f"Ended early: {ended}"] * bool(ended)
    return [f"{calls}; {tokens(tally)}; {money(tally)}.", *amiss]


def _nothing_measured(summary: SkillMixSummary) -> str:
    """What to do where no share is known at all."""
    reasons = summary.unscored.reasons
    why = f" (most often: {reasons[0].reason})" if reasons else ""
    return (
        f"Nothing was measured: every text has an unscored mark{why}. The texts are kept: have "
        "them marked by another grader, or in another --form, with `unparrot eval grade`, or give "
        "the same command again if calls failed."
    )


def _estimate(prepared: Prepared, access: Access, *, write: bool = True) -> Answer:
    """What a run would take, calling nobody."""
    spec, rows = prepared.spec, estimate(prepared, access, write=write)
    unknown = [row.model for row in rows if row.cost is None]
    cost, most = _total(row.cost for row in rows), _total(row.most for row in rows)
    kept = sum(row.kept for row in rows)
    calls = sum(row.calls for row in rows) - kept
    estimated = {"calls": calls, "kept": kept, "cost": cost, "most": most, "models": rows}
    lines = [
        {
            "model": f"{row.model} ({row.role})",
            "calls": row.calls,
            **({"kept": row.kept} if kept else {}),
            "tokens": f"{short(row.input_tokens)} + {short(row.output_tokens)}",
            "cost": _dollars(row.cost),
            "at most": _dollars(row.most),
        }
        for row in rows
    ]
    title = (
        f"{plural(prepared.texts, 'text')} of each model: k {spec.k[0]} to {spec.k[-1]}, "
        f"{plural(spec.n, 'combination')} of each, {plural(spec.rounds, 'round')}"
    )
    total = f"about {_dollars(cost)}, at most {_dollars(most)}"
    assumed = all(row.assumed for row in rows)
    source = "assumed lengths of replies" if assumed else "the replies in the journal, or assumed"
    notes = [
        f"{plural(calls, 'call')} to make; {'the cost is not known' if unknown else total}.",
        f"Tokens are those read + written. They are estimated from the prompts and from {source}; "
        f"'at most' is with every reply at its limit. Prices: {price_source()}; or as given.",
    ]
    if unknown:
        notes.append(f"No price is known of {', '.join(unknown)}: give --price MODEL=IN,OUT.")
    notes.append("Nothing was called.")
    return Answer({"run": str(prepared.folder), **estimated}, [table(lines, title)], notes)


def _total(costs: Iterable[float | None]) -> float | None:
    """The sum, None if one is not known."""
    known = list(costs)
    return None if None in known else sum(cost or 0.0 for cost in known)


def _dollars(cost: float | None) -> str:
    return "unknown" if cost is None else dollars(cost)


@command()
def grade(
    folder: Path = argument(PLACE, metavar="RUN"),
    graders: tuple[str, ...] = option(
        "Who marks.", None, "--grader", required=True, metavar="MODEL"
    ),
    grading_rounds: int | None = option(
        "Gradings of each text.  [default: as the run has]", Count(1)
    ),
    settings: dict[str, Any] = GRADING_SETTINGS,
    decide: bool = option("The first of these graders decides from now on."),
    dry_run: bool = option("Tell calls, tokens and cost, and call nobody."),
    access: dict[str, Any] = ACCESS,  # pyright: ignore[reportArgumentType]
) -> Answer:
    """Have the texts of RUN marked by other graders, in more rounds, or with other settings.

    Only marks that are missing are asked for, and no model writes anything anew. The run's own
    grader goes on to decide, unless --decide is given. Settings that are not given are those that
    the run began with; a grader that is set otherwise is one more grader.

    Examples:
      unparrot eval grade runs/mini --grader anthropic/claude-sonnet-4-5
      unparrot eval grade runs/mini --grader openai/gpt-4o --grading-rounds 5
      unparrot eval grade runs/mini --grader openai/gpt-4o --grader-max-tokens 8192 --decide
      unparrot graders runs/mini
    """
    spec = stored_spec(folder)
    given = {name: value for name, value in settings.items() if was_given(name)}
    rounds = grading_rounds or spec.grading_rounds
    given |= {"graders": graders, "grading_rounds": rounds}
    spec = spec_of(spec.as_dict() | given, "the command line")
    prepared = prepare(spec, folder, lab_pack, new_decides=decide)
    reached = access_of(access, prepared.whole)
    if dry_run:
        return _estimate(prepared, reached, write=False)
    return _carry_out(prepared, reached, command="unparrot eval grade", write=False)
