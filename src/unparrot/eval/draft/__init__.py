"""Drafts of packs: the skills that a set of texts needs, named by a model. In reading order:

texts - the texts of a file, one item each
questions - what the model is asked about texts and names (in questions.yaml), and its replies,
            read strictly
drafting - a draft from texts to the file of a pack, by way of the journal
"""
