"""`unparrot analyze`, `report`, `graders` and `certify`: what one run shows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from unparrot.cli.command import argument, command, option
from unparrot.cli.output import Answer, Table, table, tables
from unparrot.cli.values import (
    FILE,
    NUMBER,
    OPEN_SHARE,
    PLACE,
    RESAMPLES,
    RUN,
    RUN_OR_FILE,
    SEED,
    SHARE,
    Count,
)
from unparrot.core.errors import BadInput
from unparrot.core.wording import given, hundredths, interval, number

if TYPE_CHECKING:
    from unparrot.analysis.certificate.certify import Certificate
    from unparrot.analysis.graders.measure import GraderReport
    from unparrot.report.draw.chart import Chart


@command()
def analyze(
    run: Path = argument(RUN),
    out: Path | None = option("File to write, of an archived run.  [default: RUN/summary.json]"),
) -> Answer:
    """Work out every figure of the run in the folder RUN from its records, each with its interval,
    and write them to RUN/summary.json.

    The same records give the same summary to the last digit.

    Example:
      unparrot analyze runs/demo && unparrot report runs/demo
    """
    from unparrot.analysis.summary import analyze as write_summary
    from unparrot.core.records import EarlierTexts
    from unparrot.report.words.headline_words import cautions, finding

    kept = (run / "journal.sqlite").exists()
    try:
        if kept and not (run / "manifest.json").exists():
            raise EarlierTexts  # it was stopped before it could write its tables
        summary = write_summary(run, out)
    except EarlierTexts:
        if not kept:
            raise
        from unparrot.cli.eval.options import prepared_run
        from unparrot.eval.ask.run import rewrite

        rewrite(prepared_run(run))
        summary = write_summary(run, out)
    written = str(out or run / "summary.json")
    return Answer(summary, notes=[finding(summary), *cautions(summary), written])


@command()
def report(
    run: Path = argument(RUN),
    out: Path | None = option("Where the page goes.  [default: RUN/report.html]"),
) -> Answer:
    """Write the page of the run in the folder RUN: one HTML file that opens offline.

    The page shows what RUN/summary.json says and computes nothing, so the same run gives the same
    page.

    Example:
      unparrot report runs/demo --out page.html
    """
    from unparrot.report.page import write_page

    page = str(write_page(run, out))
    return Answer({"page": page}, notes=[page])


@command()
def graders(
    run: Path = argument(RUN_OR_FILE, metavar="RUN|FILE"),
    truth: str | None = option("The grader who is right: people, who labelled a random sample."),
    pass_mark: float | None = option("With a FILE of marks on a scale: the least that passes."),
    plant: tuple[float, float] | None = option(
        "Lab runs: plant a grader with these rates of error beside the exact one.",
        SHARE,
        nargs=2,
        metavar="FALSE_POINTS FALSE_MISSES",
    ),
    labels: int | None = option("With --plant: texts whose truth is used.", Count(1)),
    rounds: int = option("With --plant: gradings of each text.", Count(1), default=1),
    skills: bool = option("Show every skill in the tables, too."),
    level: float = option("Confidence level of each interval.", OPEN_SHARE, default=0.95),
    resamples: int = option("Bootstrap samples.", RESAMPLES, default=1000),
    seed: int = option("Of the bootstrap, and of --plant.", SEED, default=1),
) -> Answer:
    """Measure the graders of the run in the folder RUN (its table grades.parquet), or the raters
    in FILE, any table of ratings.

    Agreement between graders and between the rounds of each, by criterion and skill; whether a
    grader favours its own family, or long texts; and, where the truth is known of some texts, the
    graders' errors and the share of full marks put right.

    FILE is CSV or Parquet, a row a mark, with the columns item, rater and mark (1 or 0, yes or no)
    and, where there are any, criterion, round, text, author, family, author_family, and human: what
    a person says of the item, on a random sample of them, which is then the truth.

    Examples:
      unparrot graders ratings.csv
      unparrot graders scores.parquet --pass-mark 4
      unparrot graders runs/gpt --truth people
      unparrot graders runs/demo --plant 0.05 0.1 --labels 300
    """
    from unparrot.analysis.graders.measure import measure_graders
    from unparrot.analysis.read import grader_marks as marks
    from unparrot.analysis.read.skillmix_tables import is_skillmix
    from unparrot.analysis.resampling import Resampling
    from unparrot.core.ratings import read_ratings
    from unparrot.core.records import RunFolder

    sampling, folder = Resampling(level, resamples, seed), RunFolder(run)
    ratings = None if run.is_dir() else read_ratings(run, pass_mark)
    if ratings is not None:
        if plant is not None or labels is not None:
            raise click.UsageError("--plant and --labels are for runs of the lab")
        grades, truth = ratings.grades, truth or ratings.truth
    elif pass_mark is not None:
        raise click.UsageError("--pass-mark is for a FILE of ratings; the marks of runs are 1 or 0")
    elif plant is None:
        if labels is not None:
            raise click.UsageError("--labels goes with --plant")
        grades = marks.read_grades(folder)
    elif is_skillmix(folder):
        raise BadInput(
            f"{run} is a run of language models, where no grader is exact; --plant is for "
            "runs of the lab. Name people who labelled texts with --truth"
        )
    elif truth not in (None, marks.EXACT):
        raise click.UsageError("with --plant the truth is the exact grader; leave --truth out")
    else:
        exact, truth = marks.exact_grades(folder), marks.EXACT
        grades = marks.plant(exact, *plant, seed=seed, rounds=rounds, labels=labels)
    texts = folder.checked_table("texts") if ratings is None else ratings.texts
    report = measure_graders(grades, texts, truth=truth, sampling=sampling)
    note = (
        f"Intervals hold with {given(level)} each, over texts. kappa and alpha are low where "
        "nearly all marks are alike, however well graders agree: read them beside raw "
        "agreement, AC1 and the shares of earned marks."
    )
    return Answer(report, _tables(report, skills), [note, *report.notes])


def _tables(report: GraderReport, skills: bool) -> list[Table]:
    """Agreement by group of raters, bias, errors, and for each grader the share put right."""
    agreement = (
        (
            f"Agreement of {', '.join(row.raters)}",
            {
                "marks": row.name,
                "n": row.units,
                "earned %": " / ".join(hundredths(share, 0) for share in row.earned.values()),
                "agree %": interval(row.raw, narrow=True),
                "kappa": row.kappa and f"{row.kappa.value:.2f}",
                "alpha": number(row.alpha, narrow=True),
                "AC1": number(row.ac1, narrow=True),
            },
        )
        for row in report.agreement
        if skills or row.scope != "skill"
    )
    bias = [
        {
            "family": row.family,
            "on its own texts": interval(row.own, narrow=True),
            "on others": interval(row.other, narrow=True),
            "bias": interval(row.bias, narrow=True),
            "texts": row.bias.n,
        }
        for row in report.family_bias
    ]
    length = [
        {
            "grader": row.grader,
            f"on texts over {row.words:g} words": interval(row.longer, narrow=True),
            "on the rest": interval(row.shorter, narrow=True),
            "bias": interval(row.bias, narrow=True),
            "texts": row.bias.n,
        }
        for row in report.length_bias
    ]
    errors = [
        {
            "grader": row.grader,
            "marks": row.name,
            "n": row.marks,
            "sensitivity %": interval(row.sensitivity, narrow=True),
            "specificity %": interval(row.specificity, narrow=True),
        }
        for row in report.errors
        if skills or row.scope != "skill"
    ]
    corrected = (
        (
            f"Full marks as {row.grader} says, and put right by {report.truth}",
            {
                "model": row.model,
                "texts": row.texts,
                "labels": row.labels,
                "graded %": hundredths(row.graded),
                "PPI++": interval(row.corrected, narrow=True),
                "labels only": interval(row.labelled_only, narrow=True),
            },
        )
        for row in report.corrected
        if row.k is None
    )
    return [
        *tables(agreement),
        table(bias, "Points in 100 that a family's graders give beyond other graders"),
        table(length, "Points in 100 that a grader gives long texts beyond other graders"),
        table(errors, f"Beside {report.truth}: earned marks given, missed marks withheld"),
        *tables(corrected),
    ]


_TERMS: Final = {
    "skills": option(
        "Runs of language models: CSV file of rates in the corpus, columns skill,rate.", FILE
    ),
    "topics": option("The same, columns topic,rate.", FILE),
    "rates": option(
        "In place of both: the folder of `unparrot rates sample`, with the rho of its own.", PLACE
    ),
    "windows": option(
        "Windows of the corpus, each as long as an answer.  [default: of the corpus sampled]",
        Count(1),
    ),
    "rho": option(
        "With rates: how much more often than independent ones skills may meet in a window.",
        NUMBER,
        default=1.0,
    ),
    "slip": option(
        "With rates: share of the texts for combinations that the corpus lacks that luck or a "
        "grader's mistake may pass.",
        NUMBER,
        default=0.0,
    ),
    "decoding": option("Which texts count.  [default: greedy, or the only one]"),
    "level": option(
        "Confidence in all claims at once.",
        NUMBER,
        default=0.95,
    ),
}


@command(plots=True)
def certify(
    run: Path = argument(RUN),
    terms: Mapping[str, Any] = _TERMS,
    model: str | None = option(
        "Print only the claims on this model. They are made for all, so that asking for one does "
        "not change what is said of it."
    ),
    out: Path | None = option(
        "File to write, of an archived run.  [default: RUN/certificate.json]"
    ),
) -> Answer:
    """Say of every model of RUN where it is shown to be beyond a parrot.

    In a run of the lab: beyond the best of its named parrots, for each kind of new combination and
    each k. In a run of language models: beyond what a parrot can expect of a corpus with the rates
    that you give. Writes RUN/certificate.json, with the evidence and the hashes of the data.

    Examples:
      unparrot certify runs/demo
      unparrot certify runs/eval --skills skills.csv --topics topics.csv --windows 5e10 --rho 4
      unparrot certify runs/eval --rates rates/web --windows 5e10
      unparrot certify runs/demo --model 463k --plot certificate.svg
    """
    from msgspec.structs import replace

    from unparrot.analysis.certificate.beyond_parrots import ParrotCertificate
    from unparrot.analysis.certificate.certify import certify as certified
    from unparrot.analysis.certificate.certify import write_certificate
    from unparrot.report.words import certificate_words as words

    certificate = certified(run, **terms)
    names = list(dict.fromkeys(claim.model for claim in certificate.claims))
    if model is not None and model not in names:
        raise BadInput(f"{run} certifies no model {model!r}; it does {', '.join(names)}")
    path = write_certificate(run, certificate, out)
    claims = tuple(claim for claim in certificate.claims if model in (None, claim.model))
    printed = replace(certificate, claims=claims)
    notes = words.statements(certificate) if model is None else []
    if isinstance(certificate, ParrotCertificate):
        notes += ["The parrots:", *words.rules(certificate)]
    notes.append("It rests on this:")
    notes += [f"{i}. {term}" for i, term in enumerate(words.assumptions(certificate), start=1)]
    notes += [words.meaning(certificate), f"The certificate: {path}"]
    verdicts = words.verdict_table(printed)
    shown = Table(verdicts.head, verdicts.rows, verdicts.title)
    return Answer(printed, [shown], notes, lambda: _certificate_chart(printed))


def _certificate_chart(certificate: Certificate) -> Chart:
    """Lower limits by k: of the margin over the best verbatim parrot, on held-out pairs if these
    were tested; or of full marks, beside what a parrot can expect.
    """
    from unparrot.analysis.certificate.beyond_parrots import ParrotCertificate
    from unparrot.core.wording import split_name
    from unparrot.report.draw.chart import Chart, Rule, Series
    from unparrot.report.words.certificate_words import WHOLE

    lower: dict[str, dict[int, float | None]] = {}
    allowed: list[Series] = []
    if isinstance(certificate, ParrotCertificate):
        splits = [claim.split for claim in certificate.claims]
        split = "heldout_pair" if "heldout_pair" in splits else splits[0]
        for c in certificate.claims:
            if c.split == split:
                lower.setdefault(c.model, {})[c.k] = c.verbatim.difference.low
        title = f"Beyond the named parrots? {split_name(split).capitalize()}"
        axis, rules = f"full marks above the best parrot {WHOLE}, at least", [Rule(0)]
    else:
        for claim in certificate.claims:
            lower.setdefault(claim.model, {})[claim.k] = claim.full_marks_at_least
        title, axis, rules = "Beyond the parrot bound?", "full marks, at least", []
        most = {claim.k: claim.allowed for claim in certificate.claims}
        label = "a parrot, at most"
        allowed.append(Series(label, list(most), list(most.values()), "dots", quiet=True))
    series = [Series(name, list(own), list(own.values())) for name, own in lower.items()]
    series += allowed
    return Chart(title, axis, "number of skills k", series, y_percent=True, rules=rules)
