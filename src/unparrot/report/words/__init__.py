"""Words for what a summary holds, shared by page and terminal.

In reading order:

    headline_words    - the question of a run, and its finding in a sentence
    certificate_words - the certificate: verdicts, tables of words, assumptions
    growth_words      - how k grows as the loss falls, and the theory's other laws
    comparison_words  - two models beside each other, k by k
    study_words       - a study: its finding, its settings, and two studies beside each other

Each sentence is fixed beforehand but for its figures and its verdict; which case it tells does not
depend on how well a model, or the theory, does there.
"""
