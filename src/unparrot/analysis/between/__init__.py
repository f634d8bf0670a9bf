"""Models beside each other. In reading order:

compare     - two models over the same combinations, and all pairs of a run
leaderboard - models in order, with the ranks they may have
plan        - what a comparison costs before any of it is spent
"""
