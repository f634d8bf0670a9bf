"""The skills of the micro-English world: what each means, and the sentences that show it.

A template is English with slots:

* ``P``: the person whom the text is about (a name at first, then he or she); ``P~`` the
  pronoun; ``P^`` him or her; ``P's`` his or her. ``Q``: another person, of the other sex, so that
  pronouns are never ambiguous; ``Q~``.
* ``O``: the object the text is about ('the needle' at first, 'that needle' in later clauses; within
  a clause it is called ``it``). ``O2``, ``O3``: other objects of the same topic.
* ``{a.adj}``: variable ``a`` in the form ``adj`` of its table; ``{n+m.num}``: the row at the sum.

Clause skills make a clause of their own. Operators shape the clause of another skill: a noun phrase
(simile, alliteration) or the whole clause (appeal to authority, rhetorical question).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

Kind = Literal["clause", "noun", "frame"]


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice from a table.

    `unlike` names variables whose rows (and their opposites) are ruled out.
    """

    table: str
    unlike: tuple[str, ...] = ()
    rows: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """A skill, or in a large world a family of skills: one for each field of its `key` variable."""

    name: str
    category: str
    definition: str
    templates: tuple[str, ...]
    variables: Mapping[str, Variable] = field(default_factory=lambda: MappingProxyType({}))
    kind: Kind = "clause"
    key: str = ""
    key_form: str = ""


def _family(
    name: str,
    category: str,
    definition: str,
    *templates: str,
    kind: Kind = "clause",
    key: str = "",
    **variables: Variable,
) -> Family:
    var, _, form = key.partition(".")
    return Family(
        name, category, definition, templates, MappingProxyType(variables), kind, var, form
    )


_V = Variable
_SMALL = tuple(range(2, 7))

FAMILIES: Final[tuple[Family, ...]] = (
    _family(
        "modus ponens",
        "logical",
        "From a conditional and its antecedent, conclude the consequent.",
        "if O is {a.adj} then it is {b.adj} ; it is {a.adj} , so it is {b.adj}",
        "P finds O {a.adj} ; whatever is {a.adj} is {b.adj} , so it is {b.adj}",
        key="a.dimension",
        a=_V("quality"),
        b=_V("quality", ("a",)),
    ),
    _family(
        "metaphor",
        "literary",
        "Say that somebody is something else, on the ground of a quality that both share.",
        "P is a {m.animal} with O , for P~ is so {m.trait}",
        "with O in hand P is a {m.animal} , so {m.trait} is P~",
        key="m.animal",
        m=_V("animal"),
    ),
    _family(
        "arithmetic",
        "reasoning",
        "Work out a sum or a difference and state the result.",
        "O costs {n.num} coins and O2 costs {m.num} , so both cost {n+m.num} coins",
        "P has {s.num} coins and pays {m.num} for O , so {s-m.num} are left",
        key="m.num",
        n=_V("number", rows=_SMALL),
        m=_V("number", rows=(2, 3, 4, 5, 6)),
        s=_V("number", rows=(8, 9, 10, 11, 12)),
    ),
    _family(
        "false belief",
        "theory of mind",
        "Know that somebody acts on what they believe, though the world has changed"
        " behind their back.",
        "P puts O in the {c.place} and leaves ; Q moves it to the {d.place} ,"
        " but P~ still looks in the {c.place}",
        "while P is away Q takes O from the {c.place} to the {d.place} ,"
        " so P~ thinks it is in the {c.place}",
        key="c.place",
        c=_V("container"),
        d=_V("container", ("c",)),
    ),
    _family(
        "cause and effect",
        "reasoning",
        "Name what happened and what it brought about.",
        "O is {e.state} because P left it in the {e.cause}",
        "the {e.cause} got to O and so it became {e.state}",
        key="e.cause",
        e=_V("cause"),
    ),
    _family(
        "simile",
        "literary",
        "Compare one thing to another with 'as', on the ground of a quality that both share.",
        ", as {v.adj} as {v.vehicle} ,",
        kind="noun",
        key="v.adj",
        v=_V("simile"),
    ),
    _family(
        "transitive comparison",
        "reasoning",
        "Put two comparisons together into a third.",
        "O is {a.more} than O2 and O2 is {a.more} than O3 , so it is {a.more} than O3",
        "O2 is {a.more} than O3 , but O is {a.more} than O2 , so it is {a.more} than O3",
        key="a.dimension",
        a=_V("quality"),
    ),
    _family(
        "emotion attribution",
        "theory of mind",
        "Infer what somebody feels from what happened to them.",
        "P {e.past} O and felt {e.emotion}",
        "Q knew why P felt {e.emotion} : P~ {e.past} O",
        key="e.past",
        e=_V("event"),
    ),
    _family(
        "rhetorical question",
        "rhetorical",
        "Ask what needs no answer, in order to assert it.",
        "who can deny it : @ ?",
        "is it not obvious : @ ?",
        kind="frame",
    ),
    _family(
        "folk physics",
        "physical",
        "Predict from its material what happens to a thing.",
        "as O is made of {m.stuff} it will {m.fate}",
        "O is made of {m.stuff} , and so P expects it to {m.fate}",
        key="m.stuff",
        m=_V("material"),
    ),
    _family(
        "disjunctive syllogism",
        "logical",
        "Of two possibilities one is ruled out, so the other holds.",
        "O is either in the {c.place} or in the {d.place} ; it is not in the {c.place} ,"
        " so it is in the {d.place}",
        "P thinks O is {a.adj} or {b.adj} ; it is not {a.adj} , so it is {b.adj}",
        key="",
        c=_V("container"),
        d=_V("container", ("c",)),
        a=_V("quality"),
        b=_V("quality", ("a",)),
    ),
    _family(
        "hyperbole",
        "rhetorical",
        "Exaggerate beyond belief, for effect.",
        "P waited a {h.huge} years for O",
        "P would walk a {h.huge} miles for O",
        "O weighs a {h.huge} tons , says P",
        key="h.huge",
        h=_V("huge"),
    ),
    _family(
        "red herring",
        "rhetorical",
        "Turn away from the question to something that has no bearing on it.",
        "asked about O P talks of the {z.aside} instead",
        "when Q asks about O P only speaks of the {z.aside}",
        key="z.aside",
        z=_V("aside"),
    ),
    _family(
        "modus tollens",
        "logical",
        "From a conditional and the denial of its consequent, deny the antecedent.",
        "if O is {a.adj} then it is {b.adj} ; it is not {b.adj} , so it is not {a.adj}",
        "P says that if O were {a.adj} it would be {b.adj} ; it is not {b.adj} , so not {a.adj}",
        key="a.dimension",
        a=_V("quality"),
        b=_V("quality", ("a",)),
    ),
    _family(
        "alliteration",
        "literary",
        "Let neighbouring words begin with the same sound.",
        "{l.one} {l.two}",
        "{l.two} {l.one}",
        kind="noun",
        key="l.one",
        l=_V("epithet"),
    ),
    _family(
        "spatial reasoning",
        "physical",
        "Turn a spatial relation round, or chain two of them.",
        "P puts O {w.way} O2 , so O2 is {w.back} it",
        "O is {w.way} O2 and O2 is {w.way} O3 , so it is {w.way} O3",
        key="w.way",
        w=_V("direction"),
    ),
    _family(
        "personification",
        "literary",
        "Let a thing act or feel as only people do.",
        "O {h.act} {k.manner} when P leaves",
        "P hears how O {h.act} {k.manner} at night",
        key="h.act",
        h=_V("human"),
        k=_V("manner"),
    ),
    _family(
        "indirect request",
        "pragmatics",
        "State a fact in order to be understood as asking for something.",
        "P sighs at how {r.need} O is , so Q {r.deed} it",
        "Q {r.deed} O , for P has hinted that it is {r.need}",
        key="r.need",
        r=_V("request"),
    ),
    _family(
        "hypothetical syllogism",
        "logical",
        "Chain two conditionals into one.",
        "if O is {a.adj} it is {b.adj} and if it is {b.adj} it is {c.adj} ,"
        " so if it is {a.adj} it is {c.adj}",
        "P says O when {a.adj} is {b.adj} and when {b.adj} is {c.adj} ,"
        " hence when {a.adj} it is {c.adj}",
        key="a.dimension",
        a=_V("quality"),
        b=_V("quality", ("a",)),
        c=_V("quality", ("a", "b")),
    ),
    _family(
        "appeal to authority",
        "rhetorical",
        "Support a claim by the standing of whoever makes it.",
        "as every expert knows , @",
        "as ancient books say , @",
        kind="frame",
    ),
    _family(
        "induction",
        "reasoning",
        "Expect the next case to be like the cases seen so far.",
        "O was {a.adj} on {d.day} and on {d+1.day} , so it will be {a.adj} on {d+2.day}",
        "P found O {a.adj} on {d.day} and {d+1.day} , so P~ expects it {a.adj} on {d+2.day}",
        key="a.dimension",
        a=_V("quality"),
        d=_V("day"),
    ),
    _family(
        "self-serving bias",
        "theory of mind",
        "Credit success to oneself and blame failure on something outside.",
        "when O works P praises P's own {i.credit} , but when it fails P~ blames the {x.blame}",
        "P says O works thanks to P's own {i.credit} and fails because of the {x.blame}",
        key="i.credit",
        i=_V("credit"),
        x=_V("blame"),
    ),
    _family(
        "syllogism",
        "logical",
        "Apply a rule about all to one.",
        "everyone who {u.does} O is {m.trait} ; P {u.does} it , so P~ is {m.trait}",
        "P {u.does} O , and all who do so are {m.trait} , so P~ is {m.trait}",
        key="m.trait",
        u=_V("use"),
        m=_V("animal"),
    ),
    _family(
        "scalar implicature",
        "pragmatics",
        "Hear in a weak word that the stronger one does not hold.",
        "P says O is {w.some} {a.adj} , so it is not {w.every} {a.adj}",
        "Q asks if O is {w.every} {a.adj} ; P answers that it is {w.some} so , hence not {w.every}",
        key="a.dimension",
        w=_V("scale"),
        a=_V("quality"),
    ),
    _family(
        "antithesis",
        "rhetorical",
        "Set two opposites side by side in the same construction.",
        "O is a {o.bad} to Q but a {o.good} to P^",
        "O is a {o.bad} by day and a {o.good} by night",
        key="o.bad",
        o=_V("opposites"),
    ),
    _family(
        "counterfactual",
        "reasoning",
        "Say what would not have come about without its cause.",
        "had P kept O from the {e.cause} it would not be {e.state} now",
        "without the {e.cause} O would never be {e.state}",
        key="e.cause",
        e=_V("cause"),
    ),
    _family(
        "containment",
        "physical",
        "What is inside a thing is wherever that thing is.",
        "O is in the {c.place} and the {c.place} is in the {r.room} , so it is in the {r.room}",
        "P keeps O in the {c.place} and takes the {c.place} to the {r.room} ,"
        " so it is in the {r.room}",
        key="c.place",
        c=_V("container"),
        r=_V("room"),
    ),
    _family(
        "statistical syllogism",
        "logical",
        "Apply a rule about most to one, as likely.",
        "most people who {u.do} O are {m.trait} ; P {u.does} it , so P~ is probably {m.trait}",
        "P is likely {m.trait} , as P~ {u.does} O and almost all who do so are {m.trait}",
        key="m.trait",
        u=_V("use"),
        m=_V("animal"),
    ),
)
"""In the order of their frequency (power law over the rank)."""

CARRIER: Final = _family(
    "",
    "",
    "A plain clause for operators to shape when no clause skill is asked for.",
    "P {k.look} O",
    "P {k.look} O every day",
    k=_V("look"),
)
