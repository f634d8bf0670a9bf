"""How many skills will a model ten times the size combine? From a loss law to k, in a few lines.

The model of 7e9 parameters fails 1 % of its texts, each of which needs 32 skills. We ask for the
largest k at which nine tenths of all k-tuples of skills fail on at most a tenth of their texts.
"""

from unparrot.theory.law.loss_law import PRESETS
from unparrot.theory.slingshot import slingshot

for name, law in PRESETS.items():
    found = slingshot(law, 7e9, 1.4e11, 10, theta=0.01, k=32, alpha=0.1, failure=0.1)
    print(
        f"{name}: ten times the parameters and tokens divide the excess loss by {found.ratio:.4f}"
    )
    print(f"  theta {found.theta_now:.4f} -> {found.theta_later:.4f}")
    for reach in found.reach:
        print(
            f"  {reach.bound:9} k = {reach.joined_now} -> {reach.joined_later}"
            f"   (before rounding {reach.real_now or 0:.2f} -> {reach.real_later or 0:.2f})"
        )
