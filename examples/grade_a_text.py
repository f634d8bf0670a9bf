"""An exact grader: draw a text of the world, break it, and see which marks it loses.

The break is one pronoun: "his" where the text says "her", or the other way round.
"""

from random import Random

from unparrot import SkillCombination
from unparrot.lab.grader.exact import marks, read
from unparrot.lab.world.english import World

request = SkillCombination("chess", ("false belief", "simile", "arithmetic"))
world = World()
about = world.about(request)
text = world.sample(request, Random(3).random).pretty
print(world.prompt(request))
print(text)
print(marks(request, about, text))

her, his = (" her ", " his ") if " her " in text else (" his ", " her ")
broken = text.replace(her, his, 1)
print(broken)
print(*read(request, about, broken))
