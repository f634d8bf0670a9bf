"""The grammar of the grader: what a skill says, as regular expressions over the codes of words.

A clause is what its operators say, from the outside in, the proposition, and what its operators say
behind it. What a skill says is one `Pattern` for each form that the clause around it asks for. A
pattern takes any person where one is due, any word of a table and any noun phrase: what is wrong
there shall cost its own mark, and not leave the clause unread. `Part.due` says who is due, and how.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from operator import itemgetter
from typing import Final

from unparrot.lab.grader.rules import (
    DAY,
    JOINTS,
    LAST,
    OPENERS,
    QUESTION,
    RULES,
    TWELVE,
    VALUE,
    Held,
    Rule,
    check_of,
    table_of,
)
from unparrot.lab.grader.words import COLUMNS, EPITHET, NAME, THING, TYPES, any_of, code

# Forms of a clause: 'it sank', 'it would sink', 'it to sink', 'it sinking'; the outermost clause is
# as `FIN`, or a question
FIN, WOULD, INF, ING, OUTERMOST = range(5)
_FORMS: Final = {"@fin": FIN, "@would": WOULD, "@inf": INF, "@ing": ING}
_AUXILIARY: Final = ("", code("would"), code("to"), "")
WHOSE: Final = code("'s")
# Of a man and of a woman: subject, object, possessive
PRONOUNS: Final = tuple(tuple(map(code, words.split())) for words in ("he him his", "she her her"))
_SUBJECT, _OBJECT, _POSSESSIVE = range(3)
_CASES: Final = {"": _SUBJECT, "^": _OBJECT, "'s": _POSSESSIVE}
THE: Final = code("the")
_PRONOUN: Final = any_of({word for words in PRONOUNS for word in words})
_PERSON: Final = f"(?:{NAME}|[PQ]|{_PRONOUN})"
_OWNER: Final = f"(?:(?:{NAME}|[PQ]){WHOSE}|{_PRONOUN}|{THE})"
_COIN, _FROM = code("coin"), code("from the")


def _main(table: str) -> tuple[str, ...]:
    return next(iter(COLUMNS[table].values()))


@cache
def _any(table: str, form: str = "") -> str:
    return any_of(COLUMNS[table][form] if form else _main(table))


# Groups: a feeling, an epithet, whose, and the thing with what else was said of it
_NOUN: Final = (
    f"({_any('feeling')}|)({EPITHET})?({_OWNER})"
    f"((?:{_any('quality')}|{_any('material')}|{_any('number')}{_COIN})?{THING}"
    f"(?:{_FROM}{_any('place')})?)"
)
# Groups: the other person, the owner, then quality, material, number, thing, or thing, place
ABOUT: Final = re.compile(
    f"({NAME}){code('and')}({NAME}){WHOSE}(?:(?:({_any('quality')})|({_any('material')})"
    f"|({_any('number')}){_COIN})({THING})|({THING}){_FROM}({_any('place')}))"
).fullmatch
STOP, ASKS = code(". ?")
JOINT: Final = re.compile(any_of(map(code, JOINTS)))
# What may end a clause
ENDS: Final = re.compile(f"{STOP}|{ASKS}|{JOINT.pattern}")
OPENER: Final = re.compile(any_of(map(code, OPENERS)))
# Groups: a joint, or a mark and the opener behind it
BETWEEN: Final = re.compile(f"({JOINT.pattern})|({STOP}|{ASKS})({OPENER.pattern})?")

# What was last said -> the noun phrase, without its owner
NOUN_PHRASES: Final = {
    **{word: f"{word}O" for table in ("quality", "material", "feeling") for word in _main(table)},
    **{word: f"{word}{_COIN}O" for word in _main("number")},
    **{word: f"O{_FROM}{word}" for word in _main("place")},
}
WOMAN, NAMED = 8, 16
ROLES: Final = {"P": 0, "O": 0, "Q": 1}


class _Due(dict[int, tuple[object, int]]):
    """For each key of `Part.shapes`: what `pick` finds if all is as due, and the next key."""

    def __init__(self, part: Part) -> None:
        super().__init__()
        self._part = part

    def __missing__(self, key: int) -> tuple[object, int]:
        shapes, following = self._part.shapes(key)
        self[key] = due = shapes[0] if len(shapes) == 1 else tuple(shapes), following
        return due


class Part:
    """What a skill says before or behind the clause that it frames, or all of a proposition.

    `slots` are the word, its form and its group of each `{word.form}`; `people` the role, the case
    and the group of each person (the owner in the noun phrase is `O`); `noun` are the groups of the
    noun phrase, or none. `actor` is the role of who acts in an operator, if it is a person.
    """

    def __init__(self, rule: Rule, text: str, form: int | None) -> None:
        self.rule, self.form = rule, form
        self.slots: list[tuple[str, str, int]] = []
        self.people: list[tuple[str, int, int]] = []
        self.noun = slice(0)
        self.actor = ""
        self.groups = 0
        tokens = text.split()
        following = (*tokens[1:], ",")
        self.source = "".join(map(self._source, range(len(tokens)), tokens, following))
        self.match: Callable[[str, int], re.Match[str] | None] = self._first_match
        places = [group for *_, group in self.people]
        self.pick = itemgetter(*places) if places else None
        self.due = _Due(self)

    def _first_match(self, codes: str, at: int) -> re.Match[str] | None:
        self.match = re.compile(self.source).match
        return self.match(codes, at)

    def _group(self, source: str) -> str:
        self.groups += 1
        return f"({source})"

    def _source(self, at: int, token: str, following: str) -> str:
        if token == "O":
            return THE + THING if self.form is None else self._noun_phrase(following)
        if token[0] in "PQAB" and token[1:] in _CASES:
            case = _OBJECT if at == 0 and self.form in (INF, ING) else _CASES[token[1:]]
            self.people.append((token[0], case, self.groups))
            return self._group(_OWNER if case == _POSSESSIVE else _PERSON)
        if token[0] == "[":
            past, base, ing = token[1:-1].split("|")
            verb = past if self.form == FIN else ing if self.form == ING else base
            return _AUXILIARY[self.form or FIN] + self._source(at, verb, following)
        if token[0] == "{":
            name, _, form = token[1:-1].partition(".")
            table = table_of(self.rule.facts[name])
            self.slots.append((name, form or next(iter(COLUMNS[table])), self.groups))
            return self._group(_any(table, form))
        return code(token)

    def _noun_phrase(self, following: str) -> str:
        self.noun = slice(self.groups, self.groups + 5)
        self.people.append(("O", _POSSESSIVE, self.groups + 2))
        self.groups += 5
        figure = f"(?:{_FIGURE})"
        return _NOUN + (f"({figure}*)" if following == "," else f"((?:{figure}+{code(',')})?)")

    def shapes(self, key: int) -> tuple[list[str], int]:
        """Return how each of `people` is due to be named, and the key of what follows.

        `key` is a sum: 1 if P has been named, 2 if Q has, 4 if Q acted last, `WOMAN` if P is one,
        `NAMED` if the noun phrase must name the owner, as it has a feeling or an epithet.
        """
        if self.actor:
            key = key ^ 4 if self.actor == "A" else key & ~4
        shapes: list[str] = []
        for role, case, _ in self.people:
            person = ROLES[role] if role in ROLES else (key >> 2 & 1) ^ (role == "B")
            if key >> person & 1 and not (role == "O" and key & NAMED):
                shapes.append(PRONOUNS[bool(key & WOMAN) ^ person][case])
            else:
                shapes.append("PQ"[person] + (WHOSE if case == _POSSESSIVE else ""))
            key |= 1 << person
        return shapes, key


class Pattern(Part):
    """One way to say a skill, in one form.

    `inner` is the form of the clause that it frames (-1 in a proposition) and `tail` what it says
    behind that. Each fact has a group: `repeats` are that, the form and the group of words that say
    it again; `writes` the type and the group of what the text holds then. Unless it is `judged`,
    what it says holds in any case and nothing is concluded.
    """

    def __init__(self, rule: Rule, text: str, form: int, over: bool | None = None) -> None:
        before, self.inner, behind = text, -1, ""
        for mark, inner in _FORMS.items():
            if mark in text.split():
                before, behind = text.split(f" {mark}")
                self.inner = inner
        super().__init__(rule, before, form)
        self.name = rule.name
        self.actor = text[0] if self.inner >= 0 and text.split()[0] in "AP" else ""
        self.tail = Part(rule, behind, None) if behind else None
        slots = self.slots.copy()
        if self.tail:
            slots += [(name, form, at + self.groups) for name, form, at in self.tail.slots]
        self.place = place = dict[str, int]()
        repeats: list[tuple[int, dict[str, str], int]] = []
        for name, fact in rule.facts.items():
            columns = COLUMNS[table_of(fact)]
            main = next(iter(columns))
            (_, at, _), *others = sorted(
                (form != main, group, form) for slot, form, group in slots if slot == name
            )
            place[name] = at
            for _, group, other in others:
                repeats.append((at, dict(zip(columns[main], columns[other], strict=True)), group))
        self.repeats = tuple(repeats)
        self.writes = tuple((TYPES.index(t), place[name]) for t, name in rule.writes.items())
        checks = [check_of(name, rule.facts, place) for name in rule.facts]
        self.over = over
        if over is not None:
            price = place["n"]
            checks.append(lambda groups, _: (VALUE[groups[price]] > TWELVE) == over)
        self.checks = tuple(each for each in checks if each)
        self.judged = bool(self.checks or self.repeats or self.writes)

    def judge(self, groups: Sequence[str], held: Held) -> bool:
        """Return whether what is said holds; let the text hold what it concludes.

        Of a word that is given twice and differs, nobody knows then what the text holds.
        """
        sound, unsure = True, ()
        for at, form, again in self.repeats:
            if groups[again] != form[groups[at]]:
                sound, unsure = False, (*unsure, at)
        for holds in self.checks:
            if not holds(groups, held):
                sound = False
        for kind, at in self.writes:
            held[kind] = word = None if at in unsure else groups[at]
            if kind != DAY:
                held[LAST] = NOUN_PHRASES[word] if word else None
        return sound


def patterns(rule: Rule, form: int) -> tuple[Pattern, ...]:
    """Return all ways to say a skill in a form; a question frames all else, or is none."""
    if rule.kind == "modifier" or (rule.name == QUESTION and form != OUTERMOST):
        return ()
    over = False if rule.over else None
    inflected = FIN if form == OUTERMOST else form
    return (
        *(Pattern(rule, text, inflected, over) for text in rule.says),
        *(Pattern(rule, text, inflected, True) for text in rule.over),
    )


FIGURES: Final = tuple(
    Pattern(rule, text.removesuffix(" ,"), FIN)
    for rule in RULES.values()
    if rule.kind == "modifier"
    for text in rule.says
)
_FIGURE: Final = "|".join(re.sub(r"\((?!\?)", "(?:", pattern.source) for pattern in FIGURES)
# Form -> skill -> the ways to say it
PATTERNS: Final = tuple(
    {rule.name: patterns(rule, form) for rule in RULES.values()} for form in range(5)
)
# Form -> all ways to say any operator or proposition
ANY: Final = tuple(
    [pattern for some in by_name.values() for pattern in some] for by_name in PATTERNS
)
