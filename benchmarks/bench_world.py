"""How fast one core writes and grades texts of the world.

    python benchmarks/bench_world.py [--json] [--texts 20000]

Texts of k = 1..6 skills in equal shares, written as people write them. The rates are those of the
best of several rounds over the same texts by processor time, as other work on the machine can only
slow a round down. `first` is the first round, in which the grader meets every form of clause for
the first time.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from random import Random

from unparrot.core.skills import SkillCombination
from unparrot.lab.grader.exact import full_marks, marks
from unparrot.lab.world.english import World, WorldSpec


def seconds(action: Callable[[], object]) -> float:
    """Processor time of one call."""
    began = time.process_time()
    action()
    return time.process_time() - began


def combinations(world: World, n: int, rng: Random) -> list[SkillCombination]:
    """`n` combinations, sizes 1 to 6 in turn; no two fields of one family together."""
    drawn: list[SkillCombination] = []
    while len(drawn) < n:
        skills = tuple(rng.sample(world.pack.skill_names, 1 + len(drawn) % 6))
        if len({name.partition(" of ")[0] for name in skills}) == len(skills):
            drawn.append(SkillCombination(rng.choice(world.pack.topic_names), skills))
    return drawn


def measure(world: World, n: int, rounds: int, seed: int) -> dict[str, float]:
    """Texts and tokens written a second, texts graded a second, and the share of full marks."""
    asked = combinations(world, n, Random(seed))
    rng = Random(seed)
    began = time.process_time()
    sampled = [world.sample(combination, rng.random) for combination in asked]
    writing = time.process_time() - began
    tokens = sum(len(text.words) for text in sampled)
    texts = [text.pretty for text in sampled]

    def grade() -> None:
        for combination, text in zip(asked, texts, strict=True):
            marks(combination, text)

    spent = [seconds(grade) for _ in range(rounds)]
    sound = sum(full_marks(marks(c, text)) for c, text in zip(asked, texts, strict=True))
    return {
        "texts": n,
        "tokens_a_text": tokens / n,
        "tokens_written_a_second": tokens / writing,
        "texts_written_a_second": n / writing,
        "texts_graded_a_second": n / min(spent),
        "texts_graded_a_second_first": n / spent[0],
        "full_marks": sound / n,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    figures = {
        name: measure(World(WorldSpec(fields=fields)), args.texts, args.rounds, args.seed)
        for name, fields in (("standard", False), ("large", True))
    }
    if args.json:
        print(json.dumps(figures, indent=2))
        return
    print(f"{'one core':32}" + "".join(f"{name:>14}" for name in figures))
    for figure in figures["standard"]:
        values = "".join(f"{world[figure]:>14,.6g}" for world in figures.values())
        print(f"{figure.replace('_', ' '):32}{values}")


if __name__ == "__main__":
    main()
