"""What Inspect finds of unparrot by its entry point: ``lab/...``, ``gguf/...``, and SKILL-MIX."""

from unparrot.eval.inspect.inspect_task import by_k, conversation, skillmix, skillmix_marks
from unparrot.eval.wire.gguf_provider import gguf
from unparrot.lab.inspect_provider import lab

__all__ = ["by_k", "conversation", "gguf", "lab", "skillmix", "skillmix_marks"]
