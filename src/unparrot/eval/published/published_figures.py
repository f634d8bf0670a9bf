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

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from unparrot.core.skills import CRITERIA
from unparrot.core.wording import plural
from unparrot.eval.published.record_layout import GradeFile, StudentFile

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


def published_figures(records: Sequence[StudentFile]) -> list[PublishedFigures]:
    """Return the published figures for every student, k, seed, prompt and grader of the records."""
    groups: dict[tuple[_Key, str], dict[tuple[int, int], GradeFile]] = defaultdict(dict)
    for file in records:
        k, seed, prompt, number = file.setting
        for graded in file.grades:
            key = (file.student, k, seed, prompt, graded.grader, graded.prompt)
            groups[key, graded.column][number, graded.round] = graded
    return [_figures(key, files) for (key, _), files in sorted(groups.items())]


# Student, k, seed, generation prompt, grader and grading prompt.
_Key = tuple[str, int, int, str, str, str]


def _figures(key: _Key, files: Mapping[tuple[int, int], GradeFile]) -> PublishedFigures:
    """The figures of the files of one student and grader, by generation and grading round."""
    k = key[1]
    rounds, gradings = map(max, zip(*files, strict=True))
    places = list(product(range(1, rounds + 1), range(1, gradings + 1)))
    sizes = [len(files[place].gradings) if place in files else 0 for place in places]
    problem = ""
    if lacking := [place for place in places if place not in files]:
        problem = "generation round {} has no grading round {}".format(*lacking[0])
    # it looks for the last file's combinations in all, so the last must be the shortest
    elif sizes[-1] != min(sizes) or not sizes[-1]:
        why = f"and only {min(sizes)} in another" if sizes[-1] else "so it has nothing to average"
        problem = f"its last file has grades of {plural(sizes[-1], 'combination')}, {why}"
    if problem:
        return PublishedFigures(*key, rounds, gradings, problem=f"it cannot be run: {problem}")
    marks = np.stack([_recorded(files[place], k)[: sizes[-1]] for place in places])
    voted = np.rint(marks.reshape(rounds, gradings, sizes[-1], -1).mean(axis=1))
    skills, others = voted[:, :, :k].sum(axis=2), voted[:, :, k:].sum(axis=2)
    full = (skills + others == k + _OTHERS).astype(np.int64)
    almost = ((skills == k) & (others >= _OTHERS - 1)).astype(np.int64)
    fraction = np.where(others == _OTHERS, skills / np.float32(k), np.float32(0))
    figures = (_mean_of_best(full), _mean_of_best(almost), _mean_of_best(fraction))
    return PublishedFigures(*key, rounds, gradings, sizes[-1], *figures)


def _recorded(file: GradeFile, k: int) -> NDArray[np.float32]:
    """The marks of a file, shape (n, k + 3): as recorded, padded with zeros, and last the
    program's point."""
    alone = all(len(row.points) <= 1 for row in file.gradings)
    table = np.zeros((len(file.gradings), k + _OTHERS), dtype=np.float32)
    for row, grading in zip(table, file.gradings, strict=True):
        points = () if alone else grading.points[: len(row)]
        row[: len(points)] = points
        row[-1] = math.nan if grading.within is None else grading.within
    return table


def _mean_of_best(scores: NDArray[Any]) -> PublishedMean:
    best = scores.max(axis=0)
    n = len(best)
    return PublishedMean(
        float(best.mean()), float(best.std(ddof=1) / np.sqrt(n)) if n > 1 else None
    )
