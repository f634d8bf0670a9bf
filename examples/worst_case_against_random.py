"""How badly the worst tenth of the skills can fail: failures placed by luck and by malice.

A model fails 5 % of ten million texts that need 8 of 500 skills each. Placed at random, the
failures hurt all skills alike. An adversary who chooses the texts brings the worst tenth to three
and a half times that rate, and by the sharp bound nobody can do worse.
"""

from unparrot.theory.curve.performance import classic, sharp
from unparrot.theory.graph.error_models import Clique, RandomErrors, WorstCase
from unparrot.theory.graph.graph_spec import GraphSpec
from unparrot.theory.graph.simulate import simulate

THETA, ALPHA, K = 0.05, 0.1, 8
graph = GraphSpec(skills=500, pieces=10_000_000, degree=K, seed=1)
worst_tenth = tuple(range(round(ALPHA * graph.skills)))

luck = simulate(graph, RandomErrors(THETA))
malice = simulate(graph, WorstCase(THETA, Clique(worst_tenth, 1)))
assert malice.chosen is not None

by_luck = luck.failed[: len(worst_tenth)].sum() / luck.degree[: len(worst_tenth)].sum()
print(f"{luck.edges:,} edges, theta = {THETA}, the worst {ALPHA:.0%} of {graph.skills} skills")
print(f"by luck     {by_luck:.4f}   (theory: {THETA})")
print(
    f"by malice   {malice.chosen.failure:.4f}   (sharp bound: {float(sharp(THETA, ALPHA, K)):.4f})"
)
print(f"as published, at most {float(classic(THETA, ALPHA, K)):.4f}")
