"""The theory beside the measurement. In reading order:

cloze         - theta, and competence on skills and pairs of skills
concentration - where failures lie, between luck and the bounds
prediction    - loss law, errors against excess, the slingshot, the growth of k
emergence     - steps along a ladder of models, in sharp and smooth metrics
"""
