"""The provenance of a run's answers: each model's address and arguments, each grading's settings.

They are part of what was asked. A student that is reached otherwise is another student, and is
refused. A grader that is set otherwise grades beside its earlier self, under a name that says how:
its settings belong to the grading, and no text is bought again for them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from unparrot.core.errors import BadInput
from unparrot.eval.record.eval_spec import EvalSpec
from unparrot.eval.record.journal import Journal, canonical

# Addresses and arguments of models, by name.
Origins = Mapping[str, Mapping[str, Any]]
# ``students`` and ``gradings``, each by name.
Known = dict[str, dict[str, dict[str, Any]]]
# The journal's name for all of this.
PROVENANCE: Final = "provenance"
# Of a grading: what its provider said when it was given a JSON schema.
NO_SCHEMA: Final = "no schema"
_ADDRESS: Final = "address"


def provenance(journal: Journal) -> Known:
    """Return what the journal knows."""
    return journal.get(PROVENANCE, dict[str, dict[str, Any]]) or {"students": {}, "gradings": {}}


def add_students(known: Known, origins: Origins, folder: Path, *, moved: bool) -> None:
    """Add where students are reached, and with what.

    Parameters
    ----------
    known
        As from `provenance`.
    origins
        Of each student by its name, as models are opened.
    folder
        Of the run, for the message.
    moved
        Whether the user says that models at another address are the same.

    Raises
    ------
    BadInput
        If one was reached otherwise before.
    """
    for student, origin in origins.items():
        now = _plain(origin)
        before = known["students"].get(student, now)
        for name, value in now.items():
            if before.get(name) != value and not (moved and name == _ADDRESS):
                raise BadInput(
                    f"{folder} holds texts of {student} with the {name} "
                    f"{_shown(before.get(name))}, now it is {_shown(value)}: that may be another "
                    "model; give the same, or another --out"
                    + "; or --moved, if the same model has moved"
                    * (name == _ADDRESS)
                )
        known["students"][student] = now


def add_gradings(known: Known, origins: Origins, spec: EvalSpec, *, moved: bool) -> list[str]:
    """Add how graders grade, and return the names of their gradings.

    The first grading of a model has the model's name; others add what is different.
    """
    gradings, named = known["gradings"], list[str]()
    for grader, origin in origins.items():
        now = _plain({"model": grader, **origin, "form": spec.form, **spec.grader._asdict()})
        own = {name: each for name, each in gradings.items() if each["model"] == grader}
        alike = [
            name
            for name, each in own.items()
            if all(each.get(key) == now[key] or (moved and key == _ADDRESS) for key in now)
        ]
        name = alike[0] if alike else grader
        if own and not alike:
            first = next(iter(own.values()))
            changes = {key: value for key, value in now.items() if value != first.get(key)}
            # short names are what stands behind the last slash
            details = ", ".join(f"{key}={_shown(value)}" for key, value in changes.items())
            details = details.replace("http://", "").replace("https://", "").replace("/", ":")
            name = f"{grader} [{details}]"
        gradings[name] = {**gradings.get(name, {}), **now}
        named.append(name)
    return named


def keep_lines(journal: Journal, grading: str, words: str) -> None:
    """Keep that a grader cannot be given a JSON schema, in its provider's words."""
    known = provenance(journal)
    if known["gradings"][grading].get(NO_SCHEMA) != words:
        known["gradings"][grading][NO_SCHEMA] = words
        journal.put(PROVENANCE, known)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return json.loads(canonical(values))


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else canonical(value)
