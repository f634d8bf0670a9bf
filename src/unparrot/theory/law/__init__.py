"""The loss law L(N, D) = E + A N^-alpha + B D^-beta and its fit.

loss_law - the law: loss, excess, slopes, compute-optimal split, published constants
runs - training runs from a CSV file
fit - the constants of training runs, with bootstrap intervals
identify - whether runs can fix the constants
lawspace - the law for many points at once, and the descent of a fit
power_law - fits above a known floor: of one variable, of a sum of terms, of their product
"""
