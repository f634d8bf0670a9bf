"""The tables of a run, checked before a figure is made of them. In reading order:

outcomes        - one row a text: its metrics, and what unscored marks leave open
grader_marks    - the marks of each grader, put to votes; planting a grader with known errors
lab_tables      - the tables of a run of the lab
skillmix_tables - the tables of a run of language models; a private pack made nameless
protocol        - which runs and models may stand side by side
"""
