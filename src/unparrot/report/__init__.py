"""Pages: one self-contained HTML file that lays out what a run folder holds.

Nothing is computed here; every number comes from ``summary.json``, ``manifest.json`` or
``training.parquet``, and the models that write on a page from ``pocket.json``. In reading order:

    page             - write_page, the one entry: reads a run, writes report.html and its figures
    contents         - what a page shows: the typed summary, the manifest and the training log
    page_lab         - the page of a run of the lab: opening, and sections in order
    page_skillmix    - the page of a run of language models
    page_study       - the page of a study: k50 against every axis, over seeds
    page_leaderboard - a leaderboard as HTML, Markdown and CSV
    transcripts      - every text of a run packed for its page, and the browser to read them with
    play             - what readers play with: the models of a run, and the theory
    words            - sentences and tables of words, which the terminal prints as well
    sections         - the sections of pages: words, figures as data, and tables
    draw             - figures: charts as data, and how they are painted
    theme            - colours by role, for light and dark
    html             - elements and layout; page.css and browser.js
"""
