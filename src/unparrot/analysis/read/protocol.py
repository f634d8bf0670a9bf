"""Which runs and models may stand side by side: same skills, same held-out sets, same protocol.

A manifest names what a run was made from by digests (``pack``, ``heldout``, and whatever else its
protocol fixes). Runs whose digests differ answer different questions, and are refused by name. So
are runs of language models whose marks come from different graders, or from different rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from unparrot.core.errors import BadInput
from unparrot.core.records import RunFolder

# Digests that say what a model learnt from, or where a run was imported from, and not what was
# asked: told, and not refused.
MAY_DIFFER: Final = frozenset({"corpus", "records"})
# Of the specification of a run of language models: what its marks mean.
MUST_AGREE: Final = ("protocol", "grader", "deduct_names")
# Of the same: what may make a difference and does not forbid a comparison.
TOLD: Final = ("max_tokens", "rounds", "grading_rounds", "tries", "grader_tries")


def require_same_protocol(runs: Sequence[Path]) -> list[str]:
    """Refuse runs that cannot be compared.

    Parameters
    ----------
    runs
        Folders, each with a manifest.

    Returns
    -------
    list of str
        A sentence on each difference that does not forbid the comparison.

    Raises
    ------
    BadInput
        If a manifest is absent or has no digests, or a digest or who gave the marks differs between
        two runs; the message names the runs, what differs, and its two values.
    """
    notes: list[str] = []
    folders = list(dict.fromkeys(runs))
    first = _digests(folders[0])
    for folder in folders[1:]:
        notes += _require_same_marks(folders[0], folder)
        other = _digests(folder)
        for name in sorted({*first, *other}):
            mine, yours = first.get(name), other.get(name)
            if mine == yours:
                continue
            both = f"{folders[0]} has {_short(mine)}, {folder} has {_short(yours)}"
            if name not in MAY_DIFFER:
                raise BadInput(
                    f"runs with different {name} cannot be compared: {both}; "
                    "run both with the same one"
                )
            notes.append(f"The {name} differs: {both}.")
    return notes


def _require_same_marks(first: Path, second: Path) -> list[str]:
    """Refuse runs of language models that were marked differently, and tell lesser differences."""
    mine, yours = (RunFolder(folder).read_manifest().spec for folder in (first, second))
    if "protocol" not in {*mine, *yours}:
        return []
    for name in MUST_AGREE:
        if (mine.get(name) or None) != (yours.get(name) or None):  # not asked for is not done
            raise BadInput(
                f"runs with a different {name} cannot be compared: {first} has "
                f"{mine.get(name)!r}, {second} has {yours.get(name)!r}; grade both alike"
            )
    return [
        f"The {name.replace('_', ' ')} of {first} and {second} differ: {mine[name]} and "
        f"{yours[name]}."
        for name in TOLD
        if name in mine and name in yours and mine[name] != yours[name]
    ]


def _digests(folder: Path) -> Mapping[str, object]:
    digests = RunFolder(folder).read_manifest().digests
    if not digests:
        raise BadInput(
            f"{folder}/manifest.json names no digests, so nobody can tell what the run was made "
            "from; run it again"
        )
    return digests


def _short(digest: object) -> str:
    return "none" if digest is None else str(digest)[:12]


class Side(NamedTuple):
    """One side of a comparison: a run, and one of its models (None: the one that fits)."""

    run: Path
    model: str | None = None


def models_of(outcomes: pl.DataFrame) -> list[str]:
    """Return the names of the models, in the order of their texts."""
    return outcomes["model"].unique(maintain_order=True).to_list()


def require_model(side: Side, models: Sequence[str]) -> None:
    """Refuse a side whose model its run does not have."""
    if side.model is not None and side.model not in models:
        raise BadInput(
            f"{side.run} has no model {side.model!r}; it has {', '.join(sorted(models))}"
        )


def only(
    outcomes: pl.DataFrame, where: object, split: str | None, decoding: str | None
) -> pl.DataFrame:
    """Return the texts of a split and of a decoding; None for all.

    Raises
    ------
    BadInput
        If ``where`` has no such split or decoding; the message names those that it has.
    """
    for name, wanted in (("split", split), ("decoding", decoding)):
        known = outcomes[name].unique().sort().to_list()
        if wanted is not None and wanted not in known:
            raise BadInput(f"{where} has no {name} {wanted!r}; it has {', '.join(known)}")
        if wanted is not None:
            outcomes = outcomes.filter(pl.col(name) == wanted)
    return outcomes


def model_pairs(
    first: Side, second: Side, mine: Sequence[str], theirs: Sequence[str]
) -> list[tuple[str, str]]:
    """Return which model of the first run is compared with which of the second.

    Parameters
    ----------
    first, second
        Runs, with or without the name of a model. Without names every model that both runs have
        meets its namesake, or the only model of one run the only one of the other.
    mine, theirs
        Models of the first and of the second run.

    Raises
    ------
    BadInput
        If a model is not there, or one must be named.
    """
    require_model(first, mine)
    require_model(second, theirs)
    if first.run == second.run and (first.model is None or first.model == second.model):
        raise BadInput(
            f"name two different models of {first.run}, as in {first.run}:{mine[0]}; "
            f"it has {', '.join(sorted(mine))}"
        )
    if first.model is not None and second.model is not None:
        return [(first.model, second.model)]
    named = first.model or second.model
    if named is not None:
        others = theirs if second.model is None else mine
        partner = others[0] if len(others) == 1 else named
        if partner in others:
            return [(named, partner)] if second.model is None else [(partner, named)]
    elif len(mine) == len(theirs) == 1:
        return [(mine[0], theirs[0])]
    elif shared := [model for model in mine if model in theirs]:
        return [(model, model) for model in shared]
    raise BadInput(
        f"name the models, as in {first.run}:{mine[0]} {second.run}:{theirs[0]}; there are "
        f"{', '.join(sorted(mine))} and {', '.join(sorted(theirs))}"
    )
