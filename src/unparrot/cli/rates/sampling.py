"""`unparrot rates sample`: windows of a corpus, tagged by a model, and the rates that they give."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from unparrot.cli.cluster import ENGINE, chosen_cluster
from unparrot.cli.command import argument, command, option
from unparrot.cli.eval.options import ACCESS, access_of
from unparrot.cli.eval.running import GRADING_SETTINGS, INCOMPLETE, calls_of, carried_out
from unparrot.cli.output import Answer
from unparrot.cli.rates.labelling import rates_answer
from unparrot.cli.values import FOLDER, PLACE, Count
from unparrot.core.records import RunFolder
from unparrot.core.wording import dollars, plural
from unparrot.eval.ask.cost_estimate import SAMPLED
from unparrot.eval.ask.run import run
from unparrot.eval.protocol.grading import grading_prompt
from unparrot.eval.rates.spread import on_cluster, one_machine
from unparrot.eval.rates.tagging import (
    TaggingSpec,
    TagTables,
    batches,
    prepare_tagging,
    topics_in,
    units_of,
)
from unparrot.eval.rates.windows import draw_windows
from unparrot.eval.record.prepare import Prepared, Unit
from unparrot.eval.wire.prices import CHARACTERS_PER_TOKEN, price_of

# Words of a window: of answers of up to four sentences, nine in ten are shorter.
_WORDS: Final = 80
_QUANTILE: Final = 0.9
# Of a mark without reasons.
_MARK_TOKENS: Final = 12
_GRADER: Final = "grader_"
# A tagger is a grader, and nobody else is called.
SETTINGS: Final[dict[str, Any]] = {
    name.removeprefix(_GRADER): declared for name, declared in GRADING_SETTINGS.items()
}
REACHED: Final[dict[str, Any]] = {
    name: declared for name, declared in ACCESS.items() if not name.startswith(_GRADER)
}


@command()
def sample(
    corpus: tuple[Path, ...] = argument(PLACE, nargs=-1, required=True, metavar="CORPUS..."),
    taggers: tuple[str, ...] = option(
        "Who tags; may be repeated. The tags of the first count.",
        *(None, "--tagger"),
        multiple=True,
        required=True,
        metavar="MODEL",
    ),
    out: Path = option(
        "Folder of the sample; one that was stopped goes on there.", FOLDER, required=True
    ),
    pack: str = option("Skills and topics: the name of a pack, or a file.", default="language.en"),
    n: int = option("Windows that are tagged.", Count(1), "-n", "--n", default=2000),
    words: int | None = option(
        f"Words of a window: as many as an answer has.  [default: {_WORDS}]", Count(1)
    ),
    like: Path | None = option(
        "A run of `unparrot eval`: windows have as many words as nine in ten of its answers at "
        "most.",
        PLACE,
        metavar="RUN",
    ),
    column: str = option(
        "Field of JSON lines, column of tables, that has the text.", default="text"
    ),
    counted: int = option("Windows in which topics are counted.", Count(1), default=20_000),
    rounds: int = option("How often each window is tagged.", Count(1), default=1),
    together: int = option("Skills that one call asks about.", Count(1), default=10),
    seed: int = option("Of the draw of windows.", Count(0), default=1),
    settings: dict[str, Any] = SETTINGS,
    dry_run: bool = option("Tell calls, tokens and cost, and call nobody."),
    share: bool = option("Let others on this machine read the sample."),
    access: dict[str, Any] = REACHED,
    place: dict[str, Any] = ENGINE,
) -> Answer:
    """Measure how often the files and folders of CORPUS show each skill and topic of a pack.

    Draws windows of a fixed number of words, each word of the corpus as likely as any other, and
    has a model tag them with the skills that they show; topics are counted by their words. Files
    are plain text, JSON lines, these compressed (.gz, .zst), or Parquet tables; plain text and
    JSON lines are read only where windows are drawn. With --engine ray the nodes of a cluster read
    and count. Everything is kept call by call in
    OUT/journal.sqlite: the same command goes on where it was stopped, and no call is paid twice.

    Writes OUT/rates.json, which `unparrot certify --rates OUT` takes. A tagger makes mistakes:
    have a person label some windows (`unparrot rates label`), and the rates are put right by them.

    Examples:
      unparrot rates sample web/ --tagger openai/gpt-4o-mini --like runs/mini --out rates/web
      unparrot rates sample a.jsonl.zst --tagger gguf:MODEL.gguf -n 500 --rounds 3 --out rates/a
    """
    length = words or (_WORDS if like is None else _usual_length(like))
    grading = {name if name == "form" else _GRADER + name: x for name, x in settings.items()}
    spec = TaggingSpec(taggers, n, length, max(n, counted), rounds, together, seed, pack, grading)
    with chosen_cluster(place) as cluster:
        spread = one_machine if cluster is None else on_cluster(cluster)
        drawn = draw_windows(corpus, spec.counted, length, seed, column, spread)
        prepared = prepare_tagging(spec, drawn, out)
        topics = () if dry_run else topics_in(drawn, prepared.pack, spread)
    own = {_GRADER + name: access[name] for name in ("base_url", "arguments")}
    reached = access_of({**access, **own}, prepared.whole)
    units = units_of(prepared, spec, drawn)
    if dry_run:
        return _estimate(prepared, list(units), [unit.text for unit in units.values()], reached)
    tables = TagTables(spec, drawn, topics)
    options = {"share": share, "write": False, "given": units, "tables": tables}
    work = partial(run, prepared, reached, command="unparrot rates sample", **options)
    _, tally, ended = carried_out(work)
    incomplete = tally.failed or ended or tally.lacking
    return rates_answer(out, None, calls_of(tally, ended), INCOMPLETE if incomplete else 0)


def _usual_length(run: Path) -> int:
    """Words that nine in ten answers of a run do not exceed."""
    texts = [text for text in RunFolder(run).checked_table("texts")["text"] if text]
    lengths = sorted(len(text.split()) for text in texts) or [_WORDS]
    return lengths[min(len(lengths) - 1, int(_QUANTILE * len(lengths)))]


def _estimate(prepared: Prepared, units: list[Unit], texts: list[str], access: Any) -> Answer:
    """Calls, tokens and dollars of a tagging run, calling nobody."""
    spec, token = prepared.spec, "M" + 12 * "0"
    step = max(1, len(units) // SAMPLED)
    sent = fmean(
        len(grading_prompt(prepared.prompts, prepared.pack, u.combination, text, token, "text"))
        for u, text in zip(units[::step], texts[::step], strict=True)
    )
    calls = len(units) * spec.grading_rounds
    read = round(calls * sent / CHARACTERS_PER_TOKEN)
    written = _MARK_TOKENS * sum(unit.combination.k for unit in units) * spec.grading_rounds
    prices = {name: price_of(name, access.prices) for name in spec.markers}
    costs = {name: price and price.of(read, written) for name, price in prices.items()}
    notes = [
        f"{name}: {plural(calls, 'call')}, about {read:,} tokens read and {written:,} written, "
        + ("at a price that is not known." if cost is None else f"{dollars(cost)}.")
        for name, cost in costs.items()
    ]
    number = len(batches(prepared.pack, max(spec.k)))
    facts = {"calls": calls * len(costs), "input_tokens": read, "output_tokens": written}
    notes.append(f"A window takes {plural(number, 'call')} a round. Nothing was called.")
    return Answer({**facts, "cost": costs}, notes=notes)
