"""The options that commands which call models share: how models are reached, and what they cost."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from unparrot.cli.command import option
from unparrot.cli.values import Count, Number
from unparrot.core.errors import BadInput, did_you_mean
from unparrot.core.skills import SkillPack
from unparrot.eval.ask.run import Access
from unparrot.eval.record.eval_spec import EvalSpec
from unparrot.eval.record.prepare import Prepared, prepare, stored_spec
from unparrot.eval.wire.models import Limits, full_name
from unparrot.eval.wire.prices import parse_price

# Calls of a model at a time, and where they go in batches.
CONNECTIONS: Final = 16
BATCHED: Final = 1000
# Options that `access_of` reads.
ACCESS: Final[Mapping[str, Any]] = {
    "base_url": option("Address of the models' provider, if not its usual one."),
    "grader_base_url": option("Address of the graders' provider."),
    "prices": option(
        "US dollars for a million tokens read and written; may be repeated.",
        *(None, "--price"),
        multiple=True,
        metavar="MODEL=IN,OUT",
    ),
    "max_cost": option(
        "US dollars that the run may cost in all; it stops before it exceeds them.",
        Number(0),
    ),
    "limit_connections": option(
        "Most calls of a model at a time; fewer after it says that it is too many.  [default: 16; "
        "128 of the lab's, 1000 in batches]",
        Count(1),
    ),
    "timeout": option("Seconds that one attempt may take.", Number(1), default=120.0),
    "batch": option(
        "Send calls to the provider's batch service, for less money and more time: hours, and a "
        "batch that is under way when the run is stopped is paid for and lost.",
        is_flag=True,
    ),
    "retries": option(
        "How often a call that fails for a passing reason is tried again.", Count(0), default=6
    ),
    "arguments": option(
        "More for the models' provider, for example device=cpu; may be repeated.",
        *(None, "--model-arg"),
        multiple=True,
        metavar="NAME=VALUE",
    ),
    "grader_arguments": option(
        "More for the graders' provider; may be repeated.",
        *(None, "--grader-arg"),
        multiple=True,
        metavar="NAME=VALUE",
    ),
    "moved": option("Addresses have changed since, the models behind them have not.", is_flag=True),
}


def access_of(values: Mapping[str, Any], spec: EvalSpec, connections: int = CONNECTIONS) -> Access:
    """Return how models are reached.

    Parameters
    ----------
    values
        Of the options `ACCESS`.
    spec
        Of the whole run: the models that may have a price.
    connections
        Calls of a model at a time that are usual.

    Raises
    ------
    BadInput
        If a price is none, or that of a model which the run does not have; or an address is none.
    click.BadParameter
        If an argument is not NAME=VALUE.
    """
    prices = {full_name(model): price for model, price in map(parse_price, values["prices"])}
    known = (*spec.models, *spec.markers)
    if strange := next((name for name in prices if name not in known), None):
        raise BadInput(
            f"--price names {strange!r}, which is no model of this run"
            f"{did_you_mean(strange, known)}; it has {', '.join(known)}"
        )
    usual = BATCHED if values["batch"] else connections
    most = values["limit_connections"] or usual
    return Access(
        Limits(most, values["timeout"], values["retries"], values["batch"]),
        values["base_url"],
        values["grader_base_url"],
        prices,
        values["max_cost"],
        dict(map(_argument, values["arguments"])),
        dict(map(_argument, values["grader_arguments"])),
        values["moved"],
    )


def _argument(text: str) -> tuple[str, object]:
    import yaml

    name, equals, value = text.partition("=")
    if not name or not equals:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--model-arg")
    try:
        return name, yaml.safe_load(value)
    except yaml.YAMLError:
        return name, value


def prepared_run(folder: Path) -> Prepared:
    """Return the run in the folder, as it was asked."""
    return prepare(stored_spec(folder), folder, lab_pack)


def lab_pack(name: str) -> SkillPack | None:
    """Return the pack of one of the lab's worlds, None if no world has the name."""
    if not name.startswith("world"):
        return None
    from unparrot.lab.world.english import world_pack

    return world_pack(name)
