"""An exact grader: draw a text of the world, break it, and see which marks it loses.

The break is one pronoun: "she" where the text says "he", or the other way round.
"""

from random import Random

from unparrot import SkillCombination
from unparrot.lab.grader.exact import marks, read
from unparrot.lab.world.english import World

request = SkillCombination("chess", ("false belief", "simile", "arithmetic"))
text = World().sample(request, Random(3).random).pretty
print(text)
print(marks(request, text))

she, he = (" she ", " he ") if " she " in text else (" he ", " she ")
broken = text.replace(she, he, 1)
print(broken)
print(marks(request, broken), read(broken).faults)
