"""Summaries: from the records of a run to every figure that its page shows. ``unparrot analyze``

Reads the tables of the run and writes summary.json; nothing is drawn from a clock, so the same
records give the same summary to the last digit. What a run is of is what its manifest says: a run
of language models (`unparrot eval run`, `unparrot eval import`) names its protocol, any other is
taken for one of the lab. Of a run whose pack is private nothing is said of skills and topics but
how many there are: they are numbers from the start (`unparrot.analysis.read.skillmix_tables`).

Which figures a headline tells is fixed beforehand, not chosen by their values. In the lab: how k50
grows as the loss falls, over all models; and the largest transformer of those with the most tokens,
greedy, on pairs of skills held out of training, beside the best parrot there. Of language models:
full marks with three skills at once (or the smallest number above one, if three was not asked for),
and with the most skills that were asked for.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import polars as pl
from msgspec.structs import replace

from unparrot.analysis.between.compare import all_pairs
from unparrot.analysis.certificate.beyond_bound import BoundCertificate
from unparrot.analysis.certificate.beyond_parrots import ParrotCertificate, parrots_of
from unparrot.analysis.certificate.certify import standing_certificate
from unparrot.analysis.examples import examples
from unparrot.analysis.graders.measure import if_another_decided, measure_graders
from unparrot.analysis.graders.unscored import texts_that_did_not_come, unscored_marks
from unparrot.analysis.model.competence import Bounded, Cell, competence
from unparrot.analysis.model.composition import composition_gaps
from unparrot.analysis.model.saturation import saturation
from unparrot.analysis.model.skill_rates import ALL, skill_rates
from unparrot.analysis.read.lab_tables import read_tables, require_texts
from unparrot.analysis.read.outcomes import read_outcomes
from unparrot.analysis.read.skillmix_tables import (
    SkillMixTables,
    is_skillmix,
    public_spec,
    read_skillmix,
)
from unparrot.analysis.resampling import Resampling
from unparrot.analysis.schema import (
    VERSION,
    BestParrot,
    HeadlineShare,
    LabHeadline,
    LabSummary,
    Model,
    Run,
    SkillMixHeadline,
    SkillMixSummary,
    Summary,
    World,
)
from unparrot.analysis.spending import spending
from unparrot.analysis.theory.cloze import cloze_summary
from unparrot.analysis.theory.growth import growth, token_steps
from unparrot.analysis.theory.laws import theory_summary
from unparrot.core.records import RunFolder, closed_to_others, write_json

# Share of full marks that the saturation point is read at.
THRESHOLD: Final = 0.2
LAB_K: Final = 2
LAB_SPLIT: Final = "heldout_pair"
SKILLMIX_K: Final = 3
# Difference that texts that did not come, or are not scored, make to a share, beyond which both
# readings are told.
WORTH_TELLING: Final = 0.01


def analyze(run: RunFolder | Path, out: Path | None = None) -> Summary:
    """Work out the figures of a run, write them to its summary.json, and return them.

    Parameters
    ----------
    run
        The run, or its folder.
    out
        The file to write in place of the run's summary.json, where that cannot be written.

    Raises
    ------
    BadInput
        If a table that every run has is absent or is not what it should be.
    """
    folder = run if isinstance(run, RunFolder) else RunFolder(run)
    summary = summarise(folder)
    private = closed_to_others(folder.path) or None
    write_json(out or folder.path / "summary.json", summary, private=private)
    return summary


def summarise(folder: RunFolder) -> Summary:
    """Return the figures of a run, writing nothing."""
    return summarise_skillmix(folder) if is_skillmix(folder) else summarise_lab(folder)


# A run of the lab


def summarise_lab(folder: RunFolder) -> LabSummary:
    """Return the figures of a run of the lab.

    Raises
    ------
    BadInput
        If a table that every run of the lab has is absent or is not what it should be.
    """
    tables, texts = read_tables(folder), folder.checked_table("texts")
    outcomes = read_outcomes(folder, texts)
    models, cloze, world, seed = tables.models, tables.cloze, tables.world, tables.seed
    require_texts(models, outcomes)
    editors = {parrot.name for parrot in parrots_of(folder) if not parrot.verbatim}
    measured = tuple(
        lab_model(row, outcomes, tables.skills, cloze, seed) for row in models.iter_rows(named=True)
    )
    return LabSummary(
        version=VERSION,
        seed=seed,
        budget=tables.plan,
        world=World(**{name: world[name] for name in World.__struct_fields__}),
        models=measured,
        growth=growth(models, outcomes, world["max_k"]),
        certificate=cast(ParrotCertificate | None, standing_certificate(folder.path, outcomes)),
        theory=theory_summary(models, cloze, seed),
        examples=examples(texts, outcomes, models["name"].to_list(), seed, about=tables.about),
        headline=lab_headline(measured, editors),
    )


def lab_model(
    row: Mapping[str, Any],
    outcomes: pl.DataFrame,
    skills: pl.DataFrame,
    cloze: pl.DataFrame,
    seed: int,
) -> Model:
    """Return the figures of one model of the lab.

    Parameters
    ----------
    row
        Of the table `models`: name, kind, params, tokens, loss, entropy, layers, width.
    outcomes
        Of the run; the texts of other models are left out.
    skills
        Columns ``skill`` and ``category``, in the order of the pack.
    cloze
        Answers of all models.
    seed
        Of the resampling.

    Raises
    ------
    BadInput
        If the run has no text of the model.
    """
    own = outcomes.filter(pl.col("model") == row["name"])
    categories = dict(skills.select("skill", "category").iter_rows())
    excess = None
    if row["loss"] is not None and row["entropy"] is not None:
        excess = row["loss"] - row["entropy"]
    return replace(
        _measured(own, row["name"], row["kind"], categories, seed, "greedy"),
        **{name: row[name] for name in ("params", "tokens", "loss", "entropy", "layers", "width")},
        excess=excess,
        cloze=cloze_summary(cloze, row["name"]),
    )


def lab_headline(models: Sequence[Model], editors: Collection[str]) -> LabHeadline:
    """Return the figures of the headline; the transformers come from small to large.

    ``editors`` are parrots that do not copy whole stretches.
    """

    def share(model: Model) -> Bounded | None:
        cell = model.cell(LAB_K, LAB_SPLIT, "greedy")
        return cell and cell.full_marks

    trained = [model for model in models if not model.is_parrot]
    steps = token_steps([model.tokens for model in trained])
    best = next((m for m, step in zip(trained[::-1], steps[::-1], strict=True) if not step), None)
    rivals = [
        BestParrot(model.name, rival)
        for model in models
        if model.is_parrot and (rival := share(model)) is not None and rival.value is not None
    ]
    own = best and share(best)
    if own is None or own.value is None:
        rivals = []
    parrot, editor = (
        max(
            (rival for rival in rivals if (rival.name in editors) is edits),
            key=lambda rival: rival.estimate.value or 0.0,
            default=None,
        )
        for edits in (False, True)
    )
    return LabHeadline(best and best.name, LAB_K, LAB_SPLIT, own, parrot, editor)


# A run of language models


def summarise_skillmix(folder: RunFolder) -> SkillMixSummary:
    """Return the figures of a run of language models.

    Raises
    ------
    BadInput
        If a table that every such run has is absent or is not what it should be.
    """
    tables = read_skillmix(folder)
    outcomes, seed = tables.outcomes, tables.seed
    decodings = {name: _primary(outcomes, name) for name in tables.models}
    models = tuple(_language_model(tables, name, decodings[name]) for name in tables.models)
    grades, texts, sampling = tables.grades, tables.texts, Resampling(seed=seed)
    graders, instead = None, ()
    if grades is not None:
        graders = measure_graders(grades, texts, skills=False, sampling=sampling)
        instead = if_another_decided(
            grades, texts, tables.graded, tables.spec.get("grader"), tables.models, sampling
        )
    return SkillMixSummary(
        version=VERSION,
        seed=seed,
        private=tables.private,
        run=_run(tables),
        models=models,
        comparison=all_pairs(outcomes, tables.models, sampling),
        no_texts=texts_that_did_not_come(texts, tables.models),
        unscored=unscored_marks(tables.graded, tables.texts, tables.models),
        graders=graders,
        if_another_decided=instead,
        certificate=_certificate(folder, tables),
        usage=spending(tables.usage, tables.calls, tables.texts),
        examples=()
        if tables.private
        else examples(tables.texts, outcomes, tables.models, seed, decoding=None),
        headline=skillmix_headline(models, decodings),
    )


def _primary(outcomes: pl.DataFrame, model: str) -> str:
    """The decoding that a model's saturation point is of: most k, then most texts, then by name."""
    decodings = (
        outcomes.filter(pl.col("model") == model)
        .group_by("decoding")
        .agg(pl.col("k").n_unique().alias("ks"), pl.len().alias("texts"))
        .sort("ks", "texts", "decoding", descending=[True, True, False])
    )
    return str(decodings["decoding"][0])


def _run(tables: SkillMixTables) -> Run:
    spec = public_spec(tables.spec)
    if not tables.private:
        spec["pack"] = tables.spec.get("pack") or {}
    combinations = tables.outcomes.group_by("k").agg(pl.col("combination").n_unique()).sort("k")
    return Run(
        spec=spec,
        models=tables.models,
        silent=tables.silent,
        texts=tables.outcomes.height,
        combinations=dict(combinations.iter_rows()),
    )


def _language_model(tables: SkillMixTables, name: str, decoding: str) -> Model:
    own = tables.outcomes.filter(pl.col("model") == name)
    splits: list[str] = own["split"].unique().sort().to_list()
    categories = tables.categories
    model = replace(
        _measured(own, name, "language model", categories, tables.seed, decoding),
        saturation=saturation(own, threshold=THRESHOLD, decoding=decoding, splits=splits),
    )
    if tables.private:
        return replace(model, per_skill=())
    return replace(
        model,
        per_skill=tuple(rate for rate in model.per_skill if rate.split == ALL),
        per_category=_by_category(own, categories, decoding),
    )


def _by_category(
    own: pl.DataFrame, categories: Mapping[str, str], decoding: str
) -> dict[str, Bounded]:
    """Rates of whole categories; none where the run knows no categories."""
    kinds = list(dict.fromkeys(categories.values()))
    if kinds == [""]:
        return {}
    pooled = own.with_columns(
        pl.col("skills").list.eval(pl.element().replace_strict(dict(categories)))
    )
    rates = skill_rates(pooled, {kind: kind for kind in kinds}, decoding=decoding)
    return {rate.category: rate.earned for rate in rates if rate.split == ALL}


def _certificate(folder: RunFolder, tables: SkillMixTables) -> BoundCertificate | None:
    certificate = cast(BoundCertificate | None, standing_certificate(folder.path, tables.outcomes))
    if certificate is None or not tables.private:
        return certificate
    # files of rates are named by people, and may be named for what they hold
    kept = {*tables.digests, "texts.parquet", "graded.parquet", "models.parquet"}
    hashes = {name: value for name, value in certificate.hashes.items() if name in kept}
    return replace(certificate, hashes=hashes)


def skillmix_headline(models: Sequence[Model], decodings: Mapping[str, str]) -> SkillMixHeadline:
    """Return the figures of the headline.

    Parameters
    ----------
    models
        In the order of the run.
    decodings
        By model, the decoding whose cells are told.
    """
    cells = {
        model.name: {
            cell.k: cell for cell in reversed(model.cells) if cell.decoding == decodings[model.name]
        }
        for model in models
    }
    ks = sorted({k for own in cells.values() for k in own})
    first = SKILLMIX_K if SKILLMIX_K in ks else next((k for k in ks if k > 1), ks[0])
    last = ks[-1] if ks[-1] > first else None
    rows: list[HeadlineShare] = []
    for name, own in cells.items():
        here, there = own.get(first), None if last is None else own.get(last)
        rows.append(
            HeadlineShare(
                name,
                here and here.full_marks,
                there and there.full_marks,
                *(cell and _among_given(cell) for cell in (here, there)),
            )
        )
    return SkillMixHeadline(first, last, tuple(rows))


def _among_given(cell: Cell) -> Bounded | None:
    """Full marks among the texts that came, where that is `WORTH_TELLING` apart from the share."""
    other, own = cell.among_given, cell.full_marks.value
    if other is None or other.value is None or own is None:
        return None
    return other if abs(other.value - own) > WORTH_TELLING else None


# Both


def _measured(
    own: pl.DataFrame, name: str, kind: str, categories: Mapping[str, str], seed: int, decoding: str
) -> Model:
    """The figures that are worked out of every model alike.

    The rates of skills are those of greedy texts, or, if there are none, of ``decoding``.
    """
    greedy = (own["decoding"] == "greedy").any()
    return Model(
        name=name,
        kind=kind,
        cells=competence(own),
        per_skill=skill_rates(own, categories, decoding=None if greedy else decoding),
        composition=composition_gaps(own, seed=seed),
    )
