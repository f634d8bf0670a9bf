"""Studies: from the runs of a study to study-summary.json, its tables, and comparisons.

In reading order:

    study_models    - the models of all runs, each with its counts, and what is missing
    over_seeds      - figures over many runs, with jackknife intervals over seeds or trainings
    study_summary   - study-summary.json, typed: settings, slices, growth; and the long tables
    between_studies - two studies, matched by their axes
"""
