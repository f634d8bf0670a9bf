"""Packs of skills and topics, and the prompts that ask for them: versioned YAML files.

reading - a pack by the name of one that we ship, or by a path
prompts - a set of prompts, and `fill`, which fills their placeholders
drawing - combinations of k skills and a topic, the same on every machine
checking - every fault of a pack, and the skills that a text names
parsing - the fields of a pack file, with their lines
shipped - the files that we ship, and those of a user
nodes - YAML as plain nodes that know their lines
prompts/ and the YAML files beside this one are what we ship.
"""
