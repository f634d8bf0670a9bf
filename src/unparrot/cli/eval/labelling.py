"""`unparrot eval label RUN`: people mark a blind sample, in a spreadsheet or in the terminal."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from unparrot.cli.command import argument, command, option
from unparrot.cli.eval.options import prepared_run
from unparrot.cli.output import rows_of
from unparrot.cli.values import FILE, PLACE, Count
from unparrot.core.errors import BadInput
from unparrot.core.grades import EARNED, MISSED, Mark
from unparrot.core.inputs import opened
from unparrot.core.records import RunFolder, atomic_write
from unparrot.core.skills import SkillPack
from unparrot.core.wording import plural, printable
from unparrot.eval.ask.run import rewrite
from unparrot.eval.people.label_sample import (
    CANNOT_TELL,
    Item,
    Labelling,
    grader_name,
    open_labelling,
)
from unparrot.eval.people.label_sheet import read_sheet, sheet
from unparrot.eval.record.labels import TABLE
from unparrot.eval.record.prepare import Prepared

_HELP: Final = "y yes, n no, ? cannot tell; s skip the text, b back, q stop"
_WORDS: Final = {"yes": "y", "1": "y", "no": "n", "0": "n", "skip": "s", "back": "b", "quit": "q"}
_QUESTIONS: Final = {"topic": "Is the text about the topic?", "sense": "Does the text make sense?"}
_MARKS: Final = {"y": EARNED, "n": MISSED, "?": CANNOT_TELL}
# The options of commands that have people mark.
HOW: Final[dict[str, Any]] = {
    "export_to": option("Write a sheet (CSV) to be filled in.", FILE, "--export"),
    "read_from": option("Read a sheet that was filled in.", FILE, "--read"),
    "by": option("Who marks; what was marked before is left out.", metavar="NAME"),
    "n": option("Texts or windows of the sample.", Count(1), "-n", "--n", default=50),
    "seed": option("Of the sample.", Count(0), default=1),
}


@command()
def label(
    folder: Path = argument(PLACE, metavar="RUN"),
    how: dict[str, Any] = HOW,
) -> None:
    """Have people mark texts of RUN, as one more grader, so that graders can be measured.

    A person sees texts of a random sample in random order: the topic, the skills and what they
    mean, but neither models nor other marks. The same seed gives everyone the same texts, and a
    larger sample contains a smaller one. The length is counted by program and not asked.

    Marks are kept in RUN/labels.parquet and shown by `unparrot graders RUN`.

    Examples:
      unparrot eval label runs/mini --export sheet.csv -n 50
      unparrot eval label runs/mini --read sheet.csv --by ada
      unparrot eval label runs/mini --by ada          in the terminal, text by text
      unparrot graders runs/mini --truth person:ada
    """
    prepared = prepared_run(folder)

    def tables(grader: str) -> None:
        _tables(prepared, grader)

    labelling = open_labelling(folder)
    marking = Marking(labelling, prepared.pack, prepared.private, "unparrot eval label")
    mark_by_people(marking, tables, **how)


@dataclass(frozen=True, slots=True)
class Marking:
    """Texts for people to mark, the pack that says what skills mean, whether it is private, and the
    command that marks them."""

    labelling: Labelling
    pack: SkillPack
    private: bool
    command: str


def mark_by_people(
    marking: Marking,
    marked: Callable[[str], None],
    export_to: Path | None,
    read_from: Path | None,
    by: str | None,
    n: int,
    seed: int,
) -> None:
    """Write a sheet, read one, or ask in the terminal; then ``marked`` is told who marked.

    The others are the values of the options `HOW`.
    """
    if export_to is not None and read_from is not None:
        raise click.UsageError("--export and --read are two steps; give one of them")
    if export_to is None and by is None:
        raise click.UsageError("say who marks: --by NAME")
    grader = None if by is None else grader_name(by)
    labelling = marking.labelling
    if export_to is not None:
        _export(marking, labelling.sample(n, seed, grader), export_to, grader)
    elif grader is not None:
        if read_from is not None:
            _read(labelling, read_from, grader)
        else:
            _ask(marking, labelling.sample(n, seed, grader), grader)
        marked(grader)


def _export(marking: Marking, items: Sequence[Item], path: Path, grader: str | None) -> None:
    if path.exists():
        raise BadInput(f"{path} exists and may hold marks; name another file")
    if not items:
        raise BadInput(f"{grader} has marked all the texts of this sample; give a larger -n")
    folder = marking.labelling.folder
    private = marking.private or RunFolder(folder).private
    atomic_write(path, sheet(items, marking.pack), private=private or None)
    click.echo(
        f"{plural(len(items), 'text')} in {path}. Fill in the columns 'mark ...' with 1 or 0 (? "
        f"if you cannot tell), then: {marking.command} {folder} --read {path} --by NAME"
    )
    if marking.private:
        click.echo("The pack is private and the sheet holds its skills: do not pass it on.")


def _read(labelling: Labelling, path: Path, grader: str) -> None:
    with opened(path) as file:
        filled = read_sheet(file.read(), str(path), labelling.items)
    if not filled.marks:
        raise BadInput(f"{path} has no marks yet; fill in the columns 'mark ...' with 1 or 0")
    labelling.keep(grader, filled.marks)
    click.echo(f"{plural(len(filled.marks), 'text')} read.")
    if filled.blank:
        click.echo(f"Rows without a mark yet: {filled.blank:,}; fill them in and read it again.")


def _ask(marking: Marking, items: Sequence[Item], grader: str) -> None:
    if not items:
        click.echo(f"{grader} has marked all the texts of this sample; for more, give a larger -n.")
        return
    labelling = marking.labelling
    begun = labelling.begun(grader)
    marked = ask(
        items,
        marking.pack,
        lambda i, marks: labelling.keep(grader, {i.text_id: marks}),
        [begun.get(item.text_id, {}) for item in items],
    )
    click.echo(f"\n{plural(marked, 'text')} marked, {len(items) - marked:,} of the sample left.")


def _tables(prepared: Prepared, grader: str) -> None:
    """Put the labels into the tables of the run, unless someone else is about to write them."""
    folder = prepared.folder
    try:
        rewrite(prepared)
    except BadInput as error:
        click.echo(
            f"The marks are kept in {folder / TABLE}.parquet, but not yet in grades.parquet: "
            f"{error}. They are put there when that ends, or by this command."
        )
        return
    click.echo(f"See how graders compare: unparrot graders {folder} --truth {shlex.quote(grader)}")


# --- the form in the terminal -----------------------------------------------------------------


def ask(
    items: Sequence[Item],
    pack: SkillPack,
    keep: Callable[[Item, dict[str, Mark]], None],
    begun: Sequence[Mapping[str, Mark]] | None = None,
) -> int:
    """Ask a person about texts, and have each one kept as soon as it is done.

    Parameters
    ----------
    items
        What to ask about, in this order.
    pack
        Has the definitions.
    keep
        Is called with a text and its marks when all of them are given.
    begun
        Marks of each that were given before; what they lack is asked.

    Returns
    -------
    int
        How many texts were marked until all were, or the person stopped.
    """
    click.echo(f"{plural(len(items), 'text')}. {_HELP}.")
    given = [dict(begun[i]) if begun else dict[str, Mark]() for i in range(len(items))]

    def first(place: int) -> tuple[int, int]:
        """A text and its first question without a mark."""
        criteria = items[place].criteria if place < len(items) else ()
        return place, next((i for i, name in enumerate(criteria) if name not in given[place]), 0)

    kept: set[int] = set()
    path, shown = [first(0)], -1  # the text and its question that were reached, one after another
    try:
        while path[-1][0] < len(items):
            place, number = path[-1]
            item, marks = items[place], given[place]
            if shown != place:
                click.echo(f"\n{'-' * 20} text {place + 1} of {len(items)} {'-' * 20}\n")
                _paragraph(item.text, "    ")
                if "topic" in item.criteria:
                    click.echo(f"\nTopic: {printable(item.combination.topic)}")
                shown = place
            answer = _answer(item, pack, number)
            if answer == "q":
                break
            if answer == "b":
                path = path[:-1] or path
            elif answer == "s":
                path.append(first(place + 1))
            else:
                marks[item.criteria[number]] = _MARKS[answer]
                path.append((place, number + 1))
                if number + 1 == len(item.criteria):
                    keep(item, marks)
                    kept.add(place)
                    path[-1] = first(place + 1)
    except click.Abort:  # Ctrl-C, or the end of what is typed
        click.echo()
    return len(kept)


def _answer(item: Item, pack: SkillPack, number: int) -> str:
    criterion = item.criteria[number]
    count = f"[{number + 1}/{len(item.criteria)}]"
    if number >= item.combination.k:
        question = f"{count} {_QUESTIONS[criterion]}"
    else:
        click.echo(f"\n{count} {printable(criterion)}")
        _paragraph(pack.skill(criterion).definition, "      ")
        question = "      Does the text show it?"
    while True:
        typed = click.prompt(question, prompt_suffix=" (y/n/?) ", default="", show_default=False)
        word = typed.strip().lower()
        answer = _WORDS.get(word, word)
        if answer in ("y", "n", "?", "s", "b", "q"):
            return answer
        click.echo(f"      {_HELP}")


def _paragraph(text: str, indent: str) -> None:
    for line in printable(text).splitlines() or [""]:
        click.echo(indent + f"\n{indent}".join(rows_of(line, len(indent))))
