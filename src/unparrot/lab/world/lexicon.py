"""The facts of the micro-English world: who there is, what things are like, what follows from what.

Both the generator (`unparrot.lab.world`) and the grader (`unparrot.lab.grader`) read these tables,
as two people share a dictionary. Neither reads the other's grammar. Try ``unparrot world list``.

Every table is a tuple of rows, every row a mapping from a form to a word (or a few words). A word
belongs to one class only; `tests/lab/test_lexicon.py` holds that.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

Row = Mapping[str, str]
Table = tuple[Row, ...]


def _table(forms: str, rows: str) -> Table:
    """Rows are separated by ';', forms by '|'."""
    names = forms.split("|")
    table: list[Row] = []
    for line in rows.split(";"):
        words = [w.strip() for w in line.split("|")]
        if len(words) != len(names):
            raise ValueError(f"row {line!r} has {len(words)} forms, expected {len(names)}: {forms}")
        table.append(MappingProxyType(dict(zip(names, words, strict=True))))
    return tuple(table)


FEMALE: Final = ("mary", "anna", "ruth", "clara", "ella", "nora", "iris", "jane")
MALE: Final = ("john", "paul", "mark", "peter", "hugo", "simon", "oscar", "david")
NAMES: Final = tuple(name for pair in zip(FEMALE, MALE, strict=True) for name in pair)
"""Even index: a woman; odd index: a man."""

TOPICS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "sewing": ("needle", "thread", "thimble", "button", "ribbon"),
        "fishing": ("rod", "reel", "hook", "net", "lure"),
        "baking": ("dough", "oven", "loaf", "tray", "whisk"),
        "gardening": ("spade", "rake", "seed", "hose", "shrub"),
        "beekeeping": ("hive", "smoker", "veil", "comb", "honey"),
        "dueling": ("sabre", "pistol", "glove", "cloak", "shield"),
        "chess": ("pawn", "rook", "bishop", "knight", "queen"),
        "sailing": ("mast", "sail", "rudder", "compass", "tiller"),
        "archery": ("bow", "arrow", "quiver", "target", "bracer"),
        "pottery": ("kiln", "wheel", "vase", "glaze", "urn"),
        "carpentry": ("saw", "plank", "chisel", "hammer", "bench"),
        "painting": ("brush", "canvas", "easel", "palette", "frame"),
        "astronomy": ("telescope", "lens", "planet", "comet", "atlas"),
        "juggling": ("ball", "baton", "torch", "hoop", "ring"),
        "climbing": ("rope", "helmet", "ladder", "boot", "harness"),
        "printing": ("press", "ink", "page", "stamp", "roller"),
        "brewing": ("kettle", "cask", "mug", "funnel", "yeast"),
        "falconry": ("falcon", "perch", "hood", "lanyard", "bell"),
        "weaving": ("loom", "shuttle", "carpet", "tapestry", "spindle"),
        "cycling": ("bicycle", "pedal", "saddle", "chain", "pump"),
    }
)

# Two rows make a dimension: row i and row i ^ 1 are opposites.
QUALITY: Final = _table(
    "adj|more|anti|dimension",
    "old|older|new|age; new|newer|old|age; heavy|heavier|light|weight; light|lighter|heavy|weight;"
    "clean|cleaner|dirty|cleanness; dirty|dirtier|clean|cleanness; wet|wetter|dry|wetness;"
    "dry|drier|wet|wetness; sharp|sharper|blunt|edge; blunt|blunter|sharp|edge;"
    "hot|hotter|cold|heat; cold|colder|hot|heat; cheap|cheaper|costly|price;"
    "costly|costlier|cheap|price; strong|stronger|weak|strength; weak|weaker|strong|strength;"
    "smooth|smoother|rough|surface; rough|rougher|smooth|surface; bright|brighter|dull|shine;"
    "dull|duller|bright|shine; large|larger|small|size; small|smaller|large|size;"
    "hard|harder|soft|hardness; soft|softer|hard|hardness",
)
CONTAINER: Final = _table("place", "box;basket;drawer;chest;sack;jar;crate;bucket;trunk;cupboard")
ROOM: Final = _table("room", "kitchen;cellar;attic;barn;hall;yard;shed;tower")
NUMBER: Final = _table("num", "zero;one;two;three;four;five;six;seven;eight;nine;ten;eleven;twelve")
"""Row i is the number i."""
DAY: Final = _table("day", "monday;tuesday;wednesday;thursday;friday;saturday;sunday")
CAUSE: Final = _table(
    "cause|state",
    "rain|wet;sun|dry;frost|cold;fire|hot;dust|dirty;soap|clean;rust|weak;oil|smooth;"
    "sand|rough;grindstone|sharp;polish|bright;smoke|dull",
)
EVENT: Final = _table(
    "past|emotion",
    "lost|sad;won|glad;broke|sorry;stole|guilty;saved|relieved;forgot|ashamed;"
    "ruined|angry;repaired|content",
)
ANIMAL: Final = _table(
    "animal|trait",
    "lion|brave;fox|clever;mule|stubborn;snail|slow;mouse|shy;bee|busy;owl|wise;"
    "peacock|proud;lamb|gentle;wolf|greedy;hare|quick;ox|patient",
)
MATERIAL: Final = _table(
    "stuff|fate",
    "iron|sink in water;lead|sink in water;brass|sink in water;cork|float on water;"
    "pine|float on water;straw|burn in flames;paper|burn in flames;glass|break on stone;"
    "china|break on stone;wax|melt in sunshine;butter|melt in sunshine;rubber|bounce on stone",
)
SIMILE: Final = _table(
    "adj|vehicle",
    "old|the hills;heavy|an anchor;light|a feather;clean|fresh snow;dirty|a pig;wet|morning dew;"
    "dry|a bone;sharp|a razor;hot|a coal;cold|ice;strong|an oak;smooth|a pebble;rough|bark;"
    "bright|a star;dull|mud;hard|flint;soft|silk;small|an ant;large|a whale;new|a newborn",
)
DIRECTION: Final = _table(
    "way|back",
    "above|below;below|above;behind|before;before|behind;north of|south of;south of|north of;"
    "east of|west of;west of|east of",
)
USE: Final = _table("does|do", "uses|use;holds|hold;rents|rent;carries|carry;guards|guard")
CREDIT: Final = _table("credit", "talent;skill;effort;wit;courage")
BLAME: Final = _table("blame", "weather;wind;noise;darkness;crowd")
OPPOSITES: Final = _table(
    "bad|good",
    "burden|treasure;curse|blessing;toy|tool;riddle|answer;foe|friend;loss|gain",
)
HUMAN: Final = _table("act", "weeps;hums;dreams;laughs;whispers;sulks;prays;sings")
MANNER: Final = _table("manner", "softly;sadly;gladly;quietly")
HUGE: Final = _table("huge", "thousand;million;billion;trillion")
ASIDE: Final = _table("aside", "moon;supper;news;dance;holidays;harvest;neighbours;ghosts")
SCALE: Final = _table(
    "some|every",
    "sometimes|always;possibly|certainly;partly|wholly;fairly|extremely;nearly|completely",
)
REQUEST: Final = _table(
    "need|deed",
    "dirty|cleans;wet|dries;blunt|sharpens;cold|warms;hot|cools;weak|strengthens;"
    "rough|smooths;dull|brightens",
)
LOOK: Final = _table("look", "admires;studies;watches;misses;draws")
EPITHET: Final = _table(
    "one|two",
    "broad|brown;curious|crooked;dark|dainty;fine|famous;grand|green;handy|humble;long|little;"
    "mighty|modest;neat|noble;plain|pretty;round|rare;simple|silver;tiny|tidy;wide|white",
)

TABLES: Final[Mapping[str, Table]] = MappingProxyType(
    {
        "quality": QUALITY,
        "container": CONTAINER,
        "room": ROOM,
        "number": NUMBER,
        "day": DAY,
        "cause": CAUSE,
        "event": EVENT,
        "animal": ANIMAL,
        "material": MATERIAL,
        "simile": SIMILE,
        "direction": DIRECTION,
        "use": USE,
        "credit": CREDIT,
        "blame": BLAME,
        "opposites": OPPOSITES,
        "human": HUMAN,
        "manner": MANNER,
        "huge": HUGE,
        "aside": ASIDE,
        "scale": SCALE,
        "request": REQUEST,
        "look": LOOK,
        "epithet": EPITHET,
    }
)


def article(word: str) -> str:
    """'a' or 'an', by the first letter, which is right for every noun of this world."""
    return "an" if word[0] in "aeiou" else "a"


def words(table: Table, *forms: str) -> tuple[str, ...]:
    """The words of the named forms, row by row; several words in a cell are given one by one."""
    return tuple(word for row in table for form in forms for word in row[form].split())
