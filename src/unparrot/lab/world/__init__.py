"""Micro-English: a world whose texts show skills, with an exactly known entropy.

lexicon - the facts: who there is, what things are like, what follows from what
skills - the skills: what each means, and the sentences that show it (skills.toml)
template - sentences as small programs that draw, copy, and know how probable it all is
english - `World`: prompts, texts, vocabulary, entropy; the worlds as packs
"""
