"""The time that jobs still take: from what was measured, and from nothing else."""

from __future__ import annotations

import pytest

from unparrot.lab.training.forecast import Forecast
from unparrot.lab.training.sweep import Job


def learn(_emit: object) -> None:
    """A kind of job."""


def write(_emit: object) -> None:
    """Another kind."""


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


JOBS = [
    Job("large", learn, cost=800),
    Job("its test", write, cost=100, after="large"),
    Job("small", learn, cost=200),
    Job("parrot", write, cost=100),
]


def test_nothing_is_said_before_something_was_measured() -> None:
    clock = Clock()
    forecast = Forecast(JOBS, 2, clock=clock)
    assert forecast.seconds_left() is None
    forecast.note("large", 0.5)  # of an earlier run, perhaps
    forecast.note("small", 1.0)
    clock.seconds = 50.0
    assert forecast.seconds_left() is None
    forecast.note("large", 0.6)
    assert forecast.seconds_left() is not None


def test_the_pace_of_what_was_done_holds_for_what_is_left() -> None:
    clock = Clock()
    forecast = Forecast(JOBS, 1, afterwards=100, clock=clock)
    forecast.note("large", 0.0)
    clock.seconds = 40.0
    forecast.note("large", 0.5)  # 400 of cost 1200, in 40 s: a tenth of a second each
    assert forecast.done == pytest.approx(400 / 1200)
    assert forecast.seconds_left() == pytest.approx(80 + 10)
    clock.seconds = 44.0  # time goes by while nothing is heard
    assert forecast.seconds_left() == pytest.approx(80 + 10 - 4)


def test_a_kind_has_its_own_pace_once_one_of_it_was_measured() -> None:
    clock = Clock()
    forecast = Forecast(JOBS, 1, clock=clock)
    forecast.note("large", 0.0)
    forecast.note("parrot", 0.0)
    clock.seconds = 40.0
    forecast.note("large", 0.5)
    forecast.note("parrot", 0.5)  # 50 of cost in 40 s: eight times as slow
    assert forecast.seconds_left() == pytest.approx(40 + 20 + 40 + 80)


def test_the_end_waits_for_the_longest_chain_and_for_the_work_of_all() -> None:
    # large takes 80 s and its test 10 s; small 15 s more; the parrot 10 s
    for workers, seconds in ((1, 115), (2, 90), (8, 90)):
        clock = Clock()
        forecast = Forecast(JOBS, workers, clock=clock)
        forecast.note("small", 0.0)
        clock.seconds = 5.0
        forecast.note("small", 0.25)
        assert forecast.seconds_left() == pytest.approx(seconds)


def test_a_job_that_runs_slower_than_its_kind_is_believed() -> None:
    clock = Clock()
    forecast = Forecast([Job("one", learn, cost=100), Job("two", learn, cost=100)], 2, clock=clock)
    forecast.note("one", 0.0)
    forecast.note("two", 0.0)
    clock.seconds = 10.0
    forecast.note("one", 1.0)
    forecast.note("two", 0.5)
    left = forecast.seconds_left()
    assert left is not None
    assert 9 < left < 10.5, "by its own pace 10 s; by that of both 6.7 s"


def test_all_done_leaves_what_comes_afterwards() -> None:
    clock = Clock()
    forecast = Forecast(JOBS, 2, afterwards=24, clock=clock)
    for job in JOBS:
        forecast.note(job.name, 0.0)
    clock.seconds = 120.0
    for job in JOBS:
        forecast.note(job.name, 1.0)
    assert forecast.done == 1
    assert forecast.seconds_left() == pytest.approx(24 * 480 / 1200)
