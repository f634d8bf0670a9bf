"""`unparrot packs list`, `show`, `check` and `draw`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unparrot.cli.command import argument, command, option
from unparrot.cli.output import Answer, rows_of, table
from unparrot.cli.values import PLACE, POSITIVE, SEED, WITHOUT_COMMON
from unparrot.core.wording import plural

if TYPE_CHECKING:
    from unparrot.packs.checking import PackReport

BAD_INPUT = 2


@command("list")
def list_command() -> Answer:
    """List the packs that come with unparrot. With --json, each line is an object.

    Example:
      unparrot packs list --json
    """
    from unparrot.packs.reading import load_pack, public_part, shipped_packs

    packs = [public_part(load_pack(name), private=False) for name in shipped_packs()]
    heads = ("name", "version", "skills", "categories", "topics")
    rows = [{head: p[head] for head in heads} | {"digest": str(p["digest"])[:12]} for p in packs]
    return Answer(packs, [table(rows)])


@command()
def show(name: str = argument()) -> Answer:
    """Print the skills and the topics of a pack.

    A skill has a name, a category, a definition and, after the sign >, an example text. NAME is
    one of `unparrot packs list`, or the path of a pack file.

    Example:
      unparrot packs show language.en
    """
    from unparrot.packs.reading import load_pack

    pack = load_pack(name)
    lines: list[str] = []
    categories = list(dict.fromkeys(skill.category for skill in pack.skills))
    for category in categories:
        skills = [skill for skill in pack.skills if skill.category == category]
        lines.append(f"{category.upper()} ({len(skills)})\n")
        for skill in skills:
            lines += [skill.name, _wrapped(skill.definition, "    ")]
            lines.append(_wrapped(skill.example, "  > ") + "\n")
    lines.append(f"TOPICS ({len(pack.topics)})\n")
    lines.append(_wrapped(", ".join(pack.topic_names), "    "))
    lines.append(
        f"\n{pack.name}, version {pack.version}: {plural(len(pack.skills), 'skill')} in "
        f"{plural(len(categories), 'category')}, {plural(len(pack.topics), 'topic')}; "
        f"digest {pack.digest}"
    )
    return Answer(pack.as_dict(), notes=lines)


@command()
def check(file: str = argument()) -> Answer:
    """Look for every fault of a pack file. The exit code is 0 without errors, else 2.

    Errors make a pack unusable: missing, empty and unknown fields, names given twice, a skill
    named like a criterion, an example that names a skill. Warnings (names within names,
    near-duplicates, texts of unusual length) are for you to judge.

    Example:
      unparrot packs check my.pack.yaml --json
    """
    from unparrot.packs.checking import check_pack
    from unparrot.packs.reading import public_part, read_bytes

    report = check_pack(read_bytes(file))
    lines, findings = findings_of(file, report)
    pack = report.pack
    facts = {} if pack is None else public_part(pack, private=False)
    return Answer(
        {"file": file, "ok": pack is not None, **facts, **findings},
        notes=lines,
        code=BAD_INPUT if pack is None else 0,
    )


def findings_of(file: str, report: PackReport) -> tuple[list[str], dict[str, object]]:
    """Return what a check of a file says, line by line and as data."""
    pack = report.pack
    lines = [
        f"{file if finding.line is None else f'{file}:{finding.line}'}: {kind}: {finding.message}"
        for kind, findings in (("error", report.errors), ("warning", report.warnings))
        for finding in findings
    ]
    verdict = f"{file} cannot be used: "
    if pack is not None:
        sizes = f"{plural(len(pack.skills), 'skill')}, {plural(len(pack.topics), 'topic')}"
        verdict = f"{file} can be used: {pack.name}, version {pack.version}, {sizes}; "
    counts = f"{plural(len(report.errors), 'error')}, {plural(len(report.warnings), 'warning')}"
    return [*lines, verdict + counts], {"errors": report.errors, "warnings": report.warnings}


@command()
def draw(
    name: str = argument(),
    k: int = option("Skills each.", POSITIVE, "-k", default=3),
    n: int = option("Number of combinations.", SEED, "-n", default=5),
    seed: int = option("Seed of the draw.", SEED, default=10),
    without_common: Path | None = option(WITHOUT_COMMON, PLACE, metavar="RATES"),
) -> Answer:
    """Draw combinations of skills and a topic.

    A run with this seed asks every model for these. NAME is one of `unparrot packs list`, or the
    path of a pack file. All combinations are different, each is as likely as any other, and more
    of them (-n) begin with those of fewer. With --json each line is an
    object {"id", "topic", "skills"}.

    Example:
      unparrot packs draw language.en -k 3 -n 5 --seed 10 --json
    """
    from unparrot.analysis.certificate.measured_rates import common_skills
    from unparrot.packs.drawing import draw_combinations
    from unparrot.packs.reading import load_pack

    common = () if without_common is None else common_skills(without_common)
    drawn = draw_combinations(load_pack(name).without(common), k, n, seed)
    return Answer(
        [{"id": c.id, "topic": c.topic, "skills": c.skills} for c in drawn],
        notes=[f"{c.topic}: {', '.join(c.skills)}" for c in drawn],
    )


def _wrapped(text: str, sign: str) -> str:
    return sign + "\n    ".join(rows_of(text, 4))
