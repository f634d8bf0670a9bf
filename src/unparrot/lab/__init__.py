"""The laboratory: a world, models trained on it from scratch, and their test. In reading order:

world - micro-English: texts that show skills, with an exactly known entropy
grader - the exact grader of its texts, an independent parser
budget - how large a ladder is trained, on how much text, and how closely it is tested
corpus - training documents, packed into rows and counted
training - the model, its optimiser, training, checkpoints and generation
parrots - the control group: programs that copy, from n-grams to clauses put together by search
cells - the combinations of the test, new in one stated way
ladder - training of all models, and what models and parrots write for the test
demo - the whole run, from corpus to records
writer - a checkpoint that takes prompts as people type them
inspect_provider - checkpoints and the exact grader as models of Inspect
"""
