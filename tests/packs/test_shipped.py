"""What the packs that we ship promise: sizes, clean texts, and no skill given away."""

import re

import pytest

from unparrot.core.skills import CRITERIA, SkillPack
from unparrot.eval.protocol.sentences import count_sentences
from unparrot.packs.checking import NameIndex, check_pack, folded
from unparrot.packs.reading import load_pack, read_bytes, shipped_packs

# pack: skills, categories, topics; at least
SIZES = {
    "language.en": (101, 7, 100),
    "language.ko": (101, 7, 100),
    "mathematics.en": (30, 5, 30),
}
FEW, MANY = 5, 30
"""Skills of one category: neither a lonely one nor half of the pack."""


@pytest.fixture(params=shipped_packs())
def pack(request: pytest.FixtureRequest) -> SkillPack:
    return load_pack(str(request.param))


@pytest.mark.parametrize("name", shipped_packs())
def test_there_is_neither_an_error_nor_a_warning(name: str) -> None:
    report = check_pack(read_bytes(name))
    assert report.errors == ()
    assert report.warnings == ()
    assert report.pack is not None
    assert report.pack.name == name


def test_sizes(pack: SkillPack) -> None:
    skills, categories, topics = SIZES[pack.name]
    counts = {
        category: sum(skill.category == category for skill in pack.skills)
        for category in {skill.category for skill in pack.skills}
    }
    assert len(pack.skills) >= skills
    assert len(counts) >= categories
    assert len(pack.topics) >= topics
    assert all(FEW <= count <= MANY for count in counts.values()), counts


def test_names_differ_in_more_than_case_and_none_is_a_criterion(pack: SkillPack) -> None:
    names = [folded(name) for name in pack.skill_names]
    assert len(set(names)) == len(names)
    assert not set(names) & set(CRITERIA)


def test_no_example_and_no_topic_names_a_skill(pack: SkillPack) -> None:
    index = NameIndex(pack.skill_names, pack.language)
    for skill in pack.skills:
        assert index.named_in(skill.example) == [], skill.name
    for topic in pack.topic_names:
        assert index.named_in(topic) == [], topic


def test_a_plain_search_finds_no_name_in_an_example_either(pack: SkillPack) -> None:
    for name in pack.skill_names:
        word = re.compile(rf"\b{re.escape(re.sub(r' *[(].*', '', name))}\b", re.IGNORECASE)
        for skill in pack.skills:
            assert not word.search(skill.example), (name, skill.name)


def test_definitions_and_examples_are_whole_short_texts(pack: SkillPack) -> None:
    for skill in pack.skills:
        assert 25 <= len(skill.definition) <= 200, skill.name
        assert 25 <= len(skill.example) <= 220, skill.name
        assert skill.definition.endswith("."), skill.name
        assert not skill.definition[0].islower(), skill.name
        assert re.search(r'[.?!]"?$', skill.example), skill.name
        assert count_sentences(skill.definition, pack.language) == 1, skill.name
        # of two sentences at most; "Mr" and "Dr" stand without a full stop
        assert len(re.findall(r'[.?!]"?(?= "?[A-Z])', skill.example)) <= 1, skill.name
        for text in (skill.definition, skill.example):
            assert "  " not in text, skill.name
            assert not re.search(r"\b(\w+) \1\b", text), skill.name


def test_no_text_stands_in_for_two_skills(pack: SkillPack) -> None:
    assert len({skill.definition for skill in pack.skills}) == len(pack.skills)
    assert len({skill.example for skill in pack.skills}) == len(pack.skills)


def test_topics_of_the_language_pack_are_things_and_not_those_of_the_published_test() -> None:
    published = {"sewing", "dueling", "beekeeping", "gardening", "triathlons", "urbanism", "knots"}
    for topic in load_pack("language.en").topic_names:
        assert not published & set(re.findall(r"\w+", topic.casefold())), topic
        assert len(topic.split()) <= 3
