"""The sections on the graders of a run, and on the marks that nobody could give."""

from collections.abc import Mapping, Sequence

from unparrot.analysis.graders.measure import OtherGrader
from unparrot.analysis.graders.rater_agreement import AgreementRow, FamilyBias
from unparrot.analysis.graders.unscored import Voting
from unparrot.analysis.schema import SkillMixSummary
from unparrot.core.estimate import Estimate
from unparrot.core.grades import NO_TEXT
from unparrot.core.wording import count, interval, number, part_of, percent, points, short_names
from unparrot.report.contents import Contents
from unparrot.report.html.layout import grouped, section, strip, table, tall
from unparrot.report.html.markup import Markup, el, join

AGREEMENT = ("marks", "n", "raw agreement", "AC1", "0 to 1", "alpha")


def graders(contents: Contents[SkillMixSummary]) -> Markup | None:
    """Agreement, voting, and what another grader would have said; None without their marks."""
    part, decides = contents.summary.graders, contents.summary.run.grader
    others = contents.summary.if_another_decided
    if part is None:
        return None
    labels = {**contents.labels, **dict(zip(part.graders, short_names(part.graders), strict=True))}
    words: list[str | Markup] = [
        "A grader is a measuring instrument, so it is measured, too: how far it agrees with other "
        "graders and with itself from round to round. Raw agreement is high wherever nearly all "
        "marks are alike; AC1 and alpha take out what chance would give, each in its own way.",
        join(el("code", "unparrot graders RUN"), " tells more, skill by skill."),
    ]
    if decides in part.graders:
        words.append(
            f"The marks that count are those of {decides}: what most of its rounds say. "
            "Sentences are counted by a program, and its count decides the mark for length."
        )
    words += [
        f"Rounds {row.first} and {row.second} of {row.grader} are identical in all "
        f"marks ({count(row.marks)}): they count as one."
        for row in part.identical_rounds
    ]
    if not part.agreement:
        words.append(
            "Nothing can be said of agreement: there is one grader, and no second round of it."
            if len(part.graders) < 2
            else "Nothing can be said of agreement: no mark was given twice."
        )
    return section(
        "graders",
        "The graders, measured",
        words,
        *(_agreement(part.agreement, labels) if part.agreement else []),
        *_voting(part.voting),
        *(_instead(others, f"{decides}", labels) if others else []),
        *(_bias(part.family_bias) if part.family_bias else []),
        teaser="Agreement between graders and between rounds, votes, and bias",
    )


def _agreement(rows: Sequence[AgreementRow], labels: Mapping[str, str]) -> list[Markup]:
    """A table in groups: each pair of graders, and the rounds of each grader."""
    groups: dict[str, list[Markup]] = {}
    for row in rows:
        who = " and ".join(labels.get(name, name) for name in row.raters)
        if row.between == "rounds":
            grader = row.raters[0].rpartition(" round ")[0]
            who = f"{labels.get(grader, grader)}, its {len(row.raters)} rounds"
        ac1, alpha = _coefficient(row.ac1), _coefficient(row.alpha)
        cells = (count(row.units), interval(row.raw), ac1, strip(row.ac1), alpha)
        head = el("th", row.name, scope="row")
        groups.setdefault(who, []).append(el("tr", head, *(el("td", cell) for cell in cells)))
    label = "agreement of graders and of grading rounds"
    return [el("h4", "Agreement"), grouped(AGREEMENT, groups, label)]


def _coefficient(estimate: Estimate | None) -> str:
    return "–" if estimate is None or estimate.value is None else number(estimate)


def _voting(voting: Sequence[Voting]) -> list[Markup]:
    body = [
        [
            row.grader,
            str(row.rounds),
            count(row.verdicts),
            *(part_of(n, row.verdicts) for n in (row.agreed, row.split, row.ties, row.silent)),
            part_of(row.abstained, row.marks),
        ]
        for row in voting
    ]
    head = ["grader", "rounds", "verdicts", "all alike", "by majority", "tied", "no mark at all"]
    label = "how the rounds of each grader voted"
    return [el("h4", "How the rounds voted"), table([*head, "marks not given"], body, label)]


def _instead(rows: Sequence[OtherGrader], decides: str, labels: Mapping[str, str]) -> list[Markup]:
    body = [
        [
            labels.get(row.grader, row.grader),
            labels.get(row.model, row.model),
            str(row.cell.k),
            count(row.cell.pairs),
            *map(percent, (row.cell.first, row.cell.second)),
            points(row.cell.full_marks),
        ]
        for row in rows
    ]
    head = ["grader", "text by", "k", "texts", "full marks as decided", "had it decided"]
    words = (
        "Full marks by the same rule on the same texts, with the grader's marks in place of "
        f"{decides}'s; the count of sentences stays the program's."
    )
    return [
        el("h4", "If another grader had decided"),
        el("p", words, class_="text"),
        tall([*head, "difference, points"], body, "full marks had another grader decided"),
    ]


def _bias(rows: Sequence[FamilyBias]) -> list[Markup]:
    body = [
        [row.family, *map(points, (row.own, row.other, row.bias)), count(row.bias.n)]
        for row in rows
    ]
    head = ["family", "on its own texts", "on others", "bias, points", "texts"]
    words = "Points in a hundred that graders of a family give beyond others on the same marks."
    return [
        el("h4", "Does a family of models favour its own?"),
        el("p", words, class_="text"),
        table(head, body, "what graders give to texts of their own family"),
    ]


def no_texts(contents: Contents[SkillMixSummary]) -> Markup | None:
    """Which texts did not come, why, and what that makes of full marks; None if all came."""
    part, models = contents.summary.no_texts, contents.models
    if not part.reasons:
        return None
    names = [contents.labels[model.name] for model in models]
    by_reason = [
        [
            NO_TEXT[row.code],
            "missed" if row.missed else "unscored",
            count(row.texts),
            *(part_of(n, of) for n, of in zip(row.by_model, part.texts, strict=True)),
        ]
        for row in part.reasons
    ]
    readings = [
        [
            contents.labels[cell.model],
            *(cell.decoding, str(cell.k), part_of(cell.failed, cell.n)),
            *map(interval, (cell.full_marks, cell.among_given)),
        ]
        for model in models
        for cell in model.cells
        if cell.failed
    ]
    head = ["model", "decoding", "k", "not given", "full marks", "among the texts given"]
    return section(
        "no-text",
        "Texts that did not come",
        [
            "A model that was asked and gave no text that could be used has missed every mark of "
            "it. A text that was lost on the way, because the server was busy or out of reach, "
            "say, is unscored, and is asked for again the next time.",
        ],
        table(["why", "counts as", "texts", *names], by_reason, "texts that did not come"),
        *(
            [
                el("h4", "What that makes of full marks"),
                tall(head, readings, "full marks of all texts, and among those that came"),
            ]
            if readings
            else []
        ),
        teaser="How many, why, and what that makes of full marks",
    )


def unscored(contents: Contents[SkillMixSummary]) -> Markup:
    """How many marks are unscored, of whom and why."""
    part = contents.summary.unscored
    if not part.reasons:
        return section("unscored", "Nothing is left open", ["Every mark of every text was scored."])
    by_model: list[list[str]] = []
    for row in part.models:
        texts, marks = part_of(row.texts_unscored, row.texts), part_of(row.unscored, row.marks)
        by_model.append([row.model, texts, marks, *map(count, row.kinds.values())])
    by_reason = [
        [row.reason, count(row.marks), count(row.texts), *map(count, row.by_model)]
        for row in part.reasons
    ]
    head = ["model", "texts with an unscored mark", "unscored marks", "skills", "topic", "sense"]
    names = [contents.labels[model.name] for model in contents.models]
    return section(
        "unscored",
        "What could not be scored",
        [
            "A grader without an answer, rounds that tie, a call that failed: such marks are "
            "neither points nor misses. They are left out of every share and counted here.",
        ],
        table([*head, "length"], by_model, "unscored marks by model"),
        el("h4", "Why"),
        tall(["why", "marks", "texts", *names], by_reason, "unscored marks by reason"),
        teaser="How many marks, of whom, and why",
    )
