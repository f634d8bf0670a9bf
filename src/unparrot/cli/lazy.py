"""A click group that imports a command only when that command is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

import click


class LazyCommand(NamedTuple):
    """Where a command lives, as ``'module:attribute'``, and its line in the group's help."""

    target: str
    help: str


class LazyGroup(click.Group):
    """A group whose commands are named by a map and imported on use.

    The group's own help prints the lines of the map, so it needs none of the commands' imports.

    Parameters
    ----------
    name, help
        As for `click.Group`.
    lazy
        Name of each command and where it lives, in the order of the help.
    """

    def __init__(self, name: str, lazy: Mapping[str, LazyCommand], help: str) -> None:  # noqa: A002
        super().__init__(name=name, help=help)
        self._lazy = dict(lazy)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order of the map."""
        del ctx
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command of this name; None if the map has none.

        Raises
        ------
        TypeError
            If the map's target is not a click command.
        """
        del ctx
        entry = self._lazy.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        command: object = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.target} is {command!r}, not a click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands and their lines of help, importing none of them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self._lazy.items()])
