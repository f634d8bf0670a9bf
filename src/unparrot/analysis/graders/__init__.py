"""Graders as instruments. In reading order:

rater_agreement - agreement between graders and rounds, and bias for the own family
grader_errors   - graders beside the truth, and full marks put right by it
unscored        - marks that nobody could give, and how rounds came to verdicts
measure         - all of it, for `unparrot graders` and, in brief, for a summary
"""
