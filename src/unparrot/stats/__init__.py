"""Intervals and tests, each right for few texts, shares near 0 or 1, and texts in clusters.

intervals - Wilson's interval of a share; checks that all intervals share
clustered - a share whose trials come in clusters, such as rounds of a combination
limits - one-sided limits of a mean of unequal chances
bounded_mean - lower limits of the mean of differences between -1 and 1
cloglog - complementary log-log regression of counts, with profile intervals
bootstrap - resampling of whole clusters, for figures without a formula
mover - intervals of a mean, difference, ratio or product, from those of the parts
paired - two models on the same combinations: differences and an exact test
multiplicity - many comparisons at once: Holm, simultaneous differences, ranks
power - how many combinations a comparison needs
agreement - how far graders agree beyond chance
corrected - a share corrected by the labels of people
misclassified - a rate behind the marks of a judge whose errors labels tell
"""
