"""Fabricates the journal of a run of `unparrot eval run`, and its tables, calling nobody.

Texts are a few sentences made of the topic; marks depend on a hash. Some calls go wrong: a text is
refused, one is cut off in every try, one call fails, and now and then a grader says nothing of use.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unparrot.core.skills import SkillCombination
from unparrot.eval.protocol.conversation import turn_prompt
from unparrot.eval.protocol.grading import criterion_ids, grading_prompt
from unparrot.eval.record.eval_spec import EvalSpec
from unparrot.eval.record.journal import Call, CallId, canonical, open_journal, settings
from unparrot.eval.record.prepare import SPEC, Prepared, prepare
from unparrot.eval.record.run_tables import write_tables

STUDENTS = ("openai/gpt-4o-mini", "anthropic/claude-3-5-haiku")
GRADERS = ("openai/gpt-4o", "google/gemini-2.5-pro")
START = 1_700_000_000.0
TOKEN = "Mabcdef012345"
PRIVATE_PACK = (
    """\
name: secret
version: "1"
skills:
"""
    + "".join(
        f"  - name: hidden art {word}\n    category: arts\n"
        f"    definition: What only we call {word}, and do on purpose.\n"
        f"    example: She counted to {number} before she spoke.\n"
        for number, word in enumerate(("alpha", "beta", "gamma", "delta", "epsilon"), 3)
    )
    + """\
topics:
  - quiet harbours
  - old ledgers
"""
)


def fabricate(path: Path, *, trouble: bool = True, **values: Any) -> Prepared:
    """Write a run; ``values`` are those of its spec."""
    small = {"k": (2, 3), "n": 5, "rounds": 2, "grading_rounds": 3}
    spec = EvalSpec(**{"models": STUDENTS, "graders": GRADERS, "tries": 2, **small, **values})
    path.mkdir(mode=0o700, parents=True)
    prepared = prepare(spec, path)
    journal = open_journal(path)
    try:
        digests = {"pack": prepared.pack.digest, "prompts": prepared.prompts.digest}
        journal.put(SPEC, {"spec": spec.as_dict(), **digests})
        calls = [call for student in spec.models for call in _calls(prepared, student, trouble)]

        async def keep() -> None:
            await asyncio.gather(*map(journal.add, calls))

        asyncio.run(keep())
        write_tables(journal, prepared, "unparrot eval run")
    finally:
        journal.close()
    return prepared


def _calls(prepared: Prepared, student: str, trouble: bool) -> Iterator[Call]:
    spec, number = prepared.whole, 0
    for student_, place, combination, round_ in prepared.units(student):
        number += 1
        fault = number if trouble and student_ == spec.models[0] else 0
        identity: dict[str, Any] = {
            "student": student,
            "k": combination.k,
            "place": place,
            "combination": canonical([combination.topic, *combination.skills]),
            "round": round_,
        }
        text = _text(student, combination, round_)
        asked = {"role": "student", "model": student, "config": settings(spec.student._asdict())}
        for turn in range(1, len(prepared.prompts.turns) + 1):
            prompt = turn_prompt(prepared.prompts, prepared.pack, combination, turn)
            reply = f"<answer>\n{text}\n</answer>\n<explanation>All of it.</explanation>"
            last = turn == len(prepared.prompts.turns)
            if fault == 1:
                yield _call(identity | asked, turn, 1, prompt, "I would rather not.",
                            stop="content_filter")  # fmt: skip
                break
            if fault == 2 and last:
                for again in range(1, spec.tries + 1):
                    yield _call(identity | asked, turn, again, prompt, "<answer>It beg",
                                stop="max_tokens")  # fmt: skip
                break
            if fault == 3 and last:
                yield _call(identity | asked, turn, 1, prompt, "", state="failed")
                break
            if fault == 4 and not last:  # useless at first
                yield _call(identity | asked, turn, 1, prompt, "  ")
                yield _call(identity | asked, turn, 2, prompt, reply)
                continue
            yield _call(identity | asked, turn, 1, prompt, reply)
        else:
            for grader in spec.graders:
                yield from _gradings(prepared, identity, grader, combination, text, fault)


def _gradings(
    prepared: Prepared,
    identity: dict[str, Any],
    grader: str,
    combination: SkillCombination,
    text: str,
    fault: int,
) -> Iterator[Call]:
    spec = prepared.whole
    config = settings({**spec.grader._asdict(), "form": "text"})
    asked = {"role": "grader", "model": grader, "config": config}
    prompt = grading_prompt(prepared.prompts, prepared.pack, combination, text, TOKEN, "text")
    for round_ in range(1, spec.grading_rounds + 1):
        lines = [
            f"{TOKEN} {name} = {int(_draw(text, grader, criterion, round_) < 0.8)}"
            for criterion, name in criterion_ids(combination).items()
        ]
        reply = "\n".join(["Let me see.", *lines])
        if fault == 5 and grader == spec.graders[0]:  # says nothing of use, whatever the round
            for again in range(1, spec.grader_tries + 1):
                yield _call(identity | asked, round_, again, prompt, "Nice!", token=TOKEN)
        elif fault == 6 and round_ == 1:  # at the second try
            yield _call(identity | asked, round_, 1, prompt, "Nice!", token=TOKEN)
            yield _call(identity | asked, round_, 2, prompt, reply, token=TOKEN)
        else:
            yield _call(identity | asked, round_, 1, prompt, reply, token=TOKEN)


def _call(
    identity: dict[str, Any],
    step: int,
    again: int,
    prompt: str,
    reply: str,
    *,
    stop: str = "stop",
    state: Any = "answered",
    token: str = "",
) -> Call:
    content = canonical([prompt, identity["place"], identity["round"]])
    call_id = CallId(
        prompt_hash=hashlib.sha256(content.encode()).hexdigest(), step=step, again=again, **identity
    )
    answered = state == "answered"
    return Call(
        id=call_id,
        state=state,
        prompt=prompt,
        token=token,
        reply=reply,
        stop_reason=stop if answered else "",
        snapshot=f"{identity['model'].rpartition('/')[2]}-2024" if answered else "",
        error="" if answered else "the server hung up",
        kind="" if answered else "no connection",
        input_tokens=len(prompt) // 4 if answered else None,
        output_tokens=len(reply) // 4 if answered else None,
        reasoning_tokens=None,
        cost=0.001 if answered and identity["model"].startswith("openai/") else None,
        latency=0.5,
        attempts=1 if answered else 3,
        finished=START + 10 * identity["place"] + step + 0.1 * again,
    )


def _text(student: str, combination: SkillCombination, round_: int) -> str:
    many = 1 + int(_draw(student, combination.topic, round_) < 0.3)
    sentence = f"On {combination.topic}, nobody at the {student[:4]} table was ever wrong"
    return " ".join(f"{sentence}, {round_ + i} times." for i in range(many))


def _draw(*parts: object) -> float:
    digest = hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
