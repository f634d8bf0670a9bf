"""SKILL-MIX as a task of Inspect: `inspect eval unparrot/skillmix --model M -T grader=G -T k=3`.

    skillmix         the task: the combinations, their prompts, who marks
    conversation     its solver: the turns of one text
    skillmix_marks   its scorer: several rounds of grading at once, put to votes

The same combinations, prompts, reading and votes as `unparrot eval run`; what is Inspect's here is
everything else: its retries, limits, logs, epochs (the rounds of generation) and viewer.

A score, here and in the logs of runs, holds the three metrics of the protocol. What unscored marks
leave open is NaN there, which Inspect takes for unscored and leaves out of every mean; a text with
all three open is unscored as a whole, with the reason. A student that gave no text has 0 in all.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import fmean, stdev
from typing import Any, Final

from inspect_ai import Task, task
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessageAssistant,
    ChatMessageUser,
    GenerateConfig,
    Model,
    get_model,
    model_roles,
)
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
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import collect
from rich.markup import escape

from unparrot.core.errors import BadInput, UnparrotError
from unparrot.core.grades import CALL_FAILED, GradedText, Mark
from unparrot.core.skills import LENGTH, SkillCombination, SkillPack
from unparrot.eval.protocol.conversation import Answer, Conversation, turn_prompt
from unparrot.eval.protocol.grading import faults, missing, new_token, read_grades
from unparrot.eval.protocol.votes import judge
from unparrot.eval.record.eval_spec import MOST_K, EvalSpec
from unparrot.eval.wire.faults import fault_of
from unparrot.eval.wire.models import (
    Limits,
    form_of,
    full_name,
    grading_message,
    marks_schema,
    open_model,
    refuses_schema,
    stop_of,
    written_of,
)
from unparrot.eval.wire.redaction import Redactor
from unparrot.packs.checking import NameIndex
from unparrot.packs.drawing import draw_combinations
from unparrot.packs.prompts import PROTOCOL, PromptSet, load_prompts, prompts_for
from unparrot.packs.reading import is_shipped, load_pack, public_part

METRICS: Final = ("full_marks", "all_skills", "skill_fraction")
SCORER: Final = "skillmix_marks"
# What the solver leaves in the store of a sample: the text, or the code of why there is none.
TEXT: Final = "skillmix text"
NO_TEXT: Final = "skillmix no text"

_SIGNS: Final = {"earned": "1", "missed": "0", "unscored": "?"}
# Inspect's words for why a student has no text, where it has one; else its reply is in no form that
# was asked for.
_STUDENT: Final = {"refused": "refusal", "filtered": "refusal"} | dict.fromkeys(
    ("empty", *CALL_FAILED), "no_response"
)
ROLE: Final = "grader"  # of the model that marks
# What one attempt of a call may take. Roles inherit no such limit from the task.
ATTEMPT_SECONDS: Final = 120
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
    prompts: str = PROTOCOL,
    grading_rounds: int = 3,
    deduct_names: bool = False,
    temperature: float = 0.7,
    max_tokens: int = 512,
    form: str = "auto",
    tries: int = 1,
    grader_tries: int = 2,
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
    tries, grader_tries
        How often a student, or a grader, is asked for a reply that can be used.
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
        marking = _grader(grader, grader_base_url)
        sizes = (("student",), (grader or ROLE,), _numbers(k), n, 1, grading_rounds, seed)
        shape: dict[str, Any] = {"temperature": temperature, "max_tokens": max_tokens}
        spec = EvalSpec(*sizes, **shape, tries=tries, grader_tries=grader_tries, form=form)
        words, skills = _loaded(prompts, pack)
        draws = {each: draw_combinations(skills, each, n, seed) for each in spec.k}
    except UnparrotError as error:
        raise CannotStart(str(error)) from None
    samples = [
        Sample(
            id=sample_id(each, place),
            input=turn_prompt(words, skills, combination, 1),
            metadata=sample_metadata(combination, place),
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
            tries=grader_tries,
            temperature=grader_temperature,
            max_tokens=grader_max_tokens,
        ),
        metrics=metrics(several_k=len(spec.k) > 1),
        config=GenerateConfig(**shape, attempt_timeout=ATTEMPT_SECONDS, max_retries=RETRIES),
        model_roles=marking,
        version=words.version,
        metadata=task_metadata(skills, words, private, seed),
    )


def _loaded(prompts: str, pack: str) -> tuple[PromptSet, SkillPack]:
    skills = load_pack(pack)
    return load_prompts(prompts_for(prompts, skills.language)), skills


def _numbers(k: int | str | Sequence[int | str]) -> tuple[int, ...]:
    """The numbers of skills that ``k`` names."""
    ks: list[int] = []
    for item in [k] if isinstance(k, (int, str)) else k:
        span = re.fullmatch(r"\s*(\d{1,3})\s*(?:\.\.\s*(\d{1,3})\s*)?", str(item))
        numbers = range(int(span[1]), int(span[2] or span[1]) + 1) if span else range(0)
        if not numbers:
            raise BadInput(f"k is a number from 1 to {MOST_K} or a range such as 2..5, not {k!r}")
        ks += numbers
    return tuple(ks)


def _grader(name: str | None, base_url: str | None) -> dict[str, str | Model] | None:
    """The role of the grader, opened, so that whatever is missing is reported before any call;
    None if it was bound by ``--model-role``."""
    if ROLE in model_roles():
        return None
    if name is None:
        raise BadInput(
            "name a grader: -T grader=openai/gpt-4o, or --model-role grader=openai/gpt-4o. A "
            "model is not left to mark its own texts because nobody was named"
        )
    return {ROLE: open_model(full_name(name), None, Redactor(), Limits(), base_url).model}


@solver
def conversation(pack: str = "language.en", prompts: str = PROTOCOL, tries: int = 1) -> Solver:
    """Hold the turns of the prompts in one conversation, and take the text out of its end."""
    words, skills = _loaded(prompts, pack)

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        del generate
        talk = Conversation(words)
        while not talk.finished:
            turn = talk.turn
            if turn > 1:
                prompt = turn_prompt(words, skills, _combination(state), turn)
                state.messages.append(ChatMessageUser(content=prompt))
            for again in range(tries):
                # a reply that could not be used must not come out of a cache again
                ask = partial(get_model().generate, cache=False) if again else get_model().generate
                state.output = await ask(list(state.messages))
                if not talk.take(written_of(state.output), stop_of(state.output)):
                    break
            else:
                break
            reply = ChatMessageAssistant(content=talk.replies[-1], source="generate")
            state.messages.append(reply)
        state.store.set(TEXT, talk.answer.text)
        state.store.set(NO_TEXT, talk.answer.code)
        return state

    return solve


def _combination(state: TaskState) -> SkillCombination:
    """What a sample asks for."""
    return SkillCombination(state.metadata["topic"], tuple(state.metadata["skills"]))


@metric
def by_k() -> Metric:
    """Mean and standard error of each k; none where fewer than two combinations are scored."""

    def figures(scores: list[SampleScore]) -> Value:
        groups: defaultdict[int, list[float]] = defaultdict(list)
        for item in scores:
            groups[(item.sample_metadata or {})["k"]].append(item.score.as_float())
        values: dict[str, str | int | float | bool | None] = {}
        for k, group in sorted(groups.items()):
            error = stdev(group) / math.sqrt(len(group)) if len(group) > 1 else math.nan
            values |= {f"k={k}": fmean(group), f"k={k} stderr": error}
        return values

    return figures


def metrics(*, several_k: bool) -> dict[str, list[Metric]]:
    """Return what is worked out of the scores, for each metric of the protocol."""
    return {name: [mean(), stderr(), *([by_k()] if several_k else [])] for name in METRICS}


@scorer(metrics=metrics(several_k=False), name=SCORER)
def skillmix_marks(
    pack: str = "language.en",
    prompts: str = PROTOCOL,
    grading_rounds: int = 3,
    deduct_names: bool = False,
    form: str = "auto",
    tries: int = 2,
    temperature: float = 0.7,
    max_tokens: int = 2048,
) -> Scorer:
    """Have a text marked by the model in the role ``grader``, in several rounds at once."""
    words, skills = _loaded(prompts, pack)
    names = NameIndex(skills.skill_names, skills.language) if deduct_names else None

    async def score(state: TaskState, target: Target) -> Score:
        del target
        combination = _combination(state)
        answer = Answer(state.store.get(TEXT, ""), state.store.get(NO_TEXT, "unfinished"))

        async def grading(number: int) -> dict[str, Any]:
            """One round: of several tries the first that marks everything, or the last."""
            nonlocal form
            grader = get_model(role=ROLE, required=True)
            how = form_of(str(grader), form)
            config = GenerateConfig(
                temperature=temperature,
                max_tokens=max_tokens,
                attempt_timeout=ATTEMPT_SECONDS,
                response_schema=marks_schema(combination.k) if how == "schema" else None,
            )
            given: dict[str, Any] = {}
            fault = ""
            for again in range(1, tries + 1):
                token = new_token()
                about = (words, skills, combination, answer.text, token, how, str(grader))
                # never from a cache: each round is asked anew, as its token is
                try:
                    output = await grader.generate(
                        [grading_message(*about, fault)], config=config, cache=False
                    )
                except Exception as error:
                    if how == "text" or not refuses_schema(fault_of(error).words):
                        raise
                    form = "text"  # from here on, for every text
                    return await grading(number)
                reply = output.completion
                marks = read_grades(reply, stop_of(output), combination, token, how)
                given = {"round": number, "try": again, "marks": marks, "reply": reply}
                if not missing(marks):
                    break
                fault = faults(marks)
            return given

        numbers = range(1, grading_rounds + 1) if answer.text else ()
        gradings = await collect(*map(grading, numbers))
        rounds = [given["marks"] for given in gradings]
        marks = judge(combination, answer, rounds, names, skills.language)
        origin = (str(state.model), "unknown", "inspect", state.epoch - 1, None)
        no_text = answer.code or None
        text = GradedText(combination, answer.text, marks, *origin, no_text)
        return score_of(text, answer, gradings)

    return score


def sample_id(k: int, place: int) -> str:
    """Return the id of the sample of a combination; ``place`` in the draw counts from 0.

    Examples
    --------
    >>> sample_id(3, 0)
    'k3-00001'
    """
    return f"k{k}-{place + 1:05}"


def sample_metadata(combination: SkillCombination, place: int) -> dict[str, Any]:
    """Return what a sample asks for, as its metadata say it."""
    topic, skills = combination.topic, list(combination.skills)
    return {"k": combination.k, "topic": topic, "skills": skills, "place": place}


def task_metadata(pack: SkillPack, prompts: PromptSet, private: bool, seed: int) -> dict[str, Any]:
    """Return what identifies the test, as the metadata of a log say it."""
    warning = "the pack is private, and this log holds its skills: do not publish it"
    names = {"name": prompts.name, "version": prompts.version, "digest": prompts.digest}
    return {
        "protocol": "SKILL-MIX",
        "pack": public_part(pack, private),
        "prompts": names,
        "combinations_seed": seed,
        "private": private,
        **({"warning": warning} if private else {}),
    }


def score_of(text: GradedText, answer: Answer, gradings: Sequence[Mapping[str, Any]]) -> Score:
    """Return the score of a text.

    Parameters
    ----------
    text
        With the marks that count.
    answer
        The text, or why there is none.
    gradings
        One for each round: ``round`` and ``marks`` (`Mark` by criterion), and whatever else is to
        be kept of it as plain data.

    Returns
    -------
    Score
        ``value``: full_marks, all_skills and skill_fraction, in [0, 1] or NaN. ``metadata``:
        ``marks``, what counts, and ``gradings``, what each round said. ``reason`` is Inspect's word
        for why something is open or there is no text, None if neither.
    """
    shares = {name: getattr(text, name) for name in METRICS}
    open_ = [name for name, value in shares.items() if value is None]
    reason = "grader_failed" if open_ else None
    if answer.code:
        reason = _STUDENT.get(answer.code, "invalid_response_format")
    kept: dict[str, Any] = {
        "answer": text.text or None,
        "explanation": _explanation(text, answer.reason, gradings),
        "metadata": {
            "marks": _plain(text.marks),
            "gradings": [{**given, "marks": _plain(given["marks"])} for given in gradings],
        },
    }
    if len(open_) == len(METRICS):
        return Score.unscored(reason=reason, **kept)
    value = {name: math.nan if share is None else float(share) for name, share in shares.items()}
    return Score(value=value, reason=reason, **kept)


def _plain(marks: Mapping[str, Mark]) -> dict[str, str]:
    """Marks as texts: earned, missed, or unscored with the reason."""
    return {
        name: f"{mark.status}: {mark.reason}" if mark.reason else mark.status
        for name, mark in marks.items()
    }


def _explanation(text: GradedText, no_text: str, gradings: Sequence[Mapping[str, Any]]) -> str:
    """All marks for people, a line each, with what every round said."""
    if no_text:
        return f"No text to mark: {no_text}."
    lines: list[str] = []
    for name, mark in _plain(text.marks).items():
        rounds = " ".join(_SIGNS[given["marks"][name].status] for given in gradings)
        source = "counted by program" if name == LENGTH else f"rounds: {rounds or 'none'}"
        lines.append(f"- {name}: {mark} ({source})")
    return "\n".join(lines)
