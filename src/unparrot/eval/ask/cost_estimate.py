"""The estimated cost of a run, before anything is paid: `unparrot eval run ... --dry-run`.

Calls are counted exactly, as if every text came and every reply could be used; tokens are estimated
from the very prompts, and from what the journal knows of earlier replies, or else assumed.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from unparrot.core.skills import CRITERIA
from unparrot.eval.protocol.conversation import turn_prompt
from unparrot.eval.protocol.grading import grading_prompt
from unparrot.eval.record.journal import FILE, canonical, read_journal, settings
from unparrot.eval.record.prepare import Prepared
from unparrot.eval.record.provenance import NO_SCHEMA, provenance
from unparrot.eval.wire.models import form_of
from unparrot.eval.wire.prices import CHARACTERS_PER_TOKEN, Price, model_of, price_of
from unparrot.packs.drawing import draw_combinations

# Prompts of each k that are measured.
SAMPLED: Final = 50
# Assumed of a student's reply: text and explanation. One that thinks first writes many times more,
# up to the limit of the call.
ANSWER_TOKENS: Final = 250
# Assumed of what a grader writes about a criterion.
MARK_TOKENS: Final = 40
TEXT: Final = "A text of one line, as students write it, takes about so many characters as this. "


@dataclass(frozen=True, slots=True)
class Estimated:
    """Calls of one model in one role, and what they are thought to take.

    ``kept`` of the ``calls`` are in the journal already; tokens and cost are those of the others.
    ``assumed``: no reply of the model is known yet. ``cost`` in US dollars, None if the price is
    not known; ``most`` is what they could cost at the limit of written tokens, if there is one.
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
    prepared: Prepared, prices: Mapping[str, Price], *, students: bool = True, batch: bool = False
) -> list[Estimated]:
    """Estimate what a run will take, calling nobody.

    Parameters
    ----------
    prepared
        The run.
    prices
        That the user gave.
    batch
        Calls go in batches.
    students
        False if only texts that are there are to be marked.

    Returns
    -------
    list of Estimated
        The students, then the graders.
    """
    spec = prepared.asked
    kept, lengths = _answered(prepared)
    roles = (
        ("student", spec.models if students else (), spec.student, len(prepared.prompts.turns)),
        ("grader", spec.markers, spec.grader, spec.grading_rounds * len(spec.models)),
    )
    rows: list[Estimated] = []
    for role, names, shape, calls_a_text in roles:
        each = spec.n * spec.rounds * calls_a_text  # of each k
        calls = each * len(spec.k)
        for name in names:
            made, replies = min(kept[role, name], calls), lengths[role, name]
            read = written = 0.0
            for k in spec.k:
                usual = ANSWER_TOKENS if role == "student" else MARK_TOKENS * (k + len(CRITERIA))
                answer = fmean(replies) if replies else usual
                read += each * _prompt_tokens(prepared, role, k, answer)
                written += each * answer
            left = (calls - made) / calls
            read, written = read * left, written * left
            price, limit = price_of(name, prices, batch=batch), shape.max_tokens
            longest = None if limit is None else limit * (calls - made)
            costs = [
                None if price is None or most is None else price.of(read, most)
                for most in (written, longest)
            ]
            tokens = (round(read), round(written))
            rows.append(Estimated(name, role, calls, made, *tokens, not replies, price, *costs))
    return rows


_Who = tuple[str, str]


def _answered(prepared: Prepared) -> tuple[Counter[_Who], defaultdict[_Who, list[int]]]:
    """By role and model, the calls that are asked for and are in the journal already (one that took
    several tries counts once), and the tokens of any of its replies."""
    spec = prepared.asked
    kept: Counter[_Who] = Counter()
    lengths: defaultdict[_Who, list[int]] = defaultdict(list)
    if (prepared.folder / FILE).exists():
        with read_journal(prepared.folder) as journal:
            gradings = provenance(journal)["gradings"]
            for call in journal.calls():
                if call.state == "answered":
                    who, shape = call.id, json.loads(call.id.config)
                    name, form = model_of(who.model), shape.pop("form", None)
                    forms = [form_of(name, spec.form)] if form else [None]
                    forms += ["text"] if NO_SCHEMA in gradings.get(who.model, ()) else []
                    wanted = spec.student if who.role == "student" else spec.grader
                    asked = canonical(shape) == settings(wanted._asdict()) and form in forms
                    asked &= who.student in spec.models and who.k in spec.k and who.place < spec.n
                    step = 1 if who.role == "student" else who.step
                    within = who.round <= spec.rounds and step <= spec.grading_rounds
                    kept[who.role, name] += asked and within and who.again == 1
                    if call.output_tokens is not None:
                        lengths[who.role, name].append(call.output_tokens)
    return kept, lengths


def _prompt_tokens(prepared: Prepared, role: str, k: int, answer: float) -> float:
    """Mean tokens that a call reads."""
    spec, prompts, pack = prepared.asked, prepared.prompts, prepared.pack
    drawn = draw_combinations(pack, k, min(SAMPLED, spec.n), spec.seed)
    if role == "grader":
        text, token = TEXT * max(1, k - 1), "M" + 12 * "0"
        sent = [len(grading_prompt(prompts, pack, each, text, token, "text")) for each in drawn]
        return fmean(sent) / CHARACTERS_PER_TOKEN
    read: list[float] = []
    for combination in drawn:
        before = 0.0
        for turn in range(1, len(prompts.turns) + 1):
            before += len(turn_prompt(prompts, pack, combination, turn)) / CHARACTERS_PER_TOKEN
            read.append(before)
            before += answer
    return fmean(read)
