"""The laboratory: a world, models trained on it from scratch, and their test. In reading order:

world - micro-English: texts that show skills, with an exactly known entropy
grader - the exact grader of its texts, an independent parser
corpus - training documents, packed into rows and counted
training - the model, its optimiser, training, checkpoints and generation
parrots - the control group: programs that copy, from n-grams to clauses put together by search
cells - the combinations of the test, new in one stated way
answers - what trained models and parrots write for the test, graded
study - a grid of runs: its file, its cells, their jobs, its records
demo - the whole run, which is a study with one
writer - a checkpoint that takes prompts as people type them
inspect_provider - checkpoints and the exact grader as models of Inspect
"""
