"""What makes a pack unusable, what is only worth a look, and what is neither."""

import unicodedata
from collections.abc import Callable

import pytest

from unparrot.core.skills import CRITERIA, SkillPack
from unparrot.packs.checking import (
    MOST_ITEMS,
    NameIndex,
    bare_name,
    check_pack,
    folded,
)

Changed = Callable[..., bytes]


def errors(content: bytes) -> list[str]:
    report = check_pack(content)
    assert (report.pack is None) == bool(report.errors)
    return [str(error) for error in report.errors]


def warnings(content: bytes) -> list[str]:
    report = check_pack(content)
    assert report.errors == ()
    assert check_pack(content, warn=False).warnings == ()
    return [str(warning) for warning in report.warnings]


def test_a_good_pack_is_read_as_it_stands(small: bytes) -> None:
    report = check_pack(small)
    assert report.errors == report.warnings == ()
    pack = report.pack
    assert isinstance(pack, SkillPack)
    assert (pack.name, pack.version) == ("small", "1")
    assert pack.skill("irony").example == "What lovely weather, she said, wringing out her hat."
    assert pack.topic_names == ("sundials", "hammocks")


def test_the_digest_depends_on_the_content_alone(small: bytes, changed: Changed) -> None:
    def digest(content: bytes) -> str:
        pack = check_pack(content).pack
        assert pack is not None
        return pack.digest

    laid_out_anew = changed(
        ("irony\n", "'irony'  # a comment\n"),
        ("Saying one", ">-\n      Saying\n      one"),
    )
    assert digest(laid_out_anew) == digest(small)
    for old in ('"1"', "irony", "rhetorical", "lovely", "distorted", "sundials", "small"):
        assert digest(changed((old, '"2"' if old == '"1"' else old + "x"))) != digest(small)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("straw man", "Irony", "line 9: the skill 'Irony' is already in line 5, there as 'irony'"),
        ("straw man", "irony", "line 9: the skill 'irony' is already in line 5"),
        ("straw man", "ｉｒｏｎｙ", "line 9: the skill 'ｉｒｏｎｙ' is already in line 5"),
        ("hammocks", "SUNDIALS", "line 16: the topic 'SUNDIALS' is already in line 15"),
        ("name: small", "name: my pack", "line 1: the pack cannot be called 'my pack'"),
        ("name: small", "name: ../pack", "line 1: the pack cannot be called '../pack'"),
        ("lovely", "ironical, that is irony", "skill 'irony': the example names that skill itself"),
        ("shorter", "straw-man", "skill 'straw man': the example names that skill itself"),
        ("lovely", "a straw man’s", "line 8: skill 'irony': the example names the skill 'straw m"),
        ("shorter", "IRONIES? No, irony's", "line 12: skill 'straw man': the example names the"),
    ],
)
def test_an_error_is_named_with_its_line(
    changed: Changed, old: str, new: str, message: str
) -> None:
    (error,) = errors(changed((old, new)))
    assert error.startswith(message) or message in error


@pytest.mark.parametrize("name", [*CRITERIA, "Topic", "SENSE", "length (of a text)"])
def test_no_skill_is_named_like_a_criterion(changed: Changed, name: str) -> None:
    (error,) = errors(changed(("straw man", name)))
    assert error.startswith(f"line 9: a skill cannot be called {name!r}")


def test_errors_come_in_the_order_of_the_file(changed: Changed) -> None:
    content = changed(
        ("lovely", "straw man"), ("distorted", ""), ("category: fallacies", "category:")
    )
    assert [error.partition(":")[0] for error in errors(content)] == ["line 8", "line 10"]


def test_a_fault_does_not_hide_others(changed: Changed) -> None:
    content = changed(('version: "1"\n', ""), ("lovely", "straw man"))
    assert len(errors(content)) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("straw man", "verbal irony", "line 9: the name of the skill 'verbal irony' contains that"),
        ("straw man", "straw, man", "line 9: the name of the skill 'straw, man' has the sign ','"),
        ("hammocks", "irony clubs", "line 16: the topic 'irony clubs' names the skill 'irony'"),
        ("hammocks", "sundial", "line 16: the topics 'sundials' and 'sundial' are nearly the same"),
        ("Saying one", "Irony is saying one", "line 7: skill 'irony': the definition uses the nam"),
        (
            "Attacking a distorted version of what an opponent has said",
            "Saying one thing in order to be understood to mean something",
            "line 11: the definitions of 'irony' and 'straw man' are nearly the same",
        ),
        (
            "Attacking a distorted version of what an opponent has said",
            "A distortion",
            "line 11: skill 'straw man': the definition is short: 13 characters, usually 25 to 400",
        ),
        ("Attacking", "very " * 80 + "much", "line 11: skill 'straw man': the definition is long"),
        ("wringing out", "very " * 80, "line 8: skill 'irony': the example is long"),
    ],
)
def test_a_slip_is_a_warning(changed: Changed, old: str, new: str, message: str) -> None:
    (warning,) = warnings(changed((old, new)))
    assert warning.startswith(message)


def test_terms_of_one_family_are_no_slip(changed: Changed) -> None:
    assert warnings(changed(("irony", "modus ponens"), ("straw man", "modus tollens"))) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("An irony.", ["irony"]),
        ("ironical", []),
        ("PUNS, puns; pun's", ["pun"]),
        ("punish the spun", []),
        ("Occam’s razor cuts", ["Occam's razor"]),
        ("Occam's razors", ["Occam's razor"]),
        ("a self‑serving  bias", ["self-serving bias"]),
        ("an ellipsis", ["ellipsis (linguistics)"]),
        ("ellipses", []),
        ("straw men", []),
        ("a straw\nman", ["straw man"]),
        ("the straw of a man", []),
        ("他的反语很尖锐", ["反语"]),
        ("x ≤≤ y", ["≤≤"]),
        ("", []),
    ],
)
def test_names_are_found_as_words(text: str, expected: list[str]) -> None:
    names = ["irony", "pun", "Occam's razor", "self-serving bias", "ellipsis (linguistics)"]
    assert NameIndex([*names, "straw man", "反语", "≤≤"]).named_in(text) == expected


def test_names_that_fold_alike_are_all_found() -> None:
    index = NameIndex(["ellipsis (linguistics)", "ellipsis (film)"])
    assert index.named_in("ellipsis") == ["ellipsis (linguistics)", "ellipsis (film)"]
    assert NameIndex([]).named_in("ellipsis") == []


def test_bare_names_and_folding() -> None:
    assert bare_name("anaphora (rhetoric)") == "anaphora"
    assert bare_name("(rhetoric)") == "(rhetoric)"
    assert bare_name("f (x) y") == "f (x) y"
    assert folded("  Straße–ＡＢＣ ") == "strasse abc"


def test_a_pack_with_too_many_items_is_refused(small: bytes) -> None:
    content = small + b"".join(b"  - t%d\n" % i for i in range(MOST_ITEMS))
    (error,) = errors(content)
    assert error == "1,002 topics, more than 1,000; split the pack"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("은유를 썼다", ["은유"]),
        ("은유법이다", ["은유"]),
        ("은유에서처럼, 은유적으로", ["은유"]),
        ("고은유 씨와 사은유", []),
        ("고슴도치는 도치 새끼", []),
        ("도치법으로", ["도치법"]),
        ("붉은 청어가, 붉은청어를", ["붉은 청어"]),
        ("허수 아비 공격은", ["허수아비 공격"]),
        ("눈 치고는 따뜻했다", []),
        ("눈치가 빠르다", ["눈치"]),
        ("현실을 직시하고", []),
        ("modus ponens로 풀었다", ["modus ponens"]),
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_in_korean_carry_particles(text: str, expected: list[str], form: str) -> None:
    names = ["은유", "도치법", "붉은 청어", "허수아비 공격", "눈치", "직시", "modus ponens"]
    index = NameIndex(names, "ko-KR")
    assert index.named_in(unicodedata.normalize(form, text)) == expected


def test_a_pack_declares_its_language(small: bytes, changed: Changed) -> None:
    plain = check_pack(small).pack
    english = check_pack(changed(('version: "1"', 'version: "1"\nlanguage: en'))).pack
    korean = check_pack(changed(('version: "1"', 'version: "1"\nlanguage: ko'))).pack
    assert plain is not None
    assert english is not None
    assert korean is not None
    assert (plain.language, korean.language) == ("en", "ko")
    assert plain.digest == english.digest != korean.digest
    (error,) = errors(changed(('version: "1"', 'version: "1"\nlanguage: Korean (South)')))
    assert error.startswith("line 3: the language is a BCP 47 tag such as en, ko or pt-BR, not 'Ko")
