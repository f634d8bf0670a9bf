"""`unparrot rates`: how often a corpus shows each skill and topic. In reading order:

sampling - sample: draw windows, have them tagged, work out the rates
labelling - label and show: people check tags; the rates, put right by them
"""

from unparrot.cli.lazy import LazyGroup

RATES_COMMANDS = {
    "sample": ("sampling", "Draw windows of a corpus and have a model tag them."),
    "label": ("labelling", "Have people mark a blind sample of the windows."),
    "show": ("labelling", "Print the rates, corrected by people's labels."),
}

rates_group = LazyGroup(
    "rates",
    "unparrot.cli.rates",
    RATES_COMMANDS,
    help="""How often does a corpus show each skill and topic? For `unparrot certify --rates`.

\b
Examples:
  unparrot rates sample web/ --tagger openai/gpt-4o-mini -n 2000 --out rates/web --dry-run
  unparrot rates label rates/web --by ada
  unparrot certify runs/eval --rates rates/web --windows 5e10
""",
)
