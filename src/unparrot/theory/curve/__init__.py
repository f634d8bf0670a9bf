"""Performance curves: how badly all but an alpha share of the skills, or tuples, can fare.

performance - the bounds (sharp, entropic, classic) and luck
piece - the law of one text-piece, and the checks of shares and counts
finite - what a finite graph adds to the bounds
inverse - the curves read backwards: the errors, or tuples, that a goal allows
"""
