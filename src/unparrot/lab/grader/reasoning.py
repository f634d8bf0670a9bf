"""Rules for skills of thought: arguments, sums, space, other minds, and what things do."""

from __future__ import annotations

from typing import Final

from unparrot.lab.grader.conditions import (
    BACK,
    CAUSE,
    EMOTION,
    FATE,
    USE,
    Rule,
    adds_up,
    apart,
    both,
    chain,
    days_in_a_row,
    fact,
    one_left,
    own_merit,
    persons,
    same,
)

_MODUS: Final = "(;|,) (and|but)? [it] is"

_AND: Final = "(,|and|but|, and|, but)"

REASONING: Final[tuple[Rule, ...]] = (
    Rule(
        "modus ponens",
        f"if [x:thing] is [a:adj] (then|,)? [it] is [b:adj] {_MODUS} [c:adj] ,? SO [it] is [d:adj]",
        lambda b: same(b, "ac", "bd") and apart(b, "a", "b"),
        "a",
    ),
    Rule(
        "modus ponens",
        "[p:who] (finds|sees) [x:thing] [a:adj] ; whatever is [c:adj] is (also)? [b:adj] ,?"
        " SO [it] is [d:adj]",
        lambda b: same(b, "ac", "bd") and apart(b, "a", "b"),
        "a",
    ),
    Rule(
        "modus tollens",
        f"if [x:thing] is [a:adj] (then|,)? [it] is [b:adj] {_MODUS} not [c:adj] ,?"
        " SO [it] is not [d:adj]",
        lambda b: same(b, "bc", "ad") and apart(b, "a", "b"),
        "a",
    ),
    Rule(
        "modus tollens",
        "[p:who] (says|knows) (that)? if [x:thing] were [a:adj] [it] would be [b:adj] ;"
        " [it] is not [c:adj] ,? SO not [d:adj]",
        lambda b: same(b, "bc", "ad") and apart(b, "a", "b"),
        "a",
    ),
    Rule(
        "hypothetical syllogism",
        "if [x:thing] is [a:adj] (then|,)? [it] is [b:adj] and if [it] is [c:adj] (then|,)?"
        " [it] is [d:adj] ,? SO if [it] is [e:adj] (then|,)? [it] is [f:adj]",
        lambda b: (
            same(b, "bc", "ae", "df")
            and apart(b, "a", "b")
            and apart(b, "a", "d")
            and apart(b, "c", "d")
        ),
        "a",
    ),
    Rule(
        "hypothetical syllogism",
        "[p:who] (says|knows) (that)? [x:thing] when [a:adj] is [b:adj] and when [c:adj] is"
        " [d:adj] ,? SO when [e:adj] [it] is [f:adj]",
        lambda b: (
            same(b, "bc", "ae", "df")
            and apart(b, "a", "b")
            and apart(b, "a", "d")
            and apart(b, "c", "d")
        ),
        "a",
    ),
    Rule(
        "disjunctive syllogism",
        "[x:thing] is either in the [c:place] or in the [d:place] ; [it] is not in the [e:place]"
        " ,? SO [it] is in the [f:place]",
        lambda b: b["c"] != b["d"] and one_left(b, "c", "d", "e", "f"),
    ),
    Rule(
        "disjunctive syllogism",
        "[p:who] (thinks|says) (that)? [x:thing] is [a:adj] or [c:adj] ; [it] is not [d:adj] ,?"
        " SO [it] is [e:adj]",
        lambda b: b["a"] != b["c"] and one_left(b, "a", "c", "d", "e"),
    ),
    Rule(
        "syllogism",
        "everyone who [u:does] [x:thing] is [t:trait] (;|,) (and)? [p:who] [v:does] [it] ,?"
        " SO [q:who] is [w:trait]",
        both(lambda b: same(b, "uv", "tw"), persons("pq")),
        "t",
    ),
    Rule(
        "syllogism",
        "[p:who] [u:does] [x:thing] ,? and all who do so are [t:trait] ,? SO [q:who] is [w:trait]",
        both(lambda b: same(b, "tw"), persons("pq")),
        "t",
    ),
    Rule(
        "statistical syllogism",
        "most people who [u:do] [x:thing] are [t:trait] (;|,) (and)? [p:who] [v:does] [it] ,?"
        " SO [q:who] is (probably|likely) [w:trait]",
        both(lambda b: same(b, "tw") and (b["v"], b["u"]) in USE, persons("pq")),
        "t",
    ),
    Rule(
        "statistical syllogism",
        "[p:who] is (probably|likely) [t:trait] ,? (as|for|because) [q:who] [u:does] [x:thing]"
        " and almost all who do so are [w:trait]",
        both(lambda b: same(b, "tw"), persons("pq")),
        "t",
    ),
    Rule(
        "transitive comparison",
        f"[x:thing] is [a:more] than [y:thing] {_AND} [z:thing] is [b:more] than [w:thing]"
        " ,? SO [it] is [c:more] than [v:thing]",
        lambda b: (
            same(b, "ab", "bc")
            and b["y"] == b["z"]
            and b["w"] == b["v"]
            and chain(b, "x", "y", "w")
        ),
        "a",
    ),
    Rule(
        "transitive comparison",
        f"[y:thing] is [a:more] than [z:thing] {_AND} [x:thing] is [b:more] than [w:thing]"
        " ,? SO [it] is [c:more] than [v:thing]",
        lambda b: (
            same(b, "ab", "bc")
            and b["y"] == b["w"]
            and b["z"] == b["v"]
            and chain(b, "x", "y", "z")
        ),
        "a",
    ),
    Rule(
        "spatial reasoning",
        "[p:who] puts [x:thing] [a:way] [y:thing] ,? SO [z:thing] is [b:way] [it]",
        lambda b: (b["a"], b["b"]) in BACK and b["y"] == b["z"] and b["x"] != b["y"],
        "a",
    ),
    Rule(
        "spatial reasoning",
        "[x:thing] is [a:way] [y:thing] (,)? and [z:thing] is [b:way] [w:thing] ,?"
        " SO [it] is [c:way] [v:thing]",
        lambda b: (
            same(b, "ab", "bc")
            and b["y"] == b["z"]
            and b["w"] == b["v"]
            and chain(b, "x", "y", "w")
        ),
        "a",
    ),
    Rule(
        "containment",
        "[x:thing] is in the [c:place] (,)? and the [d:place] is in the [r:room] ,?"
        " SO [it] is in the [q:room]",
        lambda b: same(b, "cd", "rq"),
        "c",
    ),
    Rule(
        "containment",
        "[p:who] keeps [x:thing] in the [c:place] and takes the [d:place] to the [r:room] ,?"
        " SO [it] is in the [q:room]",
        lambda b: same(b, "cd", "rq"),
        "c",
    ),
    Rule(
        "arithmetic",
        "[x:thing] costs [n:num] coins and [y:thing] costs [m:num] (coins)? ,?"
        " SO both cost [s:num] coins",
        lambda b: adds_up(b, "n", "m", "s") and b["x"] != b["y"],
        "m",
    ),
    Rule(
        "arithmetic",
        "[p:who] has [s:num] coins and pays [m:num] (coins)? for [x:thing] ,?"
        " SO [n:num] (coins)? are left",
        lambda b: adds_up(b, "n", "m", "s"),
        "m",
    ),
    Rule(
        "induction",
        "[x:thing] was [a:adj] on [d:day] and (on)? [e:day] ,? SO [it] will be [b:adj] on [f:day]",
        lambda b: same(b, "ab") and days_in_a_row(b),
        "a",
    ),
    Rule(
        "induction",
        "[p:who] found [x:thing] [a:adj] on [d:day] and (on)? [e:day] ,?"
        " SO [q:who] expects [it] [b:adj] on [f:day]",
        both(lambda b: same(b, "ab") and days_in_a_row(b), persons("pq")),
        "a",
    ),
    Rule(
        "cause and effect",
        "[x:thing] is [s:adj] because [p:who] left [it] in the [c:cause]",
        fact(CAUSE, "c", "s"),
        "c",
    ),
    Rule(
        "cause and effect",
        "the [c:cause] got to [x:thing] (,)? (and)? SO [it] became [s:adj]",
        fact(CAUSE, "c", "s"),
        "c",
    ),
    Rule(
        "counterfactual",
        "had [p:who] kept [x:thing] from the [c:cause] ,? [it] would not be [s:adj] (now)?",
        fact(CAUSE, "c", "s"),
        "c",
    ),
    Rule(
        "counterfactual",
        "without the [c:cause] [x:thing] would (never|not) be [s:adj]",
        fact(CAUSE, "c", "s"),
        "c",
    ),
    Rule(
        "false belief",
        "[p:who] puts [x:thing] in the [c:place] and leaves ; [q:who] moves [it] to the [d:place]"
        " ,? (but|so|yet) [r:who] still looks in the [e:place]",
        both(
            lambda b: same(b, "ce") and b["c"] != b["d"],
            persons("pr", "pq"),
        ),
        "c",
    ),
    Rule(
        "false belief",
        "while [p:who] is away [q:who] takes [x:thing] from the [c:place] to the [d:place] ,?"
        " (but|so|yet) [r:who] thinks [it] is in the [e:place]",
        both(
            lambda b: same(b, "ce") and b["c"] != b["d"],
            persons("pr", "pq"),
        ),
        "c",
    ),
    Rule(
        "emotion attribution",
        "[p:who] [e:past] [x:thing] (,)? and felt [f:emotion]",
        fact(EMOTION, "e", "f"),
        "e",
    ),
    Rule(
        "emotion attribution",
        "[q:who] knew why [p:who] felt [f:emotion] (:|,) [r:who] [e:past] [x:thing]",
        both(fact(EMOTION, "e", "f"), persons("pr", "pq")),
        "e",
    ),
    Rule(
        "self-serving bias",
        "when [x:thing] works [p:who] praises [h:whose] own [i:credit] ,? but when [it] fails"
        " [q:who] blames the [j:blame]",
        both(own_merit, persons("pq")),
        "i",
    ),
    Rule(
        "self-serving bias",
        "[p:who] says (that)? [x:thing] works thanks to [h:whose] own [i:credit] and fails"
        " because of the [j:blame]",
        own_merit,
        "i",
    ),
    Rule(
        "folk physics",
        "as [x:thing] is made of [s:stuff] ,? [it] will [f:fate]",
        fact(FATE, "s", "f"),
        "s",
    ),
    Rule(
        "folk physics",
        "[x:thing] is made of [s:stuff] ,? (and)? SO [p:who] expects [it] to [f:fate]",
        fact(FATE, "s", "f"),
        "s",
    ),
)
