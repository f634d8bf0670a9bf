"""SKILL-MIX for language models, in reading order.

protocol - the test itself: conversation, grading, votes, the count of sentences
wire - models behind Inspect's model layer, what is sent to them, prices, keys kept out
record - a run on disk: what is asked, the journal of calls, what it says, the tables
ask - filling in the rows that a run lacks: conversations, gradings, who is asked when
people - people as graders: the blind sample and the sheet
rates - how often a corpus shows each skill and topic: its windows, drawn and tagged
draft - packs drafted from texts: the skills that they need, named by a model
inspect - the task and the logs of Inspect
published - records that the authors of SKILL-MIX published, read as a run
"""
