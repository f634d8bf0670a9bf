"""Commands declared by a signature: the default of each parameter says what its option is.

    @command(plots=True)
    def plan(
        baseline: float = option("Share of full marks of the first model.", required=True),
        rounds: tuple[int, ...] = option("Texts for a combination.", Span(1), default="1..5"),
    ) -> Answer:
        '''Work out the size of a comparison.

        Example:
          unparrot plan --baseline 0.3
        '''

A parameter's annotation gives the type of its option (a flag, a choice, a file, several values),
its name the name of the option. A parameter whose default is a mapping of options gets a
mapping of their values, so that commands can share them; their types follow from their defaults.
The part of the docstring from 'Example' on is printed below the options. A command that returns an
`Answer` has ``--json``, and with ``plots`` also ``--plot``.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin

import click
from click.core import ParameterSource

from unparrot.cli.output import Answer
from unparrot.cli.values import DRAWING, FILE, NUMBER, Count

_Function = Callable[..., Answer | None]


@dataclass(frozen=True, slots=True)
class _Declared:
    """An option or an argument, as the signature of a command declares it."""

    kind: click.ParamType[Any] | None
    names: tuple[str, ...]
    settings: dict[str, Any]
    make: type[click.Option] | type[click.Argument]


def option(
    text: str = "", kind: click.ParamType[Any] | None = None, *names: str, **settings: Any
) -> Any:
    """Declare a parameter to be an option.

    Parameters
    ----------
    text
        Its line of help.
    kind
        Its type, where the annotation does not say it.
    names
        Its names, if they are not ``--`` and the name of the parameter.
    settings
        Others of `click.Option`; a default is shown unless it is None.
    """
    shown = settings.get("default") is not None
    return _Declared(kind, names, {"help": text, "show_default": shown, **settings}, click.Option)


def argument(kind: click.ParamType[Any] | None = None, **settings: Any) -> Any:
    """Declare a parameter to be an argument; ``settings`` are those of `click.Argument`."""
    return _Declared(kind, (), settings, click.Argument)


# The flag of commands that print JSON themselves, line by line.
JSON = option("Print JSON, for programs.", None, "--json")


def command(
    name: str | None = None, *, group: click.Group | None = None, plots: bool = False
) -> Callable[[_Function], click.Command]:
    """Make a click command of a function whose parameters are options and arguments.

    Parameters
    ----------
    name
        Of the command; that of the function if None.
    group
        Where the command is added.
    plots
        Whether the answer can be drawn with ``--plot FILE``.
    """

    def declare(function: _Function) -> click.Command:
        types = inspect.get_annotations(function, eval_str=True)
        params: list[click.Parameter] = []
        groups: dict[str, Mapping[str, Any]] = {}
        for name_, parameter in inspect.signature(function).parameters.items():
            declared: Any = parameter.default
            if isinstance(declared, _Declared):
                params.append(_parameter(declared, name_, types[name_]))
            elif isinstance(declared, Mapping):
                groups[name_] = cast(Mapping[str, Any], declared)
                params += [_parameter(each, key, None) for key, each in groups[name_].items()]
        answers = types["return"] is not None
        if answers and plots:
            params.append(_parameter(_PLOT, "plot", Path))
        if answers:
            params.append(_parameter(JSON, "as_json", bool))

        def call(*, as_json: bool = False, plot: Path | None = None, **values: Any) -> None:
            for group_name, declared in groups.items():
                values[group_name] = {key: values.pop(key) for key in declared}
            answer = function(**values)
            if answer is not None:
                answer.show(as_json, plot)

        text, heading, examples = inspect.cleandoc(function.__doc__ or "").partition("\nExample")
        made = click.Command(
            name or function.__name__,
            callback=call if answers or groups else function,
            params=params,
            help=text,
            epilog=f"\b\nExample{examples}" if heading else None,
        )
        if group is not None:
            group.add_command(made)
        return made

    return declare


def was_given(name: str) -> bool:
    """Return whether the user gave a parameter of the command that runs."""
    source = click.get_current_context().get_parameter_source(name)
    return source is not ParameterSource.DEFAULT


_PLOT = option("Draw the figures into this file (.svg, .png or .pdf).", DRAWING)


def _parameter(declared: _Declared, name: str, annotation: Any) -> click.Parameter:
    kind = _kind(annotation) if declared.kind is None else {"type": declared.kind}
    settings: dict[str, Any] = {**kind, **declared.settings}
    if declared.make is click.Argument:
        return click.Argument([name], **settings)
    names = declared.names or (f"--{name.replace('_', '-')}",)
    return click.Option([*names, name], **settings)


def _kind(annotation: Any) -> dict[str, Any]:
    """The settings of click that an annotation stands for."""
    if annotation is None:
        return {}
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return _kind(next(part for part in inside if part is not NoneType))
    if origin is Literal:
        return {"type": click.Choice(inside)}
    if origin is tuple:
        return {**_kind(inside[0]), "multiple": True}
    if annotation is bool:
        return {"is_flag": True}
    return {"type": {Path: FILE, float: NUMBER, int: Count()}.get(annotation, annotation)}
