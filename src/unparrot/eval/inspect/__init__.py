"""Inspect, in reading order; importing this needs the extra ``eval``.

inspect_task - SKILL-MIX as a task: combinations, solver, scorer, the score of a text
inspect_log - a run written as logs that Inspect opens
"""
