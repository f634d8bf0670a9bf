"""Grading as a scorer of Inspect: several rounds at once, read strictly, put to votes."""

from __future__ import annotations

import math
from collections import defaultdict
from functools import partial
from typing import Any, Final

from inspect_ai.model import GenerateConfig, Model, get_model
from inspect_ai.scorer import (
    Metric,
    SampleScore,
    Score,
    Scorer,
    Target,
    Value,
    mean,
    metric,
    scorer,
    stderr,
)
from inspect_ai.solver import TaskState
from inspect_ai.util import collect

from unparrot.core.grades import GradedText, Mark
from unparrot.core.skills import CRITERIA, SkillCombination, SkillPack
from unparrot.eval.inspect.conversation import NO_TEXT, TEXT, combination_of, stop_of
from unparrot.eval.inspect.inspect_scoring import METRICS, SCORER, mean_and_error, score_of
from unparrot.eval.protocol.grading import new_token, read_grades
from unparrot.eval.wire.messages import grading_message, marks_schema
from unparrot.eval.wire.models import SCHEMA_PROVIDERS, Form
from unparrot.packs.prompts import PromptSet, load_prompts
from unparrot.packs.reading import load_pack

ROLE: Final = "grader"
"""The role of the model that marks."""
ATTEMPT_SECONDS: Final = 120
"""What one attempt of a call may take. Roles inherit no such limit from the task."""


@metric
def by_k() -> Metric:
    """Mean and standard error of each k; none where fewer than two combinations are scored."""

    def figures(scores: list[SampleScore]) -> Value:
        groups: defaultdict[int, list[float]] = defaultdict(list)
        for item in scores:
            groups[(item.sample_metadata or {})["k"]].append(item.score.as_float())
        found: dict[str, str | int | float | bool | None] = {}
        for k, values in sorted(groups.items()):
            value, error = mean_and_error(values)
            found[f"k={k}"] = value
            found[f"k={k} stderr"] = math.nan if error is None else error
        return found

    return figures


def metrics(*, several_k: bool) -> dict[str, list[Metric]]:
    """Return what is worked out of the scores, for each metric of the protocol."""
    return {name: [mean(), stderr(), *([by_k()] if several_k else [])] for name in METRICS}


@scorer(metrics=metrics(several_k=False), name=SCORER)
def skillmix_marks(
    pack: str = "language.en",
    prompts: str = "skillmix.en",
    grading_rounds: int = 3,
    deduct_names: bool = False,
    form: str = "auto",
    tries: int = 2,
    temperature: float = 0.7,
    max_tokens: int = 2048,
) -> Scorer:
    """Have a text marked by the model in the role ``grader``, in several rounds at once."""
    from unparrot.eval.record.readback import verdict
    from unparrot.packs.checking import NameIndex

    words, skills = load_prompts(prompts), load_pack(pack)
    names = NameIndex(skills.skill_names) if deduct_names else None

    async def score(state: TaskState, target: Target) -> Score:
        del target
        combination = combination_of(state)
        text, no_text = state.store.get(TEXT, ""), state.store.get(NO_TEXT, "not asked")
        if not text:
            missing = Mark.unscored(no_text)
            marks = dict.fromkeys((*combination.skills, *CRITERIA), missing)
            return score_of(_graded(state, combination, "", marks), no_text, [])
        grader = get_model(role=ROLE, required=True)
        config = GenerateConfig(
            temperature=temperature, max_tokens=max_tokens, attempt_timeout=ATTEMPT_SECONDS
        )
        how = _form(form, str(grader))
        if how == "schema":
            config.response_schema = marks_schema(combination.k)
        ask = partial(_grading, grader, config, words, skills, combination, text, how, tries)
        gradings = await collect(*(ask(number) for number in range(1, grading_rounds + 1)))
        votes: list[dict[str, Mark]] = [given["marks"] for given in gradings]
        marks = verdict(combination, text, votes, names)
        return score_of(_graded(state, combination, text, marks), "", gradings)

    return score


def _form(form: str, grader: str) -> Form:
    if form == "auto":
        return "schema" if grader.partition("/")[0] in SCHEMA_PROVIDERS else "text"
    return "schema" if form == "schema" else "text"


async def _grading(
    grader: Model,
    config: GenerateConfig,
    words: PromptSet,
    skills: SkillPack,
    combination: SkillCombination,
    text: str,
    form: Form,
    tries: int,
    number: int,
) -> dict[str, Any]:
    """One round: of several tries the first that marks everything, or the last."""
    said: dict[str, Any] = {}
    for again in range(1, tries + 1):
        token = new_token()
        message = grading_message(words, skills, combination, text, token, form, str(grader))
        # never from a cache: each round is asked anew, as its token is
        output = await grader.generate([message], config=config, cache=False)
        marks = read_grades(output.completion, stop_of(output), combination, token, form)
        said = {"round": number, "try": again, "marks": marks, "reply": output.completion}
        if all(mark.status != "unscored" for mark in marks.values()):
            break
    return said


def _graded(
    state: TaskState, combination: SkillCombination, text: str, marks: dict[str, Mark]
) -> GradedText:
    return GradedText(
        combination, text, marks, str(state.model), "unknown", "inspect", state.epoch - 1, None
    )
