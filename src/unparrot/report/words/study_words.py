"""Words for a study: its finding, its facts, the names of settings, and a comparison of two."""

from collections.abc import Mapping, Sequence
from typing import Final

from unparrot.analysis.study.between_studies import MatchedSetting, StudyComparison
from unparrot.analysis.study.study_summary import SettingSummary, StudySummary
from unparrot.core.estimate import Estimate
from unparrot.core.studies import Value
from unparrot.core.wording import count, number, plural
from unparrot.report.words.growth_words import VERDICTS

QUESTION: Final = "How many skills at once, and what does that depend on?"
AXES: Final = {
    "k_weights": "training texts",
    "pair_share": "held-out pairs",
    "triple_share": "held-out triples",
    "cell_share": "held-out topic × skill",
    "held_out_by": "held out by",
    "max_k": "largest k of training",
    "exponent": "exponent of skill frequencies",
    "curriculum": "documents of the curriculum",
    "params": "parameters",
    "tokens": "training tokens",
}


def axis_name(axis: str) -> str:
    """Return the words for an axis.

    Examples
    --------
    >>> axis_name("max_k"), axis_name("learning_rate")
    ('largest k of training', 'learning rate')
    """
    return AXES.get(axis, axis.replace("_", " "))


def value_words(value: Value) -> str:
    """Write a value of an axis; weights of k by the largest, the first and the last of them.

    Examples
    --------
    >>> value_words(0.15), value_words((0.3, 0.35, 0.35)), value_words("category")
    ('0.15', 'k ≤ 3 (0.3 … 0.35)', 'category')
    """
    if isinstance(value, tuple):
        return f"k ≤ {len(value)} ({value[0]:g} … {value[-1]:g})"
    return f"{value:g}" if isinstance(value, float) else str(value)


def place_words(axes: Mapping[str, Value]) -> str:
    """Write where a slice stands; 'all runs' where nothing but the seed varies.

    Examples
    --------
    >>> place_words({"skills": 18, "max_k": 3})
    'skills 18, largest k of training 3'
    """
    words = (f"{axis_name(axis)} {value_words(value)}" for axis, value in axes.items())
    return ", ".join(words) or "all runs"


def setting_words(setting: SettingSummary | MatchedSetting) -> str:
    """Return the name of a setting, with its slice where there are several."""
    return f"{setting.name}, {place_words(setting.axes)}" if setting.axes else setting.name


def ends(estimate: Estimate | None, digits: int = 2) -> str:
    """Return the interval of an estimate as `number` writes it, or that there is none."""
    return number(estimate, digits).partition(" ")[2].strip("()")


def study_sentence(summary: StudySummary) -> str:
    """Return the finding of a study in a sentence: the growth of k50 over all of its models."""
    growth, exponent = summary.growth, summary.growth.exponent
    if exponent is None or exponent.value is None or growth.halved is None:
        return "These models do not say how k50 grows as the loss falls."
    models = [m for m in summary.trained if m.growth.excess and m.growth.excess.value > 0]
    over = f"{ends(exponent)} over {exponent.n} {growth.unit}"
    if growth.unit == "seeds":
        trainings = growth.over_trainings
        over += f"; {ends(trainings)} over {trainings.n if trainings else 0} trainings"
    return (
        f"Over {plural(len(models), 'model')} of {plural(summary.seeds, 'seed')} k50, the number "
        f"of skills at once at which half of the texts are right in everything, goes as "
        f"the excess loss to the power {number(exponent).partition(' ')[0]} ({over}): half the "
        f"loss, {number(growth.halved).partition(' ')[0]} times the skills. Theory says "
        f"−{-growth.predicted:g}, {VERDICTS[growth.verdict]}."
    )


def there(summary: StudySummary) -> str:
    """Return how many of its models a study has."""
    models = len(summary.trained)
    words = f"{count(models)} of {count(summary.models_of)} models"
    return f"{words}, {summary.runs} of {plural(summary.runs_of, 'run')}"


def missing_words(summary: StudySummary, most: int = 12) -> str | None:
    """Return which models a study lacks, up to some; None if it lacks none."""
    if not summary.missing:
        return None
    return f"Not there, and in no figure: {_some(summary.missing, most)}."


def seeds_words(settings: Sequence[SettingSummary]) -> str:
    """Say what the intervals of settings are over."""
    least = min(setting.seeds for setting in settings)
    if least >= 3:
        return "Intervals are 95 %, over seeds (Student's t)."
    if max(setting.seeds for setting in settings) == 1:
        return (
            "There is one seed, so these 95 % intervals hold the chance of combinations alone: "
            "another seed can lie outside."
        )
    return (
        "Intervals are 95 %, over seeds where there are three at least; with two there is none, "
        "with one it holds the chance of combinations alone."
    )


def comparison_words(comparison: StudyComparison) -> list[str]:
    """Return what two studies differ in, how k50 and the exponent differ, and what has no match."""
    first, second = comparison.first, comparison.second
    words = [
        f"{axis_name(part.axis)}: {_values(part.first)} in {first}, {_values(part.second)} in "
        f"{second}."
        for part in comparison.differences
    ]
    seeds = f"{plural(comparison.seeds, 'seed')} of both" if comparison.seeds else "no shared seed"
    words.append(
        f"Over {plural(comparison.models, 'matched model')} with {seeds}, k50 of {second} is that "
        f"of {first} times {number(comparison.ratio)}{_method(comparison.ratio)}; at equal excess "
        f"loss, times {number(comparison.at_equal_excess)}: 1 says that the loss is all that "
        "counts."
    )
    one, other = comparison.exponents
    words.append(
        f"The exponent of k50 against excess loss is {number(one)} in {first} and {number(other)} "
        f"in {second}; difference {number(comparison.exponent_difference)}."
    )
    for name, lost in ((first, comparison.unmatched_first), (second, comparison.unmatched_second)):
        if lost:
            words.append(f"{plural(len(lost), 'model')} of {name} without a match: {_some(lost)}.")
    return words


def _values(values: Sequence[Value] | None) -> str:
    return "not an axis" if values is None else ", ".join(map(value_words, values))


def _method(estimate: Estimate | None) -> str:
    return "" if estimate is None else f" ({estimate.method}, n = {estimate.n})"


def _some(names: Sequence[str], most: int = 12) -> str:
    more = len(names) - most
    return "; ".join(names[:most]) + (f"; and {more} more" if more > 0 else "")
