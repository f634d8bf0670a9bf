"""Many machines: independent tasks on the nodes of a Ray cluster that runs already.

ray_cluster - joins a cluster and runs tasks on it, again where a node was lost
"""
