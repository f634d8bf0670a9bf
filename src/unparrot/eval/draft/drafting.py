"""A draft of a pack: a model names the skills of texts, merges the names, and says what they mean.

    texts -> labels -> merged names -> those that several texts need -> categories, meanings -> file

Every reply is kept in the journal of the draft's folder and found there by what was asked: the same
command goes on where it was stopped, and other numbers of texts or skills ask only what is new.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from unparrot.core.errors import BadInput, UnparrotError
from unparrot.core.records import atomic_write
from unparrot.core.skills import LANGUAGE_TAG
from unparrot.core.wording import plural
from unparrot.eval.ask.asking import Caller, Tally
from unparrot.eval.ask.run import Access, budget_of, open_folder, open_priced, stopped_by
from unparrot.eval.ask.schedule import Crew
from unparrot.eval.draft import questions
from unparrot.eval.draft.questions import Label, Meaning, Question
from unparrot.eval.protocol.grading import new_token
from unparrot.eval.record.journal import FILE, LOCK, Call, CallId, canonical, open_journal, settings
from unparrot.eval.record.provenance import PROVENANCE, add_students, provenance
from unparrot.eval.wire.models import NoSchema, OpenModel, Settings, call_config
from unparrot.eval.wire.prices import CHARACTERS_PER_TOKEN, Price
from unparrot.eval.wire.redaction import Redactor
from unparrot.packs.checking import PACK_NAME, NameIndex, PackReport, check_pack, folded

Answer = TypeVar("Answer")
PACK: Final = "pack.yaml"
# The journal's name for the SHA-256 of the packs that were written last.
_WRITTEN: Final = "draft"
# Names that one question merges or sorts, and categories at most.
AT_ONCE: Final = 40
_CATEGORIES: Final = 8
# Texts that are shown beside a skill.
_SHOWN: Final = 2
# Tokens of a field with a name, about.
_FIELD_TOKENS: Final = 8
# Of a definition and an example, in fields with a name.
_MEANING_FIELDS: Final = 15


@dataclass(frozen=True, slots=True)
class DraftSpec:
    """How a pack is drafted.

    Parameters
    ----------
    model
        Who names and defines, by Inspect's name.
    name, language
        Of the pack; the language is a BCP 47 tag.
    skills, topics
        That the pack has at most.
    each
        Skills that a text may be said to need, at most.
    least
        Texts that need a skill of the pack, at least.
    tries
        How often the model is asked for a reply that can be used.
    shape
        Settings of the calls.
    form
        How it replies: ``schema`` under a JSON schema, ``text`` as it is told to, ``auto`` the
        first where the provider keeps to one.
    """

    model: str
    name: str
    language: str
    skills: int
    topics: int
    each: int
    least: int
    tries: int
    shape: Settings
    form: str

    def __post_init__(self) -> None:
        if not LANGUAGE_TAG.fullmatch(self.language):
            raise BadInput(f"--language is a tag such as en, ko or pt-BR, not {self.language!r}")
        if not PACK_NAME.fullmatch(self.name):
            raise BadInput(f"a pack cannot be called {self.name!r}: use letters, digits, . and -")


@dataclass(slots=True)
class DraftedSkill:
    """A skill of the draft: the names that were merged into it, and how many texts need it."""

    name: str
    names: tuple[str, ...]
    texts: int
    category: str = ""
    definition: str = ""
    example: str = ""


@dataclass(slots=True)
class Draft:
    """A draft.

    Parameters
    ----------
    file
        The pack; None if no skill was left.
    skills
        Those of the pack.
    topics
        Those of the pack.
    report
        What `unparrot packs check` says of the file.
    mend
        What the model left undone, and the user has to mend, a sentence each.
    texts
        Texts that were read.
    tally
        Calls made.
    """

    texts: int
    tally: Tally
    file: Path | None = None
    skills: list[DraftedSkill] = field(default_factory=list[DraftedSkill])
    topics: list[str] = field(default_factory=list[str])
    mend: list[str] = field(default_factory=list[str])
    report: PackReport | None = None


class Estimate(NamedTuple):
    """What a draft takes, about: calls, tokens read and written, and US dollars if known."""

    calls: int
    read: int
    written: int
    cost: float | None


def estimate(spec: DraftSpec, texts: Sequence[str], price: Price | None) -> Estimate:
    """Work out beforehand what a draft takes, if every reply can be used; call nobody.

    Half of the names are taken to be different, and merging to halve them again, until one question
    can hold them.
    """
    named, sorting = max(1, len(texts) * spec.each // 2), 1
    while named > AT_ONCE:
        sorting += -(-named // AT_ONCE)
        named //= 2
    merging = questions.merge(["n" * 20] * AT_ONCE, 1, "en").message("")
    defining = questions.define("", texts[:_SHOWN], NameIndex(()), "en").message("")
    prompts = [(question.message(""), spec.each + 2) for question in _labels(spec, texts)]
    prompts += [(merging, 2 * AT_ONCE)] * sorting
    prompts += [(defining, _MEANING_FIELDS)] * min(spec.skills, named)
    read = sum(len(prompt) for prompt, _ in prompts) // CHARACTERS_PER_TOKEN
    written = sum(fields for _, fields in prompts) * _FIELD_TOKENS
    cost = None if price is None else price.of(read, written)
    return Estimate(len(prompts), read, written, cost)


def require_folder(folder: Path) -> None:
    """Raise `BadInput` if the folder holds something other than a draft."""
    others = folder.exists() and any(path.name != LOCK for path in folder.iterdir())
    if others and not (folder / FILE).exists():
        raise BadInput(f"{folder} holds something other than a draft; name another --out")


def draft(
    spec: DraftSpec,
    texts: Sequence[str],
    folder: Path,
    access: Access,
    heading: str,
    watch: Callable[[Tally], None] = lambda _: None,
) -> Draft:
    """Draft a pack from texts and write it to ``folder/pack.yaml``.

    Parameters
    ----------
    spec
        How.
    texts
        As `unparrot.eval.draft.texts.read_texts` has them.
    folder
        Of the journal and the pack.
    access
        How the model is reached.
    heading
        Comment at the top of the file.
    watch
        Is given the counts at the start; they change as the draft goes on.

    Raises
    ------
    BadInput
        If the folder holds something else, or a pack that was changed since.
    UnparrotError
        If it was stopped; what was answered is kept.
    """
    require_folder(folder)
    redact = Redactor(access.secrets)
    model = open_priced(spec.model, access, redact, access.base_url, spec.form, access.arguments)
    open_folder(folder, share=False)
    tally = Tally(planned=len(texts), paces=[model.pace])
    made = Draft(len(texts), tally)
    with open_journal(folder) as journal:
        file = folder / PACK
        written: list[str] = journal.get(_WRITTEN, list[str]) or []
        if journal.get("spec") is not None:
            raise BadInput(f"{folder} holds a run of another command; name another --out")
        if file.exists() and hashlib.sha256(file.read_bytes()).hexdigest() not in written:
            raise BadInput(
                f"{file} was changed since it was drafted; move it, or name another --out"
            )
        known = provenance(journal)
        add_students(known, {model.name: model.origin}, folder, moved=access.moved)
        journal.put(PROVENANCE, known)
        budget = budget_of(journal, access)
        caller = Caller(journal, access.limits.retries, budget, tally)

        def shown() -> None:
            watch(tally)

        shown()
        drafter = _Drafter(spec, model, Crew(caller, shown), access.limits.connections, made)
        stopped = stopped_by(drafter.run(texts), [model], journal, budget)
        if stopped is not None:
            raise stopped
        if made.skills:
            content = _as_yaml(spec, made, heading)
            # whichever stands there, if the process is killed in between
            journal.put(_WRITTEN, [*written[-1:], hashlib.sha256(content).hexdigest()])
            atomic_write(file, content)
            made.file, made.report = file, check_pack(content)
    return made


def _labels(spec: DraftSpec, texts: Iterable[str]) -> list[Question[Label]]:
    return [questions.label(text, spec.each, spec.language) for text in texts]


class _Drafter:
    """Asks what a draft takes, step by step."""

    def __init__(
        self, spec: DraftSpec, model: OpenModel, crew: Crew, connections: int, made: Draft
    ) -> None:
        self.spec, self.model, self.crew, self.made = spec, model, crew, made
        self._room = asyncio.Semaphore(connections)

    async def run(self, texts: Sequence[str]) -> None:
        await self.crew.carry_out(lambda: self._steps(texts))

    async def _steps(self, texts: Sequence[str]) -> None:
        made, spec, language = self.made, self.spec, self.spec.language
        labels = await self._all(_labels(spec, texts))
        unlabelled = sum(label is None or not label.skills for label, _ in labels)
        if unlabelled:
            made.mend.append(
                f"Of {unlabelled:,} of {plural(len(texts), 'text')} the model named no skill that "
                "can be used."
            )
        needing: defaultdict[str, dict[str, None]] = defaultdict(dict)  # texts, by name
        spelled: dict[str, str] = {}
        for text, (label, _) in zip(texts, labels, strict=True):
            for name in label.skills if label else ():
                needing[spelled.setdefault(folded(name), name)][text] = None
        families = await self._families(needing)
        joined: defaultdict[str, list[str]] = defaultdict(list)
        for name, family in families.items():
            joined[family].append(name)
        skills = [
            DraftedSkill(family, tuple(names), len({t for name in names for t in needing[name]}))
            for family, names in joined.items()
        ]
        skills.sort(key=lambda skill: (-skill.texts, skill.name))
        kept = [skill for skill in skills if skill.texts >= spec.least][: spec.skills]
        if not kept:
            made.mend.append(
                f"No skill is needed by {plural(spec.least, 'text')}: give more texts than these "
                f"{len(texts):,}, a smaller --least, or another --model."
            )
            return
        index = NameIndex([skill.name for skill in kept], language)
        sorting = [
            questions.categories([skill.name for skill in part], _CATEGORIES, language)
            for part in _parts(kept)
        ]
        sorted_ = await self._all(sorting)
        meanings = [
            questions.define(
                skill.name,
                [text for name in skill.names for text in needing[name]][:_SHOWN],
                index,
                language,
            )
            for skill in kept
        ]
        defined = await self._all(meanings)
        kinds = {name: kind for given, _ in sorted_ for name, kind in (given or {}).items()}
        self._take(kept, kinds, defined)
        self._take_topics([label.topic for label, _ in labels if label], index)

    def _take(
        self,
        kept: Sequence[DraftedSkill],
        kinds: Mapping[str, str],
        defined: Sequence[tuple[Meaning | None, str]],
    ) -> None:
        spelled: dict[str, str] = {}
        for skill, (meaning, fault) in zip(kept, defined, strict=True):
            if meaning is None:
                self.made.mend.append(
                    f"The skill {skill.name!r}, needed by {plural(skill.texts, 'text')}, is left "
                    f"out: the model gave no definition and example that can be used ({fault})."
                )
                continue
            kind = kinds.get(skill.name, "")
            if not kind:
                self.made.mend.append(f"The skill {skill.name!r} has no category: 'other' stands.")
            skill.category = spelled.setdefault(folded(kind), kind) or "other"
            skill.definition, skill.example = meaning
            self.made.skills.append(skill)

    def _take_topics(self, named: Iterable[str], index: NameIndex) -> None:
        different: dict[str, str] = {}
        for topic in named:
            different.setdefault(folded(topic), topic)
        topics = [topic for topic in different.values() if topic and not index.named_in(topic)]
        self.made.topics = topics[: self.spec.topics]
        if not topics and self.made.skills:
            self.made.skills.clear()
            self.made.mend.append("No topic can be used, and a pack needs one: name another model.")

    async def _families(self, named: Iterable[str]) -> dict[str, str]:
        """The name that stands for each name, in as many rounds of merging as it takes until one
        question can hold those that are left."""
        spec, families = self.spec, {name: name for name in named}
        while len(names := sorted({*families.values()})) > 1:
            merging = [questions.merge(part, spec.skills, spec.language) for part in _parts(names)]
            merged: dict[str, str] = {}
            spelled = {folded(name): name for name in names}
            for given, _ in await self._all(merging):
                for name, new in (given or {}).items():
                    merged[name] = spelled.setdefault(folded(new), new)
            families = {name: merged.get(own, own) for name, own in families.items()}
            left = len({*families.values()})
            if len(names) <= AT_ONCE or left == len(names):
                break
        return families

    async def _all(self, step: Sequence[Question[Answer]]) -> list[tuple[Answer | None, str]]:
        """Ask all questions of a step; of each what it brought, and what it lacks.

        What later steps ask depends on all of them, so that they are not begun without one.
        """
        tally, crew = self.crew.caller.tally, self.crew
        tally.planned = max(tally.planned, tally.made + tally.kept + len(step))
        failed = tally.failed

        async def one(place: int, question: Question[Answer]) -> tuple[Answer | None, str]:
            async with self._room:
                if crew.stopped is not None:
                    return None, ""
                answer = await crew.careful(self.model.name, self._ask(question, place))
                return answer or (None, "")

        answers = await asyncio.gather(*(one(i, question) for i, question in enumerate(step)))
        if tally.failed > failed:
            crew.stop(
                UnparrotError(
                    f"{plural(tally.failed - failed, 'call')} stayed without a reply "
                    f"({tally.words}), and what follows depends on them: give the same command "
                    "again"
                )
            )
        if crew.stopped is not None:
            raise crew.stopped
        return answers

    async def _ask(self, question: Question[Answer], place: int) -> tuple[Answer | None, str]:
        """Ask until a reply says all, until the tries are used up; then what is known."""
        best, lacks = None, ""
        for again in range(1, self.spec.tries + 1):
            try:
                call = await self._call(question, self.model.form, place, again, lacks)
            except NoSchema:
                call = await self._call(question, "text", place, again, lacks)
            if call.state == "failed":
                break
            answer, lacks = question.answer(call.reply, call.stop_reason, call.token)
            best = answer if answer is not None else best
            if not lacks:
                break
            reason = lacks.partition("; ")[0].rpartition(": ")[2]
            self.crew.caller.unusable([f"{question.step}: {reason}"], again < self.spec.tries)
        return best, lacks

    async def _call(
        self, question: Question[Any], form: str, place: int, again: int, lacks: str
    ) -> Call:
        from inspect_ai.model import ChatMessageUser, ResponseSchema
        from inspect_ai.util import JSONSchema

        caller, token = self.crew.caller, new_token()
        name, shape = self.model.name, self.spec.shape
        # all of the prompt but the token
        words = [questions.VERSION, question.prompt, dict(question.values), question.fields, lacks]
        digest = hashlib.sha256(canonical(words).encode()).hexdigest()
        own, step = settings({**shape._asdict(), "form": form}), canonical([question.step])
        call_id = CallId("student", name, own, digest, name, 0, place, step, 1, 1, again)
        config = call_config(shape, None)
        if form == "schema":
            schema = JSONSchema.model_validate(question.schema)
            answer = ResponseSchema(name=question.step, json_schema=schema, strict=True)
            config = config.model_copy(update={"response_schema": answer})
        config = caller.suited(self.model, call_id, config, seed=0)
        prompt = question.message(token)
        if lacks:
            prompt += f"\n\nYour last reply to this could not be used ({lacks})."
        message = ChatMessageUser(content=prompt)
        return await caller.call(self.model, call_id, [message], config, token)


Part = TypeVar("Part")


def _parts(names: Sequence[Part]) -> list[Sequence[Part]]:
    """Cut into parts of about one size, of `AT_ONCE` at most."""
    number = -(-len(names) // AT_ONCE)
    ends = [len(names) * i // number for i in range(number + 1)]
    return [names[a:b] for a, b in pairwise(ends)]


def _as_yaml(spec: DraftSpec, made: Draft, heading: str) -> bytes:
    import yaml

    skills = [
        {
            "name": skill.name,
            "category": skill.category,
            "definition": skill.definition,
            "example": skill.example,
        }
        for skill in sorted(made.skills, key=lambda skill: (skill.category, skill.name))
    ]
    language = {} if spec.language == "en" else {"language": spec.language}
    pack = {"name": spec.name, "version": "1", **language, "skills": skills, "topics": made.topics}
    text = yaml.safe_dump(pack, sort_keys=False, allow_unicode=True, width=96)
    return f"# {' '.join(heading.split())}\n{text}".encode()
