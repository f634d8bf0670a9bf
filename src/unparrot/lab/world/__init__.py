"""Micro-English: a world whose texts show skills, with an exactly known entropy.

lexicon - the facts: who there is, what things are like, what follows from what
skills - what each skill means, what it reads and writes, and the sentences that show it
template - sentences cut where others nest in them, in the form that the clause around them asks for
english - `World`: situations, prompts, texts, vocabulary, entropy; the world as a pack
"""
