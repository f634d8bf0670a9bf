"""Published SKILL-MIX records, read as they are: `unparrot eval import DIR --out runs/ref`.

    layout.py     the folders and CSV files of the published code
    replies.py    the marks in a grader's reply, read strictly
    copies.py     grading rounds that repeat an earlier one word for word
    found.py      what an import saw, and how it is told
    voting.py     records -> GradedText, and the marks grader by grader
    run.py        the run folder
    published.py  what the published aggregator makes of the same files (``--compat``)

References
----------
Yu et al. (2023), "Skill-Mix: a Flexible and Expandable Family of Evaluations for AI Models"; code
and records at github.com/LeoYu/skill-mix.
"""
