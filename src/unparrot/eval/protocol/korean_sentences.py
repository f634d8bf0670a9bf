"""A layout of Korean for the count of sentences, which looks for capital letters that Korean lacks.

What stands in their place are the endings of Korean and the verbs of speech:

- An ellipsis ends a sentence behind a final ending (-다, -요, -죠, -까, -네, -군, -구나, -냐).
- A quotation goes on, whatever its last mark, if a particle or a form of 하다 follows ("간다."라고,
  "아차!" 했다), or if the rest of its sentence has a verb of speech: "비가 온다." 그가 말했다.
- Where a paragraph has no mark that could end a sentence, each line with a final ending is one, and
  so is each item of a list.
- The full stops of a date (2024. 5. 1.) and of the signs 가. 나. 다. before items end nothing; one
  behind a final ending does, even if no space follows.
"""

import re
import unicodedata
from typing import Final

_FINAL: Final = r"(?<=[가-힣])(?:다|요|죠|까|네|군|구나|냐)"
_DATE: Final = re.compile(r"\b([0-9]{2,4})\. ?([0-9]{1,2})\.(?: ?([0-9]{1,2})\.)?(?![0-9])")
_ITEM: Final = re.compile(
    r"^[ \t]*[가나다라마바사아자차카타파하](?:[.)][ \t]+)(?=\S)", re.MULTILINE
)
_ELLIPSIS: Final = re.compile(rf"({_FINAL})[.!?]?(?:…|⋯|\.{{3,}})+\s*(?=[\w\"“‘'「『(])")
_NO_SPACE: Final = re.compile(rf"({_FINAL}\.|[가-힣][!?])(?=[가-힣])")
_CLOSED: Final = re.compile(r"(?<=[.!?…])[\"”’'」』)]+\s+")
_HELD: Final = re.compile(
    r"(?:이?라고|이?라는|이?라며|이?란|고|며|면서|하고|하며|하면서|하는|하길래|하자|하니|하더니|하기에|"
    r"했|한다|하였)"
    r"|[^.!?…\"“‘'「『]{0,60}(?:말했|말하|말한|말씀|물었|묻|물어|대답|답했|답하|외쳤|외치|소리|속삭|"
    r"중얼|웅얼|한숨|되뇌|덧붙|투덜|생각했|고함|쏘아붙|타일렀|여쭈|여쭤|읊조|적혀|적었|쓰여|내뱉)"
)
_LINE_END: Final = re.compile(
    rf"(?:{_FINAL})(?=[ \t]*\n[ \t]*\S)"
    r"|[\w\"”’'」』)](?=[ \t]*\n[ \t]*(?:[-*•]|[0-9]{1,2}[.)])\s)"
)
_SOME_END: Final = re.compile(r"(?<![0-9])[.!?…。！？]")


def laid_out(text: str) -> str:
    """Return the text with the ends of its sentences as the count of other scripts finds them.

    Examples
    --------
    >>> laid_out("그는 망설였다… 그리고 떠났다.")
    '그는 망설였다. 그리고 떠났다.'
    >>> laid_out('"그만!" 문이 열렸다.')
    '"그만! 문이 열렸다.'
    """
    text = unicodedata.normalize("NFC", text)
    text = _DATE.sub(lambda date: "-".join(filter(None, date.groups())), text)
    text = _NO_SPACE.sub(r"\1 ", _ELLIPSIS.sub(r"\1. ", _ITEM.sub("- ", text)))
    text = _CLOSED.sub(_closed, text)
    return "\n\n".join(
        part if _SOME_END.search(part) else _LINE_END.sub(r"\g<0>.", part)
        for part in re.split(r"\n[^\S\n]*\n\s*", text)
    )


def _closed(end: re.Match[str]) -> str:
    """The end of a quotation as it is if its sentence goes on; else white space in its place."""
    return end[0] if _HELD.match(end.string, end.end()) else " "
