"""A study: a grid of runs, from its file to the records. In reading order:

spec - the file: axes, settings, what is measured
work - the cells of a run, and the jobs that do them
tables - the records of a run
pocket - the pocket edition of a run: models and words for its page
studies - the folder of a study: run, watched, merged
on_ray - cells as tasks of a Ray cluster
plan - what it will cost, before anything starts
"""
