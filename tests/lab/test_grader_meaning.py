"""Every skill by hand: a sound clause, and ways to break its meaning or its English."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from unparrot.core.skills import SkillCombination
from unparrot.lab.grader.exact import marks, read
from unparrot.lab.grader.rules import CARRIER, RULES, check_of, plan, table_of
from unparrot.lab.grader.words import code

SKILL, SENSE, BOTH = "skill", "sense", "both"
WET, CORK = "paul and mary 's wet needle", "paul and mary 's cork needle"
NINE, TWENTY = "paul and mary 's nine coin needle", "paul and mary 's twenty coin needle"
ATTIC = "paul and mary 's needle from the attic"
Breaks = list[tuple[str, str, str]]

SOUND_AND_BROKEN: list[tuple[str, str, str, Breaks]] = [
    ("modus ponens", WET, "Mary's wet needle had to be dull, for it was wet and all wet things are dull.",
     [("things are dull", "things are old", SKILL), ("it was wet", "it was old", SKILL),
      ("all wet", "all dry", SKILL), (", for it was wet and all wet things are dull", "", BOTH),
      ("to be dull", "to be wet", SKILL), ("had", "has", BOTH)]),
    ("modus ponens", WET, "Mary found her wet needle dull, since it was wet and whatever is wet is dull.",
     [("dull, since", "dry, since", SKILL), ("needle dull", "needle iron", BOTH),
      ("Mary", "Paul", SENSE), ("whatever is wet is dull", "whatever is dull is wet", SKILL)]),
    ("report", WET, "Paul told Mary that she admired her wet needle.",
     [("Paul told", "Mary told", BOTH), ("told Mary", "told Paul", SENSE), ("that ", "", BOTH),
      ("she admired", "Mary admired", SENSE), ("she admired", "her admired", SENSE)]),
    ("report", WET, "Paul wrote to Mary that he studied her wet needle.",
     [("he studied", "she studied", SENSE), ("to Mary", "Mary", BOTH), ("wrote", "writing", BOTH)]),
    ("alliteration", WET, "Mary admired modest Mary's wet needle.",
     [("modest", "polite", SKILL), ("modest Mary's", "her modest", BOTH), ("modest Mary's", "modest her", SENSE),
      ("modest Mary's", "her", SKILL)]),
    ("arithmetic", NINE, "Mary paid nine coins for her nine coin needle and two more to repair it, eleven in all.",
     [("eleven", "twelve", SKILL), ("two more", "four more", SKILL), ("paid nine", "paid ten", SKILL),
      ("eleven in all", "eleven", BOTH), ("eleven", "seven", SKILL)]),
    ("arithmetic", NINE, "Mary's nine coin needle cost her nine coins and three more for carriage, together twelve.",
     [("twelve", "six", SKILL), ("cost her", "cost Mary", SENSE), ("cost her", "cost him", SENSE)]),
    ("arithmetic", TWENTY, "Mary got back two of the twenty coins for her twenty coin needle, so eighteen were gone.",
     [("eighteen", "twenty-two", SKILL), ("two of", "five of", SKILL), ("were", "was", BOTH)]),
    ("arithmetic", TWENTY, "Mary's twenty coin needle cost her twenty coins less three for its age, which left seventeen.",
     [("seventeen", "sixteen", SKILL), ("less three for its age, which left seventeen",
       "and three more for carriage, together seventeen", SKILL)]),
    ("simile", WET, "Mary admired her wet needle, as wet as dew.",
     [("dew", "a desert", SKILL), ("as wet", "as dry", SKILL), (" as dew", "", BOTH), (", as", " as", BOTH)]),
    ("simile", CORK, "Paul studied Mary's cork needle, old as the hills.",
     [("old", "new", SKILL), ("the hills", "hills", BOTH), ("the hills", "a razor", SKILL)]),
    ("false belief", ATTIC, "Mary went to the attic for her needle from the attic, not knowing that Paul had moved it to the barn.",
     [("to the attic", "to the mill", SKILL), ("the barn", "the attic", SKILL), ("not ", "", BOTH),
      ("Paul had", "she had", SENSE)]),
    ("false belief", WET, "Mary believed her wet needle to be in the attic, for she slept while Paul moved it to the barn.",
     [("barn", "attic", SKILL), ("she slept", "Mary slept", SENSE), ("she slept", "he slept", SENSE),
      ("it to", "her to", BOTH)]),
    ("emotional appraisal", WET, "Mary heard of Paul studying her wet needle, and felt sad.",
     [("sad", "wet", BOTH), (", and felt sad", "", BOTH), ("studying", "studied", BOTH), ("Mary heard", "Paul heard", BOTH)]),
    ("emotional appraisal", WET, "Mary knew of her admiring her wet needle, and was glad about it.",
     [("of her", "of she", SENSE), ("of her", "of him", SENSE), (" about it", "", BOTH)]),
    ("folk physics", CORK, "Mary's cork needle floated on the pond, for it was of cork.",
     [("floated", "sank", SKILL), ("of cork", "of iron", SKILL), ("of cork", "of pine", SKILL),
      ("on the pond", "in the pond", SKILL), ("on the pond", "the pond", BOTH)]),
    ("folk physics", WET, "Mary watched her wet needle sink in the pond, as lead things do.",
     [("sink in the pond", "melt in the sunshine", SKILL), ("lead", "wax", SKILL), ("sink", "sank", BOTH)]),
    ("rhetorical question", WET, "Who could deny that Mary would admire her wet needle?",
     [("?", ".", SENSE), ("would admire", "admired", BOTH), ("Who could deny", "Who could", BOTH)]),
    ("rhetorical question", WET, "Is it not plain that Paul would study Mary's wet needle?", [("not ", "", BOTH)]),
    ("transitive comparison", WET,
     "Mary's wet needle proved wetter than the brick and the brick wetter than the chimney, so the chimney was least wet.",
     [("the brick wetter", "the acorn wetter", SKILL), ("brick wetter", "brick drier", SKILL),
      ("least wet", "least dry", SKILL), ("so the chimney", "so the bathtub", SKILL), ("so the chimney", "so the brick", BOTH),
      ("wetter", "wet", BOTH)]),
    ("transitive comparison", CORK,
     "Mary thought her cork needle older than the brick and the brick older than the chimney, which made the chimney least old.",
     [("least old", "least new", SKILL), ("made the chimney", "made the needle", BOTH), ("her cork", "the cork", SENSE)]),
    ("cause and effect", WET, "Mary's wet needle became dry because Paul had left it to the sun.",
     [("sun", "rain", SKILL), ("became dry", "became wet", SKILL), ("sun", "moon", BOTH), ("Paul", "she", SENSE)]),
    ("cause and effect", WET, "Mary saw her wet needle turn weak, for Paul had let the rust get at it.",
     [("weak", "strong", SKILL), ("rust", "soap", SKILL)]),
    ("doubt", WET, "Paul doubted that Mary would admire her wet needle.",
     [("would admire", "admired", BOTH), ("Paul", "Mary", BOTH), ("Paul", "He", SENSE)]),
    ("doubt", WET, "Paul found it difficult to believe that he would study Mary's wet needle.",
     [("found", "finds", BOTH), ("Mary's", "her", SENSE)]),
    ("indirect request", WET, "Mary sighed that her wet needle was so wet, so Paul took the hint and made it dry.",
     [("dry", "wet", SKILL), ("dry", "dull", SKILL), ("so wet", "so old", SKILL), ("Paul", "she", SENSE)]),
    ("indirect request", WET, "Paul heard Mary sigh that her wet needle was wet, and so he made it dry.",
     [("dry", "cold", SKILL), ("he made", "she made", SENSE), ("and so", "so", BOTH)]),
    ("metaphor", WET, "Mary admired her wet needle, a very fox for cunning.",
     [("fox", "lion", SKILL), ("cunning", "wisdom", SKILL), (" for cunning", "", BOTH), ("fox", "pebble", BOTH)]),
    ("metaphor", WET, "Paul studied Mary's wet needle, that ox in its patience.",
     [("ox", "bee", SKILL), ("its", "his", BOTH)]),
    ("disjunctive syllogism", ATTIC, "Mary sought her needle from the attic in the attic or the barn, and as the attic was bare it lay in the barn.",
     [("lay in the barn", "lay in the attic", SKILL), ("as the attic", "as the barn", SKILL), ("in the attic or", "in the mill or", SKILL)]),
    ("disjunctive syllogism", WET, "Mary's wet needle had to be in the attic or the barn, but it was not in the attic, so in the barn.",
     [("so in the barn", "so in the attic", SKILL), ("not in", "in", BOTH), ("or the barn", "or the attic", SKILL)]),
    ("counterfactual", WET, "Mary reckoned that without Paul studying her wet needle, the needle would not be wet.",
     [("not be wet", "not be dry", SKILL), ("not be", "be", BOTH), ("the needle", "her wet needle", BOTH), (", the needle would not be wet", "", BOTH)]),
    ("counterfactual", CORK, "Mary knew that but for her admiring her cork needle, the needle would never be old.",
     [("never ", "", BOTH), ("Mary knew", "Paul knew", BOTH), ("her admiring", "she admiring", SENSE)]),
    ("appeal to authority", WET, "The mayor swore that Mary admired her wet needle.",
     [("mayor", "fox", BOTH), ("swore", "swearing", BOTH), ("mayor", "learned mayor", BOTH)]),
    ("appeal to authority", WET, "The learned poet held that Paul studied Mary's wet needle.", [("learned ", "", BOTH), ("Paul", "Mary", SENSE)]),
    ("emotion attribution", WET, "Mary lost her wet needle and felt sad.",
     [("sad", "glad", SKILL), ("lost", "saved", SKILL), (" and felt sad", "", BOTH), ("lost", "losing", BOTH)]),
    ("emotion attribution", WET, "Mary mended her wet needle and was content about it.", [("content", "angry", SKILL), (" about it", "", BOTH)]),
    ("induction", WET, "Mary's wet needle was wet on Monday and again on Tuesday, so she expected it wet on Wednesday.",
     [("Wednesday", "Thursday", SKILL), ("Tuesday", "Sunday", SKILL), ("Monday", "Tuesday", SKILL),
      ("it wet", "it dry", SKILL), ("was wet", "was old", SKILL), ("Wednesday", "June", BOTH), ("she", "Mary", SENSE)]),
    ("induction", CORK, "Mary found her cork needle old on Saturday and Sunday, and so trusted it to be old on Monday.",
     [("Monday", "Sunday", SKILL), ("found", "finding", BOTH), ("be old", "be new", SKILL)]),
    ("hyperbole", WET, "Mary waited a thousand years for her wet needle.",
     [("thousand", "few", BOTH), ("thousand", "three", BOTH), ("Mary", "Paul", SENSE)]),
    ("hyperbole", WET, "Mary's wet needle weighed a million tons in the hands of Paul.", [("Paul", "him", SENSE), ("Paul", "her", SENSE)]),
    ("modus tollens", WET, "Mary's wet needle proved not to be old, and as all dry things are old it was not dry but wet.",
     [("but wet", "but cold", SKILL), ("not dry", "not old", SKILL), ("all dry", "all hot", SKILL), ("be old", "be new", SKILL),
      ("not to be", "to be", BOTH), ("but wet", "but dry", SKILL)]),
    ("modus tollens", WET, "Mary noticed that her wet needle was not old, and as whatever is dry is old it was wet instead.",
     [("wet instead", "dry instead", SKILL), ("is old", "is new", SKILL), (" instead", "", BOTH)]),
    ("containment", ATTIC, "Mary put her needle from the attic into a box in the attic, which Paul took to the barn, so it was in the barn.",
     [("was in the barn", "was in the attic", SKILL), ("in the attic, which", "in the mill, which", SKILL), ("Paul", "she", SENSE), ("box", "barn", BOTH)]),
    ("containment", WET, "Mary's wet needle left the attic in a box, and as Paul carried the box to the barn it was in the barn.",
     [("carried the box", "carried the jar", SKILL), ("was in the barn", "was in the mill", SKILL), ("to the barn", "to the attic", SKILL)]),
    ("litotes", WET, "It was no mean thing for Mary to admire her wet needle.", [("no ", "", BOTH), ("to admire", "admiring", BOTH), ("Mary", "she", SENSE)]),
    ("litotes", WET, "It was not unheard of for Paul to study Mary's wet needle.", [("not ", "", BOTH)]),
    ("scalar implicature", WET, "Mary called her wet needle fairly wet, so it was not extremely wet.",
     [("extremely", "always", SKILL), ("extremely wet", "extremely dry", SKILL), ("not ", "", BOTH), ("fairly wet", "fairly old", SKILL)]),
    ("scalar implicature", WET, "Mary granted that her wet needle was partly wet and hence not wholly wet.", [("wholly", "completely", SKILL), ("hence ", "", BOTH)]),
    ("desire attribution", WET, "Paul wanted Mary to admire her wet needle.",
     [("to admire", "admired", BOTH), ("Paul wanted", "Mary wanted", BOTH), ("wanted Mary", "wanted her", SENSE)]),
    ("desire attribution", WET, "Paul longed for him to study Mary's wet needle.", [("for him", "for he", SENSE), ("for ", "", BOTH)]),
    ("red herring", WET, "Paul spoke of the moon when Mary asked about her wet needle.",
     [("moon", "needle", BOTH), ("Mary asked", "he asked", SENSE), ("when", "as", BOTH)]),
    ("red herring", WET, "Mary asked about her wet needle, but Paul only talked of the moon.", [("only ", "", BOTH), ("moon", "fox", BOTH)]),
    ("hypothetical syllogism", WET, "Mary argued that wet implies old and old implies hot, so her wet needle was hot.",
     [("was hot", "was old", SKILL), ("old implies", "new implies", SKILL), ("that wet", "that cold", SKILL), ("implies hot", "implies dry", SKILL)]),
    ("hypothetical syllogism", WET, "Mary reasoned from wet to old and from old to hot, which made her wet needle hot.",
     [("from old", "from new", SKILL), ("needle hot", "needle cold", SKILL), ("which made", "which make", BOTH)]),
    ("analogy", WET, "Mary likened rain for a duck to Paul studying her wet needle.",
     [("duck", "bear", SKILL), ("rain", "gold", SKILL), ("Mary likened", "Paul likened", BOTH), ("studying", "to study", BOTH)]),
    ("analogy", WET, "Mary compared honey for a bear with her admiring her wet needle.", [("with", "to", BOTH), ("bear", "duck", SKILL)]),
    ("self-serving bias", WET, "Mary blamed the wind for Paul studying her wet needle, but thanked her own wit for the needle.",
     [("her own", "his own", SENSE), ("her own", "Mary's own", SENSE), ("wit", "wind", BOTH), ("wind", "fox", BOTH), (", but thanked her own wit for the needle", "", BOTH)]),
    ("self-serving bias", WET, "Mary laid at the door of the noise Paul studying her wet needle, but praised her own taste for the needle.", [("her own", "his own", SENSE)]),
    ("spatial reasoning", WET, "Mary set her wet needle above the chimney, so the chimney was below it.",
     [("below", "above", SKILL), ("so the chimney", "so the bathtub", SKILL), ("below", "behind", SKILL), ("below", "in", BOTH)]),
    ("spatial reasoning", WET, "Mary's wet needle stood north of the chimney, which put the chimney south of it.", [("south of", "west of", SKILL), ("south of", "south", BOTH)]),
    ("personification", WET, "Mary admired her wet needle, humming softly to itself.", [("humming", "hummed", BOTH), ("itself", "herself", BOTH), ("softly ", "", BOTH)]),
    ("personification", WET, "Paul studied Mary's wet needle, sadly weeping as people do.", [("weeping", "wet", BOTH)]),
    ("counter-offer", NINE, "Mary answered an offer of nine coins for her nine coin needle by naming its weight in silk, meaning no.",
     [("of nine", "of ten", SKILL), ("silk", "mud", BOTH), (", meaning no", "", BOTH)]),
    ("counter-offer", WET, "Paul offered six coins for Mary's wet needle, but she named its weight in salt, which was to say no.",
     [("she named", "he named", SENSE), ("she named", "Mary named", SENSE), ("to say no", "to say", BOTH)]),
    ("statistical syllogism", WET, "Mary's wet needle was very likely old, as it was wet and most wet things are old.",
     [("are old", "are new", SKILL), ("very likely", "very", BOTH), ("most", "all", BOTH), ("it was wet", "it was hot", SKILL), ("likely old", "likely dry", SKILL)]),
    ("statistical syllogism", WET, "Mary took her wet needle for old, since it was wet and most wet things are old.", [("for old", "for hot", SKILL)]),
    ("recollection", WET, "Paul remembered Mary admiring her wet needle.", [("Paul", "Mary", BOTH), ("Mary admiring", "Paul admiring", SENSE), ("Mary admiring", "her admiring", SENSE), ("admiring", "to admire", BOTH)]),
    ("recollection", WET, "Paul thought back to him studying Mary's wet needle.", [("back ", "", BOTH), ("to him", "to he", SENSE)]),
    ("antithesis", WET, "Mary's wet needle was a foe to Paul but a friend to her.",
     [("friend", "tool", SKILL), ("to her", "to Mary", SENSE), ("to Paul", "to her", SENSE), (" but a friend to her", "", BOTH)]),
    ("antithesis", WET, "Mary's wet needle served Paul as a burden but her as a treasure.", [("treasure", "prize", SKILL), ("treasure", "burden", BOTH)]),
    ("concession", NINE, "Mary shrugged off Paul studying her nine coin needle, and asked nine coins for the needle.",
     [("asked nine", "asked ten", SKILL), ("for the needle", "for her needle", BOTH), (", and asked nine coins for the needle", "", BOTH)]),
    ("concession", WET, "Mary regretted Paul studying her wet needle, but still asked six coins for the needle.", [("still ", "", BOTH), ("Mary", "Paul", BOTH)]),
]  # fmt: skip


def lost(skill: str, about: str, text: str) -> set[str]:
    given = marks(SkillCombination("sewing", (skill,)), about, text)
    return {name for name, mark in given.items() if not mark}


@pytest.mark.parametrize(("skill", "about", "text", "breaks"), SOUND_AND_BROKEN)
def test_a_broken_meaning_costs_its_skill_and_broken_english_costs_sense(
    skill: str, about: str, text: str, breaks: Breaks
) -> None:
    combination = SkillCombination("sewing", (skill,))
    assert lost(skill, about, text) == set(), read(combination, about, text)[1]
    for old, new, costs in breaks:
        assert old in text
        broken = text.replace(old, new, 1)
        expected = {SKILL: {skill}, SENSE: {SENSE}, BOTH: {skill, SENSE}}[costs]
        assert lost(skill, about, broken) == expected, (
            broken,
            read(combination, about, broken)[1],
        )


def test_every_way_to_say_a_skill_is_tried() -> None:
    tried = [skill for skill, *_ in SOUND_AND_BROKEN]
    for name, rule in RULES.items():
        if name != CARRIER:
            assert tried.count(name) == max(1, len(rule.says) + len(rule.over))


GOES_ON: list[tuple[str, set[str]]] = [
    ("Mary's wet needle became dry because Paul had left it to the sun, and then Mary's dry needle was"
     " very likely old, as it was dry and most dry things are old.", set[str]()),
    # a wrong conclusion costs once, and is what the text holds then
    ("Mary's wet needle became cold because Paul had left it to the sun, and then Mary's cold needle was"
     " very likely old, as it was cold and most cold things are old.", {"cause and effect"}),
    ("Mary's wet needle became dry because Paul had left it to the sun, and then Mary's wet needle was"
     " very likely old, as it was dry and most dry things are old.", {"sense"}),
    ("Mary's wet needle became dry because Paul had left it to the sun, and then Mary's dry needle was"
     " very likely old, as it was wet and most wet things are old.", {"statistical syllogism"}),
    # nobody knows what an unread clause says
    ("Mary's wet needle became because Paul had left it to the sun, and then Mary's cold needle was very"
     " likely old, as it was hot and most hot things are old.", {"cause and effect", "sense"}),
    ("Mary's wet needle became dry because Paul had left it to the sun, and then it was very likely"
     " old, as it was dry and most dry things are old.", {"statistical syllogism", "sense"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "missed"), GOES_ON)
def test_the_reader_goes_on_from_what_the_text_says(text: str, missed: set[str]) -> None:
    combination = SkillCombination("sewing", ("cause and effect", "statistical syllogism"))
    given = marks(combination, WET, text)
    assert {name for name, mark in given.items() if not mark} == missed


def test_operators_take_turns_and_read_from_the_inside_out() -> None:
    skills = ("report", "counterfactual", "induction")
    text = (
        "Paul told Mary that she reckoned that without her wet needle being wet on Monday and again on"
        " Tuesday, so she expected it wet on Wednesday, the needle would not be wet."
    )
    combination = SkillCombination("sewing", skills)
    assert all(marks(combination, WET, text).values()), read(combination, WET, text)[1]
    outer = text.replace("be wet.", "be old.")
    assert [n for n, mark in marks(combination, WET, outer).items() if not mark] == [
        "counterfactual"
    ]


def test_a_plan_by_hand() -> None:
    def clauses(*skills: str) -> list[str]:
        return [
            f"{'+'.join(names)}{'~' * bool(figures)}{'~'.join(figures)}"
            for names, figures in plan(skills)
        ]

    assert clauses("doubt", "hyperbole") == ["doubt+hyperbole"]
    assert clauses("doubt", "report", "litotes", "hyperbole") == [
        "doubt+report+carrier",
        "litotes+hyperbole",
    ]
    assert clauses("doubt", "hyperbole", "report") == ["report+doubt+hyperbole"]
    assert clauses("doubt", "report", "hyperbole", "litotes") == [
        "doubt+report+hyperbole",
        "litotes+carrier",
    ]
    assert clauses("hyperbole", "simile", "alliteration") == ["hyperbole~alliteration~simile"]
    assert clauses("report", "rhetorical question") == ["rhetorical question+report+carrier"]
    assert clauses("simile", "hyperbole", "metaphor") == ["hyperbole~simile~metaphor"]
    assert clauses("simile", "metaphor", "doubt", "personification") == [
        "doubt+carrier~simile~metaphor",
        "carrier~personification",
    ]


def test_a_fact_of_no_known_form_is_refused() -> None:
    with pytest.raises(ValueError, match="not a fact of a rule: 'near a'"):
        check_of("b", {"b": "near a"}, {"b": 0})
    with pytest.raises(ValueError, match="not a fact of a rule: 'near a'"):
        table_of("near a")


def test_facts_by_hand() -> None:
    def holds(facts: dict[str, str], words: str, held: str = "") -> bool:
        known = [code(held) or None] + [None] * 6
        place = {name: at for at, name in enumerate(facts)}
        each = [check_of(name, facts, place) for name in facts]
        return all(one([code(word) for word in words.split()], known) for one in each if one)

    two = {"a": "held quality", "b": "other quality than a"}
    assert holds(two, "wet old", "wet")
    assert holds(two, "wet old")
    assert not holds(two, "wet old", "dry")
    assert not holds(two, "wet dry", "wet")
    assert not holds(two, "wet wet", "wet")
    assert holds({"n": "row number", "m": "row delta", "s": "sum of n m"}, "twelve three fifteen")
    assert holds({"n": "row number", "m": "row delta", "s": "sum of n m"}, "thirteen three ten")
    assert not holds({"n": "row number", "m": "row delta", "s": "sum of n m"}, "two four six")
    assert holds({"d": "row day", "e": "day after d"}, "sunday monday")
    assert holds({"e": "row cause", "q": "brought by e"}, "rain wet")
    assert not holds({"a": "row quality", "r": "opposite of a"}, "wet old")
