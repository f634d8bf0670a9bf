"""What training never shows: draw held-out combinations, and see what is new in one request.

Of a pack of five skills 30 % of the pairs, 10 % of the triples and 20 % of the cells of a topic and
a skill are kept out of training. The last line is what a score is worth: a share with its interval.
"""

import numpy as np

from unparrot import HeldOut, Skill, SkillCombination, SkillPack, Topic, wilson

names = ("irony", "metaphor", "modus ponens", "false belief", "red herring")
skills = tuple(Skill(name, "rhetorical", definition="", example="") for name in names)
pack = SkillPack("five", "1", skills, topics=(Topic("sewing"), Topic("fishing")))

rng = np.random.default_rng(seed=1)
held_out = HeldOut.draw(pack, rng, pair_share=0.3, triple_share=0.1, cell_share=0.1, max_k=4)
request = SkillCombination("sewing", ("metaphor", "red herring", "irony"))
print(held_out.novelty(request))  # what of it training never showed
print(wilson(successes=74, n=200))  # full marks on 74 of 200 texts, with a 95 % interval
