"""The anatomy of toy texts: who and what they name, where clauses meet, what kind a skill is."""

import pytest

from unparrot.lab.corpus import Example
from unparrot.lab.parrots.anatomy import Anatomy
from unparrot.lab.parrots.naming import NAMED, Naming, Subject
from unparrot.lab.parrots.stock import Stock
from unparrot.lab.parrots.values import Values

KINDS = {
    "dye": "core",
    "move": "core",
    "tell": "frame",
    "recall": "frame",
    "regret": "frame",
    "simile": "remark",
    "epithet": "remark",
}


@pytest.fixture(scope="module")
def anatomy(examples: list[Example]) -> Anatomy:
    return Anatomy(examples)


def plain(anatomy: Anatomy, about: str, clause: str) -> tuple[Subject, list[str], str | None]:
    subject = anatomy.naming.subject(about)
    assert subject is not None
    found = anatomy.naming.plain(Naming.roles(clause.split(), subject), subject)
    assert found is not None
    assert found.fact == subject.fact
    return subject, found.words, found.epithet


def test_subjects_are_read_in_both_shapes(anatomy: Anatomy) -> None:
    red = anatomy.naming.subject("ann and bob 's red cup")
    far = anatomy.naming.subject("ann and bob 's cup from the barn")
    assert red is not None
    assert far is not None
    assert red[:4] == ("ann", "bob", "cup", "red")
    assert far[:4] == ("ann", "bob", "cup", "barn")
    assert red.shape != far.shape
    assert anatomy.naming.subject("a cup") is None


def test_mentions_get_role_and_case(anatomy: Anatomy) -> None:
    _, words, epithet = plain(
        anatomy,
        "ann and bob 's red cup",
        "ann told bob that she recalled him liking his cute red cup",
    )
    assert words[3:] == ["that", "A s", "recalled", "B o", "liking", NAMED]
    assert epithet == "cute"
    # 'her' is object or possessive: told apart by what stands around 'him' and 'his'
    _, words, _ = plain(
        anatomy, "bob and ann 's red cup", "bob told ann that he recalled her liking her red cup"
    )
    assert words[3:] == ["that", "A s", "recalled", "B o", "liking", NAMED]


def test_realizing_a_plain_clause_for_others_changes_names_and_pronouns(anatomy: Anatomy) -> None:
    _, words, _ = plain(
        anatomy, "ann and bob 's red cup", "ann recalled bob 's red cup turning blue"
    )
    subject = anatomy.naming.subject("tom and zoe 's kite from the barn")
    assert subject is not None
    written = anatomy.naming.realize(words, subject, "kind")
    assert " ".join(written) == "tom recalled zoe 's kind kite from the barn turning blue"


def test_every_clause_is_realized_as_it_was(anatomy: Anatomy) -> None:
    for subject, clauses in anatomy.documents():
        for clause in clauses:
            known = subject._replace(fact=clause.plain.fact, shape=clause.plain.shape)
            words = anatomy.naming.realize(clause.plain.words, known, clause.plain.epithet)
            again = anatomy.naming.plain(Naming.roles(words, known), known)
            assert again == clause.plain


def test_links_kinds_and_all_texts_are_found(anatomy: Anatomy, examples: list[Example]) -> None:
    assert anatomy.links.middles == [(",", "and", "then")]
    assert anatomy.kinds == KINDS
    assert anatomy.epithets == {"epithet"}
    documents = list(anatomy.documents())
    assert len(documents) == len(examples)
    for example, (_, clauses) in zip(examples, documents, strict=True):
        assert example.combination.skills == tuple(s for c in clauses for s in c.skills)


def test_values_have_types(anatomy: Anatomy) -> None:
    values = Values(clause for _, clauses in anatomy.documents() for clause in clauses)
    colours, places = ({values.types[w] for w in ws} for ws in (("red", "blue"), ("barn", "attic")))
    assert len(colours) == len(places) == 1
    assert colours != places
    assert "kite" not in values.types


def test_skills_share_a_clause_as_in_training(anatomy: Anatomy) -> None:
    stock = Stock(anatomy)
    assert list(stock.runs(["dye", "tell", "simile", "move"])) == [
        ["dye"],
        ["tell", "simile", "move"],
    ]
    assert list(stock.runs(["move", "dye", "tell"])) == [["move"], ["dye", "tell"]]
    assert stock.nest(["recall", "dye", "tell"]) == ["recall", "tell"]
