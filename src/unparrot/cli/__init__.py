"""The command line: commands parse, call and print, and are imported when they are used.

main - `unparrot`: its commands and its exit codes
lazy - a group that imports a command only when it is asked for
command - a command declared by its signature
values - what the values of options may be: counts, ranges, files, models of runs
cluster - the options that choose between this machine and a Ray cluster
output - the answer of a command: JSON, tables, sentences, a figure
world_commands - `unparrot world`: list, sample, grade, entropy
run_commands - `unparrot analyze`, `report`, `graders`, `certify`
comparison_commands - `unparrot compare`, `leaderboard`, `plan`
view_command - `unparrot view`
lab - `unparrot demo`, `unparrot lab`
eval - `unparrot eval`: run, grade, label, export, import
rates - `unparrot rates`: sample, label, show
packs - `unparrot packs`: list, show, check, draw, draft
theory - `unparrot theory`: law, curve, threshold, graph and others
inspect_registry - what Inspect finds of unparrot by its entry point
"""
