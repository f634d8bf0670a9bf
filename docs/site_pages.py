"""Pages of the documentation site that are made from the package: commands, API, home, examples.

A hook of MkDocs (``hooks:`` in ``mkdocs.yml``), so that nothing is written twice: the command
reference comes from the click commands, the API reference from the packages and their docstrings,
the home page, the rules for contributors and the list of changes from the files at the root, and
the pictures of the theory and the models that write from the pages of runs.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from site_models import SiteModels, asking, read_models, run_words

import unparrot
from unparrot.cli.main import cli
from unparrot.core.errors import BadInput
from unparrot.report.html.layout import asset
from unparrot.report.play.ask import ask_script
from unparrot.report.play.scripts import play_style
from unparrot.report.play.touch import benches, touch_script
from unparrot.report.theme import Theme

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "unparrot"
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PACKAGES = ("core", "stats", "theory", "lab", "packs", "eval", "analysis", "report")
"""Packages of the API reference, in reading order; cli has the command reference instead."""

pages: dict[str, str] = {}
"""Every page made here, and the scripts and the style of some, by their addresses below docs/."""


@cache
def models() -> SiteModels:
    """Return the models that write on the site; a fault of their file ends the build."""
    try:
        return read_models()
    except BadInput as error:
        raise PluginError(str(error)) from error


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Make the pages and put them into the navigation."""
    root_files = {
        "README.md": "index.md",
        "README.ko.md": "korean.md",
        "CONTRIBUTING.md": "contributing.md",
        "CHANGELOG.md": "changelog.md",
    }
    for name, page in root_files.items():
        pages[page] = from_root((ROOT / name).read_text("utf-8"))
    pages["examples.md"] = examples_page()
    pages["play/touch.js"] = touch_script()
    pages["play/ask.js"] = f"{asset('address.js')}\n{ask_script()}"
    pages["play/play.css"] = play_colours() + play_style()
    commands = dict(command_pages())
    api = dict(api_pages())
    pages.update(commands | api)
    sections = {"Commands": list(commands), "Python": list(api)}
    for entry in config.nav or []:
        for title, names in sections.items():
            if isinstance(entry, dict) and title in entry:
                entry[title] = names
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Hand the pages to MkDocs as if they stood in docs/."""
    for name, content in pages.items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Lead example programs and the names of modules to the pages that show them; put in the
    pictures of the theory and what the run of the models came to."""
    markdown = markdown.replace("<!-- run -->", run_words(models()))
    pictures = iter(benches(level=3))
    markdown = re.sub("<!-- picture -->", lambda _: next(pictures), markdown)
    markdown = re.sub(r"\]\((?:\.\./)?examples/(\w+)\.py\)", r"](examples.md#\1)", markdown)
    return re.sub(r"(?<!\[)`(unparrot(?:\.\w+)+)`", r"[`\1`][\1]", markdown)


def on_page_content(html: str, **_: object) -> str:
    """Put in the models, a megabyte that Markdown need not read."""
    return html.replace("<!-- models -->", asking(models())) if "<!-- models -->" in html else html


def from_root(text: str) -> str:
    """Return a file of the project's root with its links as they are seen from docs/."""
    text = text.replace("](docs/", "](").replace("](README.ko.md", "](korean.md")
    text = text.replace("](README.md", "](index.md").replace("](CHANGELOG.md", "](changelog.md")
    return text.replace("](CONTRIBUTING.md", "](contributing.md")


def play_colours() -> str:
    """Return the colours of pages of runs, by the site's scheme."""
    theme = Theme.of(len(models().pocket.models), 1)

    def colours(roles: Mapping[str, str]) -> str:
        return ";".join(f"--{role}:{colour}" for role, colour in roles.items())

    dark = f'[data-md-color-scheme="slate"] .play{{{colours(theme.dark)}}}'
    return f".play{{{colours(theme.light)}}}{dark}\n"


def examples_page() -> str:
    """Return the page of the programs in examples/, each under its docstring."""
    parts = ["# Example programs\n\nEach runs as it stands: `python examples/NAME.py`.\n"]
    for path in EXAMPLES:
        _, docstring, program = path.read_text("utf-8").split('"""', 2)
        title, _, rest = docstring.partition("\n")
        title = title.rstrip(".")
        parts.append(f"## {title} {{#{path.stem}}}\n\n{rest.strip()}\n")
        parts.append(f'```python title="examples/{path.name}"\n{program.strip()}\n```\n')
    return "\n".join(parts)


def command_pages() -> Iterator[tuple[str, str]]:
    """Yield the address and the text of the overview and of each top-level command's page."""
    root = click.Context(cli, info_name="unparrot")
    names = cli.list_commands(root)
    overview = ["# Commands\n", help_text(cli), "| Command | What it does |\n|---|---|"]
    subpages: dict[str, str] = {}
    for name in names:
        command = cli.get_command(root, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=root)
        subpages[f"commands/{name}.md"] = "\n".join(command_sections(command, context, level=1))
        for path, short in command_lines(command, context):
            anchor = path.replace(" ", "-")
            overview.append(f"| [`{path}`]({name}.md#{anchor}) | {escaped(short)} |")
    yield "commands/index.md", "\n".join(overview[:2]) + "\n\n" + "\n".join(overview[2:]) + "\n"
    yield from subpages.items()


def subcommands(
    command: click.Command, context: click.Context
) -> Iterator[tuple[click.Command, click.Context]]:
    """Yield the commands of a group, with their contexts, in the order of its help."""
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            subcommand = command.get_command(context, name)
            assert subcommand is not None
            yield subcommand, click.Context(subcommand, info_name=name, parent=context)


def command_lines(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    """Yield the full name and the first paragraph of help of a command and of all below it."""
    first = inspect.cleandoc(command.help or "").partition("\n\n")[0]
    yield context.command_path, " ".join(first.split())
    for subcommand, below in subcommands(command, context):
        yield from command_lines(subcommand, below)


def command_sections(command: click.Command, context: click.Context, level: int) -> Iterator[str]:
    """Yield a command's section: usage, help, arguments and options; then those below it."""
    path = context.command_path
    yield f"{'#' * level} `{path}` {{#{path.replace(' ', '-')}}}\n"
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    yield f"```text\n{usage}\n```\n"
    yield help_text(command) + "\n"
    for param in command.get_params(context):
        record = param.get_help_record(context)
        bare = isinstance(param, click.Argument) and record and not record[1]
        if record and "--help" not in param.opts and not bare:
            names, meaning = record
            # click ends the help of an option with its default and its range in brackets
            meaning = re.sub(r"\s*\[([^\[\]]+)\]$", r" {\1}", meaning)
            meaning = re.sub(r"\\{(.+)\\}$", r"*\1*", escaped(meaning).strip())
            yield f"`{names}`\n:   {meaning}\n"
    if command.epilog:
        yield paragraphs(command.epilog) + "\n"
    for subcommand, below in subcommands(command, context):
        yield from command_sections(subcommand, below, level + 1)


def help_text(command: click.Command) -> str:
    """Return the help of a command as Markdown."""
    return paragraphs(inspect.cleandoc(command.help or ""))


def paragraphs(text: str) -> str:
    r"""Return click's help as Markdown: paragraphs after ``\b`` keep their lines, as code."""
    blocks: list[str] = []
    for block in re.split(r"\n\s*\n", text.partition("\f")[0].strip()):
        if not block.startswith("\b"):
            blocks.append(escaped(block))
            continue
        lines = block.removeprefix("\b").strip("\n").splitlines()
        if lines and lines[0].rstrip().endswith(":"):
            blocks.append(escaped(lines.pop(0).strip()))
        code = inspect.cleandoc("\n".join(["", *lines]))
        blocks.append(f"```text\n{code}\n```")
    return "\n\n".join(blocks)


def escaped(text: str) -> str:
    """Return plain text with what Markdown would take for its own made literal, but for code."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(
        part if part.startswith("`") else re.sub(r"([\\*_<>|\[\]#{}])", r"\\\1", part)
        for part in parts
    )


def api_pages() -> Iterator[tuple[str, str]]:
    """Yield the address and text of the page of public names and of one page for each folder."""
    parts = [
        "# Public names\n",
        "`from unparrot import ...` gives these; each is imported when it is first used.\n",
    ]
    for name in unparrot.__all__:
        if not name.startswith("__"):
            parts.append(f"::: unparrot.{name}\n")
    yield "api/index.md", "\n".join(parts)
    for package in PACKAGES:
        for folder in sorted({path.parent for path in (SOURCE / package).rglob("*.py")}):
            dotted = ".".join(folder.relative_to(SOURCE.parent).parts)
            short = dotted.removeprefix("unparrot.")
            docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8")))
            text, order = map_of_folder(docstring or "", folder, dotted)
            modules = {path.stem for path in folder.glob("*.py")} - {"__init__", *order}
            sections = [f"::: {dotted}.{module}\n" for module in [*order, *sorted(modules)]]
            yield (
                f"api/{short}.md",
                "\n".join([f"# {short} {{#{dotted}}}\n", text + "\n", *sections]),
            )


def map_of_folder(docstring: str, folder: Path, dotted: str) -> tuple[str, list[str]]:
    """Return the docstring of a package as Markdown, and its modules in reading order.

    A line ``name - what is in it`` becomes an entry of a list that leads to the module's section,
    or to the page of the folder of that name.
    """
    lines: list[str] = []
    order: list[str] = []
    for line in docstring.splitlines():
        entry = re.fullmatch(r"\s*(\w+)/?\s+-\s+(.*)", line)
        if entry is None:
            lines.append(line)
            continue
        name, meaning = entry.groups()
        is_folder = (folder / name / "__init__.py").exists()
        if (folder / f"{name}.py").exists():
            order.append(name)
        short = f"{dotted}.{name}".removeprefix("unparrot.")
        target = f"{short}.md" if is_folder else f"#{dotted}.{name}"
        if lines and lines[-1].strip() and not lines[-1].startswith("- "):
            lines.append("")
        lines.append(f"- [`{name}`]({target}): {meaning}")
    return "\n".join(lines), order
