"""The specification of a study: a TOML file of axes and of what is measured, checked.

    name = "scale"
    about = "How k grows with parameters and tokens, over five seeds."

    [axes]
    shape = [{ width = 32, heads = 2, hidden = 80 }, { parameters = 200_000 }]
    tokens = [900_000, 2_100_000, 6_000_000]
    seed = [1, 2, 3, 4, 5]

    [measure]
    combinations = 100

Every combination of the values of the axes is trained. A *run* is what its models have in common,
a `Setting`: the models of a run differ in shape and tokens alone, are asked for the same
combinations, and one page shows them.
"""

import re
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import combinations, product
from pathlib import Path
from typing import Any, Final, Literal, cast

import msgspec
import numpy as np
from msgspec import Struct, field

from unparrot.core.errors import BadInput
from unparrot.core.inputs import read_text
from unparrot.core.skills import HeldOut
from unparrot.lab.corpus import Mixture
from unparrot.lab.training.shape import DECAY, DOCUMENTS_PER_STEP, MUON_FACTOR, ModelShape
from unparrot.lab.world.english import VERSION, World
from unparrot.lab.world.lexicon import TOPICS
from unparrot.lab.world.skills import SKILLS

HeldOutBy = Literal["pair", "category"]
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_HIDDEN: Final = 8 / 3
"""Of the width, where a shape does not say: SwiGLU then has as many weights as a plain block."""


class Shape(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A shape of models: by its sizes, or by a number of parameters.

    Parameters
    ----------
    width, layers, heads, hidden
        See `unparrot.lab.training.shape.ModelShape`; hidden is 8/3 of the width if it is 0.
    parameters
        In place of the width: the width with the nearest number of them.
    name
        In records and folders; the number of parameters if empty.
    learning_rate, documents_per_step
        Of this shape, whatever the axes say.
    """

    width: int = 0
    layers: int = 4
    heads: int = 4
    hidden: int = 0
    parameters: int = 0
    name: str = ""
    learning_rate: float | None = None
    documents_per_step: int | None = None

    def sizes(self, vocabulary: int) -> ModelShape:
        """Return the sizes over a vocabulary of that many tokens.

        Raises
        ------
        BadInput
            If it has both a width and a number of parameters, or neither, or no such model exists.
        """
        if (self.width > 0) == (self.parameters > 0):
            raise BadInput(
                f"a shape has a width or a number of parameters; this one has width = {self.width} "
                f"and parameters = {self.parameters}"
            )
        if self.width:
            return self._of(self.width, vocabulary)
        step = 2 * self.heads
        widths = range(step, 8193, step)
        return min(
            (self._of(width, vocabulary) for width in widths),
            key=lambda shape: abs(shape.params - self.parameters),
        )

    def _of(self, width: int, vocabulary: int) -> ModelShape:
        hidden = self.hidden or max(8, round(_HIDDEN * width / 8) * 8)
        return ModelShape(width, self.layers, self.heads, hidden, vocabulary)


class Setting(Struct, frozen=True, forbid_unknown_fields=True):
    """What the models of a run have in common; each field is an axis of studies.

    Parameters
    ----------
    seed
        0 or more; it draws what is held out, the corpus, the weights and what is tested.
    skills, topics
        How many of the world's, spread evenly over the order of their frequency.
    k_weights
        Of training texts with k = 1, 2, ... skills; their number is the largest k of training.
    exponent, curriculum
        See `unparrot.lab.corpus.Mixture`.
    pair_share, triple_share, cell_share, held_out_by
        See `unparrot.core.skills.HeldOut.draw`.
    learning_rate
        Peak rate of AdamW; 0 if the width decides.
    documents_per_step, muon_factor, decay
        See `unparrot.lab.training.train.TrainSpec`.
    """

    seed: int = 1
    skills: int = len(SKILLS)
    topics: int = len(TOPICS)
    k_weights: tuple[float, ...] = Mixture().k_weights
    exponent: float = Mixture().exponent
    curriculum: int = 0
    pair_share: float = 0.15
    triple_share: float = 0.02
    cell_share: float = 0.05
    held_out_by: HeldOutBy = "pair"
    learning_rate: float = 0.0
    documents_per_step: int = DOCUMENTS_PER_STEP
    muon_factor: float = MUON_FACTOR
    decay: float = DECAY

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise BadInput(f"a seed is a number from 0 on, not {self.seed}")
        for name in ("pair_share", "triple_share", "cell_share"):
            if not 0 <= getattr(self, name) < 1:
                raise BadInput(f"{name} must be at least 0 and under 1, not {getattr(self, name)}")
        for name in ("learning_rate", "muon_factor"):
            if not 0 <= getattr(self, name) < 10:
                raise BadInput(f"{name} must be a number from 0 to 10, not {getattr(self, name)}")
        if self.documents_per_step < 1:
            raise BadInput(f"documents_per_step must be at least 1, not {self.documents_per_step}")
        if not 0 < self.decay <= 1:
            raise BadInput(f"decay is {self.decay}; it must be a share above 0, up to 1")
        _ = self.mixture
        if len(self.k_weights) > self.skills:
            raise BadInput(
                f"k_weights ask for texts of {len(self.k_weights)} skills, and there are "
                f"{self.skills}"
            )
        World(self.skills, self.topics)

    @property
    def max_k(self) -> int:
        """The largest k of training."""
        return len(self.k_weights)

    @property
    def world(self) -> World:
        """The world with these skills and topics."""
        return World(self.skills, self.topics)

    @property
    def mixture(self) -> Mixture:
        """What training documents are drawn from."""
        return Mixture(self.k_weights, self.exponent, self.curriculum)

    def held_out(self) -> HeldOut:
        """Draw what training leaves out."""
        return HeldOut.draw(
            self.world.pack,
            np.random.default_rng([self.seed, 1]),
            self.pair_share,
            self.triple_share,
            self.cell_share,
            self.max_k,
            self.held_out_by,
        )

    @property
    def key(self) -> str:
        """Ten hexadecimal digits that differ between settings."""
        return _key(self)

    @property
    def data_key(self) -> str:
        """The same of what decides over the corpus: settings that differ in the recipe share it."""
        recipe = Setting()
        changed = {name: getattr(recipe, name) for name in RECIPE}
        return _key(msgspec.structs.replace(self, **changed))


RECIPE: Final = ("learning_rate", "documents_per_step", "muon_factor", "decay")


def _key(value: Struct) -> str:
    content = msgspec.json.encode([VERSION, value], order="deterministic")
    return sha256(content).hexdigest()[:10]


class Measure(Struct, frozen=True, forbid_unknown_fields=True):
    """What models are asked.

    Parameters
    ----------
    ks
        Numbers of skills.
    combinations
        For each k and split.
    pieces
        Fresh documents for the cloze questions.
    valid_tokens
        Of fresh documents that the loss is measured on.
    parrots
        Whether the control group is tested too.
    """

    ks: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12)
    combinations: int = 100
    pieces: int = 1000
    valid_tokens: int = 200_000
    parrots: bool = True

    def __post_init__(self) -> None:
        for name in ("combinations", "pieces", "valid_tokens"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} must be at least 1, not {getattr(self, name)}")
        if not self.ks or min(self.ks) < 1 or len(set(self.ks)) < len(self.ks):
            raise BadInput(f"ks must be different numbers of skills from 1 on, not {self.ks}")


class RunSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A run: a setting, and the shapes and numbers of tokens that are trained in it.

    Raises
    ------
    BadInput
        If there is no shape or no number of tokens, or two would have one name.
    """

    name: str
    setting: Setting
    shapes: tuple[Shape, ...]
    tokens: tuple[int, ...]
    measure: Measure

    def __post_init__(self) -> None:
        if not self.shapes or not self.tokens:
            raise BadInput("a run needs at least one shape and one number of tokens")
        if min(self.tokens) < 1000:
            raise BadInput(f"tokens must be at least 1000, not {min(self.tokens)}")
        for what, names, remedy in (
            ("shapes", self.shape_names, "give one of them a name"),
            ("numbers of tokens", [label(n) for n in self.tokens], "set them further apart"),
        ):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise BadInput(f"two {what} would be called {min(twice)}; {remedy}")
        for name in self.shape_names:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
                raise BadInput(
                    f"{name!r} cannot name a shape: use letters, digits, points and hyphens"
                )

    def sizes(self, shape: Shape) -> ModelShape:
        """Return the sizes of a shape of the run."""
        return shape.sizes(_vocabulary())

    @property
    def shape_names(self) -> list[str]:
        """The names of the shapes, in their order."""
        return [shape.name or label(self.sizes(shape).params) for shape in self.shapes]

    @property
    def ordered_tokens(self) -> list[int]:
        """The numbers of tokens, smallest first."""
        return sorted(self.tokens)


def model_name(shape: str, tokens: int) -> str:
    """Return the name of the model of a shape after a number of tokens."""
    return f"{shape}@{label(tokens)}"


def label(count: int) -> str:
    """Return a count in few letters.

    Examples
    --------
    >>> label(84_512), label(1_300_000)
    ('85k', '1.3M')
    """
    return f"{count / 1e6:.1f}M" if count >= 1_000_000 else f"{round(count / 1000)}k"


class _Axes(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The axes as the file has them: one value, or a list of them."""

    shape: tuple[Shape, ...]
    tokens: int | tuple[int, ...]
    seed: int | tuple[int, ...] = Setting().seed
    skills: int | tuple[int, ...] = Setting().skills
    topics: int | tuple[int, ...] = Setting().topics
    k_weights: tuple[tuple[float, ...], ...] = (Setting().k_weights,)
    exponent: float | tuple[float, ...] = Setting().exponent
    curriculum: int | tuple[int, ...] = 0
    pair_share: float | tuple[float, ...] = Setting().pair_share
    triple_share: float | tuple[float, ...] = Setting().triple_share
    cell_share: float | tuple[float, ...] = Setting().cell_share
    held_out_by: HeldOutBy | tuple[HeldOutBy, ...] = "pair"
    learning_rate: float | tuple[float, ...] = 0.0
    documents_per_step: int | tuple[int, ...] = DOCUMENTS_PER_STEP
    muon_factor: float | tuple[float, ...] = MUON_FACTOR
    decay: float | tuple[float, ...] = DECAY

    def values(self, name: str) -> tuple[Any, ...]:
        """All values of an axis."""
        value = getattr(self, name)
        return cast(tuple[Any, ...], value) if isinstance(value, tuple) else (value,)


AXES: Final = Setting.__struct_fields__
"""The axes along which runs differ."""


class StudySpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A study as its file has it.

    Parameters
    ----------
    name
        Lower-case letters, digits, hyphens.
    axes
        By name: a value, or all values.
    measure
        What models are asked.
    about
        A sentence for its page.
    """

    name: str
    axes: _Axes
    measure: Measure = field(default_factory=Measure)
    about: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise BadInput(
                f"{self.name!r} cannot name a study: use up to 64 lower-case letters, digits and "
                "hyphens"
            )
        for axis in ("shape", "tokens", *AXES):
            values = self.axes.values(axis)
            if not values:
                raise BadInput(f"the axis {axis!r} has no value; leave it out, or give it one")
            for one, other in combinations(values, 2):
                if one == other:
                    raise BadInput(f"the axis {axis!r} has {one!r} twice")

    def __len__(self) -> int:
        total = 1
        for axis in AXES:
            total *= len(self.axes.values(axis))
        return total

    def runs(self) -> Iterator[RunSpec]:
        """Yield the runs, in the order of the axes.

        Raises
        ------
        BadInput
            If a value is out of its range, or two do not go together; the message names them.
        """
        shapes, tokens = self.axes.shape, tuple(self.axes.values("tokens"))
        for values in product(*(self.axes.values(axis) for axis in AXES)):
            setting = Setting(**dict(zip(AXES, values, strict=True)))
            yield RunSpec(self.name, setting, shapes, tokens, self.measure)


def read_spec(study: str) -> StudySpec:
    """Read the specification of a study.

    Parameters
    ----------
    study
        Path of a TOML file, or the name of a study that unparrot ships.

    Raises
    ------
    BadInput
        If there is none, or it has an unknown key, a value of another type, or one out of range;
        the message says where.
    """
    path = Path(study)
    if _NAME.fullmatch(study) and not path.is_file():
        if study not in shipped():
            raise BadInput(
                f"there is no study {study!r}; give the path of a TOML file, or one of: "
                f"{', '.join(shipped())}"
            )
        text = files("unparrot.lab.study").joinpath("shipped", f"{study}.toml").read_text("utf-8")
    else:
        text = read_text(path)
    try:
        spec = msgspec.toml.decode(text, type=StudySpec)
    except msgspec.DecodeError as error:
        raise BadInput(f"{study}: {error}") from error
    except BadInput as error:
        raise BadInput(f"{study}: {error}") from error
    return spec


def shipped() -> list[str]:
    """The names of the studies that unparrot brings along."""
    folder = files("unparrot.lab.study").joinpath("shipped")
    return sorted(path.name.removesuffix(".toml") for path in folder.iterdir())


@cache
def _vocabulary() -> int:
    return len(World().vocabulary)
