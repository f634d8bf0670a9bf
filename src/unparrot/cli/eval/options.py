"""The options that commands which call models share: how models are reached, and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from unparrot.cli.values import Count

if TYPE_CHECKING:
    from unparrot.core.skills import SkillPack

_R = TypeVar("_R")

_OPTIONS: Final = (
    click.option("--base-url", help="Address of the models' provider, if not its usual one."),
    click.option("--grader-base-url", help="Address of the graders' provider."),
    click.option(
        "--price",
        "prices",
        multiple=True,
        metavar="MODEL=IN,OUT",
        help="US dollars for a million tokens read and written; may be repeated.",
    ),
    click.option(
        "--max-cost",
        type=click.FloatRange(min=0),
        help="US dollars that the run may cost in all; it stops before it exceeds them.",
    ),
    click.option(
        "--limit-connections",
        type=Count(1),
        default=16,
        show_default=True,
        help="Most calls of a model at a time; fewer after it says that it is too many.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=1),
        default=120.0,
        show_default=True,
        help="Seconds that one attempt may take.",
    ),
    click.option(
        "--retries",
        type=Count(0),
        default=6,
        show_default=True,
        help="How often a call that fails for a passing reason is tried again.",
    ),
    click.option(
        "--model-arg",
        "arguments",
        multiple=True,
        metavar="NAME=VALUE",
        help="More for the models' provider, for example device=cpu; may be repeated.",
    ),
)


def access_options(command: Callable[..., _R]) -> Callable[..., _R]:
    """Add the options; the command gets them as one argument, ``access``."""

    @wraps(command)
    def wrapped(
        *args: Any,
        base_url: str | None,
        grader_base_url: str | None,
        prices: tuple[str, ...],
        max_cost: float | None,
        limit_connections: int,
        timeout: float,
        retries: int,
        arguments: tuple[str, ...],
        **kwargs: Any,
    ) -> _R:
        from unparrot.eval.ask.run import Access
        from unparrot.eval.wire.models import Limits, full_name
        from unparrot.eval.wire.prices import parse_price

        if max_cost is not None and isnan(max_cost):
            raise click.BadParameter("nan is no limit", param_hint="--max-cost")
        if not isfinite(timeout):
            raise click.BadParameter(f"{timeout} is no time", param_hint="--timeout")
        access = Access(
            limits=Limits(limit_connections, timeout, retries),
            base_url=base_url,
            grader_base_url=grader_base_url,
            prices={full_name(model): price for model, price in map(parse_price, prices)},
            max_cost=max_cost,
            arguments=dict(map(_argument, arguments)),
        )
        return command(*args, access=access, **kwargs)

    decorated: Callable[..., _R] = wrapped
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def _argument(text: str) -> tuple[str, object]:
    import yaml

    name, equals, value = text.partition("=")
    if not name or not equals:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--model-arg")
    try:
        return name, yaml.safe_load(value)
    except yaml.YAMLError:
        return name, value


def lab_pack(name: str) -> SkillPack | None:
    """Return the pack of one of the lab's worlds, None if no world has the name."""
    if not name.startswith("world"):
        return None
    from unparrot.lab.world.english import world_pack

    return world_pack(name)
