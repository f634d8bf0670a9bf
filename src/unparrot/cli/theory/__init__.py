"""`unparrot theory`: from loss to errors to competence, one command for each part of the theory.

law_commands - `law`, `fit`, `slingshot`
bound_commands - `curve`, `novelty`
threshold_commands - `threshold gnp`, `threshold skills`
graph_commands - `graph`
graph_result - what `graph` prints and draws
peel_commands - `peel`
"""

from unparrot.cli.lazy import LazyGroup

theory = LazyGroup(
    "theory",
    "unparrot.cli.theory",
    {
        "law": ("law_commands", "Loss, excess and the compute-optimal split."),
        "fit": ("law_commands", "Fit the loss law to a table of training runs."),
        "curve": ("bound_commands", "Worst failure of all but a share of the k-tuples of skills."),
        "slingshot": ("law_commands", "How many skills a scaled-up model can combine."),
        "threshold": ("threshold_commands", "Random-graph thresholds, in formula and simulation."),
        "graph": ("graph_commands", "Stream a skill graph of any size and measure its curve."),
        "peel": ("peel_commands", "Learning as peeling: skills learned against data."),
        "novelty": ("bound_commands", "The parrot bound: how much a corpus can have shown."),
    },
    help="""From loss to errors to competence: the theory as a calculator and a simulator.

Every command prints a table; --json prints the same figures for programs, and --plot FILE draws
them (.svg, .png or .pdf).

\b
Example:
  unparrot theory curve --theta 0.05 --k 8 --tuple 2 --alpha 0.1
""",
)
