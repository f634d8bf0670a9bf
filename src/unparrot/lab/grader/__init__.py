"""The exact grader of micro-English: an independent parser that checks meaning, not keywords.

rules - what each skill means: sentence patterns and what their words must say (rules.toml)
grammar - words to classes, patterns to regular expressions, clauses to forms
exact - reads a text, finds out what it says, and marks k + 3 criteria
"""
