"""Scores of a text as Inspect sees them, the same in the task and in the logs of runs.

A score holds the three metrics of the protocol. What unscored marks leave open is NaN there, which
Inspect takes for unscored and leaves out of every mean; a text with all three open is unscored as
a whole, with the reason. `Figures` are those in the header of a log, as Inspect works them out from
the same scores: rounds of a combination are reduced to their mean and to their maximum; then come
the mean over combinations and its standard error. A figure that is not defined is not there.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean, stdev
from typing import Any, Final

from inspect_ai.log import EvalMetric, EvalResults, EvalSample, EvalScore
from inspect_ai.scorer import Score

from unparrot.core.grades import GradedText, Mark
from unparrot.core.skills import LENGTH, SkillPack
from unparrot.packs.prompts import PromptSet
from unparrot.packs.reading import public_part

METRICS: Final = ("full_marks", "all_skills", "skill_fraction")
SCORER: Final = "skillmix_marks"
TEXT: Final = "skillmix text"
NO_TEXT: Final = "skillmix no text"
"""What the solver leaves in the store of a sample: the text, or why there is none."""
REDUCERS: Final[dict[str, Callable[[Sequence[float]], float]]] = {"mean": fmean, "max": max}

_SIGNS: Final = {"earned": "1", "missed": "0", "unscored": "?"}
_STUDENT: Final = {
    "refused": "refusal",
    "empty reply": "no_response",
    "empty answer": "no_response",
}
"""Inspect's words for why a student has no text, where it has one; else its reply is in no form
that was asked for."""


def sample_id(k: int, place: int) -> str:
    """Return the id of the sample of a combination; ``place`` in the draw counts from 0.

    Examples
    --------
    >>> sample_id(3, 0)
    'k3-00001'
    """
    return f"k{k}-{place + 1:05}"


def task_metadata(pack: SkillPack, prompts: PromptSet, private: bool, seed: int) -> dict[str, Any]:
    """Return what identifies the test, as the metadata of a log say it."""
    metadata: dict[str, Any] = {
        "protocol": "SKILL-MIX",
        "pack": public_part(pack, private),
        "prompts": {
            "name": prompts.name,
            "version": prompts.version,
            "digest": prompts.digest,
        },
        "combinations_seed": seed,
        "private": private,
    }
    if private:
        metadata["warning"] = (
            "the pack is private, and this log holds its skills: do not publish it"
        )
    return metadata


def score_of(text: GradedText, no_text: str, gradings: Sequence[Mapping[str, Any]]) -> Score:
    """Return the score of a text.

    Parameters
    ----------
    text
        With the marks that count.
    no_text
        Why there is no text; empty if there is one.
    gradings
        One for each round: ``round`` and ``marks`` (`Mark` by criterion), and whatever else is to
        be kept of it as plain data.

    Returns
    -------
    Score
        ``value``: full_marks, all_skills and skill_fraction, in [0, 1] or NaN. ``metadata``:
        ``marks``, what counts, and ``gradings``, what each round said. ``reason`` is Inspect's word
        for why something is open, None if nothing is.
    """
    shares = {name: getattr(text, name) for name in METRICS}
    kept: dict[str, Any] = {
        "answer": text.text or None,
        "explanation": _explanation(text, no_text, gradings),
        "metadata": {
            "marks": _plain(text.marks),
            "gradings": [{**given, "marks": _plain(given["marks"])} for given in gradings],
        },
    }
    open_ = [name for name, value in shares.items() if value is None]
    reason = None
    if no_text and no_text.startswith("no reply"):
        reason = "no_response"
    elif no_text:
        reason = _STUDENT.get(no_text, "invalid_response_format")
    elif open_:
        reason = "grader_failed"
    if len(open_) == len(METRICS):
        return Score.unscored(reason=reason, **kept)
    value = {name: math.nan if shares[name] is None else float(shares[name]) for name in METRICS}
    return Score(value=value, reason=reason, **kept)


def _plain(marks: Mapping[str, Mark]) -> dict[str, str]:
    """Marks as texts: earned, missed, or unscored with the reason."""
    return {
        name: f"{mark.status}: {mark.reason}" if mark.reason else mark.status
        for name, mark in marks.items()
    }


def _explanation(text: GradedText, no_text: str, gradings: Sequence[Mapping[str, Any]]) -> str:
    """All marks for people, a line each, with what every round said."""
    if no_text:
        return f"No text to mark: {no_text}."
    lines: list[str] = []
    for name, mark in _plain(text.marks).items():
        rounds = " ".join(_SIGNS[given["marks"][name].status] for given in gradings)
        source = "counted by program" if name == LENGTH else f"rounds: {rounds or 'none'}"
        lines.append(f"- {name}: {mark} ({source})")
    return "\n".join(lines)


def mean_and_error(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Return the mean and its standard error; None where there are too few values for one.

    Examples
    --------
    >>> mean_and_error([0.0, 1.0, 1.0, 0.0])
    (0.5, 0.28867513459481287)
    >>> mean_and_error([1.0])
    (1.0, None)
    """
    if not values:
        return None, None
    error = stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None
    return fmean(values), error


_Rounds = defaultdict[tuple[str, str], defaultdict[tuple[str | int, int], list[float]]]


class Figures:
    """The scores of samples, and the figures that Inspect works out from them.

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
        # by scorer and metric, then by combination and k: the rounds that have a value
        self._rounds: _Rounds = defaultdict(lambda: defaultdict(list))

    def add(self, sample: EvalSample) -> None:
        """Take the scores of a sample."""
        combination = (sample.id, int(sample.metadata["k"]))
        for name, score in (sample.scores or {}).items():
            for metric in METRICS:
                values = self._rounds[name, metric][combination]
                value = score.value.get(metric) if isinstance(score.value, dict) else math.nan
                if isinstance(value, float) and not math.isnan(value):
                    values.append(value)

    def results(self, planned: int, samples: int) -> EvalResults:
        """Return the figures of all that was added.

        Parameters
        ----------
        planned, samples
            Samples that the run asks for, and that it has.
        """
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
        rounds = self._rounds[name, metric]
        by_k: dict[int, list[float]] = {k: [] for k in self.ks}
        for (_, k), values in rounds.items():
            if values:
                by_k[k].append(REDUCERS[reducer](values))
        reduced = [value for group in by_k.values() for value in group]
        metrics = _metrics("", "", reduced)
        for k, group in by_k.items() if len(by_k) > 1 else ():
            metrics |= _metrics("unparrot/by_k_", f"k={k}", group)
        return EvalScore(
            name=metric,
            scorer=name,
            reducer=reducer if len(self.reducers) > 1 else None,
            scored_samples=len(reduced),
            unscored_samples=len(rounds) - len(reduced),
            metrics=metrics,
        )


def _metrics(prefix: str, label: str, values: Sequence[float]) -> dict[str, EvalMetric]:
    """Mean and standard error, as far as they are defined."""
    group = "by_k" if label else None
    figures: dict[str, EvalMetric] = {}
    for name, value in zip(
        (label or "mean", f"{label} stderr".strip()), mean_and_error(values), strict=True
    ):
        if value is not None:
            figures[f"{prefix}{name}"] = EvalMetric(name=name, group=group, value=value)
    return figures
