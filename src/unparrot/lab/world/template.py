"""Templates of the world, compiled: words around the clause that they frame, ready to be filled in.

A template is cut where the framed clause stands. What it says depends on the form that the operator
around it asks for, on who acts, and on who has been named before; each such `Part` is a % format,
made once and kept.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

from unparrot.lab.world.lexicon import TABLES, column
from unparrot.lab.world.skills import CARRIER, SKILLS, SkillSpec

# Forms of a clause: 'it sank', 'it would sink', 'it to sink', 'it sinking'
FORMS: Final = ("fin", "would", "inf", "ing")
PEOPLE: Final = frozenset(f"{who}{case}" for who in "PQAB" for case in ("", "^", "'s"))
# Flags: what a clause has called by its name so far
P_NAMED, Q_NAMED, THING_NAMED = 1, 2, 4


class Fill(NamedTuple):
    """A gap of a format: its key, which no other has, the words of each row of its table, and its
    variable."""

    key: str
    words: tuple[str, ...]
    variable: str


class Part(NamedTuple):
    """Words before or behind a framed clause: a % format, its gaps, and who is named then."""

    format: str
    fills: tuple[Fill, ...]
    flags: int


def cut(template: str, form: str) -> tuple[list[str], str, list[str]]:
    """Return the tokens before the framed clause, its form ('' if there is none), those behind it.

    The main verb stands in `form`.
    """
    tokens: list[str] = []
    for token in template.split():
        if token[0] != "[":
            tokens.append(token)
            continue
        past, base, ing = token[1:-1].split("|")
        if form in ("inf", "ing") and tokens and tokens[-1] in PEOPLE:
            tokens[-1] += "^"
        tokens += {"fin": [past], "would": ["would", base], "inf": ["to", base], "ing": [ing]}[form]
    for i, token in enumerate(tokens):
        if token[0] == "@":
            return tokens[:i], token[1:], tokens[i + 1 :]
    return tokens, "", []


class CompiledSkill:
    """A skill with its parts as they were needed so far."""

    def __init__(self, spec: SkillSpec) -> None:
        self.spec = spec
        self.name = spec.name
        self.variables = tuple(spec.variables.items())
        self.writes = tuple(spec.writes.items())
        # Who acts in an operator, by who acts in the one around it (P if there is none)
        self.actor = {around: _actor(spec, around) for around in "PQ"}
        self.cut = cache(cut)
        self.part = cache(self._part)

    def _part(self, template: str, form: str, behind: bool, actor: str, flags: int) -> Part:
        """Compile one side of a template, where `actor` acts and `flags` have been named."""
        words: list[str] = []
        fills: list[Fill] = []
        for token in self.cut(template, form)[2 if behind else 0]:
            if token in PEOPLE:
                who, case = _who(token[0], actor), token[1:]
                bit = P_NAMED if who == "P" else Q_NAMED
                if flags & bit:
                    words.append(f"%({who}{case or '~'})s")
                else:
                    words.append(f"%({who})s" + (" 's" if case == "'s" else ""))
                    flags |= bit
            elif token == "O":
                if flags & THING_NAMED:
                    words.append("the %(thing)s")
                else:
                    words.append("%(its_noun)s" if flags & P_NAMED else "%(noun)s")
                    flags |= THING_NAMED | P_NAMED
            elif token[0] == "{":
                name, _, form_of = token[1:-1].partition(".")
                table = self.spec.variables[name].table
                form_of = form_of or next(iter(TABLES[table][0]))
                key = f"{name} {len(fills)}"
                fills.append(Fill(key, column(table, form_of), name))
                words.append(f"%({key})s")
            else:
                words.append(token)
        return Part(" ".join(words), tuple(fills), flags)


def _who(letter: str, actor: str) -> str:
    """P or Q for what a template calls P, Q, A (the actor) or B (the other one)."""
    if letter in "PQ":
        return letter
    return actor if letter == "A" else "PQ"[actor == "P"]


def _actor(spec: SkillSpec, around: str) -> str:
    tokens = spec.templates[0].split()
    verb = next((i for i, token in enumerate(tokens) if token[0] == "["), 0)
    subject = tokens[verb - 1] if verb else ""
    if subject == "A":
        return "PQ"[around == "P"]
    return "P" if subject == "P" else around


# All skills by name; the carrier's is empty
COMPILED: Final = {spec.name: CompiledSkill(spec) for spec in (*SKILLS, CARRIER)}


def template_words() -> Sequence[str]:
    """Return every word that templates hold themselves, in any form."""
    return [
        token
        for spec in (*SKILLS, CARRIER)
        for template in (*spec.templates, *spec.over_twelve)
        for form in FORMS
        for tokens in cut(template, form)[::2]
        for token in tokens
        if token[0] not in "{@O" and token.rstrip("^") not in PEOPLE
    ]
