"""The provenance of a run's answers: each model's address and arguments, each grading's settings.

They are part of what was asked. A student that is reached otherwise is another student, and is
refused. A grader that is set otherwise grades beside its earlier self, under a name that says how:
its settings belong to the grading, and no text is bought again for them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from unparrot.core.errors import BadInput
from unparrot.eval.record.eval_spec import EvalSpec
from unparrot.eval.record.journal import Journal, canonical
from unparrot.eval.wire.models import OpenModel

# The journal's name for all of this.
PROVENANCE: Final = "provenance"
# Of a grading: what its provider said when it was given a JSON schema.
NO_SCHEMA: Final = "no schema"
_ADDRESS: Final = "address"


def provenance(journal: Journal) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what the journal knows: ``students`` and ``gradings``, each by name."""
    return journal.get(PROVENANCE, dict[str, dict[str, Any]]) or {"students": {}, "gradings": {}}


def keep_students(journal: Journal, students: Sequence[OpenModel], *, moved: bool) -> None:
    """Keep where students are reached, and with what.

    Parameters
    ----------
    journal
        Of the run.
    students
        As they were opened.
    moved
        Whether the user says that models at another address are the same.

    Raises
    ------
    BadInput
        If one was reached otherwise before; nothing is kept then.
    """
    known = provenance(journal)
    for student in students:
        now = _plain(student.origin)
        before = known["students"].get(student.name, now)
        for name, value in now.items():
            if before.get(name) != value and not (moved and name == _ADDRESS):
                raise BadInput(
                    f"{journal.path.parent} holds texts of {student.name} with the {name} "
                    f"{_shown(before.get(name))}, now it is {_shown(value)}: that may be another "
                    "model; give the same, or another --out"
                    + "; or --moved, if the same model has moved"
                    * (name == _ADDRESS)
                )
        known["students"][student.name] = now
    journal.put(PROVENANCE, known)


def keep_graders(
    journal: Journal, graders: Sequence[OpenModel], spec: EvalSpec, *, moved: bool
) -> list[OpenModel]:
    """Keep how graders grade, and return them by the names of their gradings.

    The first grading of a model has the model's name; others add what is different.
    """
    known = provenance(journal)
    gradings, named = known["gradings"], list[OpenModel]()
    for grader in graders:
        settings = {**grader.origin, "form": spec.form, **spec.grader._asdict()}
        now = _plain({"model": grader.name, **settings})
        own = {name: each for name, each in gradings.items() if each["model"] == grader.name}
        alike = [
            name
            for name, each in own.items()
            if all(each.get(key) == now[key] or (moved and key == _ADDRESS) for key in now)
        ]
        name = alike[0] if alike else grader.name
        if own and not alike:
            first = next(iter(own.values()))
            changes = {key: value for key, value in now.items() if value != first.get(key)}
            # short names are what stands behind the last slash
            details = ", ".join(f"{key}={_shown(value)}" for key, value in changes.items())
            details = details.replace("http://", "").replace("https://", "").replace("/", ":")
            name = f"{grader.name} [{details}]"
        gradings[name] = {**gradings.get(name, {}), **now}
        named.append(replace(grader, name=name))
    journal.put(PROVENANCE, known)
    return named


def keep_lines(journal: Journal, grading: str, words: str) -> None:
    """Keep that a grader cannot be given a JSON schema, in its provider's words."""
    known = provenance(journal)
    known["gradings"][grading][NO_SCHEMA] = words
    journal.put(PROVENANCE, known)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return json.loads(canonical(values))


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else canonical(value)
