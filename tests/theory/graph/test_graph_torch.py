"""The simulation on torch's CPU device, bit for bit against the kernels."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import torch

from unparrot.core.errors import BadInput
from unparrot.theory.graph import (
    Clique,
    ConcentratedErrors,
    Errors,
    Given,
    GraphSpec,
    PowerLaw,
    RandomErrors,
    RandomTuples,
    SkillErrors,
    SkillSet,
    Star,
    TupleList,
    Uniform,
    WorstCase,
)
from unparrot.theory.graph.counts import GraphCounts
from unparrot.theory.graph.simulate import simulate

N = 40
ERRORS = {
    "random": RandomErrors(0.1),
    "rates": SkillErrors(np.linspace(0, 0.1, N)),
    "concentrated": ConcentratedErrors(0.05, [1, 5, 30], 0.7),
    "set": WorstCase(0.1, SkillSet([0, 3])),
    "clique": WorstCase(0.1, Clique([0, 3, 4, 9], 2)),
    "star": WorstCase(0.1, Star([0], 2)),
    "pairs": WorstCase(0.1, RandomTuples(0.2, 2, 3)),
    "list": WorstCase(0.1, TupleList([(0, 1), (3, 2), (4, 7)])),
    "triples": WorstCase(0.05, RandomTuples(0.1, 3, 3)),
}
DEGREES = {"fixed": 5, "random": (0.1, 0.2, 0.3, 0.1, 0.3)}
FREQUENCIES = {"uniform": Uniform(), "zipf": PowerLaw(1.0), "given": Given([0, *range(1, N)])}


def equal(one: GraphCounts, other: GraphCounts) -> None:
    assert (one.failed_pieces, one.chosen) == (other.failed_pieces, other.chosen)
    pairs = [(one.degree, other.degree), (one.failed, other.failed)]
    assert (one.tuples is None) == (other.tuples is None)
    if one.tuples is not None and other.tuples is not None:
        fields = [field.name for field in dataclasses.fields(one.tuples)]
        pairs += [(getattr(one.tuples, name), getattr(other.tuples, name)) for name in fields]
    for mine, theirs in pairs:
        np.testing.assert_array_equal(mine, theirs)


def both(
    spec: GraphSpec, errors: Errors, tuple_size: int = 1, sample: int | None = None
) -> GraphCounts:
    kernels, tensors = (
        simulate(spec, errors, tuple_size=tuple_size, sample=sample, threads=1, device=device)
        for device in ("cpu", "torch-cpu")
    )
    equal(kernels, tensors)
    return tensors


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some 300 pieces in a chunk, so that what is carried from chunk to chunk is tested."""
    monkeypatch.setattr("unparrot.theory.graph.torch_device._CPU_BYTES", 100_000)


@pytest.mark.parametrize("repeats", [True, False], ids=["repeats", "distinct"])
@pytest.mark.parametrize("frequencies", FREQUENCIES)
@pytest.mark.parametrize("degree", DEGREES)
def test_equal_to_the_kernels(degree: str, frequencies: str, repeats: bool) -> None:
    spec = GraphSpec(N, 1501, DEGREES[degree], repeats, FREQUENCIES[frequencies], seed=7)
    for number, errors in enumerate(ERRORS.values()):
        both(spec, errors, *[(1, None), (2, None), (3, 50)][number % 3])


@pytest.mark.parametrize("skills", [1, 2, 3, 1000, 1024, 1025, 100_000])
@pytest.mark.parametrize("frequencies", [Uniform(), PowerLaw(0.7)], ids=["uniform", "power"])
def test_every_number_of_skills(skills: int, frequencies: Uniform | PowerLaw) -> None:
    """Draws share a word, or not; tables end at a power of two, or not."""
    spec = GraphSpec(skills, 700, 7, frequencies=frequencies, seed=2**64 - 1)
    counts = both(spec, RandomErrors(0.3))
    assert counts.edges == 4900


@pytest.mark.parametrize("frequencies", [Uniform(), PowerLaw(2.0)], ids=["uniform", "power"])
def test_pieces_that_hold_nearly_all_skills(frequencies: Uniform | PowerLaw) -> None:
    spec = GraphSpec(9, 500, (0.1,) * 10, False, frequencies, seed=3)
    both(spec, RandomErrors(0.3), 2)


def test_packed_counts_are_emptied_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unparrot.theory.graph.torch_device._PACKED_COUNTS", 1000)
    both(GraphSpec(30, 4000, 6, seed=1), RandomErrors(0.5), 2)


@pytest.mark.parametrize("theta", [1e-9, 0.001, 0.999, 1 - 1e-9])
def test_the_worst_case_at_its_ends(theta: float) -> None:
    """From no failed piece at all to every one, with ties over several chunks."""
    for chosen in (SkillSet([0]), Clique(range(20), 2)):
        both(GraphSpec(20, 2000, 4, seed=5), WorstCase(theta, chosen))


def test_devices_that_are_not_there() -> None:
    spec, errors = GraphSpec(10, 10, 2), RandomErrors(0.5)
    for device in ("gpu", "mps", "cuda:x", "torch", ""):
        with pytest.raises(BadInput, match=f"unknown device '{device}'; give 'cpu', 'cuda'"):
            simulate(spec, errors, device=device)
    missing = f"cuda:{torch.cuda.device_count()}"
    with pytest.raises(BadInput, match=f"sees no device '{missing}' here; use device 'cpu'"):
        simulate(spec, errors, device=missing)


def test_bad_input_is_refused_as_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = GraphSpec(10, 10, 2)
    cases: list[tuple[Errors, int, int | None]] = [
        (RandomErrors(0.5), 3, None),
        (RandomErrors(0.5), 0, None),
        (RandomErrors(0.5), 1, 5),
        (WorstCase(0.5, SkillSet([10])), 1, None),
        (SkillErrors([0.5]), 1, None),
        (ConcentratedErrors(0.9, [1]), 1, None),
    ]
    for errors, size, sample in cases:
        messages = set()
        for device in ("cpu", "torch-cpu"):
            with pytest.raises(BadInput) as caught:
                simulate(spec, errors, tuple_size=size, sample=sample, device=device)
            messages.add(str(caught.value))
        assert len(messages) == 1
    monkeypatch.setattr("unparrot.core.machine.available_bytes", lambda: 1000)
    with pytest.raises(BadInput, match=r"need .* of memory"):
        simulate(GraphSpec(1000, 10, 2), RandomErrors(0.5), device="torch-cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("frequencies", FREQUENCIES)
@pytest.mark.parametrize("repeats", [True, False], ids=["repeats", "distinct"])
def test_cuda_is_equal_to_the_kernels(frequencies: str, repeats: bool) -> None:
    spec = GraphSpec(N, 100_001, DEGREES["random"], repeats, FREQUENCIES[frequencies], seed=7)
    for errors in ERRORS.values():
        for size in (1, 2):
            equal(
                simulate(spec, errors, tuple_size=size),
                simulate(spec, errors, tuple_size=size, device="cuda"),
            )


def test_the_kernels_need_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from unparrot.theory.graph import GraphSpec, RandomErrors\n"
        "from unparrot.theory.graph.simulate import simulate\n"
        "spec, errors = GraphSpec(10, 10, 2), RandomErrors(0.5)\n"
        "print(simulate(spec, errors).edges)\n"
        "try: simulate(spec, errors, device='cuda')\n"
        "except ImportError as error: print(type(error).__name__, error)\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = out.stdout.splitlines()
    assert first == "20"
    assert second.startswith("MissingExtra torch is not installed; install it with: pip install")
