"""What a run shows of being beyond a parrot, and on what terms. In reading order:

evidence - full marks of every model on every combination of a run
beyond_parrots - runs of the lab: models against the best of its named parrots
beyond_bound - other runs: models against the parrot bound of a corpus
corpus_rates - how often a corpus shows each skill and topic, and how combinations overlap
measured_rates - rates measured on a sample of windows, with their limits and their attraction
certify - the certificate of a run, and certificate.json
"""
