"""Sections of the page of a study. In reading order:

shown  - a study as its page shows it: the colour and the sign of each setting
growth - k50 against excess loss over all models: the figure of the first screen
axes   - k50 against each axis
shares - full marks against k, held-out pairs, texts longer than any of training
tables - slices, settings, and what the study is made of
"""
