"""Hand-written clauses: each corruption loses exactly what it breaks."""

from __future__ import annotations

import pytest

from unparrot.core.skills import SkillCombination
from unparrot.lab.grader.exact import marks, read
from unparrot.lab.grader.rules import condition

SENSE = "sense"
BEFORE = "Mary admires the needle every day; besides, "
AFTER = " Without the rain that needle would never be wet."


def lost(skill: str, clause: str, *others: str) -> set[str]:
    """The marks lost by a text with `clause` in its middle, which shows `skill`."""
    names = (skill, *others, "counterfactual" if skill != "counterfactual" else "false belief")
    after = AFTER
    if skill == "counterfactual":
        after = (
            " She puts that needle in the box and leaves; John moves it to the jar,"
            " but she still looks in the box."
        )
    combination = SkillCombination("sewing", names)
    given = marks(combination, BEFORE + clause + after)
    given["length"] = True  # the frame has a clause too many for small k
    return {name for name, mark in given.items() if not mark}


SOUND_AND_BROKEN: list[tuple[str, str, list[tuple[str, str, str]]]] = [
    # skill, sound clause, [(what to replace, by what, what it costs)]
    ("modus ponens", "if that needle is old then it is wet; it is old, so it is wet.",
     [("so it is wet", "so it is dry", "skill"), ("it is old", "it is new", "skill"),
      ("then it is wet", "then it is hot", "skill"), ("if that", "if whatever", "both"),
      (", so it is wet", "", "skill"), ("it is old, so ", "", "skill"), ("old", "older", "both"),
      ("is wet; it is old, so it is wet", "is new; it is old, so it is new", "skill")]),
    ("modus ponens", "she finds that needle old; whatever is old is wet, so it is wet.",
     [("so it is wet", "so it is old", "skill"), ("whatever is old", "whatever is new", "skill"),
      ("whatever is old is wet, ", "", "skill"), ("she finds", "he finds", "sense")]),
    ("modus tollens", "if that needle is old then it is wet; it is not wet, so it is not old.",
     [("it is not wet", "it is not old", "skill"), ("it is not wet", "it is wet", "skill"),
      ("so it is not old", "so it is not new", "skill"),
      ("so it is not old", "so it is old", "skill")]),
    ("hypothetical syllogism",
     "she says that needle when old is wet and when wet is hot, hence when old it is hot.",
     [("when wet is", "when dry is", "skill"), ("it is hot", "it is cold", "skill"),
      ("hence when old", "hence when hot", "skill")]),
    ("disjunctive syllogism",
     "that needle is either in the box or in the jar; it is not in the box, so it is in the jar.",
     [("so it is in the jar", "so it is in the box", "skill"),
      ("so it is in the jar", "so it is in the sack", "skill"),
      ("not in the box", "in the box", "both"),
      ("or in the jar", "or in the box", "skill")]),
    ("syllogism", "everyone who uses that needle is brave; she uses it, so she is brave.",
     [("so she is brave", "so she is shy", "skill"), ("she uses", "she holds", "skill"),
      ("so she is", "so he is", "both"), ("she uses it, ", "", "skill")]),
    ("statistical syllogism",
     "most people who use that needle are brave; she uses it, so she is probably brave.",
     [("probably ", "", "both"), ("probably brave", "probably shy", "skill"),
     ("uses", "rents", "skill"),
      ("most", "all", "both")]),
    ("transitive comparison",
     "that needle is older than the thread and the thread is older than the ribbon,"
     " so it is older than the ribbon.",
     [("so it is older", "so it is newer", "skill"), ("and the thread", "and the button", "skill"),
      ("older than the ribbon,", "newer than the ribbon,", "skill"),
      ("it is older than the ribbon", "it is older than the thread", "skill"),
      ("and ", "", "both")]),
    ("spatial reasoning", "she puts that needle above the thread, so the thread is below it.",
     [("below", "above", "skill"), ("below", "before", "skill"),
     ("so the thread", "so the ribbon", "skill"),
      ("so the thread is below it", "", "both")]),
    ("spatial reasoning",
     "that needle is north of the thread and the thread is north of the ribbon,"
     " so it is north of the ribbon.",
     [("it is north", "it is south", "skill"), ("thread is north", "thread is east", "skill"),
      ("north of", "north", "both")]),
    ("containment", "that needle is in the box and the box is in the hall, so it is in the hall.",
     [("it is in the hall", "it is in the barn", "skill"), ("the box is", "the jar is", "skill"),
      ("and the box is in the hall, ", "", "skill")]),
    ("arithmetic", "that needle costs two coins and the thread costs three,"
     " so both cost five coins.",
     [("five", "six", "skill"), ("two", "three", "skill"), ("five", "many", "both"),
      ("coins and the thread costs three, so", "so", "both")]),
    ("arithmetic", "she has eight coins and pays two for that needle, so six are left.",
     [("six", "five", "skill"), ("eight", "nine", "skill"), ("she", "he", "sense")]),
    ("induction",
     "that needle was wet on monday and on tuesday, so it will be wet on wednesday.",
     [("wednesday", "thursday", "skill"), ("tuesday", "sunday", "skill"),
     ("be wet", "be dry", "skill"),
      ("wednesday", "june", "both")]),
    ("cause and effect", "that needle is wet because she left it in the rain.",
     [("rain", "sun", "skill"), ("wet", "dry", "skill"),
     ("because she left it in the rain", "", "skill"),
      ("she", "he", "sense")]),
    ("counterfactual", "had she kept that needle from the rain it would not be wet now.",
     [("rain", "sun", "skill"), ("not ", "", "both")]),
    ("false belief",
     "she puts that needle in the box and leaves; John moves it to the jar,"
     " but she still looks in the box.",
     [("looks in the box", "looks in the jar", "skill"), ("but she", "but he", "skill"),
      ("John moves", "she moves", "skill"), ("; John moves it to the jar,", ",", "skill"),
      ("to the jar", "to the box", "skill")]),
    ("emotion attribution", "she lost that needle and felt sad.",
     [("sad", "glad", "skill"), ("lost", "won", "skill"), ("and felt sad", "", "skill"),
     ("she", "he", "sense")]),
    ("self-serving bias",
     "when that needle works she praises her own skill, but when it fails she blames the wind.",
     [("her own", "his own", "both"), ("but when it fails she blames the wind", "", "both")]),
    ("folk physics", "as that needle is made of iron it will sink in water.",
     [("sink in", "float on", "skill"), ("iron", "cork", "skill"),
     ("it will sink in water", "", "both")]),
    ("metaphor", "she is an owl with that needle, for she is so wise.",
     [("wise", "brave", "skill"), ("an owl", "a lion", "skill"), ("an owl", "a owl", "both"),
      (", for she is so wise", "", "both"), ("for she", "for he", "both")]),
    ("personification", "that needle weeps softly when she leaves.",
     [("weeps", "box", "both"), ("softly ", "", "both"), ("she", "he", "sense")]),
    ("hyperbole", "she waited a thousand years for that needle.",
     [("a thousand", "an thousand", "both"), ("thousand", "three", "both")]),
    ("red herring", "asked about that needle she talks of the moon instead.",
     [("moon", "needle", "both"), ("instead", "", "both")]),
    ("scalar implicature", "she says that needle is partly old, so it is not wholly old.",
     [("wholly", "always", "skill"), ("wholly old", "wholly new", "skill"), ("not ", "", "both")]),
    ("indirect request", "she sighs at how dirty that needle is, so John cleans it.",
     [("cleans", "warms", "skill"), ("dirty", "wet", "skill"),
     ("John cleans", "she cleans", "skill")]),
    ("antithesis", "that needle is a curse to her but a blessing to John.",
     [("blessing", "tool", "skill"), ("John", "her", "skill"),
     ("but a blessing to John", "", "both")]),
]  # fmt: skip


@pytest.mark.parametrize(("skill", "clause", "breaks"), SOUND_AND_BROKEN)
def test_a_broken_meaning_costs_its_skill_and_broken_english_costs_sense(
    skill: str, clause: str, breaks: list[tuple[str, str, str]]
) -> None:
    assert lost(skill, clause) == set()
    for old, new, costs in breaks:
        assert old in clause
        broken = clause.replace(old, new, 1)
        expected = {"skill": {skill}, "sense": {SENSE}, "both": {skill, SENSE}}[costs]
        assert lost(skill, broken) == expected, (broken, read(BEFORE + broken).faults)


def test_a_condition_of_no_known_form_is_refused() -> None:
    with pytest.raises(ValueError, match="not a condition of a rule: 'a < b'"):
        condition("a < b")


def test_conditions_by_hand() -> None:
    days = {"d": "saturday", "e": "sunday", "f": "monday"}
    assert condition("days d e f")(days)
    assert not condition("days d e f")(days | {"e": "monday"})
    assert condition("a b = c d")({"a": "box", "b": "jar", "c": "jar", "d": "box"})
    assert condition("opposites a b")({"a": "gain", "b": "loss"})
    quality = condition("a ~ b")
    assert quality({"a": "old", "b": "wet"})
    assert not quality({"a": "old", "b": "new"})
    assert not quality({"a": "old", "b": "old"})
