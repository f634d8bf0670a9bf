"""`unparrot lab study report` and `compare`: what a study shows, and two studies side by side."""

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


@command()
def compare(first: Path = argument(RUN), second: Path = argument(RUN)) -> Answer:
    """Compare two studies: FIRST and SECOND are their folders.

    Models are matched by the axes that share values, by shape and by tokens. Ratios are k50 of the
    second over k50 of the first; at equal excess loss, too: 1 there says that the loss is all that
    the studies differ in. What they differ in, and what has no match, is named.

    Example:
      unparrot lab study compare studies/scale studies/vocabulary
    """
    from unparrot.analysis.study.between_studies import compare_studies
    from unparrot.analysis.study.study_models import read_models
    from unparrot.core.wording import number
    from unparrot.report.words.growth_words import reach_words
    from unparrot.report.words.study_words import comparison_words, setting_words

    comparison = compare_studies(read_models(first), read_models(second))
    rows = [
        {
            "setting": setting_words(setting),
            "seeds": setting.seeds,
            "1st k50": reach_words(setting.first),
            "2nd k50": reach_words(setting.second),
            "ratio": number(setting.ratio, narrow=True),
        }
        for setting in comparison.settings
    ]
    title = f"k50 of {comparison.second} (2nd) over that of {comparison.first} (1st), 95 %"
    return Answer(comparison, [table(rows, title)], comparison_words(comparison))
