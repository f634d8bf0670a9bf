"""The finding of a run of language models in a sentence.

Which figures are told is fixed beforehand, not chosen by their values: full marks with three skills
at once (or the smallest number above one, if three was not asked for), and with the most skills
that were asked for; of every model, in the order of the run, up to four.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

Json = Mapping[str, Any]
FIRST_K: Final = 3
MOST: Final = 4


def skillmix_headline(models: Sequence[Json], decodings: Mapping[str, str]) -> dict[str, Any]:
    """Return the sentence and the estimates it tells.

    Parameters
    ----------
    models
        Entries of ``summary["models"]``, in the order of the run.
    decodings
        By model, the decoding whose cells are told.

    Returns
    -------
    dict
        ``sentence``, ``first`` and ``last`` (the two k; last is None if there is only one), and
        ``told``: for each model its name and the full marks at both.
    """
    cells = {
        str(model["name"]): {
            int(cell["k"]): cell
            for cell in reversed(model["cells"])
            if cell["decoding"] == decodings[model["name"]]
        }
        for model in models
    }
    ks = sorted({k for found in cells.values() for k in found})
    several = [k for k in ks if k > 1]
    first = FIRST_K if FIRST_K in ks else (several or ks)[0]
    last = ks[-1] if ks[-1] > first else None
    told = [
        {
            "model": name,
            "first": _full(found.get(first)),
            "last": None if last is None else _full(found.get(last)),
        }
        for name, found in cells.items()
    ]
    return {"sentence": _sentence(told, first, last), "first": first, "last": last, "told": told}


def _full(cell: Json | None) -> Any:
    return None if cell is None else cell["full_marks"]


def _sentence(told: Sequence[Json], first: int, last: int | None) -> str:
    shown = told[:MOST]
    shares = [_share(model["first"]) for model in shown]
    if len(shown) == 1:
        who = shown[0]["model"]
        said = f"{who} earns full marks on {shares[0]} of its texts with {_skills(first)}"
    else:
        others = [f"{m['model']} on {s}" for m, s in zip(shown[1:], shares[1:], strict=True)]
        said = (
            f"With {_skills(first)}, {shown[0]['model']} earns full marks on {shares[0]} of its "
            f"texts, {_list(others)}"
        )
    if last is not None:
        said += f"; with {last}, on {_list([_share(model['last']) for model in shown])}"
    said += "."
    if any(_is_open(model[k]) for model in shown for k in ("first", "last")):
        said += " Where no share is known, every text has an unscored mark."
    rest = len(told) - len(shown)
    if rest:
        said += f" {rest} more model{' is' if rest == 1 else 's are'} told of below."
    return said


def _skills(k: int) -> str:
    return "1 skill" if k == 1 else f"{k} skills at once"


def _list(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _is_open(estimate: Json | None) -> bool:
    return estimate is not None and estimate["value"] is None


def _share(estimate: Json | None) -> str:
    """A share with its interval; where nothing is settled, what it may be."""
    if estimate is None:
        return "an unknown share (none was asked for)"
    if estimate["value"] is None:
        low, high = estimate["worst"], estimate["best"]
        if low is None or high is None:
            return "an unknown share"
        return f"an unknown share between {_percent(low['value'])} and {_percent(high['value'])}"
    if estimate["low"] is None:
        return f"{_percent(estimate['value'])} (no interval)"
    return (
        f"{_percent(estimate['value'])} ({100 * estimate['low']:.0f} to "
        f"{100 * estimate['high']:.0f})"
    )


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"
