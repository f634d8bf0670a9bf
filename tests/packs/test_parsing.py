"""Broken and hostile pack files: each fault is named with its line, none is guessed away."""

from collections.abc import Callable

import pytest

from unparrot.packs.parsing import parse_pack

Changed = Callable[..., bytes]


def faults(content: bytes) -> list[str]:
    return [str(error) for error in parse_pack(content).errors]


def test_a_good_file_is_read_with_its_lines(small: bytes) -> None:
    draft = parse_pack(small)
    assert draft.errors == []
    assert [skill.fields["name"].text for skill in draft.skills] == ["irony", "straw man"]
    assert [skill.line for skill in draft.skills] == [5, 9]
    assert draft.skills[1].fields["example"].line == 12
    assert [(topic.text, topic.line) for topic in draft.topics] == [
        ("sundials", 15),
        ("hammocks", 16),
    ]


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(small: bytes) -> None:
    other = parse_pack(b"\xef\xbb\xbf" + small.replace(b"\n", b"\r\n"))
    assert other == parse_pack(small)


@pytest.mark.parametrize("version", ["1", "1.10", "2026-01-31", "'1'", "1.0.2"])
def test_a_version_stands_for_itself(changed: Changed, version: str) -> None:
    draft = parse_pack(changed(('"1"', version)))
    assert draft.errors == []
    assert draft.version is not None
    assert draft.version.text == version.strip("'")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # fields
        (
            "    category: fallacies\n",
            "",
            "line 9: skill 'straw man': the field 'category' is miss",
        ),
        ("version: ", "versoin: ", "line 2: the pack: unknown field 'versoin'; did you mean 'vers"),
        ("version: ", "licence: ", "line 2: the pack: unknown field 'licence'; known: name, vers"),
        (
            "category: rh",
            "name: twice\n    category: rh",
            "line 6: skill 'irony': the field 'name'",
        ),
        ("  - name: irony\n", "  - nmae: irony\n", "line 5: skill without a name: unknown field"),
        (
            "category: rhetorical",
            "category:",
            "line 6: skill 'irony': the category of the skill is",
        ),
        ("category: rhetorical", "category: ' '", "the category of the skill is empty"),
        ("- sundials", "-", "line 15: a topic is empty"),
        ("skills:", "[1, 2]: x\nskills:", "line 4: the pack: unknown field 'a list'"),
        # what YAML takes for something else
        ("name: irony", "name: no", "line 5: skill without a name: the name of the skill must be"),
        ("name: irony", "name: 12", "a text, but YAML reads '12' as int; put it in quotes"),
        ('"1"', "true", "line 2: the version must be a text, but YAML reads 'true' as bool"),
        ("- sundials", "- [sundials]", "line 15: a topic must be a text, not a list"),
        ("- sundials", "- {a: b}", "line 15: a topic must be a text, not a group of fields"),
        ("topics:\n  - sundials\n  - hammocks", "topics: tea", "'topics' must be a list"),
        ("topics:\n  - sundials\n  - hammocks", "topics: []", "line 14: 'topics' is empty"),
        ("topics:\n  - sundials\n  - hammocks", "topics:", "line 14: 'topics' must be a list"),
        ("skills:\n", "skills:\n  - irony\n", "line 5: a skill must be fields (name, category, "),
        # YAML that a pack has no use for
        ("name: irony", "name: &a irony", "line 5: an anchor of YAML (&a) has no place"),
        ("- sundials", "- *a", "line 15: an anchor of YAML (*a) has no place"),
        ("- sundials", "- !!python/object/apply:os.system [x]", "line 15: a tag of YAML (tag:yaml"),
        ("- sundials", "- !x y", "line 15: a tag of YAML (!x) has no place"),
        ("- sundials", "- [[[[[[[[tea]]]]]]]]", "line 15: nested too deeply"),
        ("topics:", "---\ntopics:", "line 14: broken YAML: expected a single document"),
        # broken YAML
        ("in order to", "in: order to", "line 7: broken YAML: mapping values are not allowed here"),
        ("  - sundials", "\t- sundials", "line 15: broken YAML: while scanning"),
        ('version: "1"', 'version: "1', "broken YAML: while"),
        # signs that no prompt should carry
        ("sundials", "sun\x07dials", "line 15: the character '\\x07' is not allowed in YAML"),
        ("sundials", "sun\u200bdials", "line 15: a topic has the invisible character U+200B"),
        ("sundials", "sun\u202edials", "line 15: a topic has the invisible character U+202E"),
        (
            "irony\n",
            "|\n        irony\n",
            "the name of the skill has a line break; put the sign >-",
        ),
        ("- sundials", "- ' sundials'", "line 15: a topic has white space at an end: ' sundials'"),
        ("sundials", "s" * 81, "line 15: a topic has 81 characters; 80 are allowed"),
    ],
)
def test_a_fault_is_named_with_its_line(changed: Changed, old: str, new: str, message: str) -> None:
    assert any(message in fault for fault in faults(changed((old, new))))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"# nothing\n", "the file is empty"),
        (
            b"- a\n- b\n",
            "line 1: a pack must be fields (name, version, language, skills, topics), not a list",
        ),
        (
            b"just words\n",
            "line 1: a pack must be fields (name, version, language, skills, topics), not a te",
        ),
        (b"name: x\nversion: caf\xe9\n", "line 2: not UTF-8 text"),
        ("name: x\n".encode("utf-16"), "line 1: not UTF-8 text"),
        (b"name: x\n\x00\n", "line 2: the character '\\x00' is not allowed"),
        (b"[" * 100_000, "line 1: nested too deeply"),
        (b"- " * 20_000, "line 1: nested too deeply"),
        (b"{a: " * 20_000, "line 1: nested too deeply"),
    ],
    ids=range(10),
)
def test_a_file_that_is_no_pack_has_one_fault(content: bytes, message: str) -> None:
    (fault,) = faults(content)
    assert message in fault


def test_a_bomb_of_aliases_is_refused_at_its_first_anchor() -> None:
    bomb = 'a: &a ["x", "x"]\n' + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(20)
    )
    assert faults(bomb.encode()) == [
        "line 1: an anchor of YAML (&a) has no place in a pack; a text with signs of YAML in it "
        "must stand in quotes or below the sign >-"
    ]


def test_several_faults_are_all_reported(changed: Changed) -> None:
    content = changed(("category: rhetorical", "category:"), ("- sundials", "- 3"))
    assert [fault.partition(":")[0] for fault in faults(content)] == ["line 6", "line 15"]


def test_joiners_that_scripts_need_are_letters(changed: Changed) -> None:
    assert faults(changed(("sundials", "نامه\u200cها"))) == []
