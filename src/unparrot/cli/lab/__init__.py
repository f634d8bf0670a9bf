"""`unparrot demo` and `unparrot lab`, each command imported when used. In reading order:

demo - `unparrot demo`: the ladder, its test, and the page
figures - figures: full marks of the models of a run
study - study: plan, run, status and merge
study_report - study report and compare: what a study shows, and two of them side by side
"""

from unparrot.cli.lazy import LazyGroup

study_group = LazyGroup(
    "study",
    "unparrot.cli.lab",
    {
        "plan": ("study", "List the cells of a study, and what each will take."),
        "run": ("study", "Train and test the cells that are not done."),
        "status": ("study", "Say how far a study is, also while it goes on."),
        "merge": ("study", "Put parts together that were run apart."),
        "report": ("study_report", "Work out what a study shows, and write its page and tables."),
        "compare": ("study_report", "Compare two studies over the models that match."),
    },
    help="""Studies: runs of the lab that differ along stated axes.

\b
Example:
  unparrot lab study plan scale
  unparrot lab study run tiny --out runs/tiny
  unparrot lab study report runs/tiny
""",
)

lab_group = LazyGroup(
    "lab",
    "unparrot.cli",
    {
        "figures": (
            "lab.figures",
            "Print full marks of every model, k, split and decoding of a run.",
        ),
        "study": ("lab:study_group", "Studies: runs of the lab that differ along stated axes."),
    },
    help="""Read the figures of a run of the lab; `unparrot demo` makes one.

\b
Example:
  unparrot lab figures runs/demo --k 2
""",
)
