"""The tables of a run of language models by the SKILL-MIX protocol, checked, and made nameless.

`unparrot eval run` and `unparrot eval import` leave such runs. Not every one has every table: an
import knows no categories of skills, and neither calls nor usage.

If the pack of a run is private, its skills and topics get numbers in place of names as soon as
they are read, so that nothing that is worked out from them can name one.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast

import polars as pl
from msgspec import structs

from unparrot.analysis.read.grader_marks import read_grades
from unparrot.analysis.read.outcomes import read_outcomes
from unparrot.core.errors import BadInput
from unparrot.core.records import Manifest, RunFolder
from unparrot.core.skills import CRITERIA

PROTOCOL: Final = "SKILL-MIX"
# What a specification may say in public, and of a private pack only `PUBLIC_OF_PACK`.
PUBLIC: Final = (
    "protocol", "origin", "models", "students", "graders", "grader", "k", "n", "seeds", "rounds",
    "grading_rounds", "temperature", "max_tokens", "top_p", "reasoning_effort",
    "grader_temperature", "grader_max_tokens", "grader_top_p", "grader_reasoning_effort", "tries",
    "grader_tries", "form", "deduct_names", "prompts", "pack", "private", "combinations_seed",
    "snapshots", "reached", "gradings", "generation_prompts", "grading_prompts", "votes", "length",
)  # fmt: skip
PUBLIC_OF_PACK: Final = ("digest", "skills", "categories", "topics")


@dataclass(frozen=True, slots=True)
class SkillMixTables:
    """What a run holds.

    Parameters
    ----------
    spec, digests
        Of the manifest; of a private run only what `public_spec` lets through.
    seed
        Of the resampling: the seed of the run, or the first of its seeds.
    private
        Whether nothing of the pack may become known but its hash and its sizes. Names of skills
        and topics in the tables are numbers then, and ``texts`` are empty.
    models
        Names, in the order of the run, of the models that wrote texts.
    silent
        Models of the run without any text.
    outcomes
        Of `unparrot.analysis.read.outcomes`.
    texts, graded
        texts.parquet and graded.parquet.
    grades
        Marks grader by grader, or None.
    categories
        The category of every skill that was asked for, in the order of the pack; empty strings
        where the run does not say.
    usage, calls
        Usage by model and role, and calls without prompts and replies, or None.
    """

    spec: Mapping[str, Any]
    digests: Mapping[str, Any]
    seed: int
    private: bool
    models: tuple[str, ...]
    silent: tuple[str, ...]
    outcomes: pl.DataFrame
    texts: pl.DataFrame
    graded: pl.DataFrame
    grades: pl.DataFrame | None
    categories: Mapping[str, str]
    usage: pl.DataFrame | None
    calls: pl.DataFrame | None


def is_skillmix(folder: RunFolder) -> bool:
    """Whether the manifest of a run names the protocol; False without a manifest."""
    if not (folder.path / "manifest.json").is_file():
        return False
    return folder.read_manifest().spec.get("protocol") == PROTOCOL


def public_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a private run may tell of its specification."""
    allowed = {name: spec[name] for name in PUBLIC if name in spec}
    pack = cast(Mapping[str, Any], spec.get("pack") or {})
    return allowed | {"pack": {name: pack[name] for name in PUBLIC_OF_PACK if name in pack}}


def public_manifest(manifest: Manifest) -> Manifest:
    """Return what a private run may tell of its manifest: not even the arguments of its command."""
    command = " ".join(manifest.command.split()[:3])
    return structs.replace(manifest, command=command, spec=public_spec(manifest.spec))


def read_skillmix(folder: RunFolder) -> SkillMixTables:
    """Read and check the tables of a run.

    Raises
    ------
    BadInput
        If a table that every such run has is absent, or one lacks a column or holds what cannot be.
    """
    manifest = folder.read_manifest()
    spec, digests, seed = manifest.spec, manifest.digests, manifest.seed
    texts, graded = folder.checked_table("texts"), folder.checked_table("graded")
    outcomes = read_outcomes(folder, texts, graded)
    grades = usage = calls = None
    if _has(folder, "grades") and not folder.checked_table("grades").is_empty():
        grades = read_grades(folder)
    if _has(folder, "usage"):
        usage = folder.checked_table("usage")
    if _has(folder, "transcripts"):
        calls = folder.checked_table("transcripts", without=("prompt", "reply"))
    named = [str(name) for name in spec.get("models") or spec.get("students") or ()]
    wrote: list[str] = outcomes["model"].unique(maintain_order=True).to_list()
    place = {name: i for i, name in enumerate(named)}
    models = sorted(wrote, key=lambda name: place.get(name, len(place)))
    tables = SkillMixTables(
        spec=spec,
        digests=digests,
        seed=seed[0] if isinstance(seed, tuple) else seed,
        private=spec.get("private", False),
        models=tuple(models),
        silent=tuple(name for name in named if name not in wrote),
        outcomes=outcomes,
        texts=texts,
        graded=graded,
        grades=grades,
        categories=_categories(folder, outcomes),
        usage=usage,
        calls=calls,
    )
    return _nameless(tables) if tables.private else tables


def _has(folder: RunFolder, table: str) -> bool:
    return (folder.path / f"{table}.parquet").is_file()


def _categories(folder: RunFolder, outcomes: pl.DataFrame) -> dict[str, str]:
    requested = set(outcomes["skills"].explode(empty_as_null=True).to_list())
    if not _has(folder, "skills"):
        return dict.fromkeys(sorted(requested), "")
    table = folder.checked_table("skills").select("skill", "category")
    known = cast(dict[str, str], dict(table.iter_rows()))
    if lacking := sorted(requested - known.keys()):
        raise BadInput(
            f"skills.parquet in {folder.path} does not list {', '.join(lacking[:3])}, which texts "
            "ask for; extract the run again"
        )
    return {skill: category for skill, category in known.items() if skill in requested}


def _nameless(tables: SkillMixTables) -> SkillMixTables:
    """Put numbers in the place of names, everywhere."""
    skills = _numbered("skill", tables.categories)
    topics = _numbered("topic", tables.outcomes["topic"].unique().to_list())
    kinds = _numbered("category", set(tables.categories.values()))
    names = [*skills, *topics, *tables.categories.values()]
    combinations = _numbered("combination", tables.outcomes["combination"].unique().to_list())

    def renumbered(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(
            pl.col("topic").replace_strict(topics),
            pl.col("skills").list.eval(pl.element().replace_strict(skills)),
        )

    def worded(frame: pl.DataFrame, column: str) -> pl.DataFrame:
        words: list[str] = frame[column].drop_nulls().unique().to_list()
        nameless = {word: without_names(word, names) for word in words}
        return frame.with_columns(pl.col(column).replace(nameless))

    def marked(frame: pl.DataFrame) -> pl.DataFrame:
        criterion, kind = pl.col("criterion"), pl.col("kind").cast(pl.String)
        known = pl.when(criterion.is_in(CRITERIA)).then(criterion).otherwise(pl.lit("other"))
        # a skill may be called as one of the other criteria is: which of the two, ``kind`` tells
        numbered = pl.when(kind == "skill").then(criterion.replace_strict(skills, default="skill"))
        return worded(frame, "reason").with_columns(criterion=numbered.otherwise(known))

    numbers = pl.col("combination").replace_strict(combinations)
    return replace(
        tables,
        spec=public_spec(tables.spec),
        outcomes=renumbered(tables.outcomes).with_columns(numbers),
        texts=renumbered(tables.texts).with_columns(pl.lit("").alias("text")),
        graded=marked(tables.graded),
        grades=None if tables.grades is None else marked(tables.grades),
        categories={skills[name]: kinds[kind] for name, kind in tables.categories.items()},
        calls=None if tables.calls is None else worded(tables.calls, "outcome"),
    )


def _numbered(what: str, names: Iterable[str]) -> dict[str, str]:
    """Number names by their hash, so that their order says nothing of them."""
    order = sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())
    return {name: f"{what} {i}" for i, name in enumerate(order, start=1)}


def without_names(reason: str, names: Iterable[str]) -> str:
    """Return a reason without what it quotes, and without any of the names.

    Examples
    --------
    >>> without_names("the mark 'fine' for irony is neither 0 nor 1", ["irony"])
    'the mark … for … is neither 0 nor 1'
    """
    nameless = re.sub(r"'[^']*'|\"[^\"]*\"", "…", reason)
    for name in sorted(names, key=len, reverse=True):
        if name:
            nameless = re.sub(
                rf"(?<!\w){re.escape(name)}(?!\w)", "…", nameless, flags=re.IGNORECASE
            )
    return nameless
