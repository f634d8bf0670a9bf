"""Graders beside the truth: their errors by criterion and skill, and full marks put right by it.

The truth is the exact grader of the lab, or people who labelled a random sample of the texts.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from msgspec import Struct
from numpy.typing import NDArray

from unparrot.analysis.graders.rater_agreement import Scope, scopes
from unparrot.core.estimate import Estimate
from unparrot.stats.corrected import LEAST_LABELS, corrected_share, screening


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
    sensitivity, specificity, rogan_gladen
        For full marks, and Rogan and Gladen's share; None without labels.
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
    sensitivity: Estimate | None
    specificity: Estimate | None
    rogan_gladen: Estimate | None


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
        for grader in part.units.columns:
            if grader in ("text_id", "criterion", "kind", truth) or truth not in part.units:
                continue
            both = part.units.drop_nulls([grader, truth])
            if both.is_empty():
                continue
            seen = screening(
                both[truth].to_numpy(),
                both[grader].to_numpy(),
                clusters=both["text_id"].to_numpy(),
                level=level,
            )
            row = grader, part.scope, part.name, both.height, seen.sensitivity, seen.specificity
            rows.append(ErrorRow(*row))
    return sorted(rows, key=lambda row: row.grader)


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
    requests = texts.select(
        "text_id",
        "model",
        "k",
        pl.concat_str("topic", pl.col("skills").list.sort().list.join("\0"), separator="\0").alias(
            "combination"
        ),
    )
    value = pl.col("earned").cast(pl.Float64)
    labels = whole.filter(pl.col("grader") == truth).select("text_id", value.alias("label"))
    marked = (
        whole.filter(pl.col("grader") != truth)
        .with_columns(value)
        .join(requests, on="text_id", how="inner", maintain_order="left")
        .join(labels, on="text_id", how="left", maintain_order="left")
    )
    rows: list[CorrectedRow] = []
    for (grader, model), group in marked.group_by("grader", "model", maintain_order=True):
        rows.append(_corrected(str(grader), str(model), None, group, level))
        for (k,), part in group.sort("k", maintain_order=True).group_by("k", maintain_order=True):
            rows.append(_corrected(str(grader), str(model), int(str(k)), part, level))
    return rows


def _corrected(
    grader: str, model: str, k: int | None, group: pl.DataFrame, level: float
) -> CorrectedRow:
    settled = group.drop_nulls("earned")
    marks: NDArray[np.float64] = settled["earned"].to_numpy()
    known: NDArray[np.float64] = settled["label"].fill_null(float("nan")).to_numpy()
    clusters = settled["combination"].to_numpy()
    labels = int((~np.isnan(known)).sum())
    ppi = seen = None
    if labels >= LEAST_LABELS:
        ppi = corrected_share(known, marks, clusters=clusters, level=level)
    if labels:
        seen = screening(known, marks, clusters=clusters, level=level)
    return CorrectedRow(
        grader=grader,
        model=model,
        k=k,
        texts=settled.height,
        open_texts=group.height - settled.height,
        labels=labels,
        graded=float(marks.mean()) if len(marks) else 0.0,
        corrected=ppi and ppi.estimate,
        labelled_only=ppi and ppi.labelled_only,
        weight=ppi and ppi.weight,
        sensitivity=seen and seen.sensitivity,
        specificity=seen and seen.specificity,
        rogan_gladen=seen and seen.corrected,
    )
