"""`unparrot packs draft`: a model names and defines the skills that a set of texts needs."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any, Final

from unparrot.cli.command import command, option
from unparrot.cli.eval.options import access_of
from unparrot.cli.eval.running import INCOMPLETE, calls_of, carried_out
from unparrot.cli.output import Answer, table
from unparrot.cli.packs.looking import findings_of
from unparrot.cli.rates.sampling import REACHED, SETTINGS
from unparrot.cli.values import FOLDER, PLACE, Count
from unparrot.core.skills import main_language
from unparrot.core.wording import dollars, plural
from unparrot.eval.draft.drafting import DraftSpec, draft, estimate, require_folder
from unparrot.eval.draft.texts import read_texts
from unparrot.eval.record.eval_spec import LATER, spec_of
from unparrot.eval.wire.prices import price_of

_ROOM: Final = 1000  # skills, or topics: as many as a pack has at most


@command("draft")
def draft_command(
    source: Path = option(
        "Texts or tasks: paragraphs, JSON lines or CSV.", PLACE, "--from", required=True
    ),
    model: str = option("Who names and defines.", required=True, metavar="MODEL"),
    out: Path | None = option(
        "Folder of the draft; one that was stopped goes on there.  [default: packs/FILE]", FOLDER
    ),
    name: str | None = option("Of the pack.  [default: FILE.LANGUAGE]"),
    language: str = option("Of the pack, as a tag such as en, ko or pt-BR.", default="en"),
    column: str = option("Field of JSON lines, column of CSV, with the text.", default="text"),
    n: int = option("Texts that are read, at most.", Count(2), "-n", "--n", default=200),
    skills: int = option("Skills of the pack, at most.", Count(1, _ROOM), default=40),
    topics: int = option("Topics of the pack, at most.", Count(1, _ROOM), default=40),
    each: int = option("Skills that a text is asked for, at most.", Count(1, 20), default=3),
    least: int = option("Texts that need a skill, at least.", Count(1), default=2),
    tries: int = option("How often a reply that can be used is asked for.", Count(1), default=3),
    settings: dict[str, Any] = SETTINGS,
    dry_run: bool = option("Tell calls, tokens and cost, and call nobody."),
    access: dict[str, Any] = REACHED,
) -> Answer:
    """Draft a pack: a model names the skills that the texts of FILE need, merges names that mean
    the same, sorts them into categories, and writes a definition and an example of each.

    A text is a paragraph between empty lines (or a line, where there is no empty one), a line of
    JSON, or a row of CSV. Replies are read strictly, and asked for again where they lack something;
    what stays amiss is named. Everything is kept call by call in OUT/journal.sqlite: the same
    command goes on where it was stopped, and no call is paid twice.

    Writes OUT/pack.yaml. A draft is a beginning: read every definition, and have somebody who knows
    the subject read it, before a model is tested with it.

    Examples:
      unparrot packs draft --from tasks.jsonl --column question --model openai/gpt-4o --dry-run
      unparrot packs draft --from essays.csv --model openai/gpt-4o --max-cost 2 --out packs/essays
      unparrot packs check packs/essays/pack.yaml
    """
    stem = re.sub(r"[^\w.-]+", "-", source.stem).strip("-.") or "pack"
    values = {"models": (model,), "graders": (LATER,), **settings}
    asking = spec_of(values, "the command line")
    spec = DraftSpec(
        *(asking.models[0], name or f"{stem}.{main_language(language)}", language),
        *(skills, topics, each, least, tries, asking.student, asking.form),
    )
    texts = read_texts(source, column, n)
    folder = out or Path("packs") / stem
    require_folder(folder)
    others = {"grader_base_url": None, "grader_arguments": ()}
    reached = access_of({**access, **others}, asking)
    if dry_run:
        about = estimate(spec, texts, price_of(spec.model, reached.prices))
        cost = "at a price that is not known" if about.cost is None else dollars(about.cost)
        return Answer(
            about._asdict(),
            notes=[
                f"{plural(len(texts), 'text')}: about {plural(about.calls, 'call')}, "
                f"{about.read:,} tokens read and {about.written:,} written, {cost}; more where "
                "replies cannot be used. Nothing was called."
            ],
        )
    heading = f"Drafted by {spec.model} from {plural(len(texts), 'text')} of {source.name}."
    work = partial(draft, spec, texts, folder, reached, heading)
    made, tally, ended = carried_out(work)
    notes = calls_of(tally, ended)
    if made is None:
        return Answer({"ended": ended}, notes=notes, code=INCOMPLETE)
    rows = [
        {
            "skill": skill.name,
            "category": skill.category,
            "texts": skill.texts,
            "merged from": ", ".join(each for each in skill.names if each != skill.name),
        }
        for skill in made.skills
    ]
    notes += made.mend
    findings: dict[str, object] = {}
    if made.report is not None:
        lines, findings = findings_of(str(made.file), made.report)
        notes += lines
    facts = {
        "file": None if made.file is None else str(made.file),
        "texts": made.texts,
        "skills": made.skills,
        "topics": made.topics,
        "mend": made.mend,
        "calls": {"made": tally.made, "kept": tally.kept},
        **findings,
    }
    whole = made.report is not None and made.report.pack is not None and not made.mend
    title = f"Skills that {plural(made.texts, 'text')} need"
    return Answer(facts, [table(rows, title)], notes, code=0 if whole else INCOMPLETE)
