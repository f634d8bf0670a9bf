"""Skills learned all at once: the share of skills known against the amount of data.

A text teaches a skill if that skill is the only one in it that is not known yet. One text in twenty
needs a single skill, the others four. For a long time next to nothing is learned; then a few more
texts teach nearly everything. Each row shows theory (the bar) and a simulation (the star).
"""

import numpy as np

from unparrot.theory.graph.graph_spec import GraphSpec
from unparrot.theory.peeling import density_evolution, peel_threshold, simulate_peeling

SKILLS, WIDTH = 50_000, 50
spec = GraphSpec(skills=SKILLS, pieces=4 * SKILLS, degree=(0, 0.05, 0, 0, 0.95), seed=3)
sizes = np.linspace(0.4, 4, 10)  # texts for every skill
learned, _ = simulate_peeling(spec, [round(size * SKILLS) for size in sizes])
theory = 1 - density_evolution(spec, spec.mean_degree * sizes)

print("texts a skill, share of the skills known")
for size, expected, simulated in zip(sizes, theory, learned / SKILLS, strict=True):
    row = list("#" * round(WIDTH * expected) + " " * (WIDTH + 1))
    row[round(WIDTH * simulated)] = "*"
    print(f"{size:6.2f}  {simulated:6.1%}  |{''.join(row).rstrip()}")
print(peel_threshold(spec).describe())
