"""``lab/PATH`` and ``lab/exact`` as Inspect opens and asks them, and ``hf/`` on the same folder."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from inspect_ai.model import (
    ChatMessageAssistant,
    ChatMessageUser,
    GenerateConfig,
    ModelOutput,
    get_model,
)
from inspect_ai.tool import ToolInfo
from safetensors.torch import load_file, save_file

from unparrot.core.errors import BadInput, MissingExtra
from unparrot.core.skills import CRITERIA, SkillCombination
from unparrot.lab.grader.exact import marks
from unparrot.lab.inspect_provider import LabAPI, exact_reply
from unparrot.lab.world.english import World, pretty

WORLD = World()
NAMES = WORLD.pack.skill_names
CPU = {"device": "cpu", "memoize": False}


@pytest.fixture
def checkpoint(world_checkpoint: Path) -> Path:
    return world_checkpoint


def combinations(count: int, most: int = 4) -> list[SkillCombination]:
    draw = Random(3)
    return [
        SkillCombination(
            draw.choice(WORLD.pack.topic_names), tuple(draw.sample(NAMES, draw.randint(1, most)))
        )
        for _ in range(count)
    ]


PROMPTS = [WORLD.prompt(combination) for combination in combinations(20)]


def ask(model: Any, prompts: Sequence[Any], **config: Any) -> list[ModelOutput]:
    """Ask all at once."""

    async def together() -> list[ModelOutput]:
        settings = GenerateConfig(**config)
        return await asyncio.gather(*(model.generate(p, config=settings) for p in prompts))

    return asyncio.run(together())


def test_calls_at_once_are_written_together_and_equal_calls_one_by_one(checkpoint: Path) -> None:
    model = get_model(f"lab/{checkpoint}", **CPU)
    sizes: list[int] = []
    batches = model.api._student.batches  # pyright: ignore
    write = batches._run
    batches._run = lambda items: sizes.append(len(items)) or write(items)
    settings = {"max_tokens": 24, "temperature": 0.7, "seed": 4}
    together = ask(model, PROMPTS, **settings)
    assert max(sizes) > 1
    alone = [ask(model, [prompt], **settings)[0] for prompt in PROMPTS]
    assert [o.completion for o in together] == [o.completion for o in alone]
    assert len({o.completion for o in together}) > 10
    again = ask(model, [PROMPTS[0]] * 3, **settings)
    assert {o.completion for o in again} == {together[0].completion}
    other = ask(model, PROMPTS, **(settings | {"seed": 5}))
    assert [o.completion for o in other] != [o.completion for o in together]


def test_stop_reasons_and_usage(checkpoint: Path) -> None:
    model = get_model(f"lab/{checkpoint}", **CPU)
    found = ask(model, PROMPTS, max_tokens=24)
    assert {o.stop_reason for o in found} == {"stop", "max_tokens"}
    for combination, output in zip(combinations(20), found, strict=True):
        usage = output.usage
        assert usage is not None
        assert usage.input_tokens == len(WORLD.prompt_tokens(combination))
        assert 1 <= usage.output_tokens <= 24
        assert usage.total_tokens == usage.input_tokens + usage.output_tokens
        assert output.stop_reason == "stop" or usage.output_tokens == 24
        assert output.model == str(checkpoint)


def test_the_last_user_message_counts(checkpoint: Path) -> None:
    model = get_model(f"lab/{checkpoint}", **CPU)
    chat = [
        ChatMessageUser(content="Good day to you!"),
        ChatMessageUser(content=PROMPTS[0]),
        ChatMessageAssistant(content="..."),
    ]
    one, two = ask(model, [chat, PROMPTS[0]], max_tokens=12)
    assert one.completion == two.completion
    with pytest.raises(BadInput, match="answers a user message, and there is none"):
        ask(model, [[ChatMessageAssistant(content="...")]])


def test_hf_writes_the_same_greedy_texts(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    ours = ask(get_model(f"lab/{checkpoint}", **CPU), PROMPTS, max_tokens=24)
    model = get_model("hf/local", model_path=str(checkpoint), do_sample=False, **CPU)
    chats = [[ChatMessageUser(content="Hello"), *_as_chat(prompt)] for prompt in PROMPTS]
    theirs = ask(model, chats, max_tokens=24)
    texts = [pretty(output.completion.split()) for output in theirs]
    assert texts == [output.completion for output in ours]
    assert len(set(texts)) > 10


def _as_chat(prompt: str) -> list[Any]:
    return [ChatMessageAssistant(content="Hi."), ChatMessageUser(content=prompt)]


def test_the_chat_template_passes_the_last_message_through(checkpoint: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(checkpoint)
    chat = [
        {"role": "system", "content": "Be good."},
        {"role": "user", "content": "topic: chess"},
        {"role": "assistant", "content": "What?"},
        {"role": "user", "content": PROMPTS[0]},
    ]
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    assert text == PROMPTS[0]
    ids = tokenizer(text).input_ids
    expected = [WORLD.vocabulary.index(t) for t in WORLD.prompt_tokens(combinations(20)[0])]
    assert ids == expected
    assert ids.count(1) == 1


def test_what_a_model_of_the_lab_cannot_do_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    model = get_model(f"lab/{checkpoint}", **CPU)
    with pytest.raises(BadInput, match=r"the words 'knitting'; .*use the prompts 'world'"):
        ask(model, ["topic: knitting skills: metaphor text:"])
    for settings, name in (
        ({"top_p": 0.9}, "top_p"),
        ({"stop_seqs": ["."]}, "stop_seqs"),
        ({"num_choices": 2}, "num_choices"),
    ):
        with pytest.raises(BadInput, match=f"knows temperature, max_tokens and seed, not {name}"):
            ask(model, [PROMPTS[0]], **settings)

    async def with_tool() -> None:
        await model.generate(PROMPTS[0], tools=[ToolInfo(name="dig", description="")])

    with pytest.raises(BadInput, match="uses no tools; 1 were given"):
        asyncio.run(with_tool())
    with pytest.raises(BadInput, match="does not exist, so it is no checkpoint"):
        get_model(f"lab/{tmp_path / 'nowhere'}", memoize=False)
    with pytest.raises(BadInput, match=r"knows the argument device, not \['batch'\]"):
        get_model(f"lab/{checkpoint}", batch=3, memoize=False)


def test_one_bad_prompt_does_not_spoil_the_others(checkpoint: Path) -> None:
    model = get_model(f"lab/{checkpoint}", **CPU)

    async def together() -> list[Any]:
        prompts = [PROMPTS[0], "what is this", PROMPTS[1]]
        config = GenerateConfig(max_tokens=8)
        calls = (model.generate(prompt, config=config) for prompt in prompts)
        return await asyncio.gather(*calls, return_exceptions=True)

    first, second, third = asyncio.run(together())
    assert isinstance(second, BadInput)
    assert [first.completion, third.completion] == [
        output.completion for output in ask(model, PROMPTS[:2], max_tokens=8)
    ]


def test_a_call_that_is_given_up_leaves_the_others(checkpoint: Path) -> None:
    model = get_model(f"lab/{checkpoint}", **CPU)

    async def together() -> str:
        config = GenerateConfig(max_tokens=200)
        calls = [asyncio.create_task(model.generate(p, config=config)) for p in PROMPTS[:6]]
        await asyncio.sleep(0)
        calls[0].cancel()
        found = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(found[0], asyncio.CancelledError)
        return found[1].completion  # pyright: ignore

    assert asyncio.run(together()) == ask(model, [PROMPTS[1]], max_tokens=200)[0].completion


def test_trio_can_ask_it(checkpoint: Path) -> None:
    trio = pytest.importorskip("trio")
    first, second = (get_model(f"lab/{checkpoint}", **CPU).api for _ in range(2))
    message = [ChatMessageUser(content=PROMPTS[0])]
    config = GenerateConfig(max_tokens=8)
    reply = trio.run(first.generate, message, [], "none", config)
    assert reply.completion == asyncio.run(second.generate(message, [], "none", config)).completion  # pyright: ignore


def corrupted(text: str, draw: Random) -> str:
    words = text.split()
    place = draw.randrange(len(words))
    if draw.random() < 0.5:
        words[place] = draw.choice(WORLD.vocabulary[3:])
    else:
        del words[place]
    return " ".join(words)


def graded(combination: SkillCombination, text: str, form: str) -> list[bool]:
    """The marks in a reply of the exact grader, read strictly."""
    task = {"topic": combination.topic, "skills": list(combination.skills), "text": text}
    given = {"unparrot": {**task, "token": "Mabc123", "form": form}}
    message = ChatMessageUser(content="Mark this.", metadata=given)
    (output,) = ask(get_model("lab/exact"), [[message]])
    ids = [f"S{i + 1}" for i in range(combination.k)] + ["TOPIC", "SENSE", "LENGTH"]
    assert output.stop_reason == "stop"
    if form == "schema":
        content = json.loads(output.completion)
        assert list(content) == ["token", *ids]
        assert content.pop("token") == "Mabc123"
        assert all(list(entry) == ["why", "mark"] for entry in content.values())
        return [{0: False, 1: True}[entry["mark"]] for entry in content.values()]
    lines = [line.split(" ") for line in output.completion.split("\n")]
    assert [line[:3] for line in lines] == [["Mabc123", name, "="] for name in ids]
    return [{"0": False, "1": True}[line[3]] for line in lines]


def test_the_exact_grader_gives_the_exact_marks() -> None:
    draw = Random(8)
    earned = missed = 0
    for i, combination in enumerate(combinations(200)):
        text = WORLD.sample(combination, draw.random).pretty
        if i % 2:
            text = corrupted(text, draw)
        expected = list(marks(combination, WORLD.about(combination), text).values())
        assert graded(combination, text, ("schema", "text")[i // 2 % 2]) == expected
        earned += all(expected)
        missed += not all(expected)
    assert earned >= 100
    assert missed > 50


def test_the_exact_grader_says_what_is_amiss_with_the_sense() -> None:
    task = {"topic": "sewing", "skills": ["metaphor"], "token": "Mx", "form": "schema"}
    reply = json.loads(exact_reply({"unparrot": {**task, "text": "Mary is."}}, ""))
    assert reply["SENSE"]["mark"] == 0
    assert "cannot read" in reply["SENSE"]["why"]
    assert list(reply) == ["token", "S1", *(name.upper() for name in CRITERIA)]


def test_the_exact_grader_wants_its_task_beside_the_message() -> None:
    exact = get_model("lab/exact")
    with pytest.raises(BadInput, match="does not read prompts"):
        ask(exact, ["Please mark this text."])
    good: dict[str, Any] = {
        "topic": "sewing", "skills": ["metaphor"], "text": "", "token": "Mx", "form": "text",
    }  # fmt: skip
    for change, message in (
        ({"skills": []}, r"needs the texts topic.* at `\$.skills`"),
        ({"skills": "metaphor"}, r"the list skills.* got `str` - at `\$.skills`"),
        ({"text": None}, r"needs the texts.* at `\$.text`"),
        ({"form": "table"}, "'schema' or 'text': .* 'table'"),
        ({"topic": "knitting"}, "unknown topic 'knitting'"),
        ({"skills": ["irony"]}, "unknown skill 'irony'"),
    ):
        with pytest.raises(BadInput, match=message):
            exact_reply({"unparrot": good | change}, "")


def run_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def test_inspect_finds_the_models_and_torch_comes_only_with_a_checkpoint() -> None:
    said = run_python(
        "import sys; from inspect_ai.model import get_model; print(get_model('lab/exact'));"
        "import unparrot.cli.inspect_registry; print('torch' in sys.modules)"
    )
    assert said.split() == ["lab/exact", "False"]


def test_a_missing_torch_names_the_extra(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "unparrot.lab.writer", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"torch is not installed; .*unparrot\[lab\]"):
        get_model(f"lab/{checkpoint}", memoize=False)


def test_a_model_is_known_by_its_weights(checkpoint: Path, tmp_path: Path) -> None:
    def identity(folder: Path) -> str:
        return LabAPI(str(folder)).identity

    copy = Path(shutil.copytree(checkpoint, tmp_path / "copy"))
    assert identity(copy) == identity(checkpoint) != ""
    tensors = load_file(copy / "model.safetensors")
    save_file({name: tensor + 1 for name, tensor in tensors.items()}, copy / "model.safetensors")
    assert identity(copy) != identity(checkpoint)
    assert LabAPI("exact").identity == ""
