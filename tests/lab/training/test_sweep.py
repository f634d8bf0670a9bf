from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from unparrot.core.errors import BadInput
from unparrot.lab.training.shape import ModelShape
from unparrot.lab.training.sweep import Job, JobFailed, run_jobs
from unparrot.lab.training.train import Branch, TrainProgress, TrainSpec, train

# The processes of the pool import a job by the name of its module, so these stand in a module that
# can be imported from the tests' working folder.
MODULE = """
import os, signal, time

def report(number, emit):
    emit({"started": number, "threads": os.environ["OMP_NUM_THREADS"]})
    return number * number

def fail(emit):
    raise ValueError("no such fish")

def die(emit):
    os.kill(os.getpid(), signal.SIGKILL)

def hang(path, emit):
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\\n")
    emit("hanging")
    time.sleep(600)
"""

INTERRUPTED = """
import sys
import fish_jobs
from unparrot.lab.training.sweep import Job, run_jobs
if __name__ == "__main__":
    jobs = [Job(str(i), fish_jobs.hang, (sys.argv[1],)) for i in range(2)]
    run_jobs(jobs, 2, lambda name, event: print(event, flush=True))
"""


@pytest.fixture
def fish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """A module of jobs that a fresh process can import."""
    (tmp_path / "fish_jobs.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "fish_jobs", raising=False)
    import fish_jobs  # type: ignore[import-not-found]

    return fish_jobs


def test_results_events_and_order(fish: object) -> None:
    jobs = [Job(f"job{i}", fish.report, (i,), cost=i) for i in range(4)]  # type: ignore[attr-defined]
    events: list[tuple[str, object]] = []
    before = dict(os.environ)
    results = run_jobs(jobs, 1, lambda name, event: events.append((name, event)))
    assert results == {"job0": 0, "job1": 1, "job2": 4, "job3": 9}
    assert events == [(f"job{i}", {"started": i, "threads": "1"}) for i in (3, 2, 1, 0)]
    assert dict(os.environ) == before


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_a_job_waits_for_the_one_it_is_after(fish: object, workers: int) -> None:
    jobs = [
        Job("short", fish.report, (1,), cost=1),  # type: ignore[attr-defined]
        Job("its test", fish.report, (2,), cost=9, after="short"),  # type: ignore[attr-defined]
        Job("long", fish.report, (3,), cost=5),  # type: ignore[attr-defined]
    ]
    started: list[str] = []
    results = run_jobs(jobs, workers, lambda name, _: started.append(name))
    assert results == {"short": 1, "its test": 4, "long": 9}
    assert started.index("short") < started.index("its test")
    if workers < 2:
        assert started == ["short", "its test", "long"], "the longest chain first"


def test_an_error_comes_with_its_traceback(fish: object, tmp_path: Path) -> None:
    hang = Job("long", fish.hang, (str(tmp_path / "pids"),), cost=9)  # type: ignore[attr-defined]
    with pytest.raises(JobFailed, match=r"(?s)bad failed.*fish_jobs\.py.*no such fish"):
        run_jobs([hang, Job("bad", fish.fail)], 2)  # type: ignore[attr-defined]


def test_a_process_that_dies_is_named(fish: object) -> None:
    with pytest.raises(JobFailed, match="process of victim died with exit code -9"):
        run_jobs([Job("victim", fish.die)], 1)  # type: ignore[attr-defined]


def test_control_c_leaves_no_process_behind(fish: object, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    program = tmp_path / "interrupted.py"
    program.write_text(INTERRUPTED)
    with subprocess.Popen(
        [sys.executable, str(program), str(pids)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, start_new_session=True,
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        for _ in range(2):
            assert parent.stdout.readline() == b"hanging\n"
        os.killpg(parent.pid, signal.SIGINT)  # a terminal signals the whole group
        parent.wait()
    assert parent.returncode != 0
    for pid in pids.read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


def test_the_processes_of_a_parent_that_was_killed_end_too(fish: object, tmp_path: Path) -> None:
    program = tmp_path / "killed.py"
    program.write_text(INTERRUPTED)
    with subprocess.Popen(
        [sys.executable, str(program), str(tmp_path / "pids")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        for _ in range(2):
            assert parent.stdout.readline() == b"hanging\n"
        parent.kill()
        # the pipe ends when nobody holds it any more, though both jobs would sleep for minutes
        assert parent.stdout.read() == b""


def test_a_ladder(tiny_corpus: Path, tmp_path: Path) -> None:
    specs = [
        TrainSpec(f"w{width}", ModelShape(width, 1, 1, 16, 19), str(tiny_corpus),
                  (Branch(f"m{width}", 20),), log_every=10, device="cpu")
        for width in (8, 16)
    ]  # fmt: skip
    events: list[object] = []
    results = run_jobs(
        [Job(spec.name, train, (spec, str(tmp_path / spec.name)), spec.cost) for spec in specs],
        2,
        lambda name, event: events.append((name, event)),
    )
    assert {name: model.name for name, (model,) in results.items()} == {"w8": "m8", "w16": "m16"}
    assert [results[spec.name][0].params for spec in specs] == [s.shape.params for s in specs]
    assert specs[0].cost < specs[1].cost
    steps = {name: event.step for name, event in events if isinstance(event, TrainProgress)}
    assert steps == {"w8": 20, "w16": 20}


def test_without_processes(fish: object) -> None:
    with pytest.raises(ValueError, match="no such fish"):
        run_jobs([Job("bad", fish.fail)], 0)  # type: ignore[attr-defined]


def test_bad_requests_are_refused(fish: object) -> None:
    job = Job("one", fish.fail)  # type: ignore[attr-defined]
    with pytest.raises(BadInput, match="one name"):
        run_jobs([job, job], 1)
    with pytest.raises(BadInput, match="workers is -1"):
        run_jobs([job], -1)
    with pytest.raises(BadInput, match="two is after 'three', which is no job before it"):
        run_jobs([job, Job("two", fish.fail, after="three")], 1)  # type: ignore[attr-defined]
    assert run_jobs([], 2) == {}
