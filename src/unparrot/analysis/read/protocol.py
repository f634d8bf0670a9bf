"""Which runs and models may stand side by side: same skills, same held-out sets, same protocol.

A manifest names what a run was made from by digests (``pack``, ``heldout``, and whatever else its
protocol fixes) and, of language models, what was asked, where, and how it was marked. Every
difference is named; one that changes what is compared is refused, unless the user wants it anyway.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from unparrot.core.errors import BadInput
from unparrot.core.records import RunFolder
from unparrot.core.wording import listed

# What makes a difference and forbids no comparison: how much was asked and where, what a model
# learnt from, where a run was imported from.
LESSER: Final = frozenset({
    "corpus", "records", "origin", "k", "n", "seeds", "combinations_seed", "max_tokens", "rounds",
    "grading_rounds", "tries", "grader_tries", "snapshot", "address", "grader_max_tokens",
    "grader_address", "grader_no schema",
})  # fmt: skip
# A run without these does without them; one without another setting does not say what it was.
_SAID: Final = frozenset({"protocol", "grader", "deduct_names"})
# Parts of a specification that are compared piece by piece, or are no setting.
_PARTS: Final = frozenset(
    {"models", "students", "graders", "private", "pack", "reached", "gradings", "snapshots"}
)


def require_same_protocol(runs: Sequence[Path], *, anyway: bool = False) -> list[str]:
    """Refuse runs that cannot be compared.

    Parameters
    ----------
    runs
        Folders, each with a manifest.
    anyway
        Refuse none.

    Returns
    -------
    list of str
        A sentence on each difference.

    Raises
    ------
    BadInput
        If a manifest is absent or has no digests, or if two runs differ in what is compared; the
        message names the runs, what differs, and the values.
    """
    notes: list[str] = []
    first, *others = dict.fromkeys(runs)
    mine, digests = _facts(first), _digests(first)
    for folder in others:
        yours, changes = _facts(folder), dict[str, str]()
        made_from = {*digests, *_digests(folder)}
        for name in dict.fromkeys((*mine, *yours)):
            one, two = mine.get(name) or None, yours.get(name) or None  # not asked for is not done
            what, _, model = name.partition(" of ")
            unknown = name not in mine or name not in yours
            if one == two or (unknown and model):
                continue
            values = [_value(name, mine), _value(name, yours)]
            both = f"{first} has {values[0]}, {folder} has {values[1]}"
            notes.append(
                f"The {name} differs: {both}."
                if name in made_from
                else f"The {name.replace('_', ' ')} of {first} and {folder} differ: "
                f"{' and '.join(values)}."
            )
            if what not in LESSER and (not unknown or name in _SAID | made_from):
                changes[name] = both
        if changes and not anyway:
            raise BadInput(
                f"runs with a different {listed(list(changes))} cannot be compared: "
                f"{'; '.join(changes.values())}; make both alike, or give --anyway"
            )
    return notes


def _facts(folder: Path) -> dict[str, Any]:
    """What a run was made from, and of language models what was asked, where, and how it was
    marked: of a model by ``setting of MODEL``, of the grader who decides by ``grader_setting``."""
    spec, grader = RunFolder(folder).read_manifest().spec, ""
    facts: dict[str, Any] = {}
    if "protocol" in spec:
        facts = {name: value for name, value in spec.items() if name not in _PARTS}
        grader = str(spec.get("grader"))
    if (grading := spec.get("gradings", {}).get(grader)) is not None:
        own = {f"grader_{name}": value for name, value in grading.items()}
        facts = {name: facts[name] for name in facts if name != "form"} | own
    for model, reached in spec.get("reached", {}).items():
        facts |= {f"{name} of {model}": value for name, value in reached.items()}
    for model, seen in spec.get("snapshots", {}).items():
        facts[f"snapshot of {model}"] = seen
    return {**facts, **_digests(folder)}


def _value(name: str, facts: Mapping[str, Any]) -> str:
    if name not in facts:
        return "none" if name in _SAID else "unknown"
    value = facts[name]
    return value[:12] if isinstance(value, str) and len(value) == 64 else repr(value)


def _digests(folder: Path) -> Mapping[str, object]:
    digests = RunFolder(folder).read_manifest().digests
    if not digests:
        raise BadInput(
            f"{folder}/manifest.json names no digests, so nobody can tell what the run was made "
            "from; run it again"
        )
    return digests


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
