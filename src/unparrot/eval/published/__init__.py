"""Records that others made, read as they are, in reading order: `unparrot eval import`.

record_layout - the folders and CSV files of the published code
replies - the marks in a grader's reply, read strictly
voting - what others graded to graded texts, and the marks grader by grader
findings_in_records - what an import saw, in sentences, and grading rounds that are copies
other_programs - Inspect logs, samples of lm-evaluation-harness, tables of ratings
import_run - the run folder
published_figures - the figures of the published aggregator (``--compat``)

References
----------
Yu et al. (2023), "Skill-Mix: a Flexible and Expandable Family of Evaluations for AI Models"; code
and records at github.com/LeoYu/skill-mix.
"""
