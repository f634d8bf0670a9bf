"""The theory beside the measurement. In reading order:

growth        - how many skills each model combines, and how that number grows as the loss falls
laws          - excess against scale, errors against excess
cloze         - theta, and competence on skills and pairs of skills
concentration - where failures lie, between luck and the bounds
"""
