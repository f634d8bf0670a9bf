"""The estimated cost of a run, before anything is paid: `unparrot eval run ... --dry-run`.

Calls are counted exactly, as if every text came and every reply could be used; tokens are estimated
from the very prompts, and from what the journal knows of earlier replies, or else assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from unparrot.core.skills import CRITERIA
from unparrot.eval.protocol.conversation import turn_prompt
from unparrot.eval.protocol.grading import grading_prompt
from unparrot.eval.record.journal import FILE, read_journal
from unparrot.eval.record.prepare import Prepared
from unparrot.eval.wire.models import full_name
from unparrot.eval.wire.prices import CHARACTERS_PER_TOKEN, Price, price_of
from unparrot.packs.drawing import draw_combinations

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
    known: dict[tuple[str, str], tuple[int, float | None]] = {}
    if (prepared.folder / FILE).exists():
        with read_journal(prepared.folder) as journal:
            known = journal.answered(spec.models, spec.k, spec.n, spec.rounds, spec.grading_rounds)
    roles = (
        ("student", spec.models if students else (), spec.student, len(prepared.prompts.turns)),
        ("grader", spec.graders, spec.grader, spec.grading_rounds * len(spec.models)),
    )
    rows: list[Estimated] = []
    for role, names, shape, calls_a_text in roles:
        each = spec.n * spec.rounds * calls_a_text  # of each k
        calls = each * len(spec.k)
        for name in map(full_name, names):
            kept, reply = known.get((role, name), (0, None))
            kept = min(kept, calls)
            read = written = 0.0
            for k in spec.k:
                usual = ANSWER_TOKENS if role == "student" else MARK_TOKENS * (k + len(CRITERIA))
                answer = usual if reply is None else reply
                read += each * _prompt_tokens(prepared, role, k, answer)
                written += each * answer
            left = (calls - kept) / calls
            read, written = read * left, written * left
            price, longest = price_of(name, prices), shape.max_tokens * (calls - kept)
            costs = [price and price.of(read, most) for most in (written, longest)]
            tokens = (round(read), round(written))
            rows.append(Estimated(name, role, calls, kept, *tokens, reply is None, price, *costs))
    return rows


def _prompt_tokens(prepared: Prepared, role: str, k: int, answer: float) -> float:
    """Mean tokens that a call reads."""
    spec, prompts, pack = prepared.asked, prepared.prompts, prepared.pack
    drawn = draw_combinations(pack, k, min(SAMPLED, spec.n), spec.seed)
    if role == "grader":
        text = TEXT * max(1, k - 1)
        lengths = [
            len(grading_prompt(prompts, pack, combination, text, "M" + 12 * "0", "text"))
            for combination in drawn
        ]
        return fmean(lengths) / CHARACTERS_PER_TOKEN
    read: list[float] = []
    for combination in drawn:
        before = 0.0
        for turn in range(1, len(prompts.turns) + 1):
            prompt = turn_prompt(prompts, pack, combination, turn)
            before += len(prompt) / CHARACTERS_PER_TOKEN
            read.append(before)
            before += answer
    return fmean(read)
