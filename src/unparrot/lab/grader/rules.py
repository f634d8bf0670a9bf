"""What each skill means: sentence patterns, and the conditions under which they really show the skill.

A rule names a family, a pattern of the `grammar` notation, the slot whose word tells the field (in worlds with
one skill a field), and a condition over the bound words. ``b.word('a')`` is the word in slot a,
``b.who('p')`` the person meant (after pronouns are resolved), ``b.thing('x')`` the object meant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from unparrot.lab.world import lexicon as lx


class Bindings(Protocol):
    """What a condition may ask of a matched clause."""

    def word(self, slot: str) -> str: ...
    def who(self, slot: str) -> str: ...
    def thing(self, slot: str) -> str: ...


Condition = Callable[[Bindings], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to show the skills of a family."""

    family: str
    pattern: str
    condition: Condition
    key: str = ""


ANTI: Final = {row["adj"]: row["anti"] for row in lx.QUALITY}
DIMENSION: Final = {row[form]: row["dimension"] for row in lx.QUALITY for form in ("adj", "more")}
_CAUSE = {(row["cause"], row["state"]) for row in lx.CAUSE}
_EMOTION = {(row["past"], row["emotion"]) for row in lx.EVENT}
_GROUND = {(row["animal"], row["trait"]) for row in lx.ANIMAL}
_FATE = {(row["stuff"], row["fate"]) for row in lx.MATERIAL}
_BACK = {(row["way"], row["back"]) for row in lx.DIRECTION}
_SCALE = {(row["some"], row["every"]) for row in lx.SCALE}
_REQUEST = {(row["need"], row["deed"]) for row in lx.REQUEST}
_OPPOSITE = {frozenset((row["bad"], row["good"])) for row in lx.OPPOSITES}
_USE = {(row["does"], row["do"]) for row in lx.USE}
_NUMBER = {row["num"]: i for i, row in enumerate(lx.NUMBER)}
_DAY = {row["day"]: i for i, row in enumerate(lx.DAY)}
VEHICLE: Final = {row["adj"]: row["vehicle"] for row in lx.SIMILE}


def _same(b: Bindings, *pairs: str) -> bool:
    """Each 'ab' of `pairs` names two slots that hold the same word."""
    for one, two in pairs:
        if b.word(one) != b.word(two):
            return False
    return True


def _apart(b: Bindings, first: str, second: str) -> bool:
    """Two qualities that are neither the same nor opposite: one can follow from the other."""
    one, two = b.word(first), b.word(second)
    return one != two and ANTI[one] != two


def _distinct(*values: str) -> bool:
    return len(set(values)) == len(values)


def _chain(b: Bindings, *things: str) -> bool:
    """Chained things are three different objects."""
    return _distinct(*(b.thing(slot) for slot in things))


def _sum(b: Bindings, first: str, second: str, total: str) -> bool:
    return _NUMBER[b.word(first)] + _NUMBER[b.word(second)] == _NUMBER[b.word(total)]


def _days(b: Bindings) -> bool:
    d, e, f = (_DAY[b.word(s)] for s in "def")
    return (d + 1) % 7 == e and (e + 1) % 7 == f


def _pair(facts: set[tuple[str, str]], first: str, second: str) -> Condition:
    return lambda b: (b.word(first), b.word(second)) in facts


def _both(*conditions: Condition) -> Condition:
    return lambda b: all(condition(b) for condition in conditions)


def _persons(same: str = "", other: str = "") -> Condition:
    """'pq' in `same`: one person; in `other`: two different ones."""

    def condition(b: Bindings) -> bool:
        one = {b.who(slot) for slot in same}
        two = {b.who(slot) for slot in other}
        return len(one) <= 1 and len(two) == len(other)

    return condition


def _own(b: Bindings) -> bool:
    """The praised merit is one's own."""
    return b.who("p") == b.who("h")


_MODUS: Final = "(;|,) (and|but)? [it] is"

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "modus ponens",
        f"if [x:thing] is [a:adj] (then|,)? [it] is [b:adj] {_MODUS} [c:adj] ,? SO [it] is [d:adj]",
        lambda b: _same(b, "ac", "bd") and _apart(b, "a", "b"),
        "a",
    ),
    Rule(
        "modus ponens",
        "[p:who] (finds|sees) [x:thing] [a:adj] ; whatever is [c:adj] is (also)? [b:adj] ,?"
        " SO [it] is [d:adj]",
        lambda b: _same(b, "ac", "bd") and _apart(b, "a", "b"),
        "a",
    ),
    Rule(
        "modus tollens",
        f"if [x:thing] is [a:adj] (then|,)? [it] is [b:adj] {_MODUS} not [c:adj] ,?"
        " SO [it] is not [d:adj]",
        lambda b: _same(b, "bc", "ad") and _apart(b, "a", "b"),
        "a",
    ),
    Rule(
        "modus tollens",
        "[p:who] (says|knows) (that)? if [x:thing] were [a:adj] [it] would be [b:adj] ;"
        " [it] is not [c:adj] ,? SO not [d:adj]",
        lambda b: _same(b, "bc", "ad") and _apart(b, "a", "b"),
        "a",
    ),
    Rule(
        "hypothetical syllogism",
        "if [x:thing] is [a:adj] (then|,)? [it] is [b:adj] and if [it] is [c:adj] (then|,)?"
        " [it] is [d:adj] ,? SO if [it] is [e:adj] (then|,)? [it] is [f:adj]",
        lambda b: _same(b, "bc", "ae", "df") and _apart(b, "a", "b") and _apart(b, "a", "d"),
        "a",
    ),
    Rule(
        "hypothetical syllogism",
        "[p:who] (says|knows) (that)? [x:thing] when [a:adj] is [b:adj] and when [c:adj] is"
        " [d:adj] ,? SO when [e:adj] [it] is [f:adj]",
        lambda b: _same(b, "bc", "ae", "df") and _apart(b, "a", "b") and _apart(b, "a", "d"),
        "a",
    ),
    Rule(
        "disjunctive syllogism",
        "[x:thing] is either in the [c:place] or in the [d:place] ; [it] is not in the [e:place]"
        " ,? SO [it] is in the [f:place]",
        lambda b: b.word("c") != b.word("d") and _eliminated(b, "c", "d", "e", "f"),
    ),
    Rule(
        "disjunctive syllogism",
        "[p:who] (thinks|says) (that)? [x:thing] is [a:adj] or [c:adj] ; [it] is not [d:adj] ,?"
        " SO [it] is [e:adj]",
        lambda b: b.word("a") != b.word("c") and _eliminated(b, "a", "c", "d", "e"),
    ),
    Rule(
        "syllogism",
        "everyone who [u:does] [x:thing] is [t:trait] (;|,) (and)? [p:who] [v:does] [it] ,?"
        " SO [q:who] is [w:trait]",
        _both(lambda b: _same(b, "uv", "tw"), _persons("pq")),
        "t",
    ),
    Rule(
        "syllogism",
        "[p:who] [u:does] [x:thing] ,? and all who do so are [t:trait] ,? SO [q:who] is [w:trait]",
        _both(lambda b: _same(b, "tw"), _persons("pq")),
        "t",
    ),
    Rule(
        "statistical syllogism",
        "most people who [u:do] [x:thing] are [t:trait] (;|,) (and)? [p:who] [v:does] [it] ,?"
        " SO [q:who] is (probably|likely) [w:trait]",
        _both(lambda b: _same(b, "tw") and (b.word("v"), b.word("u")) in _USE, _persons("pq")),
        "t",
    ),
    Rule(
        "statistical syllogism",
        "[p:who] is (probably|likely) [t:trait] ,? (as|for|because) [q:who] [u:does] [x:thing]"
        " and almost all who do so are [w:trait]",
        _both(lambda b: _same(b, "tw"), _persons("pq")),
        "t",
    ),
    Rule(
        "transitive comparison",
        "[x:thing] is [a:more] than [y:thing] (,)? (and|but)? [z:thing] is [b:more] than [w:thing]"
        " ,? SO [it] is [c:more] than [v:thing]",
        lambda b: (
            _same(b, "ab", "bc")
            and b.thing("y") == b.thing("z")
            and b.thing("w") == b.thing("v")
            and _chain(b, "x", "y", "w")
        ),
        "a",
    ),
    Rule(
        "transitive comparison",
        "[y:thing] is [a:more] than [z:thing] (,)? (and|but)? [x:thing] is [b:more] than [w:thing]"
        " ,? SO [it] is [c:more] than [v:thing]",
        lambda b: (
            _same(b, "ab", "bc")
            and b.thing("y") == b.thing("w")
            and b.thing("z") == b.thing("v")
            and _chain(b, "x", "y", "z")
        ),
        "a",
    ),
    Rule(
        "spatial reasoning",
        "[p:who] puts [x:thing] [a:way] [y:thing] ,? SO [z:thing] is [b:way] [it]",
        lambda b: (
            (b.word("a"), b.word("b")) in _BACK
            and b.thing("y") == b.thing("z")
            and b.thing("x") != b.thing("y")
        ),
        "a",
    ),
    Rule(
        "spatial reasoning",
        "[x:thing] is [a:way] [y:thing] (,)? and [z:thing] is [b:way] [w:thing] ,?"
        " SO [it] is [c:way] [v:thing]",
        lambda b: (
            _same(b, "ab", "bc")
            and b.thing("y") == b.thing("z")
            and b.thing("w") == b.thing("v")
            and _chain(b, "x", "y", "w")
        ),
        "a",
    ),
    Rule(
        "containment",
        "[x:thing] is in the [c:place] (,)? and the [d:place] is in the [r:room] ,?"
        " SO [it] is in the [q:room]",
        lambda b: _same(b, "cd", "rq"),
        "c",
    ),
    Rule(
        "containment",
        "[p:who] keeps [x:thing] in the [c:place] and takes the [d:place] to the [r:room] ,?"
        " SO [it] is in the [q:room]",
        lambda b: _same(b, "cd", "rq"),
        "c",
    ),
    Rule(
        "arithmetic",
        "[x:thing] costs [n:num] coins and [y:thing] costs [m:num] (coins)? ,?"
        " SO both cost [s:num] coins",
        lambda b: _sum(b, "n", "m", "s") and b.thing("x") != b.thing("y"),
        "m",
    ),
    Rule(
        "arithmetic",
        "[p:who] has [s:num] coins and pays [m:num] (coins)? for [x:thing] ,?"
        " SO [n:num] (coins)? are left",
        lambda b: _sum(b, "n", "m", "s"),
        "m",
    ),
    Rule(
        "induction",
        "[x:thing] was [a:adj] on [d:day] and (on)? [e:day] ,? SO [it] will be [b:adj] on [f:day]",
        lambda b: _same(b, "ab") and _days(b),
        "a",
    ),
    Rule(
        "induction",
        "[p:who] found [x:thing] [a:adj] on [d:day] and (on)? [e:day] ,?"
        " SO [q:who] expects [it] [b:adj] on [f:day]",
        _both(lambda b: _same(b, "ab") and _days(b), _persons("pq")),
        "a",
    ),
    Rule(
        "cause and effect",
        "[x:thing] is [s:adj] because [p:who] left [it] in the [c:cause]",
        _pair(_CAUSE, "c", "s"),
        "c",
    ),
    Rule(
        "cause and effect",
        "the [c:cause] got to [x:thing] (,)? (and)? SO [it] became [s:adj]",
        _pair(_CAUSE, "c", "s"),
        "c",
    ),
    Rule(
        "counterfactual",
        "had [p:who] kept [x:thing] from the [c:cause] ,? [it] would not be [s:adj] (now)?",
        _pair(_CAUSE, "c", "s"),
        "c",
    ),
    Rule(
        "counterfactual",
        "without the [c:cause] [x:thing] would (never|not) be [s:adj]",
        _pair(_CAUSE, "c", "s"),
        "c",
    ),
    Rule(
        "false belief",
        "[p:who] puts [x:thing] in the [c:place] and leaves ; [q:who] moves [it] to the [d:place]"
        " ,? (but|so|yet) [r:who] still looks in the [e:place]",
        _both(
            lambda b: _same(b, "ce") and b.word("c") != b.word("d"),
            _persons("pr", "pq"),
        ),
        "c",
    ),
    Rule(
        "false belief",
        "while [p:who] is away [q:who] takes [x:thing] from the [c:place] to the [d:place] ,?"
        " (but|so|yet) [r:who] thinks [it] is in the [e:place]",
        _both(
            lambda b: _same(b, "ce") and b.word("c") != b.word("d"),
            _persons("pr", "pq"),
        ),
        "c",
    ),
    Rule(
        "emotion attribution",
        "[p:who] [e:past] [x:thing] (,)? and felt [f:emotion]",
        _pair(_EMOTION, "e", "f"),
        "e",
    ),
    Rule(
        "emotion attribution",
        "[q:who] knew why [p:who] felt [f:emotion] (:|,) [r:who] [e:past] [x:thing]",
        _both(_pair(_EMOTION, "e", "f"), _persons("pr", "pq")),
        "e",
    ),
    Rule(
        "self-serving bias",
        "when [x:thing] works [p:who] praises [h:whose] own [i:credit] ,? but when [it] fails"
        " [q:who] blames the [j:blame]",
        _both(_own, _persons("pq")),
        "i",
    ),
    Rule(
        "self-serving bias",
        "[p:who] says (that)? [x:thing] works thanks to [h:whose] own [i:credit] and fails"
        " because of the [j:blame]",
        _own,
        "i",
    ),
    Rule(
        "folk physics",
        "as [x:thing] is made of [s:stuff] ,? [it] will [f:fate]",
        _pair(_FATE, "s", "f"),
        "s",
    ),
    Rule(
        "folk physics",
        "[x:thing] is made of [s:stuff] ,? (and)? SO [p:who] expects [it] to [f:fate]",
        _pair(_FATE, "s", "f"),
        "s",
    ),
    Rule(
        "metaphor",
        "[p:who] is [one1:one] [l:animal] with [x:thing] ,? (for|as) [q:who] is so [t:trait]",
        _both(_pair(_GROUND, "l", "t"), _persons("pq")),
        "l",
    ),
    Rule(
        "metaphor",
        "with [x:thing] in hand [p:who] is [one1:one] [l:animal] ,? so [t:trait] is [q:who]",
        _both(_pair(_GROUND, "l", "t"), _persons("pq")),
        "l",
    ),
    Rule(
        "personification",
        "[x:thing] [h:act] [k:manner] when [p:who] leaves",
        lambda _: True,
        "h",
    ),
    Rule(
        "personification",
        "[p:who] hears how [x:thing] [h:act] [k:manner] at night",
        lambda _: True,
        "h",
    ),
    Rule(
        "hyperbole",
        "[p:who] waited [one1:one] [h:huge] years for [x:thing]",
        lambda _: True,
        "h",
    ),
    Rule(
        "hyperbole",
        "[p:who] would walk [one1:one] [h:huge] miles for [x:thing]",
        lambda _: True,
        "h",
    ),
    Rule(
        "hyperbole",
        "[x:thing] weighs [one1:one] [h:huge] tons ,? says [p:who]",
        lambda _: True,
        "h",
    ),
    Rule(
        "red herring",
        "asked about [x:thing] ,? [p:who] talks of the [z:aside] instead",
        lambda _: True,
        "z",
    ),
    Rule(
        "red herring",
        "when [q:who] asks about [x:thing] ,? [p:who] only speaks of the [z:aside]",
        _persons("", "pq"),
        "z",
    ),
    Rule(
        "scalar implicature",
        "[p:who] says (that)? [x:thing] is [w:some] [a:adj] ,? SO [it] is not [v:every] [b:adj]",
        lambda b: _same(b, "ab") and (b.word("w"), b.word("v")) in _SCALE,
        "a",
    ),
    Rule(
        "scalar implicature",
        "[q:who] asks if [x:thing] is [v:every] [a:adj] ; [p:who] answers that [it] is [w:some] so"
        " ,? SO not [u:every]",
        _both(
            lambda b: _same(b, "uv") and (b.word("w"), b.word("v")) in _SCALE, _persons("", "pq")
        ),
        "a",
    ),
    Rule(
        "indirect request",
        "[p:who] sighs at how [n:adj] [x:thing] is ,? SO [q:who] [d:deed] [it]",
        _both(_pair(_REQUEST, "n", "d"), _persons("", "pq")),
        "n",
    ),
    Rule(
        "indirect request",
        "[q:who] [d:deed] [x:thing] ,? (for|as) [p:who] has hinted that [it] is [n:adj]",
        _both(_pair(_REQUEST, "n", "d"), _persons("", "pq")),
        "n",
    ),
    Rule(
        "antithesis",
        "[x:thing] is [one1:one] [a:bad] to [q:whom] but [one2:one] [b:good] to [p:whom]",
        _both(lambda b: frozenset((b.word("a"), b.word("b"))) in _OPPOSITE, _persons("", "pq")),
        "a",
    ),
    Rule(
        "antithesis",
        "[x:thing] is [one1:one] [a:bad] by day and [one2:one] [b:good] by night",
        lambda b: frozenset((b.word("a"), b.word("b"))) in _OPPOSITE,
        "a",
    ),
    Rule("", "[p:who] [l:look] [x:thing] (every day)?", lambda _: True),
)


def _eliminated(b: Bindings, first: str, second: str, denied: str, left: str) -> bool:
    """One of two possibilities is denied and the other concluded."""
    options = {b.word(first), b.word(second)}
    return {b.word(denied), b.word(left)} == options and len(options) == 2


FRAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "appeal to authority": (
        "as every expert (knows|says) ,",
        "as ancient books say ,",
    ),
    "rhetorical question": (
        "who can (deny|doubt) it :",
        "is it not obvious :",
    ),
}
"""What may stand before a clause; a rhetorical question must also end with a question mark."""

FRAGMENTS: Final[tuple[str, ...]] = (
    "if [thing] is [adj] (then|,)? [thing] is [adj]",
    "[thing] is (not)? [adj]",
    "whatever is [adj] is [adj]",
    "[who] (finds|sees) [thing] [adj]",
    "[thing] is (not)? (either)? in the [place]",
    "the [place] is in the [room]",
    "[thing] is in the [room]",
    "[thing] is [more] than [thing]",
    "[thing] is [way] [thing]",
    "[who] puts [thing] [way] [thing]",
    "[who] puts [thing] in the [place] and leaves",
    "[who] moves [thing] to the [place]",
    "[who] still looks in the [place]",
    "[who] thinks [thing] is in the [place]",
    "[who] [past] [thing]",
    "[who] felt [emotion]",
    "[who] [does] [thing]",
    "[who] is (likely|probably)? [trait]",
    "everyone who [does] [thing] is [trait]",
    "[thing] is made of [stuff]",
    "[thing] will [fate]",
    "[who] has [num] coins",
    "[thing] costs [num] coins",
    "both cost [num] coins",
    "[thing] was [adj] on [day]",
    "[thing] became [adj]",
)
"""Clauses that are sound English of this world and show no skill by themselves: a premise, a conclusion."""
