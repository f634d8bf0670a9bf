"""`unparrot demo` and `unparrot lab`, each command imported when used. In reading order:

demo - `unparrot demo`: the ladder, its test, and the page
figures - figures: full marks of the models of a run
"""

from unparrot.cli.lazy import LazyGroup

lab_group = LazyGroup(
    "lab",
    "unparrot.cli.lab",
    {
        "figures": ("figures", "Print full marks of every model, k, split and decoding of a run."),
    },
    help="""Read the figures of a run of the lab; `unparrot demo` makes one.

\b
Example:
  unparrot lab figures runs/demo --k 2
""",
)
