"""How the command line names one model of a run: ``RUN`` or ``RUN:MODEL``."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import click


class RunModel(NamedTuple):
    """A run's folder and the name of one of its models, or None if none was named."""

    run: Path
    model: str | None


class RunModelType(click.ParamType[RunModel]):
    """``RUN`` or ``RUN:MODEL``; the folder must exist."""

    name = "run[:model]"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> RunModel:
        """Return the folder and the model; fail with the text that was given if there is none."""
        if isinstance(value, RunModel):
            return value
        text = str(value)
        # names such as provider/name:tag have colons too: the first that ends a folder counts
        ends = [len(text), *(i for i, letter in enumerate(text) if letter == ":")]
        end = next((i for i in ends if Path(text[:i]).is_dir()), None)
        if end is None or text[end:] == ":":
            self.fail(f"{text!r} is not the folder of a run, nor RUN:MODEL with one", param, ctx)
        return RunModel(Path(text[:end]), text[end + 1 :] or None)
