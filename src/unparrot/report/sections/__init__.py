"""Sections of pages: words, figures as data, and the tables behind them. In reading order:

growth          - k50 against excess loss: the headline of a run of the lab
against_k       - lines against k; full marks of a run of the lab, split by split
scale           - smooth metric, loss over the floor and cloze test, by model size
ability         - full marks of language models, best of several tries, mark by mark
differences     - models of a run against each other, over the same combinations
certificate     - what is certified of every model, and on what terms
composition_gap - full marks beside what single skills would give by chance
theory          - where failures lie, and mistakes against excess loss
skill_by_skill  - single skills: heat maps and strips
grader_tables   - the graders, measured; what nobody could score
cards           - example texts with their marks
cost            - calls, tokens, dollars and seconds
made            - every cell, and how a run was made
"""
