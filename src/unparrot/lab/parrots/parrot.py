"""A `Parrot`: what writes texts having seen examples, the prompt that it continues, its files."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final, Protocol

from unparrot.core.skills import SkillCombination
from unparrot.lab.corpus import Example

BOS: Final = "<bos>"
EOS: Final = "<eos>"
# No text of a parrot that writes word by word is longer
MAX_TOKENS: Final = 320


class Parrot(Protocol):
    """What writes texts for a combination, having seen examples.

    ``rule`` says in a sentence what it may do; ``verbatim`` whether it copies whole stretches
    between the seams of a text, and changes no word of them.
    """

    rule: ClassVar[str]
    verbatim: ClassVar[bool]

    def __init__(self, examples: Sequence[Example]) -> None:
        """Learn from one example or more."""
        ...

    def write(self, combination: SkillCombination, about: str) -> str:
        """Return words joined by single spaces, without prompt and <eos>: the likeliest text."""
        ...


def prompt_words(combination: SkillCombination, about: str) -> list[str]:
    """The words of the prompt, which are also the first words of a document.

    >>> " ".join(prompt_words(SkillCombination("tea", ("irony", "pun")), "a cup"))
    'topic: tea about: a cup skills: irony , pun text:'
    """
    skills = " , ".join(combination.skills)
    return f"topic: {combination.topic} about: {about} skills: {skills} text:".split()


def parrot_file(data: Path, name: str, suffix: str) -> Path:
    """A file about the parrot of that name, which has read the corpus in a folder of data."""
    return data / "parrots" / f"{name.replace(' ', '-')}{suffix}"
