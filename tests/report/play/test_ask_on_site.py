"""The models of the documentation site: their file, and their page in a real browser."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import msgspec
import pytest

from unparrot.core.errors import BadInput
from unparrot.core.records import Pocket, RunFolder
from unparrot.core.skills import SkillCombination
from unparrot.lab.corpus import Example
from unparrot.lab.grader.exact import marks
from unparrot.lab.parrots.neighbour import NeighbourParrot
from unparrot.lab.training.generate import generate
from unparrot.lab.world.english import pretty

ROOT = Path(__file__).parents[3]
END = 2


@pytest.fixture(scope="module")
def kept() -> Any:
    """The module that keeps the models of the site."""
    spec = spec_from_file_location("site_models", ROOT / "docs" / "site_models.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = module_from_spec(spec)  # for the types of its struct
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pocket(kept: Any) -> Pocket:
    return kept.read_models().pocket


def test_the_file_is_small_and_made_from_a_run(
    kept: Any, pocket: Pocket, ladder_run: tuple[RunFolder, Any], tmp_path: Path
) -> None:
    assert kept.MODELS.stat().st_size < 1_200_000
    run = tmp_path / "run"
    shutil.copytree(ladder_run[0].path, run)
    with pytest.raises(BadInput, match=r"has no pocket\.json"):
        kept.models_of(run)
    (run / "pocket.json").write_bytes(msgspec.json.encode(pocket))
    models = kept.models_of(run)
    assert models.pocket == pocket
    assert len(models.sizes) == len(
        {model.params for model in ladder_run[1].models if model.params}
    )
    kept.write_models(models, tmp_path / "models.json.gz")
    assert kept.read_models(tmp_path / "models.json.gz") == models


def without(content: dict[str, Any]) -> None:
    del content["pocket"]["capitals"]


def beyond(content: dict[str, Any]) -> None:
    content["pocket"]["models"][0]["bias"] = 1


def shorter(content: dict[str, Any]) -> None:
    content["pocket"]["models"][0]["weights"] = b64encode(b"00").decode()


def other_rules(content: dict[str, Any]) -> None:
    content["pocket"]["grader"]["twelve"] += 1


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (without, "missing required field `capitals`"),
        (beyond, "unknown field `bias`"),
        (shorter, "are 2 bytes and not"),
        (other_rules, "no longer those of the grader"),
    ],
)
def test_another_format_is_refused_with_the_command_that_mends_it(
    kept: Any, tmp_path: Path, change: Callable[[dict[str, Any]], None], fault: str
) -> None:
    content = json.loads(gzip.decompress(kept.MODELS.read_bytes()))
    change(content)
    path = tmp_path / "models.json.gz"
    path.write_bytes(gzip.compress(json.dumps(content).encode(), 1))
    with pytest.raises(BadInput, match=f"{fault}.*python docs/site_models.py runs/demo"):
        kept.read_models(path)


@pytest.mark.parametrize("content", [None, b"", b"no gzip"], ids=["absent", "empty", "text"])
def test_a_damaged_file_ends_the_build(tmp_path: Path, content: bytes | None) -> None:
    for path in ROOT.iterdir():
        if path.name not in ("docs", "site"):
            (tmp_path / path.name).symlink_to(path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    path = tmp_path / "docs" / "play" / "models.json.gz"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.search(r"models\.json\.gz.*python docs/site_models\.py runs/demo", done.stderr)
    assert "Traceback" not in done.stderr


# --- the page ---------------------------------------------------------------------------------


class Host(SimpleHTTPRequestHandler):
    """A web host that lets pages run scripts of its own, and those in its pages by their hashes."""

    def end_headers(self) -> None:
        path = Path(self.translate_path(self.path))
        page = path.read_text("utf-8") if path.suffix == ".html" and path.is_file() else ""
        inline = re.findall(r"<script>(.*?)</script>", page, re.S)
        digests = [b64encode(sha256(script.encode()).digest()).decode() for script in inline]
        allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
        self.send_header(
            "Content-Security-Policy",
            f"default-src 'self'; script-src 'self' {allowed}; style-src 'self' 'unsafe-inline'; "
            "img-src 'self' data:",
        )
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The address of the site on a host, in a folder below others."""
    folder = str(site.parents[1])
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Host, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/sub/site"
        server.shutdown()
        thread.join()


def until(chrome: Any, condition: str) -> Any:
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(chrome, 60).until(lambda driver: driver.execute_script(condition))


PART = "document.querySelector('#asked [data-part={}]')"
CARDS = "[...document.querySelectorAll('#asked article')]"


@pytest.fixture
def opened(chrome: Any, show: Any, address: str) -> Callable[[str, int, str], None]:
    """Opens the page of an address for a reader who has not been there before."""

    def open_page(host: str, width: int, scheme: str) -> None:
        show(chrome, "about:blank", width, scheme)
        chrome.get(f"{address}/play/play.css")
        chrome.execute_script("localStorage.clear()")
        show(chrome, "about:blank", width, scheme)
        chrome.get_log("browser")
        chrome.get_log("performance")
        show(chrome, f"{host}/ask.html", width, scheme)
        until(chrome, "return !document.getElementById('asked').classList.contains('waiting')")

    return open_page


def asked_for(chrome: Any, topic: str, skills: tuple[str, ...]) -> str:
    """Pick a topic and skills, press the button, and wait until all have written."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import Select

    def click(element: Any) -> None:
        chrome.execute_script("arguments[0].scrollIntoView({ block: 'center' })", element)
        element.click()

    Select(chrome.find_element(By.CSS_SELECTOR, "#asked [data-part=topic]")).select_by_value(topic)
    click(chrome.find_element(By.CSS_SELECTOR, "[data-part=clear]"))
    for name in skills:
        pick = f"[...{PART.format('skills')}.children].find((b) => b.textContent === arguments[0])"
        click(chrome.execute_script(f"return {pick}", name))
    click(chrome.find_element(By.CSS_SELECTOR, "#asked .main"))
    until(chrome, f"return {PART.format('status')}.textContent")
    return chrome.execute_script(f"return {PART.format('about')}.value")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
)
def test_a_reader_asks_the_models_of_the_site(
    chrome: Any,
    opened: Any,
    restored: Any,
    violations: Any,
    address: str,
    pocket: Pocket,
    width: int,
    scheme: str,
) -> None:
    opened(address, width, scheme)
    topic = max(name for name, abouts in pocket.situations.items() if abouts)
    first, second = max(pocket.held_out.pairs)
    other = next(s.name for s in pocket.skills if s.name not in (first, second))
    skills = (second, other, first)
    about = asked_for(chrome, topic, skills)
    number = {word: i for i, word in enumerate(pocket.vocabulary)}
    listed = " , ".join(skills)
    prompt = chrome.execute_script(f"return {PART.format('prompt')}.textContent")
    assert prompt == f"topic: {topic} about: {about} skills: {listed} text:"
    words = ["topic:", topic, "about:", *about.split(), "skills:", second, ",", other, ",", first]
    tokens = [1, *(number[word] for word in [*words, "text:"])]
    most = pocket.most_tokens * (1 + len(skills))
    texts = [
        [pocket.vocabulary[token] for token in generate(llama, [tokens], most, END)[0]]
        for llama in (restored(model, len(pocket.vocabulary)) for model in pocket.models)
    ]
    asked = SkillCombination(topic, skills)
    examples = [Example(SkillCombination(t, s), a, text) for t, a, s, text in pocket.read]
    texts.append(NeighbourParrot(examples).write(asked, about).split())
    shown = chrome.execute_script(
        f"return {CARDS}.map((card) => [card.querySelector('.says').textContent,"
        " [...card.querySelectorAll('.marks li')].map((item) => item.textContent)])"
    )
    assert shown == [
        [
            pretty(text),
            [
                f"{'✓' if mark else '✗'} {name}"
                for name, mark in marks(asked, about, " ".join(text)).items()
            ],
        ]
        for text in texts
    ]
    assert chrome.execute_script("return document.documentElement.scrollWidth") <= width
    paper = chrome.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    assert violations(chrome, ".md-content") == []
    assert chrome.get_log("browser") == []
    sent = [json.loads(entry["message"])["message"] for entry in chrome.get_log("performance")]
    urls = [
        e["params"]["request"]["url"] for e in sent if e["method"] == "Network.requestWillBeSent"
    ]
    assert urls
    assert all(url.startswith((address, "data:")) for url in urls)


@pytest.mark.slow
def test_the_request_is_kept_in_the_address(
    chrome: Any, opened: Any, address: str, pocket: Pocket
) -> None:
    opened(address, 1280, "light")
    asked_for(chrome, max(pocket.situations), max(pocket.held_out.pairs))
    link = chrome.current_url
    prompt = chrome.execute_script(f"return {PART.format('prompt')}.textContent")
    chrome.get("about:blank")
    chrome.get(link)
    until(chrome, f"return {PART.format('prompt')}.textContent")
    assert chrome.execute_script(f"return {PART.format('prompt')}.textContent") == prompt
    assert chrome.get_log("browser") == []


@pytest.mark.slow
def test_the_models_write_without_a_host(
    chrome: Any, opened: Any, site: Path, pocket: Pocket
) -> None:
    opened(site.as_uri(), 768, "light")
    asked_for(chrome, max(pocket.situations), max(pocket.held_out.pairs))
    # the search of the site needs a host (mkdocs.yml); nothing else does
    assert [e for e in chrome.get_log("browser") if "search_index.js" not in e["message"]] == []


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (390, "light")])
def test_the_theory_to_touch_is_accessible(
    chrome: Any, show: Any, violations: Any, address: str, width: int, scheme: str
) -> None:
    show(chrome, "about:blank", width, scheme)
    chrome.get(f"{address}/play/play.css")
    chrome.execute_script("localStorage.clear()")
    show(chrome, f"{address}/explore.html", width, scheme)
    assert violations(chrome, ".md-content") == []
