"""The grammar of toy texts: who and what they name, where clauses meet, what kind a skill is."""

import pytest

from unparrot.lab.corpus import Example
from unparrot.lab.parrots.grammar import Grammar
from unparrot.lab.parrots.naming import Mention


@pytest.fixture(scope="module")
def grammar(examples: list[Example]) -> Grammar:
    return Grammar(examples)


def plain(grammar: Grammar, about: str, clause: str) -> tuple[str, Mention]:
    subject = grammar.naming.subject(about)
    assert subject is not None
    text, (mention,) = grammar.naming.plain(clause, subject)
    assert mention.fact == subject.fact
    return text, mention


def test_subjects_are_read_in_both_shapes(grammar: Grammar) -> None:
    red = grammar.naming.subject("ann and bob 's red cup")
    far = grammar.naming.subject("ann and bob 's cup from the barn")
    assert red is not None
    assert far is not None
    assert red[:4] == ("ann", "bob", "cup", "red")
    assert far[:4] == ("ann", "bob", "cup", "barn")
    assert red.shape != far.shape
    assert grammar.naming.subject("a cup") is None


def test_mentions_get_roles(grammar: Grammar) -> None:
    text, mention = plain(
        grammar,
        "ann and bob 's red cup",
        "ann told bob that she recalled him liking big bob 's red cup",
    )
    assert text == "A told B that A recalled B liking @"
    assert mention.epithet == "big"
    # 'her' is object or possessive: told apart by what stands around 'him' and 'his'
    text, _ = plain(
        grammar, "bob and ann 's red cup", "bob told ann that he recalled her liking her red cup"
    )
    assert text == "A told B that A recalled B liking @"


def test_realizing_a_plain_clause_for_others_changes_names_and_pronouns(grammar: Grammar) -> None:
    text, _ = plain(grammar, "ann and bob 's red cup", "ann recalled bob 's red cup turning blue")
    subject = grammar.naming.subject("tom and zoe 's kite from the barn")
    assert subject is not None
    written = grammar.naming.realize(f"A told B that {text}", subject, None)
    assert " ".join(written) == (
        "tom told zoe that he recalled her kite from the barn turning blue"
    )
    written = grammar.naming.realize(text, subject, "zany")
    assert " ".join(written) == "tom recalled zany zoe 's kite from the barn turning blue"


def test_every_text_of_one_clause_is_realized_as_it_was(
    grammar: Grammar, examples: list[Example]
) -> None:
    again = 0
    for example in examples:
        subject = grammar.naming.subject(example.about)
        assert subject is not None
        text, mentions = grammar.naming.plain(example.text, subject)
        if len(mentions) == 1:
            words = grammar.naming.realize(text, subject, mentions[0].epithet)
            assert " ".join(words) == example.text
            again += 1
    assert again > 1000


def test_links_kinds_and_all_texts_are_found(
    grammar: Grammar, examples: list[Example], kinds: dict[str, str]
) -> None:
    assert grammar.link == ", and then"
    assert grammar.kinds == kinds
    assert grammar.epithet == "epithet"
    assert grammar.read == len(examples)


def test_values_have_types(grammar: Grammar) -> None:
    colours, places = (
        {grammar.types[word] for word in words} for words in (("red", "blue"), ("barn", "attic"))
    )
    assert len(colours) == len(places) == 1
    assert colours != places
    assert "kite" not in grammar.types


def test_skills_share_a_clause_as_in_training(grammar: Grammar) -> None:
    assert list(grammar.runs(["dye", "tell", "simile", "move"])) == [
        ["dye"],
        ["tell", "simile", "move"],
    ]
    assert list(grammar.runs(["move", "dye", "tell"])) == [["move"], ["dye", "tell"]]
    assert grammar.nest(["recall", "dye", "tell"]) == ["recall", "tell"]


def test_stretches_repeat_what_is_known(grammar: Grammar) -> None:
    red = grammar.types["red"]
    for place in ("", "A recalled"):
        fitting = grammar.fitting("dye", grammar.form(place), {red: "red"})
        uttered = {value for stretches in fitting.values() for s in stretches for value in s.values}
        assert uttered == {"blue", "green", "black", "white", "brown"}
