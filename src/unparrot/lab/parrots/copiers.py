"""Three copiers: they put texts together from stretches of training texts, with search.

Clause after clause, a copier chooses frames, a core and remarks (`unparrot.lab.parrots.grammar`),
those first that training has most often, such that every value known from before is repeated where
it has to be; and it goes back where it finds no way on.
"""

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import ClassVar, Final, NamedTuple

from unparrot.core.skills import SkillCombination
from unparrot.lab.corpus import Example
from unparrot.lab.parrots.grammar import Grammar, State
from unparrot.lab.parrots.infinigram import SuffixArray
from unparrot.lab.parrots.naming import NAMED, SEAM, Subject

# most clauses that are tried for one text, and ways on from one clause: clauses with the same
# outcome count once
CLAUSES_TRIED: Final = 20
WAYS_ON: Final = 20
# most beginnings and clauses that are looked at for one text, whether they can be copied or not
LOOKED_AT: Final = 400
# beginnings of a frame that are tried
BEFORES: Final = 4
# Words that two stretches share where they are joined without a seam
OVERLAP: Final = 2


class Written(NamedTuple):
    """A clause: its words, what is known after it, and the subject as known then."""

    words: list[str]
    state: State
    subject: Subject


# Copiers that have read the same learn the same of it
learnt = lru_cache(maxsize=1)(Grammar)


class CopyAndEdit:
    """Copies stretches of training texts, changing names, pronouns, things and values.

    It puts clauses behind one another, frames around them and remarks into them, with people and
    thing of the prompt in place of those of the training text. Where no stretch has the values that
    hold, it puts them into one that has others.

    Parameters
    ----------
    examples
        What it has read.
    tried
        Most clauses that are tried for one text.
    """

    rule: ClassVar[str] = (
        "pastes and nests stretches of training texts, exchanging names, pronouns, things, facts "
        "and values by what it learnt of them"
    )
    verbatim: ClassVar[bool] = False
    edits: ClassVar[bool] = True

    def __init__(self, examples: Sequence[Example], tried: int = CLAUSES_TRIED) -> None:
        self._grammar: Final = learnt(tuple(examples))
        self._tried: Final = tried
        self._looks = 0
        self._known = lru_cache(1 << 16)(self.copied)

    def copied(self, words: tuple[str, ...]) -> bool:
        """May these words, which stand between two seams, be written?"""
        return True

    def write(self, combination: SkillCombination, about: str) -> str:
        """See `Parrot.write`; what it cannot find stretches for it leaves away."""
        grammar = self._grammar
        subject = grammar.naming.subject(about)
        known = [skill for skill in combination.skills if skill in grammar.kinds]
        if subject is None or not known:
            return ""
        state: State = {}
        grammar.update(state, [subject.fact])
        runs = list(grammar.runs(known))
        best: list[list[str]] = []
        left = self._tried
        self._looks = LOOKED_AT

        def extend(done: list[list[str]], state: State, subject: Subject) -> bool:
            nonlocal best, left
            if len(done) > len(best):
                best = done
            if len(done) == len(runs):
                return True
            outcomes: set[tuple[object, ...]] = set()
            for way in self._clauses(runs[len(done)], state, subject):
                outcome = (*sorted(way.state.items()), way.subject)
                if outcome in outcomes:
                    continue
                outcomes.add(outcome)
                left -= 1
                if extend([*done, way.words], way.state, way.subject):
                    return True
                if left <= 0 or len(outcomes) >= WAYS_ON:
                    break
            return False

        extend([], state, subject)
        return " ".join(self._joined(best, max(1, combination.k - 1)))

    def _joined(self, clauses: list[list[str]], most: int) -> Iterator[str]:
        """Sentences of one clause each, unless there are too many for ``most``."""
        extra = len(clauses) - most
        for i, words in enumerate(clauses, 1):
            yield from words
            if words[-1] == "?":
                continue
            if i < len(clauses) and extra > 0 and self._grammar.link:
                yield self._grammar.link
                extra -= 1
            else:
                yield "."

    def _clauses(self, run: Sequence[str], state: State, subject: Subject) -> Iterator[Written]:
        """Clauses that show a run of skills, best first."""
        grammar = self._grammar
        core = next((skill for skill in run if grammar.kinds[skill] == "core"), None)
        remarks = [(s, "") for s in run if grammar.kinds[s] == "remark" and s != grammar.epithet]
        epithets: list[str | None] = [None]
        if grammar.epithet in run:
            epithets = [*grammar.naming.epithets[subject.owner[0]]]
        allowed: dict[str, list[str | None]] = {}
        for frames in self._nests(grammar.nest(run), (), subject):
            front = "".join(f"{before} {SEAM} " for _, before in frames)
            form = grammar.form(frames[-1][1] if frames else "")
            for added, remarked in self._chain(remarks, state):
                if self._looks <= 0:
                    return
                fitting = grammar.fitting(core, form, remarked, self.edits)
                for head, stretches in fitting.items():
                    opening = f"{front}{head} {NAMED}"
                    if opening not in allowed:
                        allowed[opening] = [e for e in epithets if self._may(opening, subject, e)]
                    self._looks -= 1
                    for stretch in stretches if allowed[opening] else ():
                        known = dict(remarked)
                        grammar.update(known, stretch.values)
                        for ends, new in self._chain(frames[::-1], known):
                            rest = f" {SEAM} ".join((stretch.words[1], *ends)).strip(f"{SEAM} ")
                            comma = "," if added and _is_word(rest) else ""
                            plain = f"{f' {SEAM} '.join((opening, *added))} {comma} {rest}"
                            self._looks -= 1
                            for epithet in allowed[opening]:
                                if self._may(plain, subject, epithet):
                                    yield self._written(plain, new, subject, epithet)
                                    break
                            if self._looks <= 0:
                                return

    def _written(self, plain: str, state: State, subject: Subject, epithet: str | None) -> Written:
        grammar = self._grammar
        words = [w for w in grammar.naming.realize(plain, subject, epithet) if w != SEAM]
        fact = next((w for w in reversed(plain.split()) if w in grammar.types), subject.fact)
        shape = grammar.shapes.get(fact, subject.shape)
        return Written(words, state, subject._replace(fact=fact, shape=shape))

    def _may(self, plain: str, subject: Subject, epithet: str | None) -> bool:
        """May this be written, between all seams and punctuation marks?"""
        if self.edits:
            return True
        pieces: list[list[str]] = [[]]
        for word in self._grammar.naming.realize(plain, subject, epithet):
            if word == SEAM or not _is_word(word):
                pieces.append([])
            else:
                pieces[-1].append(word)
        return all(self._known(tuple(piece)) for piece in pieces if piece)

    def _nests(
        self, skills: Sequence[str], outer: tuple[tuple[str, str], ...], subject: Subject
    ) -> Iterator[tuple[tuple[str, str], ...]]:
        """Frames inside one another: skills, and the words before what they frame."""
        if not skills:
            yield outer
            return
        befores = self._grammar.frames(skills[0], outer[-1][1] if outer else "")
        for before in befores[:BEFORES]:
            frames = (*outer, (skills[0], before))
            if self._may(f" {SEAM} ".join(words for _, words in frames), subject, None):
                yield from self._nests(skills[1:], frames, subject)

    def _chain(
        self, places: Sequence[tuple[str, str]], state: State
    ) -> Iterator[tuple[list[str], State]]:
        """Words for one skill and place after another, and what is known after them."""
        if not places:
            yield [], state
            return
        fitting = self._grammar.fitting(*places[0], state, self.edits)
        for stretch in fitting.get("", ()):
            known = dict(state)
            self._grammar.update(known, stretch.values)
            for words, last in self._chain(places[1:], known):
                yield [stretch.words[1], *words], last


class ClauseCopier(CopyAndEdit):
    """Pastes stretches of training texts, changing no word, cut where the corpus shows seams.

    Seams are punctuation, links between clauses, and the edges of frames (``ann told ben that``).
    What stands between two seams stands in a training text just so.
    """

    rule: ClassVar[str] = (
        "pastes stretches of training texts, unchanged, cut at punctuation, links and frames"
    )
    verbatim: ClassVar[bool] = True
    edits: ClassVar[bool] = False

    def __init__(self, examples: Sequence[Example], tried: int = CLAUSES_TRIED) -> None:
        super().__init__(examples, tried)
        self._whole: Final = SuffixArray(example.text.split() for example in examples)

    def copied(self, words: tuple[str, ...]) -> bool:
        """Do these words stand in a training text just so?"""
        return self._whole.longest(words)[1] == len(words)


class Weaver(CopyAndEdit):
    """Weaves texts of stretches as short as three words: one goes over into another where both have
    the same `OVERLAP` words.

    Every three words in a row, between two seams, stand in a training text just so; no clause has
    to.
    """

    rule: ClassVar[str] = (
        "pastes stretches of training texts as short as three words, each sharing two with the next"
    )
    verbatim: ClassVar[bool] = False
    edits: ClassVar[bool] = False

    def __init__(self, examples: Sequence[Example], tried: int = CLAUSES_TRIED) -> None:
        super().__init__(examples, tried)
        texts = [example.text.split() for example in examples]
        self._windows = {
            window
            for words in texts
            for n in range(OVERLAP + 1)
            for window in zip(*(words[i:] for i in range(n + 1)), strict=False)
        }

    def copied(self, words: tuple[str, ...]) -> bool:
        """Are these words made of stretches of training texts?"""
        n = min(OVERLAP + 1, len(words))
        return all(words[i : i + n] in self._windows for i in range(len(words) - n + 1))


@cache
def _is_word(word: str) -> bool:
    return word[:1].isalnum() or word == "'s"
