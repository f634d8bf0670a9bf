"""The typed form of summary.json, and its strict reading.

A summary is a `LabSummary` or a `SkillMixSummary`; `read_summary` reads one strictly. Shares lie in
[0, 1], losses are in nats a token, and a value that is not known is None. A field is called here as
it is called in the file. The parts of a summary are defined beside what computes them.
"""

from pathlib import Path
from typing import Any, Final

from msgspec import Struct, convert

from unparrot.analysis.between.compare import AllPairs
from unparrot.analysis.certificate.beyond_bound import BoundCertificate
from unparrot.analysis.certificate.beyond_parrots import ParrotCertificate
from unparrot.analysis.examples import Example
from unparrot.analysis.graders.measure import GraderReport, OtherGrader
from unparrot.analysis.graders.unscored import NoTexts, Unscored
from unparrot.analysis.model.competence import Bounded, Cell
from unparrot.analysis.model.composition import CompositionGap
from unparrot.analysis.model.saturation import Saturation
from unparrot.analysis.model.skill_rates import SkillRate
from unparrot.analysis.spending import Usage
from unparrot.analysis.theory.cloze import Cloze
from unparrot.analysis.theory.growth import Growth
from unparrot.analysis.theory.laws import Theory
from unparrot.core.errors import BadInput
from unparrot.core.records import Spec, read_typed

# Of the form of summary.json; a summary of another version is analyzed anew.
VERSION: Final = 5


class Model(Struct, frozen=True, forbid_unknown_fields=True):
    """One model of a run: what it is, and its figures.

    Parameters
    ----------
    kind
        ``'transformer'`` or ``'parrot'`` in the lab, else ``'language model'``.
    params, tokens, loss, entropy, excess, layers, width
        Of a trained model of the lab: size, training tokens, loss on text of the world, the exact
        entropy of that text, and loss less entropy.
    cells
        By decoding (greedy first), k and split.
    per_skill
        Rates of single skills; empty for a private pack.
    composition
        The composition gaps of k above 1.
    saturation
        The largest k with enough full marks, of language models alone.
    cloze
        None without cloze pieces.
    per_category
        Rates of whole categories over all splits, of language models alone.
    """

    name: str
    kind: str
    cells: tuple[Cell, ...]
    per_skill: tuple[SkillRate, ...] = ()
    composition: tuple[CompositionGap, ...] = ()
    saturation: Saturation | None = None
    params: int | None = None
    tokens: int | None = None
    loss: float | None = None
    entropy: float | None = None
    excess: float | None = None
    layers: int | None = None
    width: int | None = None
    cloze: Cloze | None = None
    per_category: dict[str, Bounded] = {}

    @property
    def is_parrot(self) -> bool:
        """Whether this is one of the control group."""
        return self.kind == "parrot"

    def cell(self, k: int, split: str, decoding: str) -> Cell | None:
        """Return the cell, or None if it was not measured."""
        for cell in self.cells:
            if (cell.k, cell.split, cell.decoding) == (k, split, decoding):
                return cell
        return None


class World(Struct, frozen=True, forbid_unknown_fields=True):
    """The synthetic world: the exact entropy of its text in nats a token, the pairs of skills that
    training never shows (of all pairs), and the largest number of skills of a training text."""

    skills: int
    topics: int
    entropy: float
    heldout_pairs: int
    heldout_pairs_of: int
    max_k: int


class BestParrot(Struct, frozen=True, forbid_unknown_fields=True):
    """The parrot with the most full marks on the combinations of the headline."""

    name: str
    estimate: Bounded


class LabHeadline(Struct, frozen=True, forbid_unknown_fields=True):
    """The finding of a lab run: full marks of the largest transformer on held-out pairs, greedy.

    ``model`` is None if the run has no transformer, ``estimate`` if it was not measured there;
    ``parrot`` is the best of those that copy whole stretches, ``editor`` of those that do not.
    """

    model: str | None
    k: int
    split: str
    estimate: Bounded | None
    parrot: BestParrot | None
    editor: BestParrot | None = None


class HeadlineShare(Struct, frozen=True, forbid_unknown_fields=True):
    """Full marks of one model at both k of a headline; None where it was not asked.

    ``first_given`` and ``last_given`` are those among the texts that the model gave, where they
    differ by more than a point.
    """

    model: str
    first: Bounded | None
    last: Bounded | None
    first_given: Bounded | None = None
    last_given: Bounded | None = None


class SkillMixHeadline(Struct, frozen=True, forbid_unknown_fields=True):
    """The finding of a run of language models: full marks at two k, the last None if it has one."""

    first: int
    last: int | None
    told: tuple[HeadlineShare, ...]


class Run(Struct, frozen=True, forbid_unknown_fields=True):
    """What was asked of language models, in short.

    Parameters
    ----------
    spec
        The specification of the manifest; of a private pack only what may be known.
    models, silent
        Models that wrote texts, and models of the run without any.
    texts, combinations
        Number of texts, and of combinations that were asked for by k, rising.
    """

    spec: dict[str, Any]
    models: tuple[str, ...]
    silent: tuple[str, ...]
    texts: int
    combinations: dict[int, int]

    def __post_init__(self) -> None:
        convert(self.spec, Spec)

    @property
    def grader(self) -> str | None:
        """Whose marks decide; None if the run does not say."""
        return self.spec.get("grader")

    @property
    def ungraded(self) -> bool:
        """Whether the texts were collected to be graded another day."""
        return self.spec.get("graders") == ["later"]

    @property
    def pack(self) -> dict[str, Any]:
        """Name, version, digest and sizes of the pack, as far as they may be known."""
        return self.spec.get("pack") or {}


class LabSummary(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="lab"):
    """summary.json of a run of the lab; its models from small to large, then the parrots."""

    version: int
    seed: int
    budget: str
    world: World
    models: tuple[Model, ...]
    growth: Growth
    certificate: ParrotCertificate | None
    theory: Theory | None
    examples: tuple[Example, ...]
    headline: LabHeadline


class SkillMixSummary(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="SKILL-MIX"
):
    """summary.json of a run of language models by the SKILL-MIX protocol.

    ``private`` says that nothing of the pack may become known but its hash and its sizes: skills
    and topics have numbers for names then, and there are no examples.
    """

    version: int
    seed: int
    private: bool
    run: Run
    models: tuple[Model, ...]
    comparison: AllPairs | None
    no_texts: NoTexts
    unscored: Unscored
    graders: GraderReport | None
    if_another_decided: tuple[OtherGrader, ...]
    certificate: BoundCertificate | None
    usage: Usage | None
    examples: tuple[Example, ...]
    headline: SkillMixHeadline


Summary = LabSummary | SkillMixSummary


def read_summary(run: Path) -> Summary:
    """Read summary.json from the folder of a run.

    Raises
    ------
    BadInput
        If it is absent, was made by another version, or is not what it should be; the message
        names the file and the field, and says what to do.
    """
    path = run / "summary.json"
    if not path.is_file():
        raise BadInput(
            f"{str(run)!r} has no summary.json; give the folder of a finished run, "
            f"for example runs/demo, or make it: unparrot analyze {run} (a run that was stopped "
            "first goes on by its own command)"
        )
    return read_typed(path, Summary, VERSION, f"run `unparrot analyze {run}`")
