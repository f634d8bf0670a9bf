"""How fast one core writes and grades texts of the world.

    python benchmarks/bench_world.py [--json] [--texts 20000]

Texts of k = 1..8 skills in equal shares, written as people write them, each for a request of its
own. The rates are those of the best of several rounds by processor time, as other work on the
machine can only slow a round down; the grader forgets the requests between rounds. `first` is the
first round, in which the grader compiles its patterns. `broken` are the same texts with one word
changed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from random import Random

from unparrot.lab.grader.exact import marks
from unparrot.lab.grader.reader import parse_about
from unparrot.lab.grader.rules import plan
from unparrot.lab.world.english import World

LARGEST_K = 8


def seconds(action: Callable[[], object]) -> float:
    """Processor time of one call."""
    began = time.process_time()
    action()
    return time.process_time() - began


def measure(n: int, rounds: int, seed: int) -> dict[str, float]:
    """Texts and tokens written a second, texts graded a second, and the share of full marks."""
    world, rng = World(), Random(seed)
    requests = [world.draw(rng, 1 + i % LARGEST_K) for i in range(n)]
    situations = [world.draw_situation(request.topic, rng.random) for request in requests]
    began = time.process_time()
    sampled = [
        world.sample(request, rng.random, situation)
        for request, situation in zip(requests, situations, strict=True)
    ]
    writing = time.process_time() - began
    tokens = sum(len(text.words) for text in sampled)
    abouts = [" ".join(situation.words) for situation in situations]
    texts = [text.pretty for text in sampled]
    broken: list[str] = []
    for text in sampled:
        words = list(text.words)
        words[rng.randrange(len(words))] = rng.choice(words)
        broken.append(" ".join(words))

    def grade(some: list[str]) -> list[bool]:
        plan.cache_clear()
        parse_about.cache_clear()
        return [
            all(marks(request, about, text).values())
            for request, about, text in zip(requests, abouts, some, strict=True)
        ]

    spent = [seconds(lambda: grade(texts)) for _ in range(rounds)]
    return {
        "texts": n,
        "tokens_a_text": tokens / n,
        "tokens_written_a_second": tokens / writing,
        "texts_written_a_second": n / writing,
        "texts_graded_a_second": n / min(spent),
        "texts_graded_a_second_first": n / spent[0],
        "broken_texts_graded_a_second": n
        / min(seconds(lambda: grade(broken)) for _ in range(rounds)),
        "full_marks": sum(grade(texts)) / n,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    figures = measure(args.texts, args.rounds, args.seed)
    if args.json:
        print(json.dumps(figures, indent=2))
        return
    print("one core")
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):32}{value:>14,.6g}")


if __name__ == "__main__":
    main()
