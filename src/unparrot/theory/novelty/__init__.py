"""The parrot bound: how many of the tested combinations a corpus can have shown.

parrot_bound - the bound B, the verdict, and the attraction rho* at which it flips
rates - rates of skills and topics, and lists of combinations, from files
capped - the mean of min(1, lambda) over all combinations, sampled
"""
