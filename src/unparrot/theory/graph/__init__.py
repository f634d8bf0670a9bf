"""Random skill graphs of any size: specified in a line, streamed, counted, never stored unasked.

>>> from unparrot.theory.graph import GraphSpec
>>> GraphSpec(skills=100, pieces=1000, degree=8).uniform
True
"""

from unparrot.theory.graph.chosen import Chosen, Clique, RandomTuples, SkillSet, Star, TupleList
from unparrot.theory.graph.counts import ChosenCounts, GraphCounts, TupleCounts
from unparrot.theory.graph.csr import SkillGraph, store_graph
from unparrot.theory.graph.error_models import (
    ConcentratedErrors,
    Errors,
    RandomErrors,
    SkillErrors,
    WorstCase,
)
from unparrot.theory.graph.frequencies import Frequencies, Given, PowerLaw, Uniform
from unparrot.theory.graph.graph_spec import GraphSpec
from unparrot.theory.graph.simulate import simulate

__all__ = [
    "Chosen",
    "ChosenCounts",
    "Clique",
    "ConcentratedErrors",
    "Errors",
    "Frequencies",
    "Given",
    "GraphCounts",
    "GraphSpec",
    "PowerLaw",
    "RandomErrors",
    "RandomTuples",
    "SkillErrors",
    "SkillGraph",
    "SkillSet",
    "Star",
    "TupleCounts",
    "TupleList",
    "Uniform",
    "WorstCase",
    "simulate",
    "store_graph",
]
