"""Ask them yourself, in a real browser: what its scripts write and mark is what Python does."""

from __future__ import annotations

import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import msgspec
import numpy as np
import pytest
import torch

from unparrot.analysis.schema import LabSummary
from unparrot.core.records import Pocket, PocketModel, RunFolder
from unparrot.core.skills import HeldOut, SkillCombination
from unparrot.lab.corpus import Example, Mixture, Source
from unparrot.lab.grader.as_data import grader_data
from unparrot.lab.grader.exact import marks
from unparrot.lab.parrots.neighbour import NeighbourParrot
from unparrot.lab.study.pocket import halved
from unparrot.lab.training.generate import generate
from unparrot.lab.training.model import Llama
from unparrot.lab.training.shape import ModelShape
from unparrot.lab.world.english import CAPITALS, World, pretty
from unparrot.report.page import write_page

pytestmark = pytest.mark.slow

WORLD = World()
WORDS = WORLD.vocabulary
IDS = {word: i for i, word in enumerate(WORDS)}
MOST_TOKENS, END = 12, 2
Script = Callable[..., Callable[..., Any]]
Restored = Callable[[PocketModel, int], Llama]


@torch.no_grad()
def drawn(name: str, width: int, heads: int, seed: int) -> PocketModel:
    """A model that writes nonsense, no two texts alike: none of its weights is zero."""
    shape = ModelShape(width, 2, heads, 2 * width, len(WORDS))
    generator = torch.Generator().manual_seed(seed)
    model = Llama(shape, generator)
    for weights in model.parameters():
        weights += 0.3 * torch.randn(weights.shape, generator=generator)
    sizes = (shape.params, shape.width, shape.layers, shape.heads, shape.hidden)
    return PocketModel(name, *sizes, halved(model))


def requests(n: int, seed: int, most: int = 6) -> list[SkillCombination]:
    rng = Random(seed)
    return [WORLD.draw(rng, rng.randint(1, most)) for _ in range(n)]


def as_json(model: PocketModel) -> dict[str, Any]:
    return msgspec.to_builtins(model) | {"weights": b64encode(model.weights).decode()}


@pytest.mark.parametrize(("width", "heads"), [(16, 2), (20, 1), (24, 4)])
def test_models_write_what_torch_writes(
    script: Script, restored: Restored, width: int, heads: int
) -> None:
    model = drawn("m", width, heads, seed=width)
    llama = restored(model, len(WORDS))
    prompts = [[IDS[word] for word in WORLD.prompt_tokens(asked)] for asked in requests(200, 1)]
    expected = generate(llama, prompts, 40, END)
    run = script("model.js", "unpacked", "continued", "reader")
    given = as_json(model)
    texts = run(
        "((model) => arguments[1].map((prompt) => continued(model, prompt, 40, 2)))"
        "(unpacked(arguments[0], arguments[2]))",
        given,
        prompts,
        len(WORDS),
    )
    assert texts == expected
    assert len({tuple(text) for text in texts}) > 150
    scores = run(
        "((reads) => Array.from(reads.scores(arguments[1].map(reads.read).at(-1))))"
        "(reader(unpacked(arguments[0], arguments[2])))",
        given,
        prompts[0],
        len(WORDS),
    )
    with torch.no_grad():
        starts = torch.tensor([0, len(prompts[0])])
        logits = llama.logits(llama(torch.tensor(prompts[0]), starts))[-1]
    # torch's cosines of float32 are off by the last bit
    np.testing.assert_allclose(scores, logits.numpy(), atol=2e-5)


def spoilt(words: tuple[str, ...], rng: Random) -> list[str]:
    """Words of a text with up to three mistakes."""
    text = list(words)
    for _ in range(rng.randrange(4)):
        at, other = rng.randrange(len(text)), rng.randrange(len(text))
        match rng.randrange(5):
            case 0:
                text[at] = rng.choice(WORDS)
            case 1:
                text[at], text[other] = text[other], text[at]
            case 2:
                del text[at : at + rng.randint(1, 4)]
            case 3:
                text[at:at] = text[other : other + 12]
            case _:
                text += text[: at + 1]
        text = text or ["."]
    return text


def test_the_grader_gives_the_same_marks(script: Script) -> None:
    rng = Random(5)
    asked = requests(1200, 2, most=8)
    # every seventh is written for another request
    written = [asked[i - (i % 7 == 0)] for i in range(len(asked))]
    texts = [spoilt(WORLD.sample(one, rng.random).words, rng) for one in written]
    expected = [
        marks(one, WORLD.about(one), " ".join(text)) for one, text in zip(asked, texts, strict=True)
    ]
    given = [
        [one.skills, WORLD.about(one), [IDS[word] for word in text]]
        for one, text in zip(asked, texts, strict=True)
    ]
    run = script("grader.js", "grading")
    data = msgspec.to_builtins(grader_data(WORDS))
    graded = run(
        "((marks, code) => arguments[1].map(([skills, about, text]) =>"
        " marks(skills, about, text, code)))(grading(arguments[0]),"
        " (word) => arguments[0].codes[arguments[2].indexOf(word)])",
        data,
        given,
        WORDS,
    )
    for one, text, ours, theirs in zip(asked, texts, expected, graded, strict=True):
        assert theirs == [[name, mark] for name, mark in ours.items()], (one, " ".join(text))
    full = sum(all(given.values()) for given in expected)
    assert 150 < full < 900
    for criterion in ("topic", "sense", "length"):
        assert sum(not given[criterion] for given in expected) > 20


def corpus(n: int) -> list[Example]:
    source = Source(WORLD, HeldOut(frozenset(), frozenset(), frozenset(), 8), Mixture(), 3)
    documents = [source.document(i) for i in range(n)]
    return [
        Example(d.combination, " ".join(d.situation.words), " ".join(d.text.words))
        for d in documents
    ]


def test_the_parrot_repeats_the_same_texts(script: Script) -> None:
    examples = corpus(400)
    parrot = NeighbourParrot(examples)
    asked = [(one, WORLD.about(one)) for one in requests(300, 4)]
    run = script("parrot.js", "neighbour")
    texts = run(
        "((parrot) => arguments[1].map((asked) => parrot(...asked)[3]))(neighbour(arguments[0]))",
        [[c.topic, about, c.skills, text] for c, about, text in examples],
        [[one.topic, one.skills, about] for one, about in asked],
    )
    assert texts == [parrot.write(one, about) for one, about in asked]
    assert len(set(texts)) > 100


# --- the section of the page ------------------------------------------------------------------

PART = "document.querySelector('#asked [data-part={}]')"
CARDS = "[...document.querySelectorAll('#asked article')]"


@pytest.fixture(scope="module")
def pocket(ladder_run: tuple[RunFolder, LabSummary]) -> Pocket:
    names = [model.name for model in ladder_run[1].models if model.params][:2]
    models = tuple(drawn(name, 16, 2, seed) for seed, name in enumerate(names))
    rng = np.random.default_rng(1)
    held_out = HeldOut.draw(WORLD.pack, rng, 0.15, 0.02, 0.05, 8)
    situations: dict[str, tuple[str, ...]] = {}
    for one in requests(300, 6):
        situations[one.topic] = (*situations.get(one.topic, ()), WORLD.about(one))
    return Pocket(
        models=models,
        vocabulary=WORDS,
        capitals=tuple(i for i, word in enumerate(WORDS) if word in CAPITALS),
        most_tokens=MOST_TOKENS,
        skills=WORLD.pack.skills,
        held_out=held_out,
        situations=situations,
        read=tuple((c.topic, about, c.skills, text) for c, about, text in corpus(100)),
        documents=5000,
        grader=grader_data(WORDS),
    )


@pytest.fixture(scope="module")
def page(
    ladder_run: tuple[RunFolder, LabSummary],
    pocket: Pocket,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    run = tmp_path_factory.mktemp("runs") / "run"
    shutil.copytree(ladder_run[0].path, run)
    (run / "pocket.json").write_bytes(msgspec.json.encode(pocket, order="deterministic"))
    return write_page(run)


@pytest.fixture
def tab(chrome: Any, show: Any, page: Path) -> Iterator[Any]:
    show(chrome, "about:blank", 1280, "light")
    chrome.get_log("browser")
    show(chrome, page.as_uri(), 1280, "light")
    until(chrome, "return !document.getElementById('asked').classList.contains('waiting')")
    yield chrome
    assert chrome.get_log("browser") == []


def until(chrome: Any, script: str) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(chrome, 60).until(lambda driver: driver.execute_script(script))


def calm(chrome: Any) -> None:
    """Let the browser ask for little motion, so that texts appear at once."""
    feature = {"name": "prefers-reduced-motion", "value": "reduce"}
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def said(chrome: Any) -> list[str]:
    until(chrome, f"return {CARDS}.every((card) => card.classList.contains('done'))")
    return chrome.execute_script(
        f"return {CARDS}.map((card) => card.querySelector('.says').textContent)"
    )


def test_what_a_reader_asks_for_is_written_and_marked(
    tab: Any, pocket: Pocket, restored: Restored
) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    calm(tab)
    tab.find_element(By.CSS_SELECTOR, "[data-part=clear]").click()
    assert not tab.find_element(By.CSS_SELECTOR, "#asked .main").is_enabled()
    pair = min(pocket.held_out.pairs)
    for name in pair:  # with the keyboard alone
        tab.execute_script(
            f"[...{PART.format('skills')}.children].find((b) => b.textContent === arguments[0])"
            ".focus()",
            name,
        )
        tab.switch_to.active_element.send_keys(Keys.SPACE)
    novel = tab.execute_script(f"return {PART.format('novelty')}.textContent")
    assert f"No training text held {pair[0]} + {pair[1]} together" in novel
    tab.find_element(By.CSS_SELECTOR, "#asked .main").send_keys(Keys.ENTER)
    until(tab, f"return {PART.format('status')}.textContent")
    topic, about = (
        tab.execute_script(f"return {PART.format(name)}.value") for name in ("topic", "about")
    )
    prompt = f"topic: {topic} about: {about} skills: {pair[0]} , {pair[1]} text:"
    assert tab.execute_script(f"return {PART.format('prompt')}.textContent") == prompt
    tokens = [1, *(IDS[w] for w in f"topic: {topic} about: {about} skills:".split())]
    tokens += [IDS[pair[0]], IDS[","], IDS[pair[1]], IDS["text:"]]
    expected = [
        [WORDS[token] for token in generate(llama, [tokens], MOST_TOKENS * 3, END)[0]]
        for llama in (restored(m, len(WORDS)) for m in pocket.models)
    ]
    asked = SkillCombination(topic, pair)
    examples = [Example(SkillCombination(t, s), a, text) for t, a, s, text in pocket.read]
    expected.append(NeighbourParrot(examples).write(asked, about).split())
    assert said(tab) == [pretty(words) for words in expected]
    shown = tab.execute_script(
        f"return {CARDS}.map((card) => [...card.querySelectorAll('.marks li')]"
        ".map((item) => item.textContent))"
    )
    assert shown == [
        [f"{'✓' if mark else '✗'} {name}" for name, mark in given.items()]
        for given in (marks(asked, about, " ".join(words)) for words in expected)
    ]
    status = tab.execute_script(f"return {PART.format('status')}.textContent")
    for text in said(tab):
        assert text in status


def test_a_request_is_kept_in_the_address(tab: Any, show: Any, page: Path) -> None:
    tab.execute_script(f"{PART.format('draw')}.click()")
    first = said(tab)
    link = tab.current_url
    asked = tab.execute_script(f"return {PART.format('prompt')}.textContent")
    show(tab, "about:blank", 1280, "light")
    show(tab, link, 1280, "light")
    until(tab, f"return {PART.format('prompt')}.textContent")
    assert tab.execute_script(f"return {PART.format('prompt')}.textContent") == asked
    tab.execute_script("document.querySelector('#asked article').scrollIntoView()")
    assert said(tab) == first
    hostile = "topic: sewing about: <img src=x> skills: doubt text:"
    show(tab, "about:blank", 1280, "light")
    show(tab, f"{page.as_uri()}#ask={quote(hostile)}", 1280, "light")
    until(tab, f"return {PART.format('prompt')}.textContent")
    assert "img" not in tab.execute_script(f"return {PART.format('prompt')}.textContent")


def test_words_appear_one_by_one_and_nothing_moves(tab: Any) -> None:
    tab.execute_script(f"{PART.format('draw')}.click()")
    out = f"return {CARDS}[0].querySelectorAll('.out').length"
    until(tab, f"{out} > 0")
    some = tab.execute_script(out)
    size = f"return {CARDS}.map((card) => card.getBoundingClientRect().height)"
    before = tab.execute_script(size)
    until(tab, f"{out} > {some}")
    assert said(tab)
    assert tab.execute_script(size) == before
    drawn_now = tab.execute_script(f"return {PART.format('novelty')}.textContent")
    assert drawn_now.startswith("No training text held")


def test_the_first_answer_waits_until_it_is_seen(chrome: Any, show: Any, page: Path) -> None:
    show(chrome, "about:blank", 1280, "light")
    show(chrome, page.as_uri(), 1280, "light")
    chrome.execute_script("document.querySelector('#asked article').scrollIntoView()")
    assert all(said(chrome))
    assert chrome.execute_script(f"return {PART.format('status')}.textContent") == ""


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits(chrome: Any, show: Any, page: Path, width: int, scheme: str) -> None:
    show(chrome, "about:blank", width, scheme)
    show(chrome, page.as_uri(), width, scheme)
    chrome.execute_script("document.querySelector('#asked article').scrollIntoView()")
    assert all(said(chrome))
    assert chrome.execute_script("return document.documentElement.scrollWidth") <= width
    unnamed = chrome.execute_script(
        "return [...document.querySelectorAll('.play :is(select, input, button)')]"
        ".filter(e => !(e.labels?.length || e.textContent.trim())).length"
    )
    assert unnamed == 0


def test_a_run_without_models_has_no_such_section(
    ladder_run: tuple[RunFolder, LabSummary], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(ladder_run[0].path, run)
    assert 'id="asked"' not in write_page(run).read_text("utf-8")
