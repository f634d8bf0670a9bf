"""Models at the other end of the wire, in reading order.

models - opening a model, one call, its failures by kind
messages - the settings of a call and a grader's message, for Inspect
prices - a dated table of prices, and a budget that is never exceeded
redaction - keys struck out of all that is written
"""
