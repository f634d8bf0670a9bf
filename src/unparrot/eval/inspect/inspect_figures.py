"""The figures in the header of an exported log, as Inspect works them out from the same scores.

Rounds of a combination are reduced to their mean, and to their maximum; then come the mean over
combinations and its standard error. What is unscored is left out and counted; a figure that is not
defined is not there.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean
from typing import Final

from inspect_ai.log import EvalMetric, EvalResults, EvalSample, EvalScore

from unparrot.eval.inspect.inspect_scoring import METRICS, mean_and_error

REDUCERS: Final[dict[str, Callable[[Sequence[float]], float]]] = {"mean": fmean, "max": max}


class Figures:
    """Collects scores, sample by sample; the rounds of a combination must come together.

    Parameters
    ----------
    scorers
        Names of the graders.
    ks
        Numbers of skills of the run.
    rounds
        Rounds of generation; one needs no reducing.
    """

    def __init__(self, scorers: Iterable[str], ks: Sequence[int], rounds: int) -> None:
        self.names = list(scorers)
        self.ks = tuple(ks)
        self.reducers = list(REDUCERS) if rounds > 1 else ["mean"]
        self._current: tuple[str | int, int] | None = None
        self._rounds: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        self._seen: set[str] = set()
        self._reduced: defaultdict[tuple[str, str, str, int], list[float]] = defaultdict(list)
        self._unscored: defaultdict[tuple[str, str], int] = defaultdict(int)

    def add(self, sample: EvalSample) -> None:
        """Take the scores of a sample."""
        combination = (sample.id, int(sample.metadata["k"]))
        if combination != self._current:
            self._close()
            self._current = combination
        for name, score in (sample.scores or {}).items():
            self._seen.add(name)
            for metric in METRICS:
                value = score.value.get(metric) if isinstance(score.value, dict) else math.nan
                if isinstance(value, float) and not math.isnan(value):
                    self._rounds[name, metric].append(value)

    def _close(self) -> None:
        """Reduce the rounds of the combination at hand."""
        if self._current is None:
            return
        for name in self._seen:
            for metric in METRICS:
                values = self._rounds[name, metric]
                if not values:
                    self._unscored[name, metric] += 1
                    continue
                for reducer in self.reducers:
                    reduced = REDUCERS[reducer](values)
                    self._reduced[name, metric, reducer, self._current[1]].append(reduced)
        self._rounds.clear()
        self._seen.clear()

    def results(self, planned: int, samples: int) -> EvalResults:
        """Return the figures of all that was added.

        Parameters
        ----------
        planned, samples
            Samples that the run asks for, and that it has.
        """
        self._close()
        self._current = None
        return EvalResults(
            total_samples=planned,
            completed_samples=samples,
            scores=[
                self._score(name, metric, reducer)
                for name in self.names
                for reducer in self.reducers
                for metric in METRICS
            ],
        )

    def _score(self, name: str, metric: str, reducer: str) -> EvalScore:
        groups = {k: self._reduced[name, metric, reducer, k] for k in self.ks}
        values = [value for group in groups.values() for value in group]
        metrics = _metrics("", "", values)
        if len(groups) > 1:
            for k, group in groups.items():
                metrics |= _metrics("unparrot/by_k_", f"k={k}", group)
        return EvalScore(
            name=metric,
            scorer=name,
            reducer=reducer if len(self.reducers) > 1 else None,
            scored_samples=len(values),
            unscored_samples=self._unscored[name, metric],
            metrics=metrics,
        )


def _metrics(prefix: str, label: str, values: Sequence[float]) -> dict[str, EvalMetric]:
    """Mean and standard error, as far as they are defined."""
    group = "by_k" if label else None
    found: dict[str, EvalMetric] = {}
    for name, value in zip(
        (label or "mean", f"{label} stderr".strip()), mean_and_error(values), strict=True
    ):
        if value is not None:
            found[f"{prefix}{name}"] = EvalMetric(name=name, group=group, value=value)
    return found
