"""The conversation of SKILL-MIX as a solver of Inspect, and what it leaves of it: the text."""

from __future__ import annotations

from functools import partial
from typing import Final

from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, ModelOutput, get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver

from unparrot.core.skills import SkillCombination
from unparrot.eval.ask.asking import usable_reply
from unparrot.eval.protocol.conversation import Answer, extract_answer, turn_prompt
from unparrot.packs.prompts import PromptSet, load_prompts
from unparrot.packs.reading import load_pack

TEXT: Final = "skillmix text"
NO_TEXT: Final = "skillmix no text"
"""What the solver leaves in the store of a sample: the text, or why there is none."""


@solver
def conversation(pack: str = "language.en", prompts: str = "skillmix.en", tries: int = 2) -> Solver:
    """Hold the turns of the prompts in one conversation, and take the text out of its end."""
    words, skills = load_prompts(prompts), load_pack(pack)

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        del generate
        answer = Answer("", "not asked")
        for turn in range(1, len(words.turns) + 1):
            if turn > 1:
                prompt = turn_prompt(words, skills, combination_of(state), turn)
                state.messages.append(ChatMessageUser(content=prompt))
            reply, answer = await _turn(state, words, turn, tries)
            if answer.reason:
                break
            state.messages.append(ChatMessageAssistant(content=reply, source="generate"))
        state.store.set(TEXT, answer.text)
        state.store.set(NO_TEXT, answer.reason)
        return state

    return solve


async def _turn(state: TaskState, words: PromptSet, turn: int, tries: int) -> tuple[str, Answer]:
    """Ask until a reply can be used or the tries are used up: what goes on, and the text."""
    reply, answer = "", Answer("", "not asked")
    for again in range(1, tries + 1):
        # a reply that could not be used must not come out of a cache again
        ask = get_model().generate if again == 1 else partial(get_model().generate, cache=False)
        state.output = await ask(list(state.messages))
        said, stop = state.output.completion, stop_of(state.output)
        reply, reason = usable_reply(said, stop, words)
        if reason:
            answer = Answer("", reason)
        elif turn < len(words.turns):
            answer = Answer(reply, "")
        else:
            answer = extract_answer(said, stop, words)
        if not answer.reason:
            break
    return reply, answer


def stop_of(output: ModelOutput) -> str:
    """Return why a model stopped, by Inspect's name."""
    return str(output.stop_reason) if output.choices else "unknown"


def combination_of(state: TaskState) -> SkillCombination:
    """Return what a sample asks for."""
    return SkillCombination(state.metadata["topic"], tuple(state.metadata["skills"]))
