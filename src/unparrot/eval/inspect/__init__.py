"""Inspect, in reading order; importing this needs the extra ``eval``.

inspect_task - SKILL-MIX as a task: combinations, solver, scorer
inspect_scoring - the score of a text and the figures of a log, as Inspect has them
inspect_log - a run written as logs that Inspect opens
"""
