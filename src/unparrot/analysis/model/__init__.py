"""What one model can do. In reading order:

competence  - every metric by k, split and decoding, with intervals and bounds
saturation  - the largest k with enough full marks
skill_rates - how often each skill earns its mark
composition - full marks over the product of single-skill rates
"""
