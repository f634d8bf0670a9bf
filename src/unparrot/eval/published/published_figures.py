"""Figures of the published aggregator from the same records: `unparrot eval import DIR --compat`.

It reads the marks that the published code recorded, not the replies, and it

- pads missing marks with zeros at the end of the list, whatever they were marks of, and takes a
  file whose every list has one mark at most for a file without any;
- puts the program's point for length in the last place;
- rounds the mean of a mark over grading rounds to the nearest whole number, halves down to 0, so
  that three copies of one vote are a majority;
- takes the best of all generation rounds, metric by metric, combination by combination;
- reports the mean over combinations, and their standard deviation over the root of their number.

All of that is kept here, in the precision that it has there, so that the figures agree. They are
not ours: a mark that was cut off is no zero.

References
----------
Yu et al. (2023), "Skill-Mix", section 3; aggregate_metrics.py of github.com/LeoYu/skill-mix, with
its settings but for the numbers of rounds and of combinations.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.core.skills import CRITERIA
from unparrot.eval.published.record_layout import GradeFile, Records

Marks = NDArray[np.float32]
_OTHERS: Final = len(CRITERIA)


@dataclass(frozen=True, slots=True)
class PublishedMean:
    """A mean over combinations, and its standard error; None with a single combination."""

    mean: float
    error: float | None

    def __str__(self) -> str:
        """As the published script prints it."""
        return f"{self.mean:.2f} ± {math.nan if self.error is None else self.error:.3f}"


@dataclass(frozen=True, slots=True)
class PublishedFigures:
    """The three published figures of one student at one k by one grader, or why there are none.

    ``rounds``, ``gradings`` and ``per_round`` are the arguments num_generation_rounds,
    num_grading_rounds and num_generations_per_round that give these figures.
    """

    student: str
    k: int
    seed: int
    generation_prompt: str
    grader: str
    grading_prompt: str
    rounds: int
    gradings: int
    per_round: int = 0
    full_marks: PublishedMean | None = None
    all_skills: PublishedMean | None = None
    skill_fraction: PublishedMean | None = None
    problem: str = ""


def recorded_marks(file: GradeFile) -> Marks:
    """Return the marks of a file as the published aggregator reads them.

    Returns
    -------
    array
        Shape (n, k + 3): the recorded marks, padded with zeros, and last the program's point.
    """
    gradings, k = file.gradings, file.setting.k
    lists = [row.points.split(",") if row.points else list[str]() for row in gradings]
    if all(len(points) <= 1 for points in lists):
        lists = [list[str]() for _ in lists]
    size = k + _OTHERS
    table = np.zeros((len(lists), size), dtype=np.float32)
    for row, points, grading in zip(table, lists, gradings, strict=True):
        try:
            row[: len(points)] = [float(point) for point in points[:size]]
        except ValueError as error:
            raise BadInput(
                f"{file.path}, line {grading.line}: points_0 is {grading.points!r}, not a list of "
                "numbers; fetch the file again"
            ) from error
        row[-1] = math.nan if grading.within is None else grading.within
    return table


def aggregate_as_published(
    marks: NDArray[np.float32], k: int
) -> tuple[PublishedMean, PublishedMean, PublishedMean]:
    """Return full marks, all skills and skill fraction as the published aggregator does.

    Parameters
    ----------
    marks
        Shape (generation rounds, grading rounds, combinations, k + 3).
    k
        Number of skills.
    """
    voted = np.rint(marks.mean(axis=1))
    total = voted.sum(axis=2)
    skills, others = voted[:, :, :k].sum(axis=2), voted[:, :, k:].sum(axis=2)
    return (
        _mean_of_best((total == k + _OTHERS).astype(np.int64)),
        _mean_of_best(((skills == k) & (others >= _OTHERS - 1)).astype(np.int64)),
        _mean_of_best(np.where(others == _OTHERS, skills / np.float32(k), np.float32(0))),
    )


def _mean_of_best(scores: NDArray[Any]) -> PublishedMean:
    best = scores.max(axis=0)
    n = len(best)
    error = float(best.std(ddof=1) / np.sqrt(n)) if n > 1 else None
    return PublishedMean(float(best.mean()), error)


def published_figures(records: Records) -> list[PublishedFigures]:
    """Return the published figures for every student, k, seed, prompt and grader of the records."""
    groups: dict[tuple[Any, ...], list[GradeFile]] = defaultdict(list)
    for file in records.grades:
        k, seed, prompt, _ = file.setting
        groups[file.student, k, seed, prompt, file.grader, file.prompt, file.column].append(file)
    return [_figures(key, files) for key, files in sorted(groups.items())]


def _figures(key: tuple[Any, ...], files: Sequence[GradeFile]) -> PublishedFigures:
    student, k, seed, prompt, grader, grading_prompt, _ = key
    by_round = {(file.setting.round, file.round): file for file in files}
    rounds, gradings = map(max, zip(*by_round, strict=True))
    name = (student, k, seed, prompt, grader, grading_prompt, rounds, gradings)
    places = list(product(range(1, rounds + 1), range(1, gradings + 1)))
    for r, g in places:
        if (r, g) not in by_round:
            problem = f"it cannot be run: generation round {r} has no grading round {g}"
            return PublishedFigures(*name, problem=problem)
    sizes = [len(by_round[place].gradings) for place in places]
    # It looks for the last file's combinations in all, so the last must be the shortest
    if sizes[-1] != min(sizes) or not sizes[-1]:
        why = (
            "so it has nothing to average" if not sizes[-1] else f"and only {min(sizes)} in another"
        )
        problem = f"it cannot be run: {sizes[-1]} combinations are graded in its last file, {why}"
        return PublishedFigures(*name, problem=problem)
    marks = np.stack([recorded_marks(by_round[p])[: sizes[-1]] for p in places])
    shaped = marks.reshape(rounds, gradings, sizes[-1], k + _OTHERS)
    return PublishedFigures(*name, sizes[-1], *aggregate_as_published(shaped, k))
