"""Sections of pages: words, figures as data, and the tables behind them. In reading order:

growth         - k50 against excess loss: the headline of a run of the lab
against_k      - lines against k; full marks of a run of the lab, split by split; composition gap
scale          - full marks and the smooth metric by model size, loss over the floor
ability        - full marks of language models, best of several tries, mark by mark, in pairs
certificate    - what is certified of every model, and on what terms
theory         - where failures lie, mistakes against excess loss, and the cloze test
skill_by_skill - single skills: heat maps and strips
grader_tables  - the graders, measured; what nobody could score
cards          - example texts with their marks
cost           - calls, tokens, dollars and seconds
study          - the sections of a study
made           - every cell, and how a run was made
"""
