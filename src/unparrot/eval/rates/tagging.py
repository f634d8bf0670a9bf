"""A sample of a corpus, tagged: which skills a model sees in each window, and which topics occur.

A window is a text that nobody wrote for a task, and a tagger is a grader who marks it on batches of
skills; so a tagging run is a run of `unparrot.eval.ask.run` without students, with its journal, its
budget and its strict reading of replies, in which a window cannot give itself a tag.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any, Final

import polars as pl
import yaml

from unparrot.core.errors import writing
from unparrot.core.machine import describe_machine, package_versions
from unparrot.core.records import RunFolder, TaggedSample, write_json
from unparrot.core.skills import SkillBatch, SkillCombination, SkillPack, main_language
from unparrot.core.tables import TAGS_SCHEMA, USAGE_SCHEMA, WINDOWS_SCHEMA
from unparrot.eval.people.label_sample import Labelling, labelling_of
from unparrot.eval.protocol.conversation import Answer
from unparrot.eval.protocol.grading import missing
from unparrot.eval.rates.spread import Spread, one_machine
from unparrot.eval.rates.windows import Sample
from unparrot.eval.record.eval_spec import EvalSpec
from unparrot.eval.record.journal import Journal, canonical
from unparrot.eval.record.prepare import Prepared, Unit, resumed
from unparrot.eval.record.provenance import provenance
from unparrot.eval.record.readback import Marks, take_marks
from unparrot.eval.record.run_tables import PACKAGES
from unparrot.packs.checking import NameIndex
from unparrot.packs.prompts import PROTOCOL, PromptSet, load_prompts
from unparrot.packs.reading import is_shipped, load_pack, public_part

# Whose texts windows are.
CORPUS: Final = "corpus"
# Who sees topics.
WORDS: Final = "words"
_ANY_TOPIC: Final = "any"
# Letters of a topic up to which an -s at its end may well be its own.
_SHORT: Final = 4
# Windows whose topics are counted together.
_AT_ONCE: Final = 2000


@dataclass(frozen=True, slots=True)
class TaggingSpec:
    """How a corpus is sampled and tagged.

    Parameters
    ----------
    taggers
        Models; the tags of the first count.
    n, words
        Windows that are tagged, and words of each.
    counted
        Windows in which topics are counted, at least n: the same, and more.
    rounds
        How often each window is tagged.
    batch
        Skills that one call asks about, at most.
    seed
        Of the draw of windows.
    pack
        Name or path.
    settings
        Others of `EvalSpec`, those of graders.
    """

    taggers: tuple[str, ...]
    n: int
    words: int
    counted: int
    rounds: int
    batch: int
    seed: int
    pack: str
    settings: dict[str, Any]


def batches(pack: SkillPack, size: int) -> list[SkillBatch]:
    """Return the skills of a pack in batches of about one size, at most ``size``, in an order that
    has nothing to do with their kinds.

    Examples
    --------
    >>> from unparrot.packs.reading import load_pack
    >>> [batch.k for batch in batches(load_pack("language.en"), 30)]
    [27, 27, 27, 27, 27, 26]
    """
    names = sorted(pack.skill_names, key=lambda name: hashlib.sha256(name.encode()).digest())
    number = math.ceil(len(names) / size)
    return [SkillBatch(_ANY_TOPIC, tuple(names[i::number])) for i in range(number)]


def prepare_tagging(spec: TaggingSpec, sample: Sample, folder: Path) -> Prepared:
    """Check a tagging run against its pack and its folder, changing nothing.

    Raises
    ------
    BadInput
        If the pack is not there, or the folder holds something else, or another sample.
    """
    pack = load_pack(spec.pack)
    private = not is_shipped(spec.pack)
    parts = batches(pack, spec.batch)
    tagging = EvalSpec(
        models=(CORPUS,),
        graders=spec.taggers,
        k=tuple(part.k for part in parts),
        n=spec.n,
        rounds=1,
        grading_rounds=spec.rounds,
        seed=spec.seed,
        pack=str(Path(spec.pack).absolute()) if private else spec.pack,
        **spec.settings,
    )
    # a longer sample begins with a shorter one
    how = canonical([spec.words, spec.seed, spec.batch, sample.windows[0]])
    prepared = Prepared(tagging, tagging, pack, tagging_prompts(pack.language), private, folder)
    digest = hashlib.sha256(how.encode()).hexdigest()
    return resumed(replace(prepared, kind=SkillBatch, sample=digest))


def tagging_prompts(language: str) -> PromptSet:
    """Return the prompts of a tagger in the language of a pack, in English if we have none in it.

    They stand in the place of a grader's in the protocol's prompts of the language, and ask for
    marks without reasons, which would cost many times the marks.

    Examples
    --------
    >>> tagging_prompts("ko-KR").name, tagging_prompts("de").name
    ('tagging.ko', 'tagging.en')
    """
    own = "ko" if main_language(language) == "ko" else "en"
    content = files("unparrot.eval.rates").joinpath(f"tagging.{own}.yaml").read_bytes()
    prompts = load_prompts(f"{PROTOCOL}.{own}")
    return replace(prompts, name=f"tagging.{own}", version="1", turns=(), **yaml.safe_load(content))


def units_of(prepared: Prepared, spec: TaggingSpec, sample: Sample) -> dict[Unit, Answer]:
    """Return what is marked: each window once, however often it was drawn, on every batch."""
    first: dict[str, int] = {}
    for place, window in enumerate(sample.windows[: spec.n]):
        first.setdefault(window.text, place)
    parts = batches(prepared.pack, spec.batch)
    return {
        Unit(CORPUS, place, part, 1): Answer(text)
        for text, place in first.items()
        for part in parts
    }


def topics_in(
    sample: Sample, pack: SkillPack, spread: Spread = one_machine
) -> tuple[tuple[str, ...], ...]:
    """Return the topics that each window drawn names; ``spread`` says where they are searched."""
    texts = [window.text for window in sample.windows]
    parts = [texts[i : i + _AT_ONCE] for i in range(0, len(texts), _AT_ONCE)]
    forms = _forms(pack)
    work = partial(_named, forms, NameIndex(tuple(forms), pack.language))
    return tuple(chain.from_iterable(spread("counting topics", work, parts)))


def _forms(pack: SkillPack) -> dict[str, str]:
    """Topics by their names and, in English, by the singular of those that look like a plural;
    `NameIndex` knows the plural of what is called in the singular."""
    forms = {name: name for name in pack.topic_names}
    for name in pack.topic_names if main_language(pack.language) == "en" else ():
        # 'news' and 'chess' are no plurals
        if len(name) > _SHORT and name.endswith("s") and not name.endswith(("ss", "us", "is")):
            forms.setdefault(name[:-1], name)
            if name.endswith("ies"):
                forms.setdefault(f"{name[:-3]}y", name)
            elif name.endswith("es"):
                forms.setdefault(name[:-2], name)
    return forms


def _named(
    forms: Mapping[str, str], index: NameIndex, texts: Sequence[str]
) -> list[tuple[str, ...]]:
    named = ([forms[form] for form in index.named_in(text)] for text in texts)
    return [tuple(dict.fromkeys(topics)) for topics in named]


@dataclass(frozen=True, slots=True)
class TagTables:
    """Writes the tables of a tagging run from its journal, for `unparrot.eval.ask.run.run`.

    ``topics`` are those of `topics_in`, found before anything is asked: a run that is stopped has
    seconds to write its tables.
    """

    spec: TaggingSpec
    sample: Sample
    topics: tuple[tuple[str, ...], ...]

    def __call__(self, journal: Journal, prepared: Prepared, command: str) -> Counter[str]:
        """Write windows, tags, usage, sample.json and the manifest; return how many windows each
        tagger has given no whole tagging."""
        folder, spec = RunFolder(prepared.folder), self.spec
        windows = self.sample.windows[: spec.n]
        with writing(prepared.folder, "Every answer is kept in the journal."):
            rows = [(i, *window) for i, window in enumerate(windows)]
            folder.write_table("windows", pl.DataFrame(rows, WINDOWS_SCHEMA, orient="row"))
            texts = [window.text for window in windows]
            tags, lacking = _tags(journal, prepared, spec, texts)
            counts = Counter(chain.from_iterable(self.topics))
            for place, named in enumerate(self.topics[: spec.n]):
                tags += [(place, "topic", name, WORDS, 1, 0) for name in named]
            folder.write_table("tags", pl.DataFrame(tags, TAGS_SCHEMA, orient="row"))
            usage = [(*sums[:5], 0, *sums[5:]) for sums in journal.usage()]
            folder.write_table("usage", pl.DataFrame(usage, USAGE_SCHEMA, orient="row"))
            digests = {"corpus": hashlib.sha256(canonical(texts).encode()).hexdigest()}
            record = TaggedSample(
                version=TaggedSample.VERSION,
                pack=prepared.pack.digest,
                **digests,
                words=spec.words,
                windows=self.sample.words / spec.words,
                sampled=len(windows),
                taggers=prepared.whole.markers,
                rounds=prepared.whole.grading_rounds,
                skills=prepared.pack.skill_names,
                topics={name: counts[name] for name in prepared.pack.topic_names},
                counted=len(self.sample.windows),
            )
            write_json(prepared.folder / TaggedSample.FILE, record)
            folder.write_manifest(
                {
                    "spec": {
                        "origin": "unparrot rates",
                        **prepared.whole.as_dict(),
                        "words": spec.words,
                        "batch": spec.batch,
                        "counted": spec.counted,
                        "pack": public_part(prepared.pack, prepared.private),
                        "private": prepared.private,
                        "gradings": provenance(journal)["gradings"],
                    },
                    "command": command,
                    "seed": spec.seed,
                    "versions": package_versions(PACKAGES),
                    "digests": prepared.digests | digests,
                    "timings": {},
                    "machine": describe_machine(),
                }
            )
        return lacking


_Tag = tuple[int, str, str, str, int, int]


def _tags(
    journal: Journal, prepared: Prepared, spec: TaggingSpec, texts: Sequence[str]
) -> tuple[list[_Tag], Counter[str]]:
    """The tags of every window by every tagger, and the windows that each did not tag wholly."""
    given, parts = _given(journal), batches(prepared.pack, spec.batch)
    rows: list[_Tag] = []
    lacking: Counter[str] = Counter()
    first: dict[str, int] = {}
    for place, text in enumerate(texts):
        own = first.setdefault(text, place)
        for tagger in prepared.whole.markers:
            whole = True
            for part in parts:
                rounds = [each.marks for each in given[own, part.skills] if each.grader == tagger]
                whole &= len(rounds) >= spec.rounds and not any(map(missing, rounds))
                for name in part.skills:
                    statuses = Counter(marks[name].status for marks in rounds)
                    counts = (statuses["earned"], statuses["missed"])
                    rows.append((place, "skill", name, tagger, *counts))
            lacking[tagger] += tagger in prepared.spec.markers and not whole
    return rows, +lacking


def _given(journal: Journal) -> dict[tuple[int, tuple[str, ...]], list[Marks]]:
    """All marks, by the window and the batch."""
    given: defaultdict[tuple[int, tuple[str, ...]], dict[tuple[str, int], Marks]]
    given = defaultdict(dict)
    for call in journal.calls():
        part = batch_of(call.id.combination)
        take_marks(given[call.id.place, part.skills], call, part)
    return defaultdict(list, {key: list(marks.values()) for key, marks in given.items()})


def batch_of(names: str) -> SkillBatch:
    """Return the batch that the journal names."""
    topic, *skills = json.loads(names)
    return SkillBatch(topic, tuple(skills))


def open_windows(folder: Path, pack: SkillPack, size: int) -> Labelling:
    """Give the windows of a tagging run to people: each with each batch, without its tags.

    Raises
    ------
    BadInput
        If the folder is none of a tagging run that has written its tables.
    """
    windows, parts = RunFolder(folder).checked_table("windows"), batches(pack, size)

    def texts() -> Iterator[tuple[str, str, SkillCombination, str]]:
        for number, text in windows.select("window", "text").iter_rows():
            for i, part in enumerate(parts):
                yield f"{number}.{i}", CORPUS, part, text

    return labelling_of(folder, texts())
