"""SKILL-MIX as a task of Inspect: `inspect eval unparrot/skillmix --model M -T grader=G -T k=3`.

The same combinations, prompts, reading and votes as `unparrot eval run`; what is Inspect's here is
everything else: its retries, limits, logs, epochs (the rounds of generation) and viewer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from inspect_ai import Task, task
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig, Model, model_roles
from rich.markup import escape

from unparrot.core.errors import BadInput, UnparrotError
from unparrot.eval.inspect.conversation import conversation
from unparrot.eval.inspect.inspect_marks import ATTEMPT_SECONDS, ROLE, metrics, skillmix_marks
from unparrot.eval.inspect.inspect_scoring import sample_id, task_metadata
from unparrot.eval.protocol.conversation import turn_prompt
from unparrot.eval.record.eval_spec import MOST_K
from unparrot.eval.wire.models import full_name, open_model
from unparrot.eval.wire.redaction import Redactor
from unparrot.packs.drawing import draw_combinations
from unparrot.packs.prompts import load_prompts
from unparrot.packs.reading import is_shipped, load_pack

RETRIES: Final = 6


class CannotStart(PrerequisiteError, BadInput):
    """What is wrong with the task's arguments; Inspect prints it without a traceback."""

    def __init__(self, message: str) -> None:
        super().__init__(escape(message))
        self.args = (message,)


@task
def skillmix(
    grader: str | None = None,
    k: int | str | Sequence[int | str] = 3,
    n: int = 100,
    seed: int = 10,
    pack: str = "language.en",
    prompts: str = "skillmix.en",
    grading_rounds: int = 3,
    deduct_names: bool = False,
    temperature: float = 0.7,
    max_tokens: int = 512,
    form: str = "auto",
    tries: int = 2,
    grader_base_url: str | None = None,
    grader_temperature: float = 0.7,
    grader_max_tokens: int = 2048,
) -> Task:
    """SKILL-MIX (Yu et al. 2023): does a model combine k skills in one short text?

    Rounds of generation are Inspect's epochs: ``--epochs 3 --epochs-reducer mean,max``.

    Parameters
    ----------
    grader
        Model that marks, by Inspect's name; or bind it with ``--model-role grader=...``.
    k
        Number of skills, or several: ``2..5`` or ``2,4``; figures by k are then given, too.
    n, seed
        Combinations of each k, and the seed of their draw.
    pack, prompts
        Names that we ship, or paths of files.
    grading_rounds
        Gradings of each text; the majority counts.
    deduct_names
        A skill that the text names loses its point.
    temperature, max_tokens
        Of the student; Inspect's own options come before them.
    form
        How the grader replies: ``auto``, ``schema`` or ``text``.
    tries
        How often a reply that cannot be used is asked for.
    grader_base_url
        Where the grader's provider is reached, if not at its usual address.
    grader_temperature, grader_max_tokens
        Of the grader.

    Raises
    ------
    CannotStart
        If there is no grader, or an argument cannot be used. Nothing has been called then.
    """
    try:
        several = _numbers(k)
        words, skills = load_prompts(prompts), load_pack(pack)
        draws = {each: draw_combinations(skills, each, n, seed) for each in several}
        if n < 1 or tries < 1 or grading_rounds < 1:
            given = (n, tries, grading_rounds)
            raise BadInput(f"n, tries and grading_rounds must be at least 1, not {given}")
        if form not in ("auto", "schema", "text"):
            raise BadInput(f"the form of marks is auto, schema or text, not {form!r}")
        marking = _grader(grader, grader_base_url)
    except UnparrotError as error:
        raise CannotStart(str(error)) from None
    samples = [
        Sample(
            id=sample_id(each, place),
            input=turn_prompt(words, skills, combination, 1),
            metadata={
                "k": each,
                "topic": combination.topic,
                "skills": list(combination.skills),
                "place": place,
            },
        )
        for each, draw in draws.items()
        for place, combination in enumerate(draw)
    ]
    private = not is_shipped(pack)
    return Task(
        dataset=MemoryDataset(samples, name="private pack" if private else skills.name),
        solver=conversation(pack=pack, prompts=prompts, tries=tries),
        scorer=skillmix_marks(
            pack=pack,
            prompts=prompts,
            grading_rounds=grading_rounds,
            deduct_names=deduct_names,
            form=form,
            tries=tries,
            temperature=grader_temperature,
            max_tokens=grader_max_tokens,
        ),
        metrics=metrics(several_k=len(several) > 1),
        config=GenerateConfig(
            temperature=temperature,
            max_tokens=max_tokens,
            attempt_timeout=ATTEMPT_SECONDS,
            max_retries=RETRIES,
        ),
        model_roles=marking,
        version=words.version,
        metadata=task_metadata(skills, words, private, seed),
    )


def _numbers(k: int | str | Sequence[int | str]) -> tuple[int, ...]:
    """The numbers of skills that ``k`` names."""
    given: list[int | str] = [k] if isinstance(k, (int, str)) else list(k)
    found: set[int] = set()
    for item in given:
        span = re.fullmatch(r"\s*(\d{1,3})\s*(?:\.\.\s*(\d{1,3})\s*)?", str(item))
        numbers = range(int(span[1]), int(span[2] or span[1]) + 1) if span else range(0)
        if not numbers or not 1 <= numbers[0] <= numbers[-1] <= MOST_K:
            raise BadInput(f"k is a number from 1 to {MOST_K} or a range such as 2..5, not {k!r}")
        found.update(numbers)
    return tuple(sorted(found))


def _grader(name: str | None, base_url: str | None) -> dict[str, str | Model] | None:
    """The role of the grader, opened, so that whatever is missing is told before the first call;
    None if it was bound by ``--model-role``."""
    if ROLE in model_roles():
        return None
    if name is None:
        raise BadInput(
            "name a grader: -T grader=openai/gpt-4o, or --model-role grader=openai/gpt-4o. A "
            "model is not left to mark its own texts because nobody was named"
        )
    return {ROLE: open_model(full_name(name), None, Redactor(), base_url).model}
