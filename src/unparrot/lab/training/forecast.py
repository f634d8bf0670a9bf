"""The time that jobs still take, worked out from their costs and from what of them has been done.

forecast = Forecast(jobs, workers=2)
forecast.note("64k", 0.25)
forecast.seconds_left()
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from unparrot.lab.training.sweep import Job

PRIOR = 0.05
"""Share of a job that its own pace has to be known for to count as much as that of its kind."""
LEAST_SECONDS = 2.0
"""Of work, that have to be measured before anything is estimated."""


class Progress(NamedTuple):
    """Progress of a job: the share that is done, in [0, 1], and what is going on."""

    share: float
    remark: str = ""


class Stage(NamedTuple):
    """Progress of a stage: what is going on, how much is done of how much, a remark, and the
    seconds to the end of the whole run where they can be estimated."""

    name: str
    done: float
    of: float
    remark: str = ""
    seconds_left: float | None = None


class Forecast:
    """What a pool of processes has done of its jobs, and when it will end.

    Jobs of one function are of one kind: their costs are compared with each other first, with those
    of other kinds only where none of their own has been measured.

    Parameters
    ----------
    jobs
        All jobs, each with its expected cost.
    workers
        How many run at a time.
    afterwards
        Cost of what follows when all are done.
    clock
        Returns seconds, from any beginning.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        workers: int,
        afterwards: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.jobs, self.workers, self.afterwards, self.clock = jobs, workers, afterwards, clock
        self.first: dict[str, tuple[float, float]] = {}  # share done, and when
        self.last: dict[str, tuple[float, float]] = {}

    def note(self, name: str, share: float) -> None:
        """Take down that this share of a job, in [0, 1], is done.

        The first share of a job may be the work of an earlier run, so it says nothing of its pace.
        """
        self.last[name] = share, self.clock()
        self.first.setdefault(name, self.last[name])

    @property
    def done(self) -> float:
        """The share of all work that is done, in [0, 1]."""
        done = sum(job.cost * self.last.get(job.name, (0.0, 0.0))[0] for job in self.jobs)
        return done / sum(job.cost for job in self.jobs)

    def seconds_left(self) -> float | None:
        """Return the seconds that all of it still takes; None while too little was measured.

        The pool is taken to be busy to the end, unless one job, or one and that which follows it,
        takes longer.
        """
        work: dict[object, float] = defaultdict(float)
        seconds: dict[object, float] = defaultdict(float)
        measured: dict[str, tuple[float, float]] = {}
        for job in self.jobs:
            if job.name in self.last:
                (begun, began), (done, now) = self.first[job.name], self.last[job.name]
                measured[job.name] = done - begun, now - began
                # the first of a job may be slow: it compiles, or learns a corpus
                if done - begun >= PRIOR:
                    work[job.function] += job.cost * (done - begun)
                    seconds[job.function] += now - began
        total = sum(seconds.values())
        if total < LEAST_SECONDS:
            return None
        pace = total / sum(work.values())
        left: dict[str, float] = {}
        for job in self.jobs:
            kind = job.function
            expected = job.cost * (seconds[kind] / work[kind] if work[kind] else pace)
            share, spent = measured.get(job.name, (0.0, 0.0))
            whole = (spent + PRIOR * expected) / (share + PRIOR)
            done, at = self.last.get(job.name, (0.0, self.clock()))
            left[job.name] = max(0.0, (1 - done) * whole - (self.clock() - at)) if done < 1 else 0.0
        longest = max(left[job.name] + left.get(job.after, 0.0) for job in self.jobs)
        return max(longest, sum(left.values()) / self.workers) + self.afterwards * pace
