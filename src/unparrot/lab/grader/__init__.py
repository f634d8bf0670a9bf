"""The exact grader of micro-English: an independent parser that checks meaning, not keywords.

words - every word one character: the dictionary that the grader shares with the world
rules - what each skill says and which facts must hold of it (rules.toml); the plan of a request
grammar - what a skill says, as regular expressions for each form of its clause
reader - takes clause after clause apart, and goes on behind what it can't read
exact - marks k + 3 criteria; a text that is all as it should be takes a short cut
as_data - the rules as plain data, for a page that marks by them
"""
