"""`unparrot eval label RUN`: people mark a blind sample, in a spreadsheet or in the terminal."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unparrot.cli.command import argument, command, option
from unparrot.cli.eval.options import lab_pack
from unparrot.cli.values import PLACE, Count

if TYPE_CHECKING:
    from unparrot.core.grades import Mark
    from unparrot.eval.people.label_sample import Item, Labelling
    from unparrot.eval.record.prepare import Prepared


@command()
def label(
    folder: Path = argument(PLACE, metavar="RUN"),
    export_to: Path | None = option("Write a sheet (CSV) to be filled in.", None, "--export"),
    read_from: Path | None = option("Read a sheet that was filled in.", None, "--read"),
    by: str | None = option("Who marks; texts marked before are left out.", metavar="NAME"),
    n: int = option("Texts of the sample.", Count(1), "-n", "--n", default=50),
    seed: int = option("Of the sample.", Count(0), default=1),
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
    from unparrot.eval.people.label_sample import grader_name, open_labelling
    from unparrot.eval.record.prepare import prepare, stored_spec

    if export_to is not None and read_from is not None:
        raise click.UsageError("--export and --read are two steps; give one of them")
    if export_to is None and by is None:
        raise click.UsageError("say who marks: --by NAME")
    grader = None if by is None else grader_name(by)
    prepared = prepare(stored_spec(folder), folder, lab_pack)
    labelling = open_labelling(folder)
    if export_to is not None:
        _export(prepared, labelling, export_to, grader, n, seed)
    elif grader is not None and read_from is not None:
        _read(prepared, labelling, read_from, grader)
    elif grader is not None:
        _form(prepared, labelling, grader, n, seed)


def _export(
    prepared: Prepared, labelling: Labelling, path: Path, grader: str | None, n: int, seed: int
) -> None:
    from unparrot.core.errors import BadInput
    from unparrot.core.records import RunFolder, atomic_write
    from unparrot.eval.people.label_sheet import sheet

    if path.exists():
        raise BadInput(f"{path} exists and may hold marks; name another file")
    items = labelling.sample(n, seed, grader)
    if not items:
        raise BadInput(f"{grader} has marked all the texts of this sample; give a larger -n")
    private = prepared.private or RunFolder(prepared.folder).private
    atomic_write(path, sheet(items, prepared.pack), private=private or None)
    click.echo(
        f"{_texts(len(items))} in {path}. Fill in the columns 'mark ...' with 1 or 0 (? if you "
        f"cannot tell), then: unparrot eval label {prepared.folder} --read {path} --by NAME"
    )
    if prepared.private:
        click.echo("The pack is private and the sheet holds its skills: do not pass it on.")


def _read(prepared: Prepared, labelling: Labelling, path: Path, grader: str) -> None:
    from unparrot.core.errors import BadInput
    from unparrot.eval.people.label_sheet import read_sheet

    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    filled = read_sheet(content, str(path), labelling.items)
    if not filled.marks:
        raise BadInput(f"{path} has no marks yet; fill in the columns 'mark ...' with 1 or 0")
    labelling.keep(grader, filled.marks)
    click.echo(f"{_texts(len(filled.marks))} {'was' if len(filled.marks) == 1 else 'were'} read.")
    if filled.blank:
        click.echo(f"Rows without a mark yet: {filled.blank:,}; fill them in and read it again.")
    _tables(prepared, grader)


def _form(prepared: Prepared, labelling: Labelling, grader: str, n: int, seed: int) -> None:
    from unparrot.cli.eval.label_form import Form

    items = labelling.sample(n, seed, grader)
    if items:

        def keep(item: Item, marks: dict[str, Mark]) -> None:
            labelling.keep(grader, {item.text_id: marks})

        form = Form(items, prepared.pack, keep)
        form.run()
        left = len(items) - form.saved
        click.echo(f"\n{_texts(form.saved)} marked, {left:,} of the sample left.")
    else:
        click.echo(f"{grader} has marked all the texts of this sample; for more, give a larger -n.")
    _tables(prepared, grader)


def _texts(number: int) -> str:
    return "1 text" if number == 1 else f"{number:,} texts"


def _tables(prepared: Prepared, grader: str) -> None:
    """Put the labels into the tables of the run, unless someone else is about to write them."""
    from unparrot.core.errors import BadInput
    from unparrot.eval.ask.run import rewrite
    from unparrot.eval.record.labels import TABLE

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
