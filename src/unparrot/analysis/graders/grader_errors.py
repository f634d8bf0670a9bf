"""Graders beside the truth: their errors by criterion and skill, and full marks put right by it.

The truth is the exact grader of the lab, or people who labelled a random sample of the texts.
"""

from typing import cast

import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from unparrot.analysis.graders.rater_agreement import Scope, scopes
from unparrot.analysis.read.outcomes import came
from unparrot.core.estimate import Estimate
from unparrot.stats.clustered import clustered_share
from unparrot.stats.corrected import LEAST_LABELS, corrected_share
from unparrot.stats.mover import mover_product


class ErrorRow(Struct, frozen=True, forbid_unknown_fields=True):
    """A grader beside the truth, on some of the marks.

    Parameters
    ----------
    grader, scope, name
        Who, and on which marks, as in `unparrot.analysis.graders.rater_agreement.AgreementRow`.
    marks
        Marks that both the grader and the truth gave.
    sensitivity, specificity
        Earned marks that the grader gives, and missed ones that it does not give.
    """

    grader: str
    scope: Scope
    name: str
    marks: int
    sensitivity: Estimate
    specificity: Estimate


class CorrectedRow(Struct, frozen=True, forbid_unknown_fields=True):
    """The share of full marks of one model, as a grader says and as corrected by the truth.

    Texts that the model failed to give are missed whoever grades: every share is that of the texts
    that came, times the part that came, with the interval of the product (MOVER).

    Parameters
    ----------
    grader, model, k
        Whose marks, and of which texts; ``k`` is None for all.
    texts, open_texts
        Texts whose full marks the grader settles, which the rest is about; and those that it graded
        but that its unscored marks leave open.
    labels
        Texts whose truth is known.
    graded
        Share of full marks as the grader says.
    corrected, labelled_only, weight
        The prediction-powered share, that of the labelled texts alone, and the weight of the
        grader in the former (`unparrot.stats.corrected`); None with fewer than ten labels.
    """

    grader: str
    model: str
    k: int | None
    texts: int
    open_texts: int
    labels: int
    graded: float
    corrected: Estimate | None
    labelled_only: Estimate | None
    weight: float | None


def grader_errors(
    votes: pl.DataFrame, whole: pl.DataFrame, truth: str, level: float
) -> list[ErrorRow]:
    """Return sensitivity and specificity of every other grader, by scope.

    Parameters
    ----------
    votes, whole
        As from `unparrot.analysis.read.grader_marks.verdicts` and `full_marks`.
    truth
        Name of the grader who is right.
    level
        Confidence level in (0, 1).
    """
    rows: list[ErrorRow] = []
    for part in scopes(votes, whole):
        graders = set(part.units.columns) - {"text_id", "criterion", "kind", truth}
        for grader in graders if truth in part.units else ():
            both = part.units.select("text_id", mark=grader, truth=truth).drop_nulls()
            rates = [_share_right(both.filter(pl.col("truth") == mark), level) for mark in (1, 0)]
            if not both.is_empty():
                rows.append(ErrorRow(grader, part.scope, part.name, both.height, *rates))
    return sorted(rows, key=lambda row: row.grader)


def _share_right(marks: pl.DataFrame, level: float) -> Estimate:
    right = (pl.col("mark") == pl.col("truth")).sum()
    by_text = marks.group_by("text_id").agg(right.alias("right"), pl.len().alias("n"))
    return clustered_share(by_text["right"].to_numpy(), by_text["n"].to_numpy(), level)


def corrected_full_marks(
    whole: pl.DataFrame, texts: pl.DataFrame, truth: str, level: float
) -> list[CorrectedRow]:
    """Return each model's share of full marks, corrected, over all its texts and for each k.

    Parameters
    ----------
    whole
        As from `unparrot.analysis.read.grader_marks.full_marks`.
    texts
        texts.parquet: ``text_id``, ``model``, ``k``, ``topic``, ``skills``.
    truth
        Name of the grader who is right.
    level
        Confidence level in (0, 1).
    """
    request = pl.concat_str("topic", pl.col("skills").list.sort().list.join("\0"), separator="\0")
    requests = texts.select("model", "k", request=request, came=came(texts))
    value = pl.col("earned").cast(pl.Float64)
    labels = whole.filter(pl.col("grader") == truth).select("text_id", label=value)
    marked = (
        whole.filter(pl.col("grader") != truth)
        .with_columns(value)
        .join(texts.select("text_id", "model", "k", request=request), on="text_id")
        .join(labels, on="text_id", how="left")
        .sort("text_id")
    )
    together = marked.with_columns(k=pl.lit(None, pl.Int64))
    cells = pl.concat([together, marked]).sort("grader", "model", "k", maintain_order=True)

    def given(model: object, k: object) -> Estimate:
        own = requests.filter(pl.col("model") == model)
        own = own if k is None else own.filter(pl.col("k") == k)
        sums = own.group_by("request", maintain_order=True).agg(pl.col("came").sum(), n=pl.len())
        share = clustered_share(sums["came"].to_numpy(), sums["n"].to_numpy(), level)
        return replace(share, n=own.height)

    return [
        _corrected(str(grader), str(model), cast(int | None, k), cell, given(model, k))
        for (grader, model, k), cell in cells.group_by("grader", "model", "k", maintain_order=True)
    ]


def _corrected(
    grader: str, model: str, k: int | None, cell: pl.DataFrame, given: Estimate
) -> CorrectedRow:
    settled = cell.drop_nulls("earned")
    labels, marks = settled["label"], settled["earned"].to_numpy()
    ppi, known = None, len(labels) - labels.null_count()
    if known >= LEAST_LABELS:
        truth = labels.fill_null(float("nan")).to_numpy()
        ppi = corrected_share(
            truth, marks, clusters=settled["request"].to_numpy(), level=given.level
        )

    def of_all(share: Estimate) -> Estimate:
        if given.value in (None, 1.0):
            return share
        low, high = mover_product([(share, 1), (given, 1)])
        return replace(share, value=(share.value or 0.0) * given.value, low=low, high=high)

    return CorrectedRow(
        grader=grader,
        model=model,
        k=k,
        texts=settled.height,
        open_texts=cell.height - settled.height,
        labels=known,
        graded=float(marks.mean()) * (given.value or 0.0) if len(marks) else 0.0,
        corrected=ppi and of_all(ppi.estimate),
        labelled_only=ppi and of_all(ppi.labelled_only),
        weight=ppi and ppi.weight,
    )
