"""Models at the other end of the wire, in reading order.

models - opening a model, one call, its failures by kind, a grader's message
gguf_provider - GGUF files as models of Inspect: ``gguf/PATH``
gguf_server - the llama.cpp server of one file, in a process of its own
prices - what calls cost, and a budget that is never exceeded
redaction - keys struck out of all that is written
"""
