"""Performance curves: how badly all but an alpha share of the skills, or tuples, can fare.

performance - the bounds (sharp, entropic, classic) and luck
piece - the law of one text-piece, and the checks of shares and counts
inverse - the curves read backwards: the errors, or tuples, that a goal allows
"""
