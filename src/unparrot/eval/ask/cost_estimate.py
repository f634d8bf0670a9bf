"""What a run will take, before anything is paid: `unparrot eval run ... --dry-run`.

Calls are counted exactly, as if every text came and every reply could be used; tokens are estimated
from the very prompts, and from what the journal knows of earlier replies, or else assumed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from unparrot.core.skills import CRITERIA
from unparrot.eval.ask.run import Prepared
from unparrot.eval.protocol.conversation import turn_prompt
from unparrot.eval.protocol.grading import grading_prompt
from unparrot.eval.record.journal import FILE, read_journal
from unparrot.eval.wire.models import full_name
from unparrot.eval.wire.prices import CHARACTERS_PER_TOKEN, Price, price_of

SAMPLED: Final = 50
"""Prompts of each k that are measured."""
ANSWER_TOKENS: Final = 250
"""Assumed of a student's reply: text and explanation. One that thinks first writes many times more,
up to the limit of the call."""
MARK_TOKENS: Final = 40
"""Assumed of what a grader writes about a criterion."""
TEXT: Final = "A text of one line, as students write it, takes about so many characters as this. "


@dataclass(frozen=True, slots=True)
class Estimated:
    """Calls of one model in one role, and what they are thought to take.

    ``kept`` of the ``calls`` are in the journal already; tokens and cost are those of the others.
    ``assumed``: no reply of the model is known yet. ``cost`` in US dollars, None if the price is
    not known; ``most`` is what they could cost at the limit of written tokens.
    """

    model: str
    role: str
    calls: int
    kept: int
    input_tokens: int
    output_tokens: int
    assumed: bool
    price: Price | None
    cost: float | None
    most: float | None


def estimate(
    prepared: Prepared, prices: Mapping[str, Price], *, students: bool = True
) -> list[Estimated]:
    """Estimate what a run will take, calling nobody.

    Parameters
    ----------
    prepared
        The run.
    prices
        That the user gave.
    students
        False if only texts that are there are to be marked.

    Returns
    -------
    list of Estimated
        The students, then the graders.
    """
    spec = prepared.asked
    kept, written = _known(prepared)
    turns = len(prepared.prompts.turns)
    per_k = spec.n * spec.rounds
    rows: list[Estimated] = []
    roles = (("student", spec.models if students else ()), ("grader", spec.graders))
    for role, names in roles:
        for name in map(full_name, names):
            reply = written.get((role, name))
            read = out = 0.0
            calls = 0
            for k in spec.k:
                each = per_k * (
                    turns if role == "student" else spec.grading_rounds * len(spec.models)
                )
                answer = (
                    reply
                    if reply is not None
                    else ANSWER_TOKENS
                    if role == "student"
                    else MARK_TOKENS * (k + len(CRITERIA))
                )
                calls += each
                read += each * _prompt_tokens(prepared, role, k, answer)
                out += each * answer
            known = min(kept.get((role, name), 0), calls)
            rows.append(_row(prepared, role, name, calls, known, read, out, reply is None, prices))
    return rows


def _row(
    prepared: Prepared,
    role: str,
    name: str,
    calls: int,
    kept: int,
    read: float,
    out: float,
    assumed: bool,
    prices: Mapping[str, Price],
) -> Estimated:
    left = (calls - kept) / calls
    shape = prepared.asked.student if role == "student" else prepared.asked.grader
    price = price_of(name, prices)
    longest = shape.max_tokens * (calls - kept)
    return Estimated(
        name,
        role,
        calls,
        kept,
        round(read * left),
        round(out * left),
        assumed,
        price,
        None if price is None else price.of(read * left, out * left),
        None if price is None else price.of(read * left, longest),
    )


def _known(
    prepared: Prepared,
) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], float]]:
    """Calls of this run that the journal has, of each role and model, and the mean length of all
    replies of theirs."""
    spec = prepared.asked
    if not (prepared.folder / FILE).exists():
        return {}, {}
    journal = read_journal(prepared.folder)
    try:
        rows = journal.lengths()
        kept = Counter(
            (call.id.role, call.id.model)
            for call in journal.calls()
            if call.state == "answered"
            and call.id.again == 1  # a call that was made in several tries counts once
            and call.id.student in spec.models
            and call.id.k in spec.k
            and call.id.place < spec.n
            and call.id.round <= spec.rounds
            and (call.id.role == "student" or call.id.step <= spec.grading_rounds)
        )
    finally:
        journal.close()
    return kept, {(role, model): mean for role, model, mean in rows if mean is not None}


def _prompt_tokens(prepared: Prepared, role: str, k: int, answer: float) -> float:
    """Mean tokens that a call reads."""
    units = [unit for unit in prepared.first_units(SAMPLED) if unit.combination.k == k]
    prompts, pack = prepared.prompts, prepared.pack
    if role == "grader":
        text = TEXT * max(1, k - 1)
        lengths = [
            len(grading_prompt(prompts, pack, unit.combination, text, "M" + 12 * "0", "text"))
            for unit in units
        ]
        return fmean(lengths) / CHARACTERS_PER_TOKEN
    read: list[float] = []
    for unit in units:
        said = 0.0
        for turn in range(1, len(prompts.turns) + 1):
            asked = len(turn_prompt(prompts, pack, unit.combination, turn))
            said += asked / CHARACTERS_PER_TOKEN
            read.append(said)
            said += answer
    return fmean(read)
