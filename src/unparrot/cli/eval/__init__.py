"""`unparrot eval`: SKILL-MIX for any model; each command is imported when used. In reading order:

options - the options of commands that call models: how to reach them, and what they cost
running - run and grade: ask models, have their texts marked, write the page
display - progress while models are called
watching - status: how far a run is
labelling - label: people mark a blind sample, in a sheet or in the terminal
exporting - export: a run as logs for Inspect
importing - import: published records as a run
"""

from __future__ import annotations

import click

from unparrot.cli.lazy import LazyGroup

EVAL_COMMANDS = {
    "run": ("running", "Test models: ask, grade, work out, write the page."),
    "grade": ("running", "Have the texts of a run marked by another grader."),
    "status": ("watching", "Say how far a run is, also while it goes on."),
    "label": ("labelling", "Have people mark a blind sample of a run's texts."),
    "export": ("exporting", "Write a run as a log that Inspect opens."),
    "import": ("importing:import_command", "Read published SKILL-MIX records as a run."),
}


class _EvalGroup(LazyGroup):
    """Takes the name of a model, ``provider/model`` or ``lab:PATH``, for ``run`` with it."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command and its arguments."""
        if args[0] not in EVAL_COMMANDS and ("/" in args[0] or args[0].startswith("lab:")):
            args = ["run", *args]
        return super().resolve_command(ctx, args)


eval_group = _EvalGroup(
    "eval",
    "unparrot.cli.eval",
    EVAL_COMMANDS,
    help="""Does a model combine skills? SKILL-MIX for any model, graded by any other.

\b
Examples:
  unparrot eval openai/gpt-4o-mini --grader openai/gpt-4o -k 2..5 --dry-run
  unparrot eval run openai/gpt-4o-mini --grader openai/gpt-4o -k 2..5 --out runs/mini
  unparrot eval grade runs/mini --grader anthropic/claude-sonnet-4-5
""",
)
