"""Models at the other end of the wire, in reading order.

models - opening a model, one call, its failures by kind, a grader's message
prices - what calls cost, and a budget that is never exceeded
redaction - keys struck out of all that is written
"""
