"""Rates of a corpus: how often its windows show each skill and topic. In reading order:

spread - work on the parts of a corpus, here or on a cluster
windows - windows of a corpus, drawn at random without reading all of it
tagging - a sample that a model tags, window by window, by way of the journal; what it is asked
          stands in tagging.en.yaml and tagging.ko.yaml
"""
