"""Rules for skills of speech: figures, hints, questions; and the plain clause."""

from __future__ import annotations

from typing import Final

from unparrot.lab.grader.conditions import (
    GROUND,
    OPPOSITE,
    REQUEST,
    SCALE,
    Rule,
    anything,
    both,
    fact,
    persons,
    same,
)

SPEECH: Final[tuple[Rule, ...]] = (
    Rule(
        "metaphor",
        "[p:who] is [one1:one] [l:animal] with [x:thing] ,? (for|as) [q:who] is so [t:trait]",
        both(fact(GROUND, "l", "t"), persons("pq")),
        "l",
    ),
    Rule(
        "metaphor",
        "with [x:thing] in hand [p:who] is [one1:one] [l:animal] ,? so [t:trait] is [q:who]",
        both(fact(GROUND, "l", "t"), persons("pq")),
        "l",
    ),
    Rule(
        "personification",
        "[x:thing] [h:act] [k:manner] when [p:who] leaves",
        anything,
        "h",
    ),
    Rule(
        "personification",
        "[p:who] hears how [x:thing] [h:act] [k:manner] at night",
        anything,
        "h",
    ),
    Rule(
        "hyperbole",
        "[p:who] waited [one1:one] [h:huge] years for [x:thing]",
        anything,
        "h",
    ),
    Rule(
        "hyperbole",
        "[p:who] would walk [one1:one] [h:huge] miles for [x:thing]",
        anything,
        "h",
    ),
    Rule(
        "hyperbole",
        "[x:thing] weighs [one1:one] [h:huge] tons ,? says [p:who]",
        anything,
        "h",
    ),
    Rule(
        "red herring",
        "asked about [x:thing] ,? [p:who] talks of the [z:aside] instead",
        anything,
        "z",
    ),
    Rule(
        "red herring",
        "when [q:who] asks about [x:thing] ,? [p:who] only speaks of the [z:aside]",
        persons("", "pq"),
        "z",
    ),
    Rule(
        "scalar implicature",
        "[p:who] says (that)? [x:thing] is [w:some] [a:adj] ,? SO [it] is not [v:every] [b:adj]",
        lambda b: same(b, "ab") and (b["w"], b["v"]) in SCALE,
        "a",
    ),
    Rule(
        "scalar implicature",
        "[q:who] asks if [x:thing] is [v:every] [a:adj] ; [p:who] answers that [it] is [w:some] so"
        " ,? SO not [u:every]",
        both(lambda b: same(b, "uv") and (b["w"], b["v"]) in SCALE, persons("", "pq")),
        "a",
    ),
    Rule(
        "indirect request",
        "[p:who] sighs at how [n:adj] [x:thing] is ,? SO [q:who] [d:deed] [it]",
        both(fact(REQUEST, "n", "d"), persons("", "pq")),
        "n",
    ),
    Rule(
        "indirect request",
        "[q:who] [d:deed] [x:thing] ,? (for|as) [p:who] has hinted that [it] is [n:adj]",
        both(fact(REQUEST, "n", "d"), persons("", "pq")),
        "n",
    ),
    Rule(
        "antithesis",
        "[x:thing] is [one1:one] [a:worth] to [q:whom] but [one2:one] [b:worth] to [p:whom]",
        both(lambda b: frozenset((b["a"], b["b"])) in OPPOSITE, persons("", "pq")),
        "ab",
    ),
    Rule(
        "antithesis",
        "[x:thing] is [one1:one] [a:worth] by day and [one2:one] [b:worth] by night",
        lambda b: frozenset((b["a"], b["b"])) in OPPOSITE,
        "ab",
    ),
    Rule("", "[p:who] [l:look] [x:thing] (every day)?", anything),
)
