"""The estimated cost of a run, before anything is paid: `unparrot eval run ... --dry-run`.

Calls are counted exactly, as if every text came and every reply could be used; tokens are estimated
from the very prompts, and from what the journal knows of earlier replies, or else assumed.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Final

from unparrot.core.skills import CRITERIA
from unparrot.eval.ask.run import Access
from unparrot.eval.protocol.conversation import turn_prompt
from unparrot.eval.protocol.grading import grading_prompt
from unparrot.eval.record.journal import read_journal
from unparrot.eval.record.prepare import Prepared
from unparrot.eval.record.provenance import add_gradings, add_students, provenance
from unparrot.eval.wire.models import arguments_of, open_model
from unparrot.eval.wire.prices import CHARACTERS_PER_TOKEN, FREE, Price, model_of, price_of
from unparrot.eval.wire.redaction import Redactor
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


def estimate(prepared: Prepared, access: Access, *, write: bool = True) -> list[Estimated]:
    """Estimate what a run will take, calling nobody.

    Parameters
    ----------
    prepared, access
        The run, and how its models would be reached.
    write
        False if only texts that are there are to be marked.

    Returns
    -------
    list of Estimated
        The students, then the graders.

    Raises
    ------
    BadInput
        If the run would refuse how a model is reached.
    """
    prepared = _compared(prepared, access, write=write)
    spec = prepared.spec
    kept, lengths = _answered(prepared)
    roles = (
        ("student", spec.models if write else (), spec.student, len(prepared.prompts.turns)),
        ("grader", spec.markers, spec.grader, spec.grading_rounds * len(spec.models)),
    )
    rows: list[Estimated] = []
    for role, names, shape, calls_a_text in roles:
        each = spec.n * spec.rounds * calls_a_text  # of each k
        calls = each * len(spec.k)
        for name in names:
            made, replies = min(kept[role, name], calls), lengths[role, model_of(name)]
            read = written = 0.0
            for k in spec.k:
                usual = ANSWER_TOKENS if role == "student" else MARK_TOKENS * (k + len(CRITERIA))
                answer = fmean(replies) if replies else usual
                read += each * _prompt_tokens(prepared, role, k, answer)
                written += each * answer
            left = (calls - made) / calls
            read, written = read * left, written * left
            price = price_of(name, access.prices, batch=access.limits.batch)
            longest = None if shape.max_tokens is None else shape.max_tokens * (calls - made)
            costs = [
                None if price is None or most is None else price.of(read, most)
                for most in (written, longest)
            ]
            tokens = (round(read), round(written))
            rows.append(Estimated(name, role, calls, made, *tokens, not replies, price, *costs))
    return rows


def _compared(prepared: Prepared, access: Access, *, write: bool) -> Prepared:
    """The run with the names of its gradings, as its folder knows how models were reached.

    What a provider's package would load or start here is not opened: of a model on this machine
    only the arguments are compared.
    """
    if prepared.before is None:
        return prepared
    redact, limits, moved = Redactor(access.secrets), access.limits, access.moved

    def origins(
        names: tuple[str, ...], base_url: str | None, arguments: Mapping[str, Any]
    ) -> dict[str, Mapping[str, Any]]:
        return {
            name: arguments_of(arguments, redact)
            if name.startswith(FREE)
            else open_model(name, None, redact, limits, base_url, arguments=arguments).origin
            for name in names
        }

    spec = prepared.spec
    with read_journal(prepared.folder) as journal:
        known = provenance(journal)
    students = origins(spec.models if write else (), access.base_url, access.arguments)
    add_students(known, students, prepared.folder, moved=moved)
    graders = origins(spec.markers, access.grader_base_url, access.grader_arguments)
    return prepared.with_graders(tuple(add_gradings(known, graders, spec, moved=moved)))


_Who = tuple[str, str]


def _answered(prepared: Prepared) -> tuple[Counter[_Who], defaultdict[_Who, list[int]]]:
    """The calls that are asked for and are in the journal already, by role and name (one that took
    several tries counts once), and the tokens of any replies, by role and model."""
    spec = prepared.spec
    kept: Counter[_Who] = Counter()
    lengths: defaultdict[_Who, list[int]] = defaultdict(list)
    if prepared.before is None:
        return kept, lengths
    with read_journal(prepared.folder) as journal:
        for call in journal.calls():
            who = call.id
            counts = who.student in spec.models and who.k in spec.k and who.place < spec.n
            counts &= who.role == "student" or who.step <= spec.grading_rounds
            counts &= call.state == "answered" and who.round <= spec.rounds and who.again == 1
            kept[who.role, who.model] += counts
            if call.output_tokens is not None:
                lengths[who.role, model_of(who.model)].append(call.output_tokens)
    return kept, lengths


def _prompt_tokens(prepared: Prepared, role: str, k: int, answer: float) -> float:
    """Mean tokens that a call reads."""
    spec, prompts, pack = prepared.spec, prepared.prompts, prepared.pack
    drawn = draw_combinations(pack.without(spec.without), k, min(SAMPLED, spec.n), spec.seed)
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
