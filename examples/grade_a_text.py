"""Ask the world for a text, break it, and see which marks it loses.

Run: python examples/grade_a_text.py
"""

from random import Random

from unparrot import SkillCombination
from unparrot.lab.grader.exact import marks, read
from unparrot.lab.world.english import World

asked = SkillCombination("chess", ("false belief", "simile", "arithmetic"))
text = World().sample(asked, Random(3).random).pretty
print(text)
print(marks(asked, text))

she, he = (" she ", " he ") if " she " in text else (" he ", " she ")
broken = text.replace(she, he, 1)
print(broken)
print(marks(asked, broken), read(broken).faults)
