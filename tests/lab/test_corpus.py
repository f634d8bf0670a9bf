"""The corpus: documents by index, nothing held out in them, rows that hold exactly them, counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest
from scipy.stats import chisquare

from unparrot.core.errors import BadInput
from unparrot.core.skills import HeldOut
from unparrot.lab.corpus import (
    Document,
    Example,
    Mixture,
    Packed,
    Source,
    digest,
    read_documents,
    write_corpus,
)
from unparrot.lab.training.train import Documents
from unparrot.lab.world.english import World

NOTHING = HeldOut(frozenset(), frozenset(), frozenset(), 8)
TOKENS = 20_000


class Written(NamedTuple):
    source: Source
    packed: Packed
    folder: Path
    documents: list[Document]


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def written(world: World, tmp_path_factory: pytest.TempPathFactory) -> Written:
    held_out = HeldOut.draw(world.pack, np.random.default_rng(5), 0.15, 0.02, 0.05, 8)
    source = Source(world, held_out, Mixture(), seed=3)
    folder = tmp_path_factory.mktemp("corpus")
    packed = write_corpus(source, folder, TOKENS)
    return Written(source, packed, folder, [source.document(i) for i in range(packed.documents)])


def expected_ids(world: World, document: Document) -> list[int]:
    ids = {token: i for i, token in enumerate(world.vocabulary)}
    prompt = world.prompt_tokens(document.combination, document.situation)
    return [ids[token] for token in (*prompt, *document.text.words, "<eos>")]


def example(document: Document) -> Example:
    return Example(
        document.combination, " ".join(document.situation.words), " ".join(document.text.words)
    )


def test_a_document_follows_from_seed_and_index_alone(written: Written, world: World) -> None:
    source = Source(world, written.source.held_out, Mixture(), seed=3)
    for i in np.random.default_rng(1).permutation(200).tolist():
        assert source.document(i) == written.documents[i]
    later = source.documents(150)
    assert [next(later) for _ in range(5)] == written.documents[150:155]
    other = Source(world, written.source.held_out, Mixture(), seed=4)
    assert sum(other.document(i) == written.documents[i] for i in range(100)) < 5


def test_no_document_shows_what_is_held_out(written: Written) -> None:
    held_out = written.source.held_out
    assert all(not held_out.novelty(d.combination).is_new for d in written.documents)
    # the check above has something to find: drawn without regard, most would be held out
    free = Source(written.source.world, NOTHING, Mixture(), seed=3)
    combinations = [free.document(i).combination for i in range(300)]
    assert sum(held_out.novelty(c).is_new for c in combinations) > 100


def test_skills_k_and_topics_are_as_frequent_as_the_mixture_says(world: World) -> None:
    mixture = Mixture((1.0,), exponent=0.5)
    source = Source(world, NOTHING, mixture, seed=11)
    single = [source.document(i).combination for i in range(3000)]
    counts = Counter(c.skills[0] for c in single)
    names = world.pack.skill_names
    weights = np.arange(1, len(names) + 1) ** -0.5
    found = [counts[name] for name in names]
    assert chisquare(found, 3000 * weights / weights.sum()).pvalue > 1e-3
    assert chisquare(found).pvalue < 1e-6, "an even mixture must not pass for a power law"
    topics = Counter(c.topic for c in single)
    assert chisquare([topics[t] for t in world.pack.topic_names]).pvalue > 1e-3
    many = Source(world, NOTHING, Mixture((0.1, 0.0, 0.6, 0.3)), seed=11)
    ks = Counter(many.document(i).combination.k for i in range(1000))
    assert ks[2] == 0
    assert chisquare([ks[1], ks[3], ks[4]], [100, 600, 300]).pvalue > 1e-3


def test_a_curriculum_begins_with_one_or_two_skills(world: World) -> None:
    mixture = Mixture((0.1, 0.3, 0.4, 0.2))
    plain = Source(world, NOTHING, mixture, seed=11)
    schooled = Source(world, NOTHING, replace(mixture, curriculum=1000), seed=11)
    first = Counter(schooled.document(i).combination.k for i in range(1000))
    assert first.keys() == {1, 2}
    assert chisquare([first[1], first[2]], [250, 750]).pvalue > 1e-3
    later = (1000, 1001, 5000, 1 << 40)
    assert [schooled.document(i) for i in later] == [plain.document(i) for i in later]


def test_a_folder_holds_exactly_the_documents(written: Written, world: World) -> None:
    read = Documents(written.folder)
    assert len(read) == len(written.documents)
    ids = [expected_ids(world, d) for d in written.documents]
    assert read.tokens.tolist() == [token for own in ids for token in own]
    assert read.starts.tolist() == [0, *accumulate(map(len, ids))]
    text = world.vocabulary.index("text:")
    assert read.prompts.tolist() == [own.index(text) + 1 for own in ids]
    assert read.nats.tolist() == [d.text.nats for d in written.documents]


def test_the_sums_are_those_of_the_documents(written: Written, world: World) -> None:
    packed, documents = written.packed, written.documents
    sizes = [len(expected_ids(world, d)) for d in documents]
    assert packed.tokens == sum(sizes)
    assert TOKENS <= packed.tokens < TOKENS + sizes[-1]
    assert packed.text_tokens == sum(len(d.text.words) + 1 for d in documents)
    assert packed.nats == pytest.approx(sum(d.text.nats for d in documents))
    entropies = [world.entropy(d.combination, d.situation.kind) for d in documents]
    assert packed.entropy == pytest.approx(sum(entropies))


def test_entropy_is_the_mean_of_what_the_texts_cost(written: Written, world: World) -> None:
    excess = np.array(
        [d.text.nats - world.entropy(d.combination, d.situation.kind) for d in written.documents]
    )
    assert abs(excess.sum()) < 4 * excess.std(ddof=1) * np.sqrt(len(excess))


def test_documents_read_back_in_order(written: Written) -> None:
    found = read_documents(written.folder)
    assert found == [example(d) for d in written.documents]


def test_the_folder_of_a_corpus_is_no_pattern(written: Written, tmp_path: Path) -> None:
    documents = pl.read_parquet(written.folder / "documents.parquet")
    for name, rows in (("c[1]", documents.head(3)), ("c1", documents.head(1))):
        (tmp_path / name).mkdir()
        rows.write_parquet(tmp_path / name / "documents.parquet")
    assert len(read_documents(tmp_path / "c[1]")) == 3


def test_a_corpus_without_documents_is_refused(written: Written, tmp_path: Path) -> None:
    documents = pl.read_parquet(written.folder / "documents.parquet")
    documents.clear().write_parquet(tmp_path / "documents.parquet")
    with pytest.raises(BadInput, match="holds no document"):
        read_documents(tmp_path)


def test_equal_seeds_write_equal_bytes_and_a_start_leaves_documents_out(
    written: Written, world: World, tmp_path: Path
) -> None:
    assert write_corpus(written.source, tmp_path / "again", TOKENS) == written.packed
    assert digest(tmp_path / "again") == digest(written.folder)
    told: list[tuple[int, int]] = []
    packed = write_corpus(
        written.source, tmp_path / "later", 2000, 1 << 40, lambda *done: told.append(done)
    )
    first = [written.source.document((1 << 40) + i) for i in range(packed.documents)]
    assert read_documents(tmp_path / "later") == [example(d) for d in first]
    assert digest(tmp_path / "later") != digest(written.folder)
    assert all(done <= of == 2000 for done, of in told)


def test_a_world_whose_large_combinations_are_all_held_out_is_refused(world: World) -> None:
    held_out = HeldOut.draw(world.pack, np.random.default_rng(2), 0.3, 0.1, 0.2, 8)
    source = Source(world, held_out, Mixture((0,) * 7 + (1,)), 2)
    with pytest.raises(BadInput, match=r"20000 draws of 8 skills .* hold out smaller shares"):
        source.document(0)


def test_bad_input_is_named(written: Written, world: World, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="at least 0, not -1"):
        written.source.document(-1)
    with pytest.raises(BadInput, match="at least 1 token, not 0"):
        write_corpus(written.source, tmp_path, 0)
    with pytest.raises(BadInput, match=r"documents.parquet does not exist"):
        read_documents(tmp_path)
    for weights in ((), (0.0, 0.0), (1.0, -0.5)):
        with pytest.raises(BadInput, match="k_weights"):
            Mixture(weights)
    with pytest.raises(BadInput, match=r"exponent must be at least 0, not -0.1"):
        Mixture(exponent=-0.1)
    with pytest.raises(BadInput, match="curriculum must be at least 0, not -5"):
        Mixture(curriculum=-5)
    with pytest.raises(BadInput, match="a curriculum of 9 documents has texts of one or two"):
        Mixture((0, 0, 1.0), curriculum=9)
    with pytest.raises(BadInput, match="up to k = 8, held out beyond 3"):
        Source(world, HeldOut(frozenset(), frozenset(), frozenset(), 3), Mixture(), 1)
