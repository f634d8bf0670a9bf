"""What each skill means: sentence patterns, and the conditions under which they show it.

A rule names a family, a pattern of the `grammar` notation, the slot whose word tells the field (in
worlds with one skill a field), and a condition over the bound words (see `conditions`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from unparrot.lab.grader.conditions import Rule
from unparrot.lab.grader.reasoning import REASONING
from unparrot.lab.grader.speech import SPEECH

RULES: Final[tuple[Rule, ...]] = (*REASONING, *SPEECH)

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
"""Sound English that shows no skill by itself: a premise, a conclusion."""
