"""What Inspect finds of unparrot by its entry point: the models ``lab/...``, and SKILL-MIX."""

from unparrot.eval.inspect.conversation import conversation
from unparrot.eval.inspect.inspect_marks import by_k, skillmix_marks
from unparrot.eval.inspect.inspect_task import skillmix
from unparrot.lab.inspect_provider import lab

__all__ = ["by_k", "conversation", "lab", "skillmix", "skillmix_marks"]
