"""The theory of skill emergence as software: from loss to errors, and on to skills combined.

law - the loss law: loss, excess, compute-optimal split, fit to training runs
curve - performance curves: bounds on the failures of all but a share of the skills
slingshot - from a larger scale to more skills combined
novelty - the parrot bound: how many combinations a corpus can have shown
threshold - thresholds of random graphs and of skill graphs, in formula
gnp - random graphs, simulated
peeling - learning as peeling, simulated and in the limit
graph - skill graphs of any size: draw, fail, count, measure
checks - shares and whole numbers from outside
roots - where monotone functions cross a level
"""
