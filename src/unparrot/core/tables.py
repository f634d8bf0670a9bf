"""Schemas of the tables of a run: every column of every Parquet file, with its unit.

    texts        one row a text: what was asked for, who wrote it, what it says
    graded       one row a text and criterion: the mark that counts
    grades       one row a text, criterion, grader and round: every mark that was given
    labels       the same columns, for the marks that people gave (`unparrot eval label`)
    transcripts  one row a model call: what was sent, what came back, whether it was usable
    usage        one row a model and role: calls, tokens, dollars, seconds
    skills       one row a skill of the pack, in its order
    models       one row a model or parrot of the lab
    parrots      one row a parrot of the lab: its rule, and whether it copies whole stretches
    heldout      one row a pair, triple or (topic, skill) cell that the lab kept out of training
    cells        one row a k and split that the lab tested
    requests     one row a combination that the lab tested: the situation its text is about
    world        one row: the sizes of the synthetic world, its entropy, the corpus
    training     one row a measurement of a loss during training
    cloze        one row a model and held-out piece: cloze questions put, and answered wrongly

`unparrot.core.records.RunFolder.checked_table` reads a table and checks it against its schema.
What is not known or does not apply is null, never 0; what names a row (`NEVER_NULL`) is never null.
"""

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from unparrot.core.grades import STATUSES
from unparrot.core.skills import CRITERIA


def _schema(*groups: tuple[Any, str]) -> pl.Schema:
    """Return the schema of neighbouring columns of one type each, in their order."""
    return pl.Schema({name: kind for kind, names in groups for name in names.split()})


# texts.parquet. `split` says how new the combination was to the model ('seen', 'heldout_pair', ...,
# 'unknown'); `decoding` is for example 'greedy' or 't0.7'; `skills` are the k skills in the order
# of the prompt; `sample` numbers the texts of one combination; `trained_count` is the number of
# training documents with this topic and these skills, null where it is not known. `no_text` says
# why there is no text, as a code of `unparrot.core.grades.NO_TEXT`; null where there is one.
TEXTS_SCHEMA: Final = _schema(
    (pl.String, "text_id model split decoding"),
    (pl.Int64, "k"),
    (pl.String, "topic"),
    (pl.List(pl.String), "skills"),
    (pl.Int64, "sample trained_count"),
    (pl.String, "text no_text"),
)

# graded.parquet, k + 3 rows a text. `criterion` is the name of the skill, or that of the kind;
# `reason` says why a mark is missed or unscored, and may be empty for the others.
GRADED_SCHEMA: Final = _schema(
    (pl.String, "text_id criterion"),
    (pl.Enum(["skill", *CRITERIA]), "kind"),
    (pl.Enum(STATUSES), "status"),
    (pl.String, "reason"),
)

# grades.parquet and labels.parquet. `kind`, `status` and `reason` are those of graded.parquet
# (`kind` and `status` may be stored as enumerations); `family` is the family of models that the
# grader belongs to, `student_family` that of the model that wrote the text; `round` counts gradings
# from 1.
GRADES_SCHEMA: Final = _schema(
    (pl.String, "text_id criterion kind grader family student_family"),
    (pl.Int64, "round"),
    (pl.String, "status reason"),
)

# transcripts.parquet. `step` is 'turn' or 'grading'; `grader` is null for turns; `round` is the
# number of the turn, or the grading round; `try` counts from 1 how often it was asked; `outcome` is
# 'ok', or why the reply could not be used; `latency` in seconds, `cost` in US dollars.
TRANSCRIPTS_SCHEMA: Final = _schema(
    (pl.String, "text_id step grader"),
    (pl.Int64, "round try"),
    (pl.String, "prompt reply stop_reason outcome"),
    (pl.Float64, "latency"),
    (pl.Int64, "input_tokens output_tokens"),
    (pl.Float64, "cost"),
)

# usage.parquet. `role` is 'student' or 'grader'; `attempts` counts a call again for every retry,
# `failed` those without a reply, `unusable` replies that could not be used. A sum of tokens is null
# if no call reported any; `cost` in US dollars is null if that of some answered call is not known;
# `seconds` is the sum of latencies.
USAGE_SCHEMA: Final = _schema(
    (pl.String, "model role"),
    (pl.Int64, "calls attempts failed unusable input_tokens output_tokens reasoning_tokens"),
    (pl.Float64, "cost seconds"),
)

# skills.parquet, the skills of the pack and their categories.
SKILLS_SCHEMA: Final = _schema((pl.String, "skill category"))

# models.parquet: the transformers from small to large, then the parrots. `kind` is 'transformer' or
# 'parrot'; `params` is the number of weights, `tokens` that of training tokens; `loss` is the
# validation loss and `entropy` what the same texts cost the true distribution; `excess_error` is
# the standard error of the excess, loss less entropy, over the validation documents (null where
# they were not measured one by one). These three are in nats a text token. All are null for a
# parrot.
MODELS_SCHEMA: Final = _schema(
    (pl.String, "name kind"),
    (pl.Int64, "params tokens"),
    (pl.Float64, "loss entropy excess_error"),
    (pl.Int64, "layers width"),
)

# parrots.parquet, in the order of models.parquet. `rule` says in a sentence what the parrot may do;
# `verbatim` whether it copies whole stretches between the seams of a text, and changes no word of
# them.
PARROTS_SCHEMA: Final = _schema((pl.String, "name rule"), (pl.Boolean, "verbatim"))

# heldout.parquet: what training never showed together. `skills` are two of a pair, three of a
# triple, the one of a cell, sorted; `topic` is null but for a cell.
HELDOUT_SCHEMA: Final = _schema(
    (pl.Enum(["pair", "triple", "cell"]), "kind"),
    (pl.String, "topic"),
    (pl.List(pl.String), "skills"),
)

# cells.parquet. `n` is the number of combinations; `imbalance` is the total variation distance of
# their skill frequencies from even, in [0, 1).
CELLS_SCHEMA: Final = _schema(
    (pl.Int64, "k"), (pl.String, "split"), (pl.Int64, "n"), (pl.Float64, "imbalance")
)

# requests.parquet, one row a combination. `about` is the situation that its prompt names.
REQUESTS_SCHEMA: Final = _schema(
    (pl.String, "topic"), (pl.List(pl.String), "skills"), (pl.String, "about")
)

# world.parquet, which has one row without nulls. `entropy` is in nats a text token; `entropy_error`
# is the relative difference between what the validation texts cost the true distribution and that
# entropy; `heldout_pairs_of` is the number of all pairs of skills; `heldout_cells` counts (topic,
# skill) pairs; `max_k` is the largest number of skills in a training document; `tokens` counts
# prompts and texts of the corpus, `text_tokens` the texts alone.
WORLD_SCHEMA: Final = _schema(
    (pl.Int64, "skills topics vocabulary"),
    (pl.Float64, "entropy entropy_error"),
    (pl.Int64, "heldout_pairs heldout_pairs_of heldout_triples heldout_cells max_k documents"),
    (pl.Int64, "tokens text_tokens"),
)

# training.parquet. `tokens` is the number trained on so far; `split` is 'train' or 'valid'; `loss`
# in nats a text token; `seconds` of training so far.
TRAINING_SCHEMA: Final = _schema(
    (pl.String, "model"),
    (pl.Int64, "step tokens"),
    (pl.String, "split"),
    (pl.Float64, "loss seconds"),
)

# cloze.parquet. A `piece` has the same number for every model; `tokens` counts its end too; `wrong`
# of its `questions` were answered wrongly.
CLOZE_SCHEMA: Final = _schema(
    (pl.String, "model"),
    (pl.Int64, "piece"),
    (pl.List(pl.String), "skills"),
    (pl.Int64, "tokens questions wrong"),
)

# windows.parquet: windows of a corpus, numbered from 0. `place` is that of the document in the file
# `source`.
WINDOWS_SCHEMA: Final = _schema(
    (pl.Int64, "window"), (pl.String, "source"), (pl.Int64, "place"), (pl.String, "text")
)

# tags.parquet, one row a window and a skill or topic: in how many rounds `tagger` saw the `name` in
# it, and in how many it did not. Topics are seen by their words, and have no other rows than those
# of windows that show them.
TAGS_SCHEMA: Final = _schema(
    (pl.Int64, "window"),
    (pl.Enum(["skill", "topic"]), "kind"),
    (pl.String, "name tagger"),
    (pl.Int64, "yes no"),
)

# The schema of each table, by its name.
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
    "requests": REQUESTS_SCHEMA,
    "world": WORLD_SCHEMA,
    "training": TRAINING_SCHEMA,
    "cloze": CLOZE_SCHEMA,
    "windows": WINDOWS_SCHEMA,
    "tags": TAGS_SCHEMA,
}

# Columns that have a value in every row, whatever the table.
NEVER_NULL: Final = (
    "text_id", "model", "split", "decoding", "k", "topic", "skills", "sample", "text", "criterion",
    "kind", "status", "grader", "family", "student_family", "round", "step", "try", "role", "calls",
    "name", "rule", "verbatim", "skill", "category", "piece",
)  # fmt: skip
# Exceptions: a turn has no grader, a held-out pair no topic.
MAY_BE_NULL: Final = frozenset({("transcripts", "grader"), ("heldout", "topic")})

# Tables that have exactly the columns of their schema, in that order; others may have more.
EXACT: Final = frozenset({"texts", "graded", "labels"})
