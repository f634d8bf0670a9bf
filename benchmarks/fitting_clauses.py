"""The expected number of training clauses that fit the next request, by what a copier may change.

    python benchmarks/fitting_clauses.py [--documents 60000] [--seed 1]

A clause can be pasted as it stands where it shows the skill and bears the same context: owner,
thing, and what was last said of the thing. For a clause drawn like those of the corpus, the
expected number of others with its skill and context is the sum of n (n - 1) over that of n, n the
number of clauses of one skill and context. What skills read besides (a price, a feeling) is left
out, so the numbers are upper bounds. 'edited' lets the copier put in owner and thing.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator

from unparrot.core.skills import HeldOut
from unparrot.lab.corpus import Document, Mixture, Source
from unparrot.lab.world.english import World, plan
from unparrot.lab.world.lexicon import EPITHETS, NAMES

_EPITHETS = {word for words in EPITHETS.values() for word in words}


def clauses(document: Document) -> Iterator[tuple[str, str]]:
    """Each skill of each clause, and what the clause's noun bears."""
    situation, text = document.situation, " ".join(document.text.words)
    noun = re.compile(
        rf"(?:(\S+) )?(?:{NAMES[situation.owner]} 's|her|his) "
        rf"((?:(?!own |the )\S+ ){{0,3}}?){situation.thing}(?= |$)( from the \S+)?"
    )
    nouns = list(noun.finditer(text))
    units = plan(document.combination.skills)
    if len(nouns) != len(units):
        raise ValueError(f"{len(nouns)} noun phrases where {len(units)} are planned: {text}")
    for unit, match in zip(units, nouns, strict=True):
        fact = [word for word in match[2].split() if word not in _EPITHETS]
        borne = " ".join(fact) or match[3] or match[1]
        for skill in (*unit.operators, *unit.modifiers, unit.proposition):
            if skill:
                yield skill, borne


def main() -> None:
    """Print the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    mixture = Mixture()
    nothing = HeldOut(frozenset(), frozenset(), frozenset(), len(mixture.k_weights))
    source = Source(World(), nothing, mixture, options.seed)
    verbatim: defaultdict[str, Counter[Hashable]] = defaultdict(Counter)
    edited: defaultdict[str, Counter[Hashable]] = defaultdict(Counter)
    for i in range(options.documents):
        document = source.document(i)
        situation = document.situation
        for skill, borne in clauses(document):
            verbatim[skill][situation.owner, situation.thing, borne] += 1
            edited[skill][borne] += 1
    print(
        f"{options.documents} documents, seed {options.seed}; clauses that fit: mean, worst skill"
    )
    for name, counts in (("verbatim", verbatim), ("edited", edited)):
        fitting = {
            skill: (sum(n * (n - 1) for n in of.values()), of.total())
            for skill, of in counts.items()
        }
        mean = sum(pairs for pairs, _ in fitting.values()) / sum(n for _, n in fitting.values())
        worst = max(pairs / n for pairs, n in fitting.values())
        print(f"{name:9} {mean:.4g}, {worst:.4g}")


if __name__ == "__main__":
    main()
