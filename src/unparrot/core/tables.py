"""Schemas of the tables of a run: every column of every Parquet file, with its unit.

    texts        one row a text: what was asked for, who wrote it, what it says
    graded       one row a text and criterion: the mark that counts
    grades       one row a text, criterion, grader and round: every mark that was given
    labels       the same columns, for the marks that people gave (`unparrot eval label`)
    transcripts  one row a model call: what was sent, what came back, whether it was usable
    usage        one row a model and role: calls, tokens, dollars, seconds
    skills       one row a skill of the pack, in its order
    models       one row a model or parrot of the lab
    parrots      one row a parrot of the lab: its rule, and whether it changes words
    heldout      one row a pair, triple or (topic, skill) cell that the lab kept out of training
    cells        one row a k and split that the lab tested
    world        one row: the sizes of the synthetic world, its entropy, the corpus
    training     one row a measurement of a loss during training
    cloze        one row a model and held-out piece: cloze questions put, and answered wrongly

`unparrot.core.records.RunFolder.checked_table` reads a table and checks it against its schema.
What is not known or does not apply is null, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from unparrot.core.grades import STATUSES
from unparrot.core.skills import CRITERIA

TEXTS_SCHEMA: Final = pl.Schema(
    {
        "text_id": pl.String,
        "model": pl.String,
        "split": pl.String,
        "decoding": pl.String,
        "k": pl.Int64,
        "topic": pl.String,
        "skills": pl.List(pl.String),
        "sample": pl.Int64,
        "trained_count": pl.Int64,
        "text": pl.String,
    }
)
"""Columns of texts.parquet.

``split`` says how new the combination was to the model ('seen', 'heldout_pair', ..., 'unknown');
``decoding`` is for example 'greedy' or 't0.7'; ``skills`` are the k skills in the order of the
prompt; ``sample`` numbers the texts of one combination; ``trained_count`` is the number of training
documents with this topic and these skills, null where it is not known."""

GRADED_SCHEMA: Final = pl.Schema(
    {
        "text_id": pl.String,
        "criterion": pl.String,
        "kind": pl.Enum(["skill", *CRITERIA]),
        "status": pl.Enum(STATUSES),
        "reason": pl.String,
    }
)
"""Columns of graded.parquet, k + 3 rows a text.

``criterion`` is the name of the skill, or that of the kind; ``reason`` says why a mark is missed or
unscored, and may be empty for the others."""

GRADES_SCHEMA: Final = pl.Schema(
    {
        "text_id": pl.String,
        "criterion": pl.String,
        "kind": pl.String,
        "grader": pl.String,
        "family": pl.String,
        "student_family": pl.String,
        "round": pl.Int64,
        "status": pl.String,
        "reason": pl.String,
    }
)
"""Columns of grades.parquet and labels.parquet.

``kind``, ``status`` and ``reason`` are those of graded.parquet (``kind`` and ``status`` may be
stored as enumerations); ``family`` is the family of models that the grader belongs to,
``student_family`` that of the model that wrote the text; ``round`` counts gradings from 1."""

TRANSCRIPTS_SCHEMA: Final = pl.Schema(
    {
        "text_id": pl.String,
        "step": pl.String,
        "grader": pl.String,
        "round": pl.Int64,
        "try": pl.Int64,
        "prompt": pl.String,
        "reply": pl.String,
        "stop_reason": pl.String,
        "outcome": pl.String,
        "latency": pl.Float64,
        "input_tokens": pl.Int64,
        "output_tokens": pl.Int64,
        "cost": pl.Float64,
    }
)
"""Columns of transcripts.parquet.

``step`` is 'turn' or 'grading'; ``grader`` is null for turns; ``round`` is the number of the turn,
or the grading round; ``try`` counts from 1 how often it was asked; ``outcome`` is 'ok', or why the
reply could not be used; ``latency`` in seconds, ``cost`` in US dollars."""

USAGE_SCHEMA: Final = pl.Schema(
    {
        "model": pl.String,
        "role": pl.String,
        "calls": pl.Int64,
        "attempts": pl.Int64,
        "failed": pl.Int64,
        "unusable": pl.Int64,
        "input_tokens": pl.Int64,
        "output_tokens": pl.Int64,
        "reasoning_tokens": pl.Int64,
        "cost": pl.Float64,
        "seconds": pl.Float64,
    }
)
"""Columns of usage.parquet.

``role`` is 'student' or 'grader'; ``attempts`` counts a call again for every retry, ``failed``
those without a reply, ``unusable`` replies that could not be used. A sum of tokens is null if no
call reported any; ``cost`` in US dollars is null if that of some answered call is not known;
``seconds`` is the sum of latencies."""

SKILLS_SCHEMA: Final = pl.Schema({"skill": pl.String, "category": pl.String})
"""Columns of skills.parquet, the skills of the pack and their categories."""

MODELS_SCHEMA: Final = pl.Schema(
    {
        "name": pl.String,
        "kind": pl.String,
        "params": pl.Int64,
        "tokens": pl.Int64,
        "loss": pl.Float64,
        "entropy": pl.Float64,
        "excess_error": pl.Float64,
        "layers": pl.Int64,
        "width": pl.Int64,
    }
)
"""Columns of models.parquet: the transformers from small to large, then the parrots.

``kind`` is 'transformer' or 'parrot'; ``params`` is the number of weights, ``tokens`` that of
training tokens; ``loss`` is the validation loss and ``entropy`` what the same texts cost the true
distribution; ``excess_error`` is the standard error of the excess, loss less entropy, over the
validation documents (null where they were not measured one by one). These three are in nats a text
token. All are null for a parrot."""

PARROTS_SCHEMA: Final = pl.Schema({"name": pl.String, "rule": pl.String, "verbatim": pl.Boolean})
"""Columns of parrots.parquet, in the order of models.parquet.

``rule`` says in a sentence what the parrot may do; ``verbatim`` whether it copies
whole stretches between the seams of a text, and changes no word of them."""

HELDOUT_SCHEMA: Final = pl.Schema(
    {
        "kind": pl.Enum(["pair", "triple", "cell"]),
        "topic": pl.String,
        "skills": pl.List(pl.String),
    }
)
"""Columns of heldout.parquet: what training never showed together.

``skills`` are two of a pair, three of a triple, the one of a cell, sorted; ``topic`` is null but
for a cell."""

CELLS_SCHEMA: Final = pl.Schema(
    {"k": pl.Int64, "split": pl.String, "n": pl.Int64, "imbalance": pl.Float64}
)
"""Columns of cells.parquet.

``n`` is the number of combinations; ``imbalance`` is the total variation distance of their skill
frequencies from even, in [0, 1)."""

WORLD_SCHEMA: Final = pl.Schema(
    {
        "skills": pl.Int64,
        "topics": pl.Int64,
        "vocabulary": pl.Int64,
        "entropy": pl.Float64,
        "entropy_error": pl.Float64,
        "heldout_pairs": pl.Int64,
        "heldout_pairs_of": pl.Int64,
        "heldout_triples": pl.Int64,
        "heldout_cells": pl.Int64,
        "max_k": pl.Int64,
        "documents": pl.Int64,
        "tokens": pl.Int64,
        "text_tokens": pl.Int64,
    }
)
"""Columns of world.parquet, which has one row without nulls.

``entropy`` is in nats a text token; ``entropy_error`` is the relative difference between what the
validation texts cost the true distribution and that entropy; ``heldout_pairs_of`` is the number of
all pairs of skills; ``heldout_cells`` counts (topic, skill) pairs; ``max_k`` is the largest number
of skills in a training document; ``tokens`` counts prompts and texts of the corpus, ``text_tokens``
the texts alone."""

TRAINING_SCHEMA: Final = pl.Schema(
    {
        "model": pl.String,
        "step": pl.Int64,
        "tokens": pl.Int64,
        "split": pl.String,
        "loss": pl.Float64,
        "seconds": pl.Float64,
    }
)
"""Columns of training.parquet.

``tokens`` is the number trained on so far; ``split`` is 'train' or 'valid'; ``loss`` in nats a text
token; ``seconds`` of training so far."""

CLOZE_SCHEMA: Final = pl.Schema(
    {
        "model": pl.String,
        "piece": pl.Int64,
        "skills": pl.List(pl.String),
        "tokens": pl.Int64,
        "questions": pl.Int64,
        "wrong": pl.Int64,
    }
)
"""Columns of cloze.parquet.

A ``piece`` has the same number for every model; ``tokens`` counts its end too; ``wrong`` of its
``questions`` were answered wrongly."""

SCHEMAS: Final[Mapping[str, pl.Schema]] = {
    "texts": TEXTS_SCHEMA,
    "graded": GRADED_SCHEMA,
    "grades": GRADES_SCHEMA,
    "labels": GRADES_SCHEMA,
    "transcripts": TRANSCRIPTS_SCHEMA,
    "usage": USAGE_SCHEMA,
    "skills": SKILLS_SCHEMA,
    "models": MODELS_SCHEMA,
    "parrots": PARROTS_SCHEMA,
    "heldout": HELDOUT_SCHEMA,
    "cells": CELLS_SCHEMA,
    "world": WORLD_SCHEMA,
    "training": TRAINING_SCHEMA,
    "cloze": CLOZE_SCHEMA,
}
"""The schema of each table, by its name."""

EXACT: Final = frozenset({"texts", "graded", "labels"})
"""Tables that have exactly the columns of their schema, in that order; others may have more."""
