"""`unparrot packs`: packs of skills and topics. In reading order:

looking - list, show, check, draw
drafting - draft: a pack out of a set of texts, by a model
"""

from unparrot.cli.lazy import LazyGroup

PACKS_COMMANDS = {
    "list": ("looking:list_command", "List the packs that come with unparrot."),
    "show": ("looking", "Print the skills and the topics of a pack."),
    "check": ("looking", "Look for every fault of a pack file."),
    "draw": ("looking", "Draw combinations of skills and a topic."),
    "draft": ("drafting:draft_command", "Have a model draft a pack from texts or tasks."),
}

packs_group = LazyGroup(
    "packs",
    "unparrot.cli.packs",
    PACKS_COMMANDS,
    help="""Packs of skills and topics that models are tested with.

\b
Example:
  unparrot packs check my.pack.yaml
  unparrot packs draft --from tasks.jsonl --model openai/gpt-4o --dry-run
""",
)
