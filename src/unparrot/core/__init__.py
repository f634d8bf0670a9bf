"""The vocabulary of the package, which knows of no model, no world and no plot. In reading order:

    skills - skills, topics, their combinations, and the combinations that training must not show
    grades - marks and graded texts, from the grader to the table
    estimate - a number with its interval, and a curve of them against k
    tables - the schema of every Parquet table of a run
    ratings - a table of any ratings, CSV or Parquet, as the tables of a run
    records - the run folder: tables and JSON files, each written whole or not at all
    studies - the record of a study: its runs and their axes
    inputs - files that a user names: opened, decoded, read as rows of CSV or lines of strict JSON
    wording - one way to write a percentage, an interval, an amount, an absent value
    jit - compilation of numeric kernels
    progress - the time that long work takes
    machine - versions, cores and memory, for manifests
    errors - what the package raises on purpose
    cluster/ - tasks on the nodes of a Ray cluster

Import from the modules themselves or from the public list in `unparrot`.
"""
