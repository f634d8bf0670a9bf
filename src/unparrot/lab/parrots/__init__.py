"""Parrots, the control group: programs that copy, given what the models are given.

All learn from the same documents and answer the same prompts; each may do what its class says in
one sentence, and nothing else. None contains a word of the world. In reading order:

parrot - what a parrot is, and the prompt that it continues
ngram - an n-gram model of prompts and texts
infinigram - the longest context that ever occurred, over a suffix array
neighbour - the text of the most similar request
splicer - whole sentences of training texts, pasted
naming - how prompts and texts name two people, a thing and a fact
grammar - which stretches of a corpus show which skills, and where they fit
copiers - copiers that put such stretches together, with search: verbatim, woven, edited
"""
