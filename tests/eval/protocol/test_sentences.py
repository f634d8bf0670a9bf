"""Sentences, counted on texts that were labelled by hand; what is miscounted is listed too."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unparrot.core.errors import BadInput, MissingExtra
from unparrot.core.grades import EARNED, MISSED
from unparrot.eval.protocol import sentences
from unparrot.eval.protocol.sentences import count_sentences, length_mark

LABELLED = [
    ("", 0),
    ("   \n\t", 0),
    ("...", 0),
    ("?!", 0),
    ("—", 0),
    ("🧵🧵", 0),
    ("She sews.", 1),
    ("She sews", 1),
    ("The U.S. Army came. Left.", 2),
    ("She moved to the U.S. in May.", 1),
    ("She lives in the U.S. She likes it.", 2),
    ("He came from the U.S.", 1),
    ("The U.K. Parliament met. It voted.", 2),
    ("She sewed.\nHe left.", 2),
    ("She sewed.\r\nHe left.\r\n", 2),
    ("She sewed.\n\nHe left.", 2),
    ("She sewed\n\nHe left", 2),
    ("The needle slept\nin its old tin box.", 1),
    ("The needle slept,\nAnd so did I.", 1),
    ("Dear Anna,\n\nI sewed it.", 1),
    ("it rained. we stayed in.", 2),
    ("it rained. we stayed in. nobody sewed!", 3),
    ("i sewed all day. then i slept.", 2),
    ("She sewed ten. 3 were good.", 2),
    ("It was 1999. Everyone sewed.", 2),
    ("She owned 12. 7 of them were red.", 2),
    ("“She sews.” “He mends.”", 2),
    ("“Do you sew?” “I do.”", 2),
    ("“I sew,” she said. “You mend.”", 2),
    ("She sewed. “It holds.”", 2),
    ("She sewed. ‘It holds,’ he said.", 2),
    ("Émile sewed. Élodie watched.", 2),
    ("Élodie watched. À midi, she left. Öl dripped.", 3),
    ("The book is by É. Zola. I like it.", 2),
    ("J. R. R. Tolkien sewed. C. S. Lewis did not.", 2),
    ("Mr. Smith sewed.", 1),
    ("Mr. Smith met Mrs. Jones and Dr. Brown. They sewed.", 2),
    ("Prof. Lee and St. John of Gen. Grant's army sewed.", 1),
    ("It costs 3.5 dollars.", 1),
    ("It is 3.5. That is fine.", 2),
    ("Use v1.2.3 of it.", 1),
    ("Meet me at 5 p.m. on Friday.", 1),
    ("Meet me at 5 p.m. She will come.", 2),
    ("We met at 5 p.m. Friday.", 1),
    ("Bring tools, e.g. needles and pins.", 1),
    ("Bring one, i.e. the red one.", 1),
    ("Bring one, e.g., Anna's.", 1),
    ("Bring needles, pins, etc. and wait.", 1),
    ("Bring needles, pins, etc. We will wait.", 2),
    ("Anna vs. Ben was fun.", 1),
    ("It was built ca. 1900. It stands.", 2),
    ("See Fig. 3 and p. 12.", 1),
    ("She is No. 5 in the list.", 1),
    ("Did she sew? No. She slept.", 3),
    ("Smith & Co. sold cloth. Jones Inc. bought it.", 2),
    ("He has a Ph.D. in sewing.", 1),
    ("Well... maybe.", 1),
    ("Well… maybe.", 1),
    ("Well... Maybe not.", 2),
    ("Well… Maybe not.", 2),
    ("She waited... and waited... and left.", 1),
    ("Well . . . maybe.", 1),
    ("...and then she left.", 1),
    ("She left...", 1),
    ("What?! You sew?", 2),
    ("No!!! Why??", 2),
    ('"Stop." he said.', 1),
    ("“Stop.” he said.", 1),
    ('"Stop!" he said.', 1),
    ("“Why?” she asked. “Because.”", 2),
    ('"Stop!" Anna said.', 1),
    ("“Why?” Anna asked.", 1),
    ("“Why?” Anna left the room.", 2),
    ('"Stop." He left.', 2),
    ('She said, "I sew. I mend."', 2),
    ('"I sew. I mend," she said.', 2),
    ("She sewed; he mended; they left.", 1),
    ("She knew one thing: it holds.", 1),
    ("1. Cut the cloth. 2. Sew it.", 2),
    ("1. Cut the cloth.\n2. Sew it.\n3. Iron it.", 3),
    ("- Cut the cloth.\n- Sew it.", 2),
    ("You need:\n- thread\n- needles", 1),
    ("1) Cut it. 2) Sew it.", 2),
    ("Anna: Why? Ben: Because.", 2),
    ('"Why?" "Because." "Oh."', 3),
    ("– Why? – Because I sew.", 2),
    ("Anna: Why?\nBen: Because.", 2),
    ("I sew. 🧵", 1),
    ("I love it! 😍 You too?", 2),
    ("I sew 🧵 and mend.", 1),
    ("🧵 I sew. 😀", 1),
    ("I sew.🧵 You mend.", 2),
    ("(She sewed.) He left.", 2),
    ("She sewed (badly!) and left.", 1),
    ("She sewed (he did not). They left.", 2),
    ("**Stop.** He left.", 2),
    ("*She sewed.* *He left.*", 2),
    ("I sew.You mend.", 2),
    ("Visit example.com today.", 1),
    ("See www.sew.org. It is good.", 2),
    ("It runs on Node.js today.", 1),
    ("“I sew.”—“I mend.”", 2),
    ("I sew.\u200b You mend.", 2),
    ("I sew.\u00a0You mend.", 2),
    ("I sew.\u2028You mend.", 2),
    ("我缝。我补。", 2),
    ("I sew。 I mend。", 2),
    ("She whispered, 'Don't.' Then she left.", 2),
    ("Don't sew the dog's coat.", 1),
    ("Is it Jan. 5 or Feb. 6?", 1),
    ("‘Tis done. So it is.", 2),
    ("I live in Washington D.C. with a cat.", 1),
    ("Who sewed it? Me? You? Nobody.", 4),
    ("Grandmother's needle was a metronome, and the quilt kept perfect time.", 1),
    ('"You call that a hem?" Aunt Rosa laughed. "I\'ve seen straighter rivers."', 2),
    ("If the thread is red, the seam will hold; the thread is red, so the seam will hold.", 1),
    ("He bought the loom from Dr. Hale in Jan. 1987 for $4.50. It never worked again.", 2),
    ("Oh, great, another button lost! Just what I needed today.", 2),
    ("The beekeeper said nothing... then he ran.", 1),
    ("“Dueling at dawn,” sighed Col. Whitaker, “is no way to start a Tuesday.”", 1),
    ("Why mend it? Because it is torn. Why is it torn? Because you never mend it.", 4),
    ('Mrs. O\'Leary, who owns approx. 40 hives, smiled. "Not bad," she said.', 2),
    ("Everyone who sews is patient.\nTom sews.\nSo Tom is patient.", 3),
    ("First, boil the kettle. Second, warm the pot. (Never skip this!) Third, wait.", 4),
    ("i told him the bees were fine. he did not believe me. bees do not lie.", 3),
    ("The J. P. Morgan building has 3 floors. No. 2 is haunted.", 2),
    ('"Is it late?" "It\'s 5 a.m." "Oh."', 3),
    ("We sailed at 6 p.m. and docked at 9 a.m. the next day.", 1),
    ('He whispered: "Run!" and they ran.', 1),
    ('She typed "yes." He typed "no." Nobody spoke.', 3),
    ('Said Ms. Green to Mr. Gray: "Your tea, sir."', 1),
    ("The shop (est. 1902) closed. Its owner, Ms. Ito, wept.", 2),
    ("What a day!! What a lovely, lovely day!!!", 2),
    ("His sword, a 2.5 lb. rapier, fell. 'Pick it up,' she said.", 2),
    ('Ann: "Bees?"\nBob: "Bees."\nAnn: "Well, then."', 3),
    ("The cat sat; the dog stood; the goat, i.e. the real master, slept.", 1),
    ("Was it Prof. Plum, with the rope, in the U.K.? Perhaps.", 2),
    ("* Thread the needle.\n* Knot the end.\n* Begin.", 3),
    ("Thread, needle, patience—what more do you need? Skill, they say… and luck.", 2),
    ("To sew, or not to sew: that is the question.", 1),
    ('"I can\'t," he said. "I won\'t." "You must!" she cried, and shut the door.', 3),
    ("The train left Washington, D.C., at noon. It reached St. Louis by night.", 2),
    ("Call me at 555.1234 or write to a.b@sew.com. Thanks!", 2),
    ("El Niño came. Ángel left. Ægir stayed.", 3),
    ("It's a hat. It's a shoe? It's both!", 3),
    ("My uncle, Thomas J. Fenwick Jr., was no small eater.", 1),
    ("He weighed the honey: 3 kg. That was little.", 2),
    ("Never. Ever. Again.", 3),
    ("The hives hum\nall through the night,\nand the keeper dreams of rain.", 1),
    ("Title: The Last Hem\n\nShe sewed until dawn.", 2),
    ('"Et tu, Brutus?" he joked, as the waiter, a Mr. Brutus, took the plate.', 1),
    ('He asked if I sew. I said, "Do fish swim?"', 2),
    ("“Well,” she began, “it is... complicated.”", 1),
    ("She had one rule: never run. He had none.", 2),
    ("Fine. Be that way. See if I care, etc., etc.", 3),
    ("‘I don’t dance,’ said the man with one shoe. ‘I limp.’", 2),
    ("No one knew. No one asked. No, not one.", 3),
    ("It was Mt. Fuji, not Mt. Hood! Look.", 2),
    ("Ha! Ha! Ha! Very funny, Sam.", 4),
    ("3 bees came. 4 left. 2 stayed behind.", 3),
    ('The judge asked, "Guilty?" The tailor answered, "As charged."', 2),
    ("A stitch in time saves nine. — Proverb", 2),
    ("The seamstress (a Capt. in the army, no less) smiled at Lt. Dan. He blushed.", 2),
    ("You, sir, are no tailor!", 1),
    ('She said that a seam is like a promise. "Break one," she added, "and all unravel."', 2),
    ("Did Inc. magazine call? Yes, at 4.", 2),
    ("He wore a size 9. She wore a 7.", 2),
    ("The label read 'Made in U.S.A.' and nothing else.", 1),
    ("Let A be a point. Let B be another. Then AB is a line.", 3),
    ("Take x = 2.5. Then 2x = 5.", 2),
    ("Hmm… Let me think… Yes.", 3),
    ("Sew on, sister! -- and she did.", 1),
    ("**Scene 1.** Two men meet. One bows.", 3),
    ("He was, as they say, 'all thumbs'. The quilt was proof.", 2),
    ("“Stop!”, he cried. “Thief!”", 2),
    ("The R.S.V.P. came late. Aunt Jo, a.k.a. Jolly Jo, came later.", 2),
    ("She told me. Anna left.", 2),
    ("So do I. Anna does.", 2),
    ("His name is John I. Smith.", 1),
    ("We met in May. Anna left.", 2),
    ("She said no. and he left.", 2),
    ("Take no. 5 home.", 1),
    ("Meet at 5 p.m. Friday. Bring Ms. Lee.", 2),
    ("“Why?” Then Anna said no.", 2),
    ("“Why?” said Anna.", 1),
    ("“Stop!”—he ran.", 1),
    ("Materials\n- Thread\n- Needle", 3),
    ("The thread ran out\nNobody saw", 2),
    ("The thread ran out\nand nobody saw", 1),
    ("Она шила. Он ушёл.", 2),
    ("Sie nähte. Öfter half er. ß ist da.", 3),
    ("¿Coses? ¡Sí!", 2),
    ("वह सिलती है। वह गया।", 2),
    ("她缝。“好！”他说。", 2),
    ("أخيط؟ نعم.", 2),
]
NOT_FOUND = [
    # an abbreviation at the end of a quotation, before a word that seldom begins a sentence
    ("The label read 'Made in U.S.A.' Nobody minded.", 2),
    # a place of a capital letter behind an abbreviation, before a name
    ("He works for Fay and Co. Anna does not.", 2),
    # no space behind the full stop, and small letters: it could be an address
    ("She sewed.he left.", 2),
]
"""What is miscounted, kept here so that an improvement shows."""


@pytest.mark.parametrize(("text", "sentences"), LABELLED)
def test_labelled_texts(text: str, sentences: int) -> None:
    assert count_sentences(text) == sentences


@pytest.mark.parametrize(("text", "sentences"), NOT_FOUND)
def test_known_gaps(text: str, sentences: int) -> None:
    assert count_sentences(text) != sentences


@pytest.mark.parametrize(
    "space", ["\n", "\r\n", "\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u00a0", "\u3000", "\t"]
)
def test_any_white_space_parts_sentences(space: str) -> None:
    assert count_sentences(f"She sewed.{space}He left.{space}3 stayed.") == 3


@pytest.mark.parametrize("hidden", ["\u200b", "\u2060", "\u00ad", "\ufeff", "\u202e", "\U000e0041"])
def test_invisible_signs_hide_no_sentence(hidden: str) -> None:
    assert count_sentences(f"She sewed.{hidden} {hidden}He left{hidden}.{hidden}") == 2


@pytest.mark.parametrize("mark", ["．", "。", "！", "‼", "⁉", "‽", "…", "｡", "։"])
def test_end_marks_of_other_kinds(mark: str) -> None:
    assert count_sentences(f"She sewed{mark} He left{mark}") == 2


def test_length_is_at_most_one_less_than_k_and_one_for_one_skill() -> None:
    two = "She sewed. He left."
    assert [length_mark(two, k) for k in (1, 2, 3, 4)] == [MISSED, MISSED, EARNED, EARNED]
    assert length_mark("She sewed.", 1) == EARNED
    assert length_mark("...", 1) == EARNED


@pytest.mark.parametrize(
    ("text", "k", "told"), [("", 2, "empty"), (" \n", 2, "empty"), ("a", 0, "not 0")]
)
def test_what_has_no_length(text: str, k: int, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        length_mark(text, k)


def test_without_the_segmenter_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentencex", None)
    sentences._segmenter.cache_clear()
    try:
        with pytest.raises(MissingExtra, match=r"pip install 'unparrot\[eval\]'"):
            count_sentences("She sewed.")
    finally:
        sentences._segmenter.cache_clear()


@given(st.text())
def test_any_text_has_a_count(text: str) -> None:
    assert 0 <= count_sentences(text) <= len(text) * 20


SIGNS = st.sampled_from(
    [
        *".!?…\"“”'’()*_-—,;:\n ",
        "...",
        "e.g.",
        "U.S.",
        "Mr.",
        "É.",
        "1.",
        "she",
        "Anna",
        "said",
        "。",
        "🧵",
        "\u200b",
    ]
)


@given(st.lists(SIGNS, max_size=30).map("".join))
def test_no_text_of_many_signs_breaks_the_segmenter(text: str) -> None:
    assert 0 <= count_sentences(text) <= len(text)


@given(
    st.lists(
        st.sampled_from(
            ["She sewed.", "he left!", "3 stayed?", "Élodie wept.", "“It holds,” he said."]
        ),
        max_size=8,
    ),
    st.sampled_from([" ", "\n", "\n\n", "  "]),
)
def test_sentences_add_up(parts: list[str], between: str) -> None:
    assert count_sentences(between.join(parts)) == len(parts)


@pytest.mark.parametrize(
    "text",
    [
        "." * 100_000,
        ". " * 50_000,
        "U." * 50_000,
        "a.’" * 30_000,
        ",\n\n" * 30_000,
        '!" Anna ' * 10_000,
        "\n" * 100_000,
        "\ud800.",
        "\x00",
    ],
)
def test_long_and_odd_texts_are_counted(text: str) -> None:
    assert count_sentences(text) >= 0
