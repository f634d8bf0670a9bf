"""`unparrot lab study report`: what a study shows."""

from __future__ import annotations

from pathlib import Path

from unparrot.cli.command import argument, command, option
from unparrot.cli.output import Answer, table
from unparrot.cli.values import FOLDER, RUN


@command()
def report(
    study: Path = argument(RUN),
    out: Path | None = option("Folder for what is written.  [default: STUDY]", FOLDER),
) -> Answer:
    """Work out what the study in the folder STUDY shows, and write it: a page (report.html),
    every figure (study-summary.json), and a row a model and a row a model, k and split
    (study.parquet and study-cells.parquet, both as .csv, too).

    It is made of the runs that are finished, and says how many there are.

    Example:
      unparrot lab study report studies/scale
    """
    from unparrot.analysis.study.study_summary import write_summary
    from unparrot.report.page_study import write_study_page
    from unparrot.report.words.growth_words import reach_words
    from unparrot.report.words.study_words import (
        missing_words,
        setting_words,
        study_sentence,
        there,
    )

    folder = out or study
    summary = write_summary(study, folder)
    page = str(write_study_page(folder, summary))
    rows = [
        {
            "setting": setting_words(setting),
            "seeds": setting.seeds,
            "excess": setting.excess and setting.excess.value,
            "k50": reach_words(setting.k50),
            "on held-out pairs": reach_words(setting.k50_heldout_pair),
        }
        for setting in summary.settings
    ]
    sentence = study_sentence(summary)
    notes = [f"There are {there(summary)}.", missing_words(summary), sentence, page]
    return Answer(
        {"finding": sentence, "growth": summary.growth, "slices": summary.slices, "page": page}
        | {"models": len(summary.trained), "of": summary.models_of, "missing": summary.missing},
        [table(rows, "k50 by setting, 95 % intervals over seeds")],
        [note for note in notes if note is not None],
    )
