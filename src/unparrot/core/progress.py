"""Progress of long work: how long it takes, as soon as its pace is known, and where it stands."""

import logging
import time
from typing import Final

from unparrot.core.wording import duration, percent

# The command line prints what is logged here.
LOG: Final = logging.getLogger("unparrot.progress")
# Seconds until the first estimate, and between the later ones.
FIRST: Final = 2.0
EVERY: Final = 30.0


class Progress:
    """Counts the steps of a piece of work, in any thread, and now and then logs the time left.

    Parameters
    ----------
    what
        The work, in a word or two.
    steps
        How many there are, of about equal length.
    """

    def __init__(self, what: str, steps: int) -> None:
        self.what, self.steps, self.done = what, steps, 0
        self.began = time.monotonic()
        self.due = self.began + FIRST

    def step(self) -> None:
        """Count a step that is done."""
        self.done += 1
        now = time.monotonic()
        if now >= self.due and self.done < self.steps:
            self.due = now + EVERY
            left = (now - self.began) / self.done * (self.steps - self.done)
            done = percent(self.done / self.steps)
            LOG.info("%s: %s done, about %s left; Ctrl-C stops it", self.what, done, duration(left))
