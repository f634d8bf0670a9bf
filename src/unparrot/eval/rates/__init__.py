"""Rates of a corpus: how often its windows show each skill and topic. In reading order:

windows - windows of a corpus, drawn at random without reading all of it
tagging - a sample that a model tags, window by window, by way of the journal
"""
