"""Models of the lab against the best of its named parrots.

A model is *beyond the best of N named parrots* on one kind of new combination (held-out pairs,
held-out triples, untrained k: the splits of the run) at one k if the lower limit of its full marks
less those of the best of them is above 0. Parrots that change no word are taken together, parrots
that edit what they copy are compared for themselves. It is said of this trained model and of these
parrots: a parrot that nobody wrote may be stronger.

All of them were asked for the same combinations, so that differences are paired. The unit is what
is new: combinations that share a held-out pair count as one, by their mean. Against each parrot the
limit is that of `unparrot.stats.bounded_mean`. Being beyond the best is being beyond each, so that
the least of these limits needs no correction for their number (Berger 1982, Technometrics 24).
"""

from collections.abc import Mapping, Sequence
from typing import Literal, cast

import numpy as np
import polars as pl
from msgspec import Struct
from numpy.typing import NDArray

from unparrot.analysis.certificate.evidence import Evidence, combinations_of
from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.core.records import RunFolder
from unparrot.stats.bounded_mean import least_difference

Verdict = Literal["shown", "not shown"]
Floats = NDArray[np.float64]


class NamedParrot(Struct, frozen=True, forbid_unknown_fields=True):
    """A parrot of the run: its rule in a sentence, and whether it changes no word."""

    name: str
    rule: str
    verbatim: bool


class Margin(Struct, frozen=True, forbid_unknown_fields=True):
    """Full marks of a model less those of the best of some parrots.

    Parameters
    ----------
    rival, rival_full_marks
        The parrot with the most full marks here, and its share.
    difference
        With limits that hold for all margins of the certificate at once.
    verdict
        'shown' if the lower limit is above 0.
    """

    rival: str
    rival_full_marks: float
    difference: Estimate
    verdict: Verdict

    @property
    def shown(self) -> bool:
        """Whether the verdict is 'shown'."""
        return self.verdict == "shown"


class ParrotClaim(Struct, frozen=True, forbid_unknown_fields=True):
    """What is certified of one model on one kind of new combination at one k.

    Parameters
    ----------
    units, combinations, texts, unsettled
        Number of held-out pairs (triples, topics of a skill; else combinations), of combinations,
        of texts, and of texts that unscored marks leave open (they count against the model).
    full_marks
        Share of the model: its mean over the units.
    verbatim, editing
        Its margin over the best parrot that changes no word, and over the best that does; None
        without such parrots.
    """

    model: str
    k: int
    split: str
    units: int
    combinations: int
    texts: int
    unsettled: int
    full_marks: float
    verbatim: Margin
    editing: Margin | None


class ParrotCertificate(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="named parrots"
):
    """The certificate of a run of the lab.

    Parameters
    ----------
    level
        Probability that all limits hold at once.
    error_of_a_limit
        What Bonferroni leaves of ``1 - level`` to each end of each difference.
    hashes
        SHA-256 of the tables, pack and corpus; None where the run does not name one.
    """

    version: int
    level: float
    decoding: str
    parrots: tuple[NamedParrot, ...]
    claims: tuple[ParrotClaim, ...]
    error_of_a_limit: float
    hashes: dict[str, str | None]


def limits_over_best(model: Floats, rivals: Floats, miss: float) -> tuple[Floats, Floats]:
    """Return both limits of the mean of a model less that of the best of its rivals.

    Parameters
    ----------
    model
        Shape (2, ..., units): full marks by unit, in [0, 1], if every unscored mark was missed, and
        if every one was earned.
    rivals
        Shape (2, ..., rivals, units): the same.
    miss
        Error of each limit, in (0, 0.25).

    Returns
    -------
    low, high
        Shape (...). The upper one has to be right about every rival, as any may be the best.
    """
    (worst, best), count = model[..., None, :], rivals.shape[-2]
    low = least_difference(worst - rivals[1], miss)
    high = -least_difference(rivals[0] - best, miss / count)
    return low.min(axis=-1), high.min(axis=-1)


def parrots_of(run: RunFolder) -> tuple[NamedParrot, ...]:
    """Return the parrots of a run, by its parrots.parquet; none if it has no such table.

    Raises
    ------
    BadInput
        If models.parquet has others.
    """
    if not (run.path / "parrots.parquet").is_file():
        return ()
    parrots = tuple(NamedParrot(*row) for row in run.checked_table("parrots").iter_rows())
    models = run.checked_table("models").filter(pl.col("kind") == "parrot")
    odd = set(cast(list[str], models["name"].to_list())) ^ {parrot.name for parrot in parrots}
    if odd:
        raise BadInput(
            f"models.parquet and parrots.parquet in {run.path} differ in the parrots "
            f"{', '.join(sorted(odd))}; the first names them, the second gives their rules"
        )
    return parrots


def claims_beyond_parrots(
    run: RunFolder, evidence: Evidence, parrots: Sequence[NamedParrot], level: float
) -> tuple[list[ParrotClaim], float]:
    """Return the claims on every model, kind of new combination and k, and the error of a limit.

    Raises
    ------
    BadInput
        If every parrot changes words, a parrot was asked for other combinations than a model, or
        nothing that was tested is new.
    """
    verbatim, editing = ([p.name for p in parrots if p.verbatim is v] for v in (True, False))
    if not verbatim:
        raise BadInput(f"{run.path} has no parrot that changes no word; there is nothing to beat")
    new = evidence.rows.filter(pl.col("trained") == 0)
    new = new.with_columns(unit=_units(run, new))
    models = [name for name in evidence.models if name not in {*verbatim, *editing}]
    cells = [
        (k, split, {str(model): rows for (model,), rows in cell.group_by("model")})
        for (k, split), cell in new.group_by("k", "split", maintain_order=True)
    ]
    compared = sum(model in cell for _, _, cell in cells for model in models)
    if not compared:
        raise BadInput(f"{run.path} tests no model on a combination that training never showed")
    miss = (1 - level) / 2 / (compared * (2 if editing else 1))
    claims: list[ParrotClaim] = []
    for k, split, rows in cells:
        tested = [model for model in models if model in rows]
        if not tested:
            continue
        marks = _marks_by_unit(rows, [*tested, *verbatim, *editing], f"k = {k}, {split}")
        over = _margins(marks, tested, verbatim, miss, level)
        over_editing = _margins(marks, tested, editing, miss, level) if editing else {}
        claims += [
            ParrotClaim(
                model=model,
                k=cast(int, k),
                split=str(split),
                units=marks[model].shape[1],
                combinations=rows[model].height,
                texts=int(rows[model]["texts"].sum()),
                unsettled=int(rows[model]["unsettled"].sum()),
                full_marks=float(marks[model][0].mean()),
                verbatim=over[model],
                editing=over_editing.get(model),
            )
            for model in tested
        ]
    return sorted(claims, key=lambda c: (models.index(c.model), c.split, c.k)), miss


def _marks_by_unit(
    rows: Mapping[str, pl.DataFrame], names: Sequence[str], cell: str
) -> dict[str, Floats]:
    """Mean full marks at worst and at best in every unit, of models and parrots that were asked for
    the same.
    """
    first = rows[names[0]]
    for name in names:
        if name not in rows or not rows[name]["combination"].equals(first["combination"]):
            raise BadInput(
                f"{name!r} and {names[0]!r} were asked for different combinations at {cell}; ask "
                "all for the same, or they cannot be compared"
            )
    place = np.unique(first["unit"].to_numpy(), return_inverse=True)[1]
    sizes = np.bincount(place)
    sides = ("worst", "best")
    return {
        name: np.stack([np.bincount(place, rows[name][side].to_numpy()) / sizes for side in sides])
        for name in names
    }


def _margins(
    marks: Mapping[str, Floats],
    models: Sequence[str],
    rivals: Sequence[str],
    miss: float,
    level: float,
) -> dict[str, Margin]:
    """The margin of every model over the best of the rivals."""
    mine, theirs = (np.stack([marks[name] for name in names], 1) for names in (models, rivals))
    low, high = limits_over_best(mine, theirs, miss)
    shares = theirs[1].mean(axis=-1)
    best = int(shares.argmax())
    margins: dict[str, Margin] = {}
    for i, model in enumerate(models):
        value = float(mine[0, i].mean() - shares[best])
        ends = min(float(low[i]), value), max(float(high[i]), value)
        difference = Estimate(value, *ends, level, "Gaffke, all at once", mine.shape[-1])
        verdict = "shown" if low[i] > 0 else "not shown"
        margins[model] = Margin(rivals[best], float(shares[best]), difference, verdict)
    return margins


def _units(run: RunFolder, rows: pl.DataFrame) -> pl.Series:
    """What training never showed in the combination of each row: the held-out pair, triple or cell
    that it contains; itself if it contains none.
    """
    table = run.checked_table("heldout").select("topic", "skills")
    held = {(topic, tuple(cast(list[str], skills))) for topic, skills in table.iter_rows()}
    distinct = rows.unique("combination", maintain_order=True)
    units: dict[str, str] = {}
    for name, whole in zip(distinct["combination"], combinations_of(distinct), strict=True):
        parts: list[tuple[str | None, tuple[str, ...]]] = [
            *((None, part) for part in (*whole.pairs(), *whole.triples())),
            *((whole.topic, (skill,)) for skill in whole.skills),
        ]
        units[name] = repr(new) if (new := [part for part in parts if part in held]) else name
    return rows["combination"].replace_strict(units)
