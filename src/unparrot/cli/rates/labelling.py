"""`unparrot rates label` and `rates show`: people check tags, and what the rates are by them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from unparrot.analysis.certificate.measured_rates import RATES, MeasuredRates, measure
from unparrot.cli.command import argument, command, option
from unparrot.cli.eval.labelling import HOW, Marking, mark_by_people
from unparrot.cli.output import Answer, table
from unparrot.cli.values import PLACE
from unparrot.core.records import RunFolder, closed_to_others, write_json
from unparrot.core.wording import given, interval, plural
from unparrot.eval.people.label_sample import grader_name
from unparrot.eval.rates.tagging import open_windows
from unparrot.eval.record.prepare import stored_spec
from unparrot.packs.reading import is_shipped, load_pack


@command()
def label(
    folder: Path = argument(PLACE, metavar="RATES"),
    how: dict[str, Any] = HOW,
) -> None:
    """Have people mark which skills windows of RATES show, so that the tagger's errors are known.

    A person sees random windows, each with the skills of one call and what they mean, but not the
    tags. Then the rates are worked out again, put right by how the tagger did beside the labels.

    Examples:
      unparrot rates label rates/web --export sheet.csv -n 60
      unparrot rates label rates/web --read sheet.csv --by ada
      unparrot rates label rates/web --by ada         in the terminal, window by window
    """
    pack_name = stored_spec(folder).pack
    batch = cast(int, RunFolder(folder).read_manifest().spec.get("batch"))
    pack = load_pack(pack_name)
    windows, private = open_windows(folder, pack, batch), not is_shipped(pack_name)

    def again(person: str) -> None:
        rates_answer(folder, person, [], 0).show(as_json=False)

    mark_by_people(Marking(windows, pack, private, "unparrot rates label"), again, **how)


@command()
def show(
    folder: Path = argument(PLACE, metavar="RATES"),
    by: str | None = option(
        "Whose labels put the rates right.  [default: who gave most]", metavar="NAME"
    ),
) -> Answer:
    """Print the rates of RATES, a folder of `unparrot rates sample`, and write rates.json anew.

    Example:
      unparrot rates show rates/web --by ada
    """
    return rates_answer(folder, None if by is None else grader_name(by), [], 0)


def rates_answer(folder: Path, by: str | None, notes: Sequence[str], code: int) -> Answer:
    """Work out the rates, write them as rates.json, and say what they are."""
    rates = measure(folder, by)
    path = folder / RATES
    write_json(path, rates, private=closed_to_others(folder) or None)
    rows = [
        {"skill": rate.name, "tagged": rate.marked, "rate %": interval(rate.rate, narrow=True)}
        for rate in sorted(rates.skills, key=lambda rate: -(rate.rate.value or 0.0))
    ]
    about = [
        {"topic": rate.name, "windows": rate.marked, "rate %": interval(rate.rate, narrow=True)}
        for rate in sorted(rates.topics, key=lambda rate: -rate.marked)
    ]
    title = f"Skills in {plural(rates.sampled, 'window')} of {plural(rates.words, 'word')}"
    counted = f"Topics in {plural(rates.topics[0].n, 'window')}"
    words = [*notes, *_about_tagger(rates), *_about_meeting(rates), f"The rates: {path}"]
    return Answer(rates, [table(rows, title), table(about, counted)], words, code=code)


def _about_tagger(rates: MeasuredRates) -> list[str]:
    unscored = sum(rate.unscored for rate in rates.skills)
    words = [f"Tagged by {rates.tagger}, in {plural(rates.rounds, 'round')}."]
    if rates.agreement is not None:
        words.append(f"Two rounds give equal tags in {interval(rates.agreement)} of cases.")
    if unscored:
        words.append(
            f"{plural(unscored, 'tag')} are not known; the certificate takes them as shown."
        )
    if rates.errors is None:
        return [
            *words,
            "No label says how the tagger errs, so that its tags are taken for the truth: have a "
            "person mark some windows with `unparrot rates label`.",
        ]
    seen = f"it saw {interval(rates.sensitivity)} of what {rates.by} saw"
    passed = f"passed over {interval(rates.specificity)} of what was not there"
    number = plural(rates.errors.present + rates.errors.absent, "label")
    words.append(f"Beside {number} {seen}, and {passed}.")
    if rates.corrected is None:
        words.append(
            f"That is too little to correct by: {rates.errors.present} labels of skills that are "
            f"there, {rates.errors.absent} of others. Label more windows."
        )
    return words


def _about_meeting(rates: MeasuredRates) -> list[str]:
    words: list[str] = []
    for what, attraction in (("Two skills", rates.pairs), ("A skill and a topic", rates.topic)):
        estimate = attraction.estimate(rates.sampled)
        if estimate is None:
            words.append(f"{what} meet too rarely in the sample to say how much they attract.")
            continue
        words.append(
            f"{what} meet {estimate.value:.3g} times as often as independent ones, from "
            f"{estimate.low:.3g} to {estimate.high:.3g} with {given(estimate.level)} confidence."
        )
    corpus = f"The corpus has about {rates.windows:.3g} windows, so many words after another."
    return [*words, corpus]
