"""The cells of a run: what is trained and tested as one piece of work, and the jobs that do it.

A cell is a shape with all its numbers of tokens (one trunk, so one training), and the test of each
of these models; or the parrots that read a corpus. Whatever a job makes lies in files that say what
they were made of, so a job that was done is not done again, and one that was killed goes on.

Every job is a function of plain values and of folders: it can run in any process that sees them.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct

from unparrot import __version__
from unparrot.core.errors import BadInput
from unparrot.core.records import Busy, atomic_write, lock, read_json
from unparrot.lab.cells import Cell, draw_cells, splits_of
from unparrot.lab.corpus import Packed, Source, read_documents, write_corpus
from unparrot.lab.parrots.parrot import parrot_file
from unparrot.lab.study.spec import Measure, RunSpec, model_name
from unparrot.lab.training.forecast import Progress
from unparrot.lab.training.sweep import Emit, Job
from unparrot.lab.world.skills import SKILLS

if TYPE_CHECKING:
    from collections.abc import Generator

    from unparrot.lab.training.train import TrainSpec

VALID_START: Final = 1 << 40
"""Index of the first validation document; training never gets there."""
LOG_EVERY, VALID_EVERY = 50, 600
"""Steps between measurements of the loss of training, and of fresh documents."""
PARROTS: Final = (
    ("n-gram",),
    ("infinite-gram",),
    ("nearest neighbour",),
    ("sentence splicer",),
    ("clause copier", "weaver", "copy-and-edit"),
)
"""Those that read a corpus together, so that it is learnt once."""

# In units of a multiplication, as `ModelShape.cost_of_document` has them; fitted by eye.
COST_OF_TOKEN: Final = 180.0
COST_OF_DRAWING: Final = 1e5
COST_OF_COPYING: Final = 40_000.0
TOKENS_PER_SKILL: Final = 19.0
"""Of a training document, its prompt included; to expect how many documents a corpus has."""


class Place(Struct, frozen=True):
    """Where a run works: `models` has a folder for each model, `data` the corpus, what is tested,
    and what parrots wrote; `tables` its records."""

    tables: str
    models: str
    data: str

    @property
    def corpus(self) -> Path:
        """Folder of the corpus."""
        return Path(self.data, "corpus")


class StudyCell(NamedTuple):
    """A piece of work that is done as a whole: its name, its jobs, what they wait for, and whether
    all of it is there already."""

    name: str
    jobs: tuple[Job, ...]
    data: Job
    done: bool

    @property
    def cost(self) -> float:
        """Of its jobs, in units of a multiplication."""
        return sum(job.cost for job in self.jobs)


class _Corpus(Struct, frozen=True):
    """What corpus/packed.json says of the corpus that is there: how many tokens it should have,
    and how many, `fresh`, those for validation."""

    wanted: int
    train: Packed
    valid: Packed
    fresh: int = Measure().valid_tokens


class _Tests(Struct, frozen=True):
    """What is asked for, drawn for what `key` names."""

    key: str
    cells: list[Cell]


class _Tested(Struct, frozen=True):
    """What tested.json says beside the answers of a model or parrot."""

    key: str


def cells_of(run: RunSpec, place: Place, device: str = "cpu") -> list[StudyCell]:
    """Return the cells of a run, smallest shape first, then the parrots.

    Parameters
    ----------
    run
        What is trained and tested.
    place
        Where.
    device
        'auto', 'cpu' or 'cuda'; decides nothing that is recorded but the last digits.
    """
    setting, measure = run.setting, run.measure
    key, top = tests_key(run), run.ordered_tokens[-1]
    size = sum(
        measure.combinations * (1 + k) for k in measure.ks for _ in splits_of(k, setting.max_k)
    )
    drawing = COST_OF_DRAWING * measure.combinations * len(measure.ks) * 4
    corpus = f"{setting.data_key}/corpus"
    written = COST_OF_TOKEN * (top + measure.valid_tokens)
    data = Job(corpus, write_data, (run, place), written + drawing)
    cells: list[StudyCell] = []
    for shape, name in zip(run.shapes, run.shape_names, strict=True):
        sizes = run.sizes(shape)
        training = f"{setting.key}/{name}"
        models = [model_name(name, tokens) for tokens in run.ordered_tokens]
        cost = sum(_tokens_trained(run)) / _document(run) * sizes.cost_of_document
        arguments = (run, name, place, device)
        jobs = [Job(training, train_shape, arguments, cost, after=corpus)]
        cost = size * (sizes.params / 6 + 26_000)
        jobs += [
            Job(f"{setting.key}/{m}", ask_model, (run, m, place, device), cost, after=training)
            for m in models
        ]
        done = all(_is_done(Path(place.models, m, "tested.json"), key) for m in models)
        cells.append(StudyCell(training, tuple(jobs), data, done))
    if measure.parrots:
        jobs = [
            Job(f"{setting.data_key}/{names[0]}", ask_parrots, (run, names, place),
                size * COST_OF_COPYING * len(names), after=corpus)
            for names in PARROTS
        ]  # fmt: skip
        done = all(_is_done(_parrot(place, name), key) for names in PARROTS for name in names)
        cells.append(StudyCell(f"{setting.data_key}/parrots", tuple(jobs), data, done))
    return cells


def files_of(cell: str, place: Place) -> list[Path]:
    """What a cell of that name has made, the corpus apart; what says that it is whole last."""
    shape = cell.partition("/")[2]
    if shape == "parrots":
        tops = [Path(place.data, "parrots")]
    else:
        tops = sorted(Path(place.models).glob(f"{shape}[@.]*"))
    paths = [path for top in tops for path in (top, *sorted(top.rglob("*")))]

    def says_whole(path: Path) -> bool:
        return path.name == "tested.json" or (shape == "parrots" and path.suffix == ".json")

    return sorted(filter(_is_made, paths), key=says_whole)


def data_files(place: Place) -> list[Path]:
    """The corpus and what is tested; what says that each is whole last."""
    paths = filter(_is_made, [*place.corpus.rglob("*"), _tests_file(place)])
    return sorted(paths, key=lambda path: path.name in ("packed.json", "tests.msgpack.gz"))


def _is_made(path: Path) -> bool:
    """Whether it is a file of the work: no lock, and nothing half written."""
    return path.is_file() and path.suffix != ".lock" and not path.name.startswith(".")


def _tests_file(place: Place) -> Path:
    return Path(place.data, "tests.msgpack.gz")


def tests_key(run: RunSpec) -> str:
    """What decides over what is asked, and which texts of training count as seen."""
    measure = run.measure
    own = (__version__, run.setting.data_key, max(run.tokens), measure.ks)
    rest = (measure.combinations, measure.pieces)
    return sha256(repr((own, rest)).encode()).hexdigest()


def _tokens_trained(run: RunSpec) -> list[float]:
    """Of the trunk, and of the decay of every branch."""
    tokens, decay = run.ordered_tokens, run.setting.decay
    return [(1 - decay) * tokens[-1], *(decay * count for count in tokens)]


def _document(run: RunSpec) -> float:
    """Tokens that a training document is expected to have, those of a curriculum apart."""
    weights = run.setting.k_weights
    mean = sum(k * weight for k, weight in enumerate(weights, 1)) / sum(weights)
    return TOKENS_PER_SKILL * mean


def _is_done(path: Path, key: str) -> bool:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Tested).key == key
    except (OSError, msgspec.MsgspecError):
        return False


def _parrot(place: Place, name: str) -> Path:
    return parrot_file(Path(place.data), name, ".json")


# The jobs. What each imports, a plan does not need.


def write_data(run: RunSpec, place: Place, emit: Emit) -> None:
    """Write the corpus of a run, and draw what is tested, unless both are there."""
    setting, tokens, fresh = run.setting, max(run.tokens), run.measure.valid_tokens
    held = lock(Path(place.data, "data.lock"), wait=True)
    try:
        corpus = read_corpus(place)
        source = source_of(run)
        if corpus is None or (corpus.wanted, corpus.fresh) != (tokens, fresh):

            def written(done: int, of: int) -> None:
                emit(Progress(0.7 * done / of, "writing the corpus"))

            valid = write_corpus(source, place.corpus / "valid", fresh, VALID_START)
            train = write_corpus(source, place.corpus, tokens, 0, written)
            record = msgspec.json.encode(_Corpus(tokens, train, valid, fresh))
            atomic_write(place.corpus / "packed.json", record)
        key = tests_key(run)
        path = _tests_file(place)
        if not path.exists() or _read_tests(path).key != key:
            cells = draw_cells(
                setting.world.pack,
                source.held_out,
                [document.combination for document in read_documents(place.corpus)],
                run.measure.ks,
                run.measure.combinations,
                np.random.default_rng([setting.seed, 2]),
                lambda done, of: emit(Progress(0.7 + 0.3 * done / of, "drawing what to test")),
            )
            content = msgspec.msgpack.encode(_Tests(key, cells))
            atomic_write(path, gzip.compress(content, 1, mtime=0))
    finally:
        os.close(held)
    emit(Progress(1.0))


def source_of(run: RunSpec) -> Source:
    """The documents of a run, by index."""
    setting = run.setting
    return Source(setting.world, setting.held_out(), setting.mixture, setting.seed)


def read_corpus(place: Place) -> _Corpus | None:
    """What is in the corpus; None if there is none yet."""
    path = place.corpus / "packed.json"
    remedy = "delete it, and the corpus is written anew"
    return read_json(path, _Corpus, remedy) if path.exists() else None


def _read_tests(path: Path) -> _Tests:
    try:
        return msgspec.msgpack.decode(gzip.decompress(path.read_bytes()), type=_Tests)
    except (OSError, EOFError, ValueError, msgspec.MsgspecError) as error:
        raise BadInput(
            f"{path} cannot be read ({error}); delete it, and what is tested is drawn anew"
        ) from error


def read_tests(place: Place) -> list[Cell]:
    """What models and parrots of a run are asked."""
    return _read_tests(_tests_file(place)).cells


def train_shape(run: RunSpec, shape: str, place: Place, device: str, emit: Emit) -> str:
    """Train the models of a shape."""
    from unparrot.lab.training.checkpoint import save_tokenizer
    from unparrot.lab.training.train import TrainProgress, train

    def report(at: TrainProgress) -> None:
        emit(Progress(at.share, f"{at.name} learns: {at.loss:.2f} nats a token"))

    with _locked(Path(place.models, f"{shape}.lock")) as busy:
        if not busy:
            spec, world = train_spec(run, shape, place, device), run.setting.world
            for branch in spec.branches:
                folder = Path(place.models, branch.name)
                save_tokenizer(folder, world.vocabulary, [s.name for s in SKILLS])
            train(spec, place.models, report)
            emit(Progress(1.0, f"{shape} is trained"))
    return busy


def train_spec(run: RunSpec, shape: str, place: Place, device: str) -> TrainSpec:
    """What determines the models of a shape, now that the corpus is there.

    Raises
    ------
    BadInput
        If two numbers of tokens come to the same number of steps, or the smallest one ends within
        the curriculum.
    """
    from unparrot.lab.training.train import Branch, Documents, TrainSpec

    setting = run.setting
    own = run.shapes[run.shape_names.index(shape)]
    count = own.documents_per_step or setting.documents_per_step
    starts = Documents(place.corpus).starts
    documents = np.searchsorted(starts, run.ordered_tokens).clip(max=len(starts) - 1)
    if documents[0] <= setting.curriculum:
        raise BadInput(
            f"{run.ordered_tokens[0]} tokens are {documents[0]} documents, and the curriculum has "
            f"{setting.curriculum}: the model would read nothing else; give more tokens, or a "
            "shorter curriculum"
        )
    branches = [
        Branch(model_name(shape, tokens), max(1, int(read) // count))
        for tokens, read in zip(run.ordered_tokens, documents, strict=True)
    ]
    return TrainSpec(
        name=shape,
        shape=run.sizes(own),
        corpus=str(place.corpus),
        branches=tuple(branches),
        documents_per_step=count,
        seed=setting.seed,
        device=device,
        learning_rate=own.learning_rate or setting.learning_rate or None,
        muon_factor=setting.muon_factor,
        decay=setting.decay,
        log_every=LOG_EVERY,
        valid_every=VALID_EVERY,
    )


def ask_model(run: RunSpec, model: str, place: Place, device: str, emit: Emit) -> str:
    """Let a trained model write and answer what is tested."""
    from unparrot.lab.answers import measure
    from unparrot.lab.training.train import RESULT

    folder = Path(place.models, model)
    with _locked(folder / "tested.lock") as busy:
        if not busy and not (folder / RESULT).exists():
            busy = f"{model} is being trained by another process"
        if not busy:
            measure(folder, read_tests(place), source_of(run), run.measure.pieces, device, emit)
            atomic_write(folder / "tested.json", msgspec.json.encode(_Tested(tests_key(run))))
    return busy


def ask_parrots(run: RunSpec, names: Sequence[str], place: Place, emit: Emit) -> str:
    """Let parrots that have read the corpus write what is tested."""
    from unparrot.lab.answers import PARROTS as KINDS
    from unparrot.lab.answers import measure_parrots

    kinds = dict(KINDS)
    with _locked(_parrot(place, names[0]).with_suffix(".lock")) as busy:
        if not busy:
            parrots = [(name, kinds[name]) for name in names]
            measure_parrots(parrots, str(place.corpus), read_tests(place), emit)
            for name in names:
                atomic_write(_parrot(place, name), msgspec.json.encode(_Tested(tests_key(run))))
    return busy


@contextmanager
def _locked(path: Path) -> Generator[str]:
    """The lock of a job: empty if it is ours, else the reason why it is not."""
    try:
        held = lock(path)
    except Busy as error:
        yield str(error)
        return
    try:
        yield ""
    finally:
        os.close(held)
