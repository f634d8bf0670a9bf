"""The options that choose where work runs: this machine, or a Ray cluster (`unparrot[cluster]`)."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import click

from unparrot.cli.command import option
from unparrot.core.cluster.ray_cluster import Cluster, joined
from unparrot.core.errors import BadInput

ENGINE = {
    "engine": option(
        "Where it runs: this machine, or a Ray cluster that this machine is a node of.",
        click.Choice(("local", "ray")),
        default="local",
    ),
    "address": option(
        "Of the head of the Ray cluster.  [default: $RAY_ADDRESS]",
        click.STRING,
        metavar="HOST:PORT",
    ),
}


@contextmanager
def chosen_cluster(chosen: dict[str, Any]) -> Generator[Cluster | None]:
    """Join the cluster that the values of `ENGINE` name; None for this machine.

    Raises
    ------
    BadInput
        If an address is missing, or given for this machine.
    """
    address: str | None = chosen["address"]
    if chosen["engine"] == "local":
        if address is not None:
            raise BadInput(f"--address {address} is that of a Ray cluster; add --engine ray")
        yield None
        return
    address = address or os.environ.get("RAY_ADDRESS")
    if not address:
        raise BadInput(
            "--engine ray needs --address HOST:PORT (or RAY_ADDRESS): "
            "`ray start --head` prints it when it starts a cluster"
        )
    with joined(address) as cluster:
        yield cluster
