"""The vocabulary of the package: skills, grades, estimates, and the records on disk.

Nothing here knows of a model, a world or a plot. Import from the modules themselves
(`unparrot.core.skills`, ...) or from the public list in `unparrot`.
"""
