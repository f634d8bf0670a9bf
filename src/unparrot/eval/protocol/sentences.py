"""The count of the sentences of a text, by program: the length point is not the grader's.

The segmenter is sentencex (Wikimedia), which knows abbreviations, numbers and the signs of many
scripts. It takes a quotation for one piece, and no notice of lines. So before it is asked, a text
is laid out plainly here, and the marks of quotations are taken away.

What counts where people may differ:

- A sentence ends with . ! ? or ... before the next one, however that begins: in capitals or small
  letters, with a digit, an accent or a quotation mark. A row of marks (?!) is one end. Semicolons,
  colons and dashes end nothing.
- An ellipsis ends a sentence if a capital follows, other than the word I.
- Sentences within quotation marks or brackets count one by one. A quotation goes on, whatever its
  last mark, if what follows begins with a small letter or says who spoke: "Stop!" Anna said.
- A line break alone ends nothing, for verse and wrapped lines; an empty line does, unless a comma,
  colon, semicolon or dash stands before it. Where a paragraph has no mark that could end a
  sentence, each line that begins with a capital is one.
- The sign or number of a list item is no sentence; its items end as all else does.
- A heading is a sentence. What has neither letter nor digit is none: "...", or an emoji.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from typing import Final, cast

from unparrot.core.errors import BadInput, MissingExtra
from unparrot.core.grades import EARNED, MISSED, Mark
from unparrot.core.skills import main_language
from unparrot.eval.protocol import korean_sentences
from unparrot.packs.prompts import sentence_limit

# How signs beyond ASCII are written for the segmenter, singly and by category; others are spaces.
# To count, letters matter only as capital or small. In ASCII sentencex cannot slice through a sign,
# on which version 1.0.32 panics.
_AS: Final = (
    dict.fromkeys("“”„‟«»", '"')
    | dict.fromkeys("‘’‚‛‹›´", "'")
    | dict.fromkeys("。｡।॥։።។။", ". ")
    | dict.fromkeys("؟‽⸘՞፧", "?")
    | dict.fromkeys("՜", "!")
    | dict.fromkeys("¿¡", "")
    | dict.fromkeys("•‣▪◦●", "-")
    | {"\x85": "\n", "\u2028": "\n", "\u2029": "\n\n"}
)
_AS_KIND: Final = {
    kind: written
    for kinds, written in (
        ("Lu Lt", "O"),
        ("Ll Lo Lm", "oa"),
        ("Nl No", "1"),
        ("Pd", "-"),
        ("Ps", "("),
        ("Pe", ")"),
        ("Pi Pf", '"'),
        ("Po", ","),
        ("Pc", "_"),
        ("Mn Mc Me Cf", ""),
    )
    for kind in kinds.split()
}
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]")
_LINE_ENDS: Final = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e]")
_EMPTY_LINES: Final = re.compile(r"\n[^\S\n]*\n\s*")
_ITEM: Final = re.compile(r"^\s*(?:(?:[-*+#>]+|\(?(?:[0-9]{1,2}|[A-Za-z])\)|[0-9]{1,2}\.)\s+)+")
_NUMERAL: Final = re.compile(r"(?:(?<=[.!?:;,]\s)|^[ \t]*)\(?([0-9]{1,2})[.)]\s", re.MULTILINE)
_MARKS: Final = re.compile(r"[.!?]{2,}|\.(?:\s\.){2,}")
_SOME_END: Final = re.compile(r"[.!?]")
_GOES_ON: Final = tuple(",;:-")

_SPOKE: Final = (
    "said|says|asked|asks|replied|replies|answered|answers|cried|cries|shouted|yelled|called|"
    "whispered|whispers|muttered|murmured|exclaimed|sighed|laughed|added|continued|demanded|"
    "wondered|declared|insisted|begged|snapped|grumbled"
)
_NO_SPEAKER: Final = (
    "I|He|She|It|We|You|They|This|That|These|Those|There|The|A|An|Then|But|And|So|Or|Yet|Nobody|"
    "Everyone|Everybody|Someone|Somebody|Who|What|When|Where|Why|How|If|As|No|One"
)
_CLOSED: Final = re.compile(r"(\.\.\.|[.!?])[\"')\]}*_`]+\s*")
_GOING_ON: Final = re.compile(
    rf"(?P<sign>[,;:])|[\s-]{{0,4}}(?!(?:{_NO_SPEAKER})\b)(?:[^\W\d_][\w.'-]{{0,30}}\s{{1,2}}){{1,2}}"
    rf"(?:{_SPOKE})\b"
)
_BROKEN_OFF: Final = re.compile(r"[.!?]\s?-{1,3}\s?(?=[a-z])")
_SIGNS: Final = re.compile(r"[\"()\[\]{}*`]")
_SINGLE_QUOTES: Final = re.compile(r"(?<!\w)['_]+|(?<=[.!?,])['_]+(?!\w)|_(?!\w)")

_FULL_STOP: Final = re.compile(r"\.(?=(\s+)(\w*))")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Gaps of sentencex 1.0.32: abbreviations that it lacks, and words that it takes for some: 'me.' for
# Maine, 'no.' for number; 'I.' for an initial, while behind one of the last set it is a word.
_NO_END: Final = _words("Ms Mx")
_NO_END_BEFORE_NUMBERS: Final = _words("Figs Vol approx Approx incl Incl est Est ch Ch max")
_WORDS: Final = _words(
    "me may art ill miss ok ore ark arc con fed id ida ken ma pa la dc mm bart cal del mo no"
)
_BEFORE_I: Final = _words(
    "am and as can could did do had have may must nor or shall should than was were will would"
)


def count_sentences(text: str, language: str = "en") -> int:
    """Count the sentences of a text, as the head of this module says.

    Parameters
    ----------
    text
        Any text; 0 if it has no letter and no digit.
    language
        Of the text, as a BCP 47 tag: whose abbreviations are known, and how Korean is laid out.

    Raises
    ------
    MissingExtra
        If sentencex is not installed.

    Examples
    --------
    >>> count_sentences("The U.S. Army came. Left.")
    2
    >>> count_sentences('"Stop." he said')
    1
    >>> count_sentences("...")
    0
    """
    segment, language = _segmenter(), main_language(language)
    text = korean_sentences.laid_out(text) if language == "ko" else text
    pieces = (piece for part in _parts(text) for piece in segment(language, part))
    return sum(any(map(str.isalnum, piece)) for piece in pieces)


def length_mark(text: str, k: int, language: str = "en") -> Mark:
    """Mark whether a text for k skills keeps to its limit of max(1, k - 1) sentences.

    Parameters
    ----------
    text
        What the student wrote; not empty, since what was not written is not marked.
    k
        Number of skills, at least 1.
    language
        Of the text, as `count_sentences` takes it.

    Raises
    ------
    BadInput
        If the text is empty or k is under 1.
    MissingExtra
        If sentencex is not installed.

    Examples
    --------
    >>> length_mark("It holds. It held.", 2).status, length_mark("It holds. It held.", 3).status
    ('missed', 'earned')
    """
    if k < 1:
        raise BadInput(f"k must be at least 1, not {k}")
    if not text.strip():
        raise BadInput("an empty text has no length to mark; leave it unscored with its reason")
    return EARNED if count_sentences(text, language) <= sentence_limit(k) else MISSED


@cache
def _segmenter() -> Callable[[str, str], list[str]]:
    try:
        from sentencex import segment  # pyright: ignore
    except ImportError as error:
        raise MissingExtra("eval", "sentencex") from error
    return cast(Callable[[str, str], list[str]], segment)


def _parts(text: str) -> Iterator[str]:
    """The text in parts that no sentence reaches out of, each on one line and without quotes."""
    part: list[str] = []
    for paragraph in _EMPTY_LINES.split(_normal(text).strip()):
        part.append(_one_line(paragraph))
        if not part[-1].rstrip("\"'*_`) ").endswith(_GOES_ON):
            yield _unquoted(" ".join(part))
            part = []
    if part:
        yield _unquoted(" ".join(part))


def _normal(text: str) -> str:
    """The text in ASCII, with line feeds, and no two end marks side by side but for an ellipsis."""
    if not text.isascii():
        # NFKC would part an accent that stands alone from its sign
        text = unicodedata.normalize("NFKC", text.replace("´", "'"))
        text = _NOT_ASCII.sub(lambda sign: _in_ascii(sign[0]), text)
    return _MARKS.sub(_one_mark, _LINE_ENDS.sub("\n", text))


@cache
def _in_ascii(sign: str) -> str:
    if sign in _AS:
        return _AS[sign]
    first = unicodedata.normalize("NFD", sign)[0]
    if first.isascii() and first.isalpha():
        return first
    kind = unicodedata.category(sign)
    return str(unicodedata.decimal(sign)) if kind == "Nd" else _AS_KIND.get(kind, " ")


def _one_mark(match: re.Match[str]) -> str:
    marks = match[0]
    if "?" in marks:
        return "?"
    if "!" in marks:
        return "!"
    return marks if marks == ".." else "..."


def _one_line(paragraph: str) -> str:
    lines = [_ITEM.sub("", line, count=1) for line in _without_numerals(paragraph).split("\n")]
    if len(lines) == 1:
        return lines[0]
    unmarked = _SOME_END.search(paragraph) is None
    parts = lines[:1]
    for before, line in pairwise(lines):
        ends = unmarked and line[:1].isupper() and not before.rstrip().endswith(_GOES_ON)
        parts.append(f". {line}" if ends else f" {line}")
    return "".join(parts)


def _without_numerals(text: str) -> str:
    """Leave out '1.', '2.' ... of a list in running text, which must count up from 1."""
    expected = 1

    def numeral(match: re.Match[str]) -> str:
        nonlocal expected
        if int(match[1]) != expected:
            return match[0]
        expected += 1
        return ""

    return _NUMERAL.sub(numeral, text)


def _unquoted(text: str) -> str:
    text = _SIGNS.sub("", _CLOSED.sub(_after_quote, _BROKEN_OFF.sub(", ", text)))
    if "'" in text or "_" in text:
        text = _SINGLE_QUOTES.sub("", text)
    return _FULL_STOP.sub(_full_stop, text)


def _after_quote(match: re.Match[str]) -> str:
    """The end mark of a quotation, or a comma in its place if the sentence goes on behind it."""
    text, end = match.string, match.end()
    on = _GOING_ON.match(text, end)
    if on is not None and on["sign"]:
        return ""
    follows = text[end : end + 8].lstrip("- ")[:1]
    if on is not None or follows.islower():
        return ", "
    # another quotation: one speaker has ended, even if with an abbreviation
    return "! " if follows == '"' else f"{match[1]} "


def _full_stop(match: re.Match[str]) -> str:
    """A full stop that does not mislead the segmenter: none behind an abbreviation that it lacks,
    more letters before it in a word that it would take for one."""
    text, at, follows = match.string, match.start(), match[2]
    *before, word = ["", *text[max(0, at - 16) : at].split()]
    number = follows[:1].isdigit()
    if word in _NO_END or (number and word in _NO_END_BEFORE_NUMBERS):
        return ""
    if follows.endswith("day") and word.lower() in ("a.m", "p.m"):
        return ""
    if word == "I":
        return "oa." if before[-1] in _BEFORE_I else "."
    plain = word == "i" or (word.lower() in _WORDS and not (number and word.lower() == "no"))
    return "oa." if plain else "."
