"""`unparrot packs`: list, show and check packs of skills and topics, and draw from them."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from unparrot.packs.parsing import Finding

BAD_INPUT = 2

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


@click.group(
    epilog="""\b
Example:
  unparrot packs check my.pack.yaml
"""
)
def packs() -> None:
    """Look into the packs of skills and topics that models are tested with, and check your own."""


@packs.command(
    "list",
    epilog="""\b
Example:
  unparrot packs list --json
""",
)
@json_option
def list_command(as_json: bool) -> None:
    """List the packs that come with unparrot. With --json, each line is an object."""
    from unparrot.packs.reading import load_pack, public_part, shipped_packs

    rows = [public_part(load_pack(name), private=False) for name in shipped_packs()]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
        return
    heads = ("name", "version", "skills", "categories", "topics", "digest")
    _print_table(
        heads, [[*(str(row[head]) for head in heads[:-1]), str(row["digest"])[:12]] for row in rows]
    )


@packs.command(
    epilog="""\b
Example:
  unparrot packs show language.en
"""
)
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Print the skills and the topics of a pack.

    A skill has a name, a category, a definition and, after the sign >, an example text. NAME is
    one of `unparrot packs list`, or the path of a pack file.
    """
    from unparrot.packs.reading import load_pack

    pack = load_pack(name)
    if as_json:
        click.echo(json.dumps(pack.as_dict()))
        return
    sizes = Counter(skill.category for skill in pack.skills)
    for category, size in sizes.items():
        click.echo(f"{category.upper()} ({size})\n")
        for skill in pack.skills:
            if skill.category == category:
                click.echo(skill.name)
                _print_wrapped(skill.definition, "    ")
                _print_wrapped(skill.example, "  > ")
                click.echo()
    click.echo(f"TOPICS ({len(pack.topics)})\n")
    _print_wrapped(", ".join(pack.topic_names), "    ")
    click.echo(f"\n{pack.name}, version {pack.version}: {len(pack.skills)} skills", nl=False)
    click.echo(f" in {len(sizes)} categories, {len(pack.topics)} topics; digest {pack.digest}")


@packs.command(
    epilog="""\b
Example:
  unparrot packs check my.pack.yaml --json
"""
)
@click.argument("file")
@json_option
@click.pass_context
def check(ctx: click.Context, file: str, as_json: bool) -> None:
    """Look for every fault of a pack file. The exit code is 0 without errors, else 2.

    Errors make a pack unusable: missing, empty and unknown fields, names given twice, a skill
    named like a criterion, an example that names a skill. Warnings (names within names,
    near-duplicates, texts of unusual length) are for you to judge.
    """
    from unparrot.packs.checking import check_pack
    from unparrot.packs.reading import public_part, read_bytes

    report = check_pack(read_bytes(file))
    if as_json:
        sizes = {} if report.pack is None else public_part(report.pack, private=False)
        content = {
            "file": file,
            "ok": not report.errors,
            **sizes,
            "errors": _plain(report.errors),
            "warnings": _plain(report.warnings),
        }
        click.echo(json.dumps(content))
    else:
        for what, findings in (("error", report.errors), ("warning", report.warnings)):
            for finding in findings:
                place = file if finding.line is None else f"{file}:{finding.line}"
                click.echo(f"{place}: {what}: {finding.message}")
        counts = f"{_count(report.errors, 'error')}, {_count(report.warnings, 'warning')}"
        if report.pack is None:
            click.echo(f"{file} cannot be used: {counts}")
        else:
            pack = report.pack
            click.echo(
                f"{file} can be used: {pack.name}, version {pack.version}, "
                f"{len(pack.skills)} skills, {len(pack.topics)} topics; {counts}"
            )
    if report.errors:
        ctx.exit(BAD_INPUT)


@packs.command(
    epilog="""\b
Example:
  unparrot packs draw language.en -k 3 -n 5 --seed 10 --json
"""
)
@click.argument("name")
@click.option("-k", type=click.IntRange(min=1), default=3, show_default=True, help="Skills each.")
@click.option(
    "-n", type=click.IntRange(min=0), default=5, show_default=True, help="Number of combinations."
)
@click.option("--seed", type=click.IntRange(min=0), default=10, show_default=True)
@json_option
def draw(name: str, k: int, n: int, seed: int, as_json: bool) -> None:
    """Draw combinations of skills and a topic.

    A run with this seed asks every model for these. NAME is one of `unparrot packs list`, or the
    path of a pack file. All combinations are different, each is as likely as any other, and more
    of them (-n) begin with those of fewer. With --json each line is an
    object {"id", "topic", "skills"}.
    """
    from unparrot.packs.drawing import draw_combinations
    from unparrot.packs.reading import load_pack

    for c in draw_combinations(load_pack(name), k, n, seed):
        if as_json:
            click.echo(json.dumps({"id": c.id, "topic": c.topic, "skills": list(c.skills)}))
        else:
            click.echo(f"{c.topic}: {', '.join(c.skills)}")


def _plain(findings: Iterable[Finding]) -> list[dict[str, int | str | None]]:
    return [{"line": finding.line, "message": finding.message} for finding in findings]


def _count(findings: Sequence[Finding], what: str) -> str:
    return f"{len(findings)} {what}{'' if len(findings) == 1 else 's'}"


def _print_wrapped(text: str, sign: str) -> None:
    width = min(shutil.get_terminal_size().columns, 100)
    click.echo(textwrap.fill(text, width, initial_indent=sign, subsequent_indent="    "))


def _print_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*heads)
    for row in rows:
        table.add_row(*row)
    console = Console(markup=False, emoji=False, highlight=False)
    with console.capture() as printed:
        console.print(table)
    click.echo(printed.get(), nl=False)
