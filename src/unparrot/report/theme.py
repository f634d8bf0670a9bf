"""Colours of the page, by role, for light and dark.

A figure is drawn in the light colours. No two roles share one, so that the page can write the CSS
variable of the role in its place, which follows light and dark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# role -> (light, dark). What is written in a colour stands out from paper and panel by a ratio of
# 4.5 at least (WCAG 2.2, 1.4.3).
FIXED: Mapping[str, tuple[str, str]] = {
    "paper": ("#fdfcf9", "#15171c"),
    "panel": ("#f5f3ec", "#1d2027"),
    "ink": ("#1f2328", "#e7e6e1"),
    "soft": ("#5b6068", "#a5a9b1"),
    "rule": ("#dcd8cd", "#343842"),
    "grid": ("#e9e6dc", "#292d35"),
    "band": ("#efebdf", "#22262e"),
    "parrot": ("#666a72", "#8f939b"),
    "accent": ("#1d6f8a", "#6cc3de"),
    "heat": ("#1d6f8a", "#348299"),
    "good": ("#1f7a4d", "#6fcf9b"),
    "bad": ("#b3402a", "#f08b73"),
    "floor": ("#a3362b", "#ff9b86"),
}
# Small to large. Luminance runs away from the paper, so that the order survives in grey and for
# every kind of colour vision.
MODEL_RAMP = (
    ("#8f6006", "#a8432a", "#8e2f6b", "#2d2a7c"),
    ("#b3893f", "#e0785d", "#e293cb", "#b9c3ff"),
)
# Dashes of a line, in its widths: drawn and left out by turns.
DASHES: Mapping[str, tuple[float, ...]] = {
    "dashes": (5, 2.5),
    "dotted": (1.5, 2),
    "dash-dot": (7, 2, 1.5, 2),
}
# k = 1 to the largest k.
K_RAMP = (
    ("#0b4f4a", "#0f6f65", "#47721a", "#7d6103"),
    ("#d8fff4", "#63d0bd", "#9cc45c", "#b08e2c"),
)


def _ramp(stops: tuple[str, ...], n: int) -> list[str]:
    """Colours evenly spaced along the stops; of one, the last."""
    colours = [bytes.fromhex(stop[1:]) for stop in stops]
    ramp: list[str] = []
    for i in range(n):
        place = (len(stops) - 1) * (i / (n - 1) if n > 1 else 1.0)
        left = min(int(place), len(stops) - 2)
        ends = zip(colours[left], colours[left + 1], strict=True)
        ramp.append("#" + bytes(round(a + (b - a) * (place - left)) for a, b in ends).hex())
    return ramp


def _apart(colours: Mapping[str, str]) -> dict[str, str]:
    """Move colours in blue, by steps that nobody sees, until each stands for one role.

    Black and white are left to the drawing library, whose own they are.
    """
    taken = {"#000000", "#ffffff"}
    apart: dict[str, str] = {}
    for role, colour in colours.items():
        value = int(colour[1:], 16)
        step = -1 if value & 0xFF > 0x7F else 1
        while (moved := f"#{value:06x}") in taken:
            value += step
        taken.add(moved)
        apart[role] = moved
    return apart


@dataclass(frozen=True, slots=True)
class Theme:
    """The roles of one page and their colours.

    Parameters
    ----------
    light, dark
        Role to colour (``#rrggbb``), the same roles in both. A light colour stands for one role.
    """

    light: Mapping[str, str]
    dark: Mapping[str, str]

    @classmethod
    def of(cls, transformers: int, ks: int) -> Theme:
        """Make the theme of a page with so many transformers and so many values of k."""
        light = {role: pair[0] for role, pair in FIXED.items()}
        dark = {role: pair[1] for role, pair in FIXED.items()}
        for prefix, ramp, n in (("m", MODEL_RAMP, transformers), ("k", K_RAMP, ks)):
            light |= {f"{prefix}{i}": colour for i, colour in enumerate(_ramp(ramp[0], n))}
            dark |= {f"{prefix}{i}": colour for i, colour in enumerate(_ramp(ramp[1], n))}
        return cls(_apart(light), dark)

    def as_variables(self, svg: str) -> str:
        """Replace every light colour by the CSS variable of its role."""
        roles = {colour: f"var(--{role})" for role, colour in self.light.items()}
        return re.sub(r"#[0-9a-f]{6}\b", lambda colour: roles.get(colour[0], colour[0]), svg)

    def css(self) -> str:
        """Return the style rules that define the variables, light first, dark on request."""
        light = ";".join(f"--{role}:{colour}" for role, colour in self.light.items())
        dark = ";".join(f"--{role}:{colour}" for role, colour in self.dark.items())
        return (
            f":root{{color-scheme:light dark;{light}}}"
            f"@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"
        )
