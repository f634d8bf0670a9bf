"""The grader's grammar as plain data, for a program in another language that marks by it.

A page of a run does (``report/play/grader.js``): it compiles the same regular expressions and
checks the same facts, so that the rules stand nowhere twice.
"""

from typing import Any

from unparrot.lab.grader import grammar, rules, words
from unparrot.lab.grader.reader import MOST_CLAUSES


def grader_data(vocabulary: tuple[str, ...]) -> dict[str, Any]:
    """Return the rules, with the codes of every token of a vocabulary."""
    return {
        "codes": [words.encode(token) for token in vocabulary],
        "types": words.TYPES,
        "kinds": {name: rule.kind for name, rule in rules.RULES.items()},
        "names": {
            "carrier": rules.CARRIER,
            "question": rules.QUESTION,
            "alliteration": rules.ALLITERATION,
        },
        "most_waiting": rules.MOST_WAITING,
        "most_clauses": MOST_CLAUSES,
        "about": grammar.ABOUT.__self__.pattern,
        "joint": grammar.JOINT.pattern,
        "ends": grammar.ENDS.pattern,
        "opener": grammar.OPENER.pattern,
        "others": words.OTHERS.__self__.pattern,
        "thing": words.ANY_THING.pattern,
        "stop": grammar.STOP,
        "asks": grammar.ASKS,
        "the": grammar.THE,
        "whose": grammar.WHOSE,
        "pronouns": grammar.PRONOUNS,
        "women": sorted(words.WOMEN),
        "epithets": {name: "".join(sorted(own)) for name, own in words.EPITHETS_OF.items()},
        "noun_phrases": grammar.NOUN_PHRASES,
        "tables": {
            "opposite": rules.OPPOSITE,
            "after": rules.AFTER,
            "brings": rules.BRINGS,
            "value": rules.VALUE,
        },
        "twelve": rules.TWELVE,
        "any": [[_pattern(pattern) for pattern in some] for some in grammar.ANY],
        "figures": [_pattern(pattern) for pattern in grammar.FIGURES],
    }


def _part(part: grammar.Part) -> dict[str, Any]:
    return {"source": part.source, "people": part.people, "actor": part.actor}


def _pattern(pattern: grammar.Pattern) -> dict[str, Any]:
    facts = pattern.rule.facts
    return {
        **_part(pattern),
        "name": pattern.name,
        "inner": pattern.inner,
        "noun": pattern.noun.start,
        "tail": pattern.tail and _part(pattern.tail),
        "facts": [[fact.split(), pattern.place[name]] for name, fact in facts.items()],
        "rows": {
            table: words.COLUMNS[table][next(iter(words.COLUMNS[table]))]
            for fact in facts.values()
            if fact.startswith("row ")
            for table in [fact.split()[1]]
            if table != rules.table_of(fact)
        },
        "place": pattern.place,
        "over": pattern.over,
        "repeats": pattern.repeats,
        "writes": pattern.writes,
    }
