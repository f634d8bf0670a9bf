"""From the records of a run to its summary, its certificate and its comparisons.

In reading order:

    read        - the tables of a run, checked, and what became of every text
    model       - what one model can do: shares with bounds, saturation point, composition gap
    between     - models beside each other: comparisons, leaderboards, and what one costs
    graders     - graders as instruments: agreement, bias, errors, marks that nobody could give
    certificate - is a model beyond named parrots, or the parrot bound, and on what terms
    theory      - every prediction of the theory beside what the models did
    study       - runs that differ along axes: growth over seeds, and two studies matched
    examples    - texts for the page, drawn by the seed
    spending    - calls, tokens, dollars and seconds
    resampling  - level, resamples and the generator of each figure
    schema      - summary.json, typed, and its strict reading
    summary     - analyze: a run's records in, summary.json out
"""
