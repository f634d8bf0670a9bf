"""The scripts and the style of what readers play with, as pages take them in."""

from functools import cache
from importlib.resources import files


@cache
def play_script(*names: str) -> str:
    """Return scripts of this folder as one, whose names are its own."""
    own = files("unparrot.report.play")
    content = "".join(own.joinpath(name).read_text("utf-8") for name in names)
    return f'"use strict";\n(() => {{\n{content}}})();\n'


@cache
def play_style() -> str:
    """Return play.css."""
    return files("unparrot.report.play").joinpath("play.css").read_text("utf-8")
