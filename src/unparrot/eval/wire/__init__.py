"""Models at the other end of the wire, in reading order.

models - opening a model, the attempts at one call, a grader's message
pace - how many calls at a time, how long each may take, when to try again
raw_replies - what servers send beside the protocol, or beyond Inspect's words, mended or looked up
faults - what a provider's exception means, and what ends a model's part
gguf_provider - GGUF files as models of Inspect: ``gguf/PATH``
gguf_server - the llama.cpp server of one file, in a process of its own
prices - what tokens cost, by the package genai-prices
cost_limit - an attempt is made only if what it can cost is left
redaction - keys struck out of all that is written
"""
