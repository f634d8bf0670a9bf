"""Checks of a pack: its errors and its warnings, for `unparrot packs check FILE`.

An error makes a pack unusable: a field missing, two skills of one name, or an example that gives
a skill away by naming it. A warning points at what usually is a slip.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from unparrot.core.skills import (
    CRITERIA,
    LANGUAGE_TAG,
    Skill,
    SkillPack,
    Topic,
    main_language,
)
from unparrot.packs.nodes import Finding
from unparrot.packs.parsing import Entry, PackDraft, SkillDraft, parse_pack

# Skills, and topics, in one pack.
MOST_ITEMS = 1000
# Characters; outside of these a definition says too little, or an example is no short text.
LENGTHS = {"definition": (25, 400), "example": (15, 400)}
# Similarity (`difflib`, 0 to 1) from which two names, definitions or examples are near-duplicates.
# Terms of one family ('modus ponens', 'modus tollens') lie below.
ALIKE = 0.9
# What a pack may be called.
PACK_NAME: Final = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True, slots=True)
class PackReport:
    """The findings in a pack file; `pack` is None exactly if there are errors."""

    pack: SkillPack | None
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]


def check_pack(content: bytes, warn: bool = True) -> PackReport:
    """Check the bytes of a pack file.

    Parameters
    ----------
    content
        The whole file.
    warn
        Whether to look for warnings too; the search compares every two skills.

    Returns
    -------
    PackReport
        Errors and warnings, each in the order of the file. Without errors, also the pack.

    Examples
    --------
    >>> for error in check_pack(b"name: tea\\ntopics: [tea]").errors:
    ...     print(error)
    line 1: the pack: the field 'version' is missing
    line 1: the pack: the field 'skills' is missing
    """
    draft = parse_pack(content)
    for what, items in (("skills", draft.skills), ("topics", draft.topics)):
        if len(items) > MOST_ITEMS:
            draft.errors.add(
                None, f"{len(items):,} {what}, more than {MOST_ITEMS:,}; split the pack"
            )
            return PackReport(None, tuple(draft.errors), ())
    draft.errors.extend(_errors(draft))
    errors, warnings = (
        tuple(sorted(findings, key=lambda finding: finding.line or 0))
        for findings in (draft.errors, _warnings(draft) if warn else ())
    )
    return PackReport(None if errors else _pack(draft), errors, warnings)


def bare_name(name: str) -> str:
    """Return the name without a trailing parenthesis, which only tells skills apart.

    Examples
    --------
    >>> bare_name("ellipsis (linguistics)")
    'ellipsis'
    """
    return re.sub(r"\s*\([^()]*\)$", "", name) or name


def folded(text: str) -> str:
    """Return the text as names are compared: without case, width, or kind of apostrophe or dash.

    Examples
    --------
    >>> folded("Occam’s  Razor") == folded("OCCAM'S razor")
    True
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return re.sub(r"[\s‐‑–—-]+", " ", text.replace("’", "'")).strip()


# What may follow a noun in Korean within its word: a suffix of terms, then particles or the copula.
_KOREAN_ENDINGS: Final = re.compile(
    r"(?:법|적|들)?(?:은|는|이|가|을|를|의|에|에서|에게|한테|께|께서|와|과|랑|이랑|로|으로|로서|으로서|"
    r"로써|으로써|도|만|뿐|부터|까지|조차|마저|밖에|처럼|같이|만큼|보다|대로|커녕|마다|치고|"
    r"(?:이)?(?:나|든|든지|라도|란|라|라는|라고|라며|라서|며|고|다|지|지만|니|니까|면|므로|자|야|요|"
    r"기|었다|었고|에요)|인|인데|인지|일|임|입니다|입니까|였다|였고|예요){0,3}(?![^\W_])"
)
# Syllables from which the spelling with and without spaces is the same name.
_SPACED_FREELY: Final = 4


class NameIndex:
    """Finds the skills that a text names, as the language of the text inflects names.

    That is the singular or an ending -s or -es; in Korean, particles, the copula and the suffixes
    -법, -적 and -들, with or without spaces within the name.

    Parameters
    ----------
    names
        Names of skills; a trailing parenthesis is left out of the search.
    language
        Of the text, as a BCP 47 tag.

    Examples
    --------
    >>> index = NameIndex(["irony", "straw man", "pun"])
    >>> index.named_in("Puns and Straw-men, or a straw man's punishment?")
    ['straw man', 'pun']
    >>> NameIndex(["은유", "붉은 청어"], "ko").named_in("고은유 씨는 붉은청어를 내밀었다")
    ['붉은 청어']
    """

    def __init__(self, names: Sequence[str], language: str = "en") -> None:
        self._by_words: dict[tuple[str, ...], list[str]] = {}
        self._unspaced: list[tuple[str, str]] = []
        self._korean: list[tuple[re.Pattern[str], str]] = []
        self._order = {name: i for i, name in enumerate(names)}
        for name in names:
            bare = folded(bare_name(name))
            words = _words(bare)
            if main_language(language) == "ko":
                syllables = bare.replace(" ", "")
                freely = len(syllables) >= _SPACED_FREELY and not bare.isascii()
                parts = syllables if freely else bare.split()
                spelled = " ?".join(map(re.escape, parts))
                self._korean.append((re.compile(rf"(?<![^\W_]){spelled}"), name))
            elif not words or any(unicodedata.category(sign) == "Lo" for sign in bare):
                # signs only, or a script whose words need not stand apart
                self._unspaced.append((bare, name))
            else:
                self._by_words.setdefault(words, []).append(name)
        self._longest = max(map(len, self._by_words), default=0)

    def named_in(self, text: str) -> list[str]:
        """Return the names that the text contains, in the order of the index."""
        plain = folded(text)
        words = _words(plain)
        named = {name for bare, name in self._unspaced if bare in plain}
        for pattern, name in self._korean:
            if any(_KOREAN_ENDINGS.match(plain, use.end()) for use in pattern.finditer(plain)):
                named.add(name)
        for start in range(len(words)):
            for end in range(start + 1, min(start + self._longest, len(words)) + 1):
                *before, last = words[start:end]
                for form in _singulars(last):
                    named.update(self._by_words.get((*before, form), ()))
        return sorted(named, key=self._order.__getitem__)


def _words(plain: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W_]+(?:'[^\W_]+)*", plain))


def _singulars(word: str) -> Iterator[str]:
    yield word
    for ending in ("'s", "s", "es"):
        if word.endswith(ending) and len(word) > len(ending):
            yield word[: -len(ending)]


def _pack(draft: PackDraft) -> SkillPack:
    assert draft.name is not None
    assert draft.version is not None
    return SkillPack(
        draft.name.text,
        draft.version.text,
        tuple(Skill(**{key: entry.text for key, entry in s.fields.items()}) for s in draft.skills),
        tuple(Topic(topic.text) for topic in draft.topics),
        _language(draft),
    )


def _language(draft: PackDraft) -> str:
    return draft.language.text if draft.language is not None else "en"


def _named(draft: PackDraft) -> list[tuple[SkillDraft, Entry]]:
    return [(s, s.fields["name"]) for s in draft.skills if "name" in s.fields]


def _errors(draft: PackDraft) -> Iterator[Finding]:
    names = [name for _, name in _named(draft)]
    if draft.name is not None and not PACK_NAME.fullmatch(draft.name.text):
        allowed = "use letters, digits, dots and hyphens"
        yield Finding(draft.name.line, f"the pack cannot be called {draft.name.text!r}: {allowed}")
    if draft.language is not None and not LANGUAGE_TAG.fullmatch(draft.language.text):
        fault = f"the language is a BCP 47 tag such as en, ko or pt-BR, not {draft.language.text!r}"
        yield Finding(draft.language.line, fault)
    for what, entries in (("skill", names), ("topic", draft.topics)):
        first: dict[str, Entry] = {}
        for entry in entries:
            earlier = first.setdefault(folded(entry.text), entry)
            if earlier is not entry:
                where = f"line {earlier.line}"
                if earlier.text != entry.text:
                    where += f", there as {earlier.text!r}"
                yield Finding(entry.line, f"the {what} {entry.text!r} is already in {where}")
    for name in names:
        if folded(bare_name(name.text)) in CRITERIA:
            why = f"every text is marked on a criterion of that name ({', '.join(CRITERIA)})"
            yield Finding(name.line, f"a skill cannot be called {name.text!r}: {why}")
    index = NameIndex([name.text for name in names], _language(draft))
    for skill in draft.skills:
        example, own = skill.fields.get("example"), skill.fields.get("name")
        for other in index.named_in(example.text) if example else ():
            whose = "that skill itself" if own and other == own.text else f"the skill {other!r}"
            fault = f"the example names {whose}; an example shows, and names none"
            yield Finding(example and example.line, f"skill {skill.label}: {fault}")


def _warnings(draft: PackDraft) -> Iterator[Finding]:
    named = _named(draft)
    names = [name for _, name in named]
    index = NameIndex([name.text for name in names], _language(draft))
    for skill, name in named:
        whose = f"the name of the skill {name.text!r}"
        for other in index.named_in(bare_name(name.text)):
            if folded(other) != folded(name.text):
                why = f"contains that of {other!r}: a text that names one names both"
                yield Finding(name.line, f"{whose} {why}")
        for sign in [sign for sign in ",;|:" if sign in name.text][:1]:
            why = f"has the sign {sign!r}, which reads as the end of a name in a list"
            yield Finding(name.line, f"{whose} {why}")
        for key, (least, most) in LENGTHS.items():
            entry = skill.fields.get(key)
            if entry and not least <= len(entry.text) <= most:
                size = "short" if len(entry.text) < least else "long"
                length = f"{len(entry.text)} characters, usually {least} to {most}"
                yield Finding(entry.line, f"skill {skill.label}: the {key} is {size}: {length}")
        definition = skill.fields.get("definition")
        if definition and name.text in index.named_in(definition.text):
            fault = f"skill {skill.label}: the definition uses the name it defines"
            yield Finding(definition.line, fault)
    for topic in draft.topics:
        for other in index.named_in(topic.text):
            yield Finding(topic.line, f"the topic {topic.text!r} names the skill {other!r}")
    yield from _alike("the skills", names, names)
    yield from _alike("the topics", draft.topics, draft.topics)
    for key in LENGTHS:
        having = [(name, skill.fields[key]) for skill, name in named if key in skill.fields]
        labels, texts = [name for name, _ in having], [text for _, text in having]
        yield from _alike(f"the {key}s of", labels, texts)


def _alike(what: str, labels: Sequence[Entry], texts: Sequence[Entry]) -> Iterator[Finding]:
    """Pairs of texts that are nearly the same, without the pairs that are errors anyway."""
    plain = [folded(text.text) for text in texts]
    matcher = difflib.SequenceMatcher(autojunk=False)
    ratios = (matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio)  # from the fastest on
    for j, text in enumerate(plain):
        matcher.set_seq2(text)
        for i, earlier in enumerate(plain[:j]):
            if earlier == text and labels is texts:
                continue
            matcher.set_seq1(earlier)
            if all(ratio() >= ALIKE for ratio in ratios):
                pair = f"{labels[i].text!r} and {labels[j].text!r}"
                yield Finding(texts[j].line, f"{what} {pair} are nearly the same")
