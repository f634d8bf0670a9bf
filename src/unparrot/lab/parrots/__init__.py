"""Parrots, the control group: programs that copy, given what the models are given.

All learn from the same documents and answer the same prompts; each may do what its class says in
one sentence, and nothing else. None contains a word of the world. In reading order:

parrot - what a parrot is, what it learns from, and the prompt
ngram - an n-gram model of prompts and texts
infinigram - the longest context that ever occurred, over a suffix array
neighbour - the text of the most similar request
splicer - whole sentences of training texts, pasted
naming - how prompts and texts name two people, a thing and a fact
anatomy - which stretches of a text show which skills: links, frames, remarks, cores
values - types of values, and which of those known from before a stretch repeats
stock - the stretches of a corpus, by skill and by where they fit
composer - the search for a text put together from stretches
copiers - the copier of clauses, and the one that edits what it copies
"""
