"""Is a model beyond parrot? In reading order:

claims       - limits, the parrot's bound, and the certificate, typed
evidence     - what every model did with every combination of a run
corpus_rates - how often a corpus shows each skill and topic
certify      - the claims of a run, and certificate.json
"""
