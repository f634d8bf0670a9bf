"""`unparrot view`: look at runs, mark texts and try models in the browser."""

from __future__ import annotations

import threading
import webbrowser
from pathlib import Path

import click

from unparrot.cli.command import argument, command, option
from unparrot.cli.lab.demo import is_watched
from unparrot.cli.values import RUN, Count

PORT = 8470


@command()
def view(
    runs: tuple[Path, ...] = argument(RUN, nargs=-1),
    port: int = option("Of 127.0.0.1; 0 takes any that is free.", Count(0, 65_535), default=PORT),
    no_open: bool = option("Do not open the browser."),
) -> None:
    """Look at the runs below the folders RUNS in the browser: a local app, for this machine alone.

    Runs of the lab, runs of language models and studies, while they go on, too: their pages, every
    text with a search, comparisons and leaderboards. People mark texts blind, as with `unparrot
    eval label`; any model of a lab run writes for any request. Without RUNS, the current folder is
    looked through.

    The app listens on 127.0.0.1 and answers only who has the address that it prints. Ctrl-C ends
    it.

    Example:
      unparrot view runs
    """
    from unparrot.view.server import serve

    def ready(address: str) -> None:
        click.echo(f"{address}\nCtrl-C ends it.")
        if not no_open and is_watched():
            # in a thread: the app has to answer while a browser of the terminal runs
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    serve(runs or (Path(),), port, ready)
