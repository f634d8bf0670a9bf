"""How many skills a model ten times the size will combine: from a loss law to k.

The model of 7e9 parameters fails 1 % of its texts, each of which needs 32 skills. We ask for the
largest k at which nine tenths of all k-tuples of skills fail on at most a tenth of their texts.
"""

from unparrot.theory.law.loss_law import PRESETS
from unparrot.theory.slingshot import slingshot

for name, law in PRESETS.items():
    prediction = slingshot(law, 7e9, 1.4e11, 10, theta=0.01, k=32, alpha=0.1, failure=0.1)
    print(f"{name}: at ten times the scale the excess loss is 1/{prediction.ratio:.4f} of itself")
    print(f"  theta {prediction.theta_now:.4f} -> {prediction.theta_later:.4f}")
    for reach in prediction.reach:
        print(
            f"  {reach.bound:9} k = {reach.joined_now} -> {reach.joined_later}"
            f"   (before rounding {reach.real_now or 0:.2f} -> {reach.real_later or 0:.2f})"
        )
