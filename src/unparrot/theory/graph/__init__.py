"""Random skill graphs of any size: specified in a line, streamed, counted, never stored unasked.

graph_spec    - a graph in a line: skills, pieces, degrees, frequencies and a seed
error_models  - which pieces a model fails, and the sets of skills or tuples it is made to fail
rng           - the counter-based generator: every random number is a function of its place
draws         - kernels that draw pieces, a chunk at a time, and the sharing of blocks by threads
tuples        - k'-tuples: their ranks and measure, and kernels that walk and find those of pieces
spread        - pieces spread over the threads of a machine, or the nodes of a cluster
marks         - kernels that decide which pieces fail; the worst case in passes over all pieces
simulate      - `simulate`: draw, fail, count, forget; memory does not grow with the pieces
stored        - graphs held in memory, and the counts of their skills and tuples
measured      - the performance curve of counts, and the theory's curves beside it
exchange      - tagged corpora, scipy.sparse, into files and back

>>> from unparrot.theory.graph.error_models import RandomErrors
>>> from unparrot.theory.graph.graph_spec import GraphSpec
>>> from unparrot.theory.graph.simulate import simulate
>>> simulate(GraphSpec(skills=100, pieces=1000, degree=8), RandomErrors(0.05)).edges
8000
"""
