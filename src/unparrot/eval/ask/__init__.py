"""Asking for what a run lacks, in reading order.

run - a run from beginning to end: open models, ask, write the tables
schedule - who is asked when: students write, graders mark, each as fast as it may
asking - one conversation and one grading, by way of the journal
status - how far a run is, read beside it
cost_estimate - calls, tokens and dollars, before anything is paid
"""
