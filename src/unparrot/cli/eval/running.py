"""`unparrot eval run` and `eval grade`: ask models, have their texts marked, write the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import click
from click.core import ParameterSource

from unparrot.cli.command import argument, command, option
from unparrot.cli.eval.display import counted, money, tokens
from unparrot.cli.eval.options import ACCESS, access_of, lab_pack
from unparrot.cli.output import Answer, table
from unparrot.cli.values import FOLDER, NUMBER, PLACE, Count, Span, Unset
from unparrot.core.wording import dollars, plural, short
from unparrot.eval.record.eval_spec import FORMS, EvalSpec, read_toml, spec_of

if TYPE_CHECKING:
    from unparrot.analysis.schema import SkillMixSummary
    from unparrot.eval.ask.asking import Tally
    from unparrot.eval.ask.run import Access
    from unparrot.eval.record.prepare import Prepared

INTERRUPTED: Final = 130
INCOMPLETE: Final = 1
# Bytes of the name of a folder; file systems allow 255.
LONGEST_NAME: Final = 200
# Calls of the lab's models at a time: those that are under way are written together.
LAB_CONNECTIONS: Final = 128


# Has the defaults of all that need not be given.
USUAL: Final = EvalSpec(("model",), ("grader",))
# The settings of a grading, which are no part of what students are asked.
GRADING_SETTINGS: Final[dict[str, Any]] = {
    "grader_temperature": option("", Unset(NUMBER), default=USUAL.grader_temperature),
    "grader_max_tokens": option("", Unset(Count(1)), default=USUAL.grader_max_tokens),
    "grader_top_p": option("", Unset(NUMBER)),
    "grader_reasoning_effort": option("For graders that think."),
    "form": option(
        "How graders reply: under a JSON schema, where the provider keeps to one, or in lines.",
        click.Choice(FORMS),
        default=USUAL.form,
    ),
}
# The options that are settings of the spec, by their names there.
SETTINGS: Final[dict[str, Any]] = {
    "graders": option(
        "Who marks; may be repeated. The first one's marks decide. 'later': grade another day.",
        *(None, "--grader"),
        multiple=True,
        metavar="MODEL",
    ),
    "k": option("Skills.", Span(1), "-k", "--k", default="2..5"),
    "n": option("Combinations of each k.", Count(1), "-n", "--n", default=USUAL.n),
    "rounds": option("Texts for each combination.", Count(1), default=USUAL.rounds),
    "grading_rounds": option("Gradings of each text.", Count(1), default=USUAL.grading_rounds),
    "seed": option("Of the draw of combinations.", Count(0), default=USUAL.seed),
    "pack": option(
        "Skills and topics: the name of a pack, or a file of your own.", default=USUAL.pack
    ),
    "prompts": option("Name of prompts, or a file.", default=USUAL.prompts),
    "temperature": option(
        "'none' leaves it to the provider, for models that accept no other; so for the next two.",
        Unset(NUMBER),
        default=USUAL.temperature,
    ),
    "max_tokens": option(
        "Most tokens of a reply; models that think first need many times more.",
        Unset(Count(1)),
        default=USUAL.max_tokens,
    ),
    "top_p": option("", Unset(NUMBER)),
    "reasoning_effort": option("For models that think: minimal, low, medium, high."),
    "tries": option(
        "How often a student is asked for a reply that can be used; more than once favours weak "
        "models.",
        Count(1),
        default=USUAL.tries,
    ),
    "grader_tries": option(
        "How often a grader is asked for marks that can be used.",
        Count(1),
        default=USUAL.grader_tries,
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
    from unparrot.eval.record.prepare import prepare

    given = {name: value for name, value in settings.items() if _given(name) and value != ()}
    given |= {"models": models} if models else {}
    from_file = read_toml(spec_file) if spec_file else {}
    values = {"models": (), **settings, **from_file, **given}
    if _all_of_the_lab(values["models"]):
        # a model of the lab reads the prompts of its world, and no English
        values |= {"pack": "world", "prompts": "world", **from_file, **given}
    spec = spec_of(values, str(spec_file or "the command line"))
    prepared = prepare(spec, out or Path("runs") / _slug(spec.models[0]), lab_pack)
    reached = access_of(access)
    if dry_run:
        return _estimate(prepared, reached)
    if _all_of_the_lab(spec.models) and not _given("limit_connections"):
        limits = reached.limits._replace(connections=LAB_CONNECTIONS)
        reached = replace(reached, limits=limits)
    return _carry_out(prepared, reached, share=share)


def _given(name: str) -> bool:
    source = click.get_current_context().get_parameter_source(name)
    return source is not ParameterSource.DEFAULT


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
    from unparrot.cli.eval.display import Display
    from unparrot.eval.ask.run import run as run_eval
    from unparrot.eval.ask.schedule import Interrupted
    from unparrot.eval.wire.cost_limit import OverBudget
    from unparrot.eval.wire.models import Refused

    folder, ended = prepared.folder, ""
    display = Display()
    try:
        with display:
            tally = run_eval(prepared, access, display.watch, command, share=share, write=write)
    except (Refused, OverBudget) as error:
        tally, ended = display.tally, str(error)
        if tally is None or not tally.made + tally.kept:
            raise
    except Interrupted as error:
        click.echo(f"unparrot: {error}", err=True)
        click.get_current_context().exit(INTERRUPTED)
    from unparrot.analysis.summary import analyze
    from unparrot.report.page import write_page
    from unparrot.report.words.headline_words import cautions, finding

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
    notes = [headline, *cautions(summary), "", *_sentences(tally)]
    if not measured:
        notes.append(_nothing_measured(summary))
    notes += [*([f"Ended early: {ended}"] * bool(ended)), f"The page: {page}"]
    incomplete = tally.failed or ended or not measured or tally.lacking
    return Answer(result, notes=notes, code=INCOMPLETE if incomplete else 0)


def _nothing_measured(summary: SkillMixSummary) -> str:
    """What to do where no share is known at all."""
    reasons = summary.unscored.reasons
    why = f" (most often: {reasons[0].reason})" if reasons else ""
    return (
        f"Nothing was measured: every text has an unscored mark{why}. The texts are kept: have "
        "them marked by another grader, or in another --form, with `unparrot eval grade`, or give "
        "the same command again if calls failed."
    )


def _sentences(tally: Tally) -> list[str]:
    sentences = [
        f"{plural(tally.made, 'call')} made, {tally.kept:,} from the journal; {tokens(tally)}; "
        f"{money(tally)}.",
    ]
    if tally.unusable:
        sentences.append(f"Replies that could not be used: {counted(tally.unusable)}.")
    if tally.lost:
        sentences.append(
            f"Sent again after no reply came, or half of one: {plural(tally.lost, 'attempt')}, "
            "which a provider may bill; that is not in the cost above."
        )
    for grader, texts in tally.lacking.items():
        sentences.append(
            f"{plural(texts, 'text')} without a whole grade by {grader}: the same command asks "
            "again where no reply came; where replies lack marks, give another --form or --grader."
        )
    if tally.failed:
        sentences.append(
            f"No reply to {plural(tally.failed, 'call')}; the same command asks again."
        )
    return sentences


def _estimate(prepared: Prepared, access: Access, *, write: bool = True) -> Answer:
    """What a run would take, calling nobody."""
    from unparrot.eval.ask.cost_estimate import estimate
    from unparrot.eval.wire.prices import price_source

    spec, rows = prepared.asked, estimate(prepared, access, write=write)
    unknown = [row.model for row in rows if row.cost is None]
    cost = None if unknown else sum(row.cost or 0.0 for row in rows)
    limited = not unknown and all(row.most is not None for row in rows)
    most = sum(row.most or 0.0 for row in rows) if limited else None
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
        *(
            [f"No price is known of {', '.join(unknown)}: give --price MODEL=IN,OUT."]
            * bool(unknown)
        ),
        "Nothing was called.",
    ]
    return Answer({"run": str(prepared.folder), **estimated}, [table(lines, title)], notes)


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
    from unparrot.eval.record.prepare import prepare, stored_spec

    spec = stored_spec(folder)
    given = {name: value for name, value in settings.items() if _given(name)}
    rounds = grading_rounds or spec.grading_rounds
    spec = replace(spec, graders=graders, grading_rounds=rounds, **given)
    prepared = prepare(spec, folder, lab_pack, new_decides=decide)
    reached = access_of(access)
    if dry_run:
        return _estimate(prepared, reached, write=False)
    return _carry_out(prepared, reached, command="unparrot eval grade", write=False)
