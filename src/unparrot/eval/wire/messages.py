"""Messages for Inspect's model layer: the full settings of a call, and what a grader is sent."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from unparrot.core.skills import SkillCombination, SkillPack
from unparrot.eval.protocol.grading import Form, grading_prompt, grading_schema
from unparrot.eval.wire.models import Limits, Settings
from unparrot.packs.prompts import PromptSet

if TYPE_CHECKING:
    from inspect_ai.model import ChatMessageUser, GenerateConfig, ResponseSchema


@lru_cache(maxsize=256)
def call_config(shape: Settings, limits: Limits, schema_k: int | None) -> GenerateConfig:
    """Return the full settings of a call, for Inspect.

    Parameters
    ----------
    shape, limits
        What shapes the answer, and how the call is made.
    schema_k
        Number of skills whose marks are asked for under a JSON schema; None for plain text.
    """
    from inspect_ai.model import GenerateConfig
    from inspect_ai.util import AdaptiveConcurrency

    most = limits.connections
    return GenerateConfig(
        **shape._asdict(),
        response_schema=None if schema_k is None else marks_schema(schema_k),
        # fewer at a time after a provider has said that it is too many
        adaptive_connections=AdaptiveConcurrency(min=1, start=most, max=most),
        attempt_timeout=max(1, round(limits.timeout)),
        max_retries=limits.retries,
    )


def marks_schema(k: int) -> ResponseSchema:
    """Return the JSON schema of the marks of k skills, for Inspect."""
    from inspect_ai.model import ResponseSchema
    from inspect_ai.util import JSONSchema

    # the schema knows skills by their number alone
    anything = SkillCombination("-", tuple(str(i) for i in range(k)))
    return ResponseSchema(
        name="marks",
        json_schema=JSONSchema.model_validate(grading_schema(anything)),
        strict=True,
    )


def grading_message(
    prompts: PromptSet,
    pack: SkillPack,
    combination: SkillCombination,
    text: str,
    token: str,
    form: Form,
    grader: str,
) -> ChatMessageUser:
    """Return what a grader is sent: as `grading_prompt`, and for an exact grader the text apart."""
    from inspect_ai.model import ChatMessageUser

    metadata: dict[str, Any] | None = None
    if grader.startswith("lab/"):  # an exact grader reads no English
        metadata = {
            "unparrot": {
                "topic": combination.topic,
                "skills": list(combination.skills),
                "text": text,
                "token": token,
                "form": form,
            }
        }
    prompt = grading_prompt(prompts, pack, combination, text, token, form)
    return ChatMessageUser(content=prompt, metadata=metadata)
