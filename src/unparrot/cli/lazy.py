"""A click group that imports a command only when that command is asked for."""

from collections.abc import Mapping
from importlib import import_module

import click


class LazyGroup(click.Group):
    """A group whose commands are named by a map and imported on use.

    The group's own help prints the lines of the map, so it needs none of the commands' imports.

    Parameters
    ----------
    name, help
        As for `click.Group`.
    home
        The package that its commands live in.
    lazy
        Of each command by its name, in the order of the help: the module below the home that it
        lives in (``'module:attribute'``, where it has another name there), and its line in the
        group's help.
    """

    def __init__(
        self,
        name: str,
        home: str,
        lazy: Mapping[str, tuple[str, str]],
        help: str,  # noqa: A002
    ) -> None:
        super().__init__(name=name, help=help)
        self._home, self._lazy = home, lazy

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
        if cmd_name not in self._lazy:
            return None
        target, _ = self._lazy[cmd_name]
        module, _, attribute = target.partition(":")
        command: object = getattr(import_module(f"{self._home}.{module}"), attribute or cmd_name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{target} is {command!r}, not a click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands and their lines of help, importing none of them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self._lazy.items()])
