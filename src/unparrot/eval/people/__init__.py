"""People as graders, in reading order.

label_sample - the blind sample that a person marks
label_sheet - the CSV sheet: written safely, read forgivingly
"""
