"""What Inspect finds of unparrot by its entry point: the models ``lab/...``, and SKILL-MIX."""

from unparrot.eval.inspect.inspect_task import by_k, conversation, skillmix, skillmix_marks
from unparrot.lab.inspect_provider import lab

__all__ = ["by_k", "conversation", "lab", "skillmix", "skillmix_marks"]
