"""Short records in the published layout, written by hand; and a server of the chat protocol."""

import csv
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

STUDENT_COLUMNS = (
    "k", "skills", "topic", "system prompt", "user_0", "assistant_0", "model_input_0", "text_0",
    "user_1", "assistant_1", "model_input_1", "text_1",
)  # fmt: skip
GRADER_COLUMNS = (
    "k", "skills", "topic", "system prompt", "user_0", "assistant_0", "model_input_0", "score_0",
    "score_extracted_0", "points_0", "num_sentences_manual_in_student_answer_0",
    "true_sentence_lim_pt_0", "num_sentences_extracted_eq_num_sentences_model_0",
)  # fmt: skip


def table_prompt(skills: Sequence[str], topic: str, text: str) -> str:
    rubric = ", ".join(f"Correctly illustrates {skill}" for skill in skills)
    return (
        f'Grade this answer: "{text}"\nMake a table. The criteria are: {rubric}, Pertains to '
        f"{topic}, Text makes sense, At most two sentences. Begin with 'Here's the grading table:'"
    )


def table(skills: Sequence[str], topic: str, marks: Sequence[object]) -> str:
    """A whole reply in table form, with the sum of the marks."""
    names = [f"Correctly illustrates {skill}" for skill in skills]
    names += [f"Pertains to {topic}", "Text makes sense", "At most two sentences"]
    rows = "".join(f"| {name} | {mark} |\n" for name, mark in zip(names, marks, strict=True))
    total = sum(float(str(mark)) for mark in marks)
    head = "Here's the grading table:\n\n| Criteria | Points Earned |\n|---|---|\n"
    return f"{head}{rows}| Total Points Earned | {total:g} |\n\nExplanation: as the table says."


class Published:
    """Writes records into a folder as the published code lays them out."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, student: str, k: int = 2, number: int = 1, prompt: str = "p") -> Path:
        return self.root / f"k{k}_s10_v{prompt}_r{number}" / student

    def answers(
        self,
        student: str,
        rows: Sequence[tuple[str, Sequence[str], str]],
        *,
        number: int = 1,
        reply: Callable[[str], str] = "Answer: {}\nExplanation: both are there.".format,
        prompt: str = "p",
    ) -> Path:
        """Write (topic, skills, text) as the answers of a round; returns the file."""
        path = self.folder(student, len(rows[0][1]), number, prompt) / "records.csv"
        lines = [
            [len(skills), ", \n".join(skills), topic, "", "first", reply(text), "", text,
             "again", reply(text), "", text]
            for topic, skills, text in rows
        ]  # fmt: skip
        return write(path, STUDENT_COLUMNS, lines)

    def grades(
        self,
        student: str,
        rows: Sequence[tuple[str, Sequence[str], str, str, str]],
        *,
        number: int = 1,
        grading: int = 1,
        grader: str = "gpt-4",
        prompt: Callable[[Sequence[str], str, str], str] = table_prompt,
        within: Sequence[float] | None = None,
        generation: str = "p",
    ) -> Path:
        """Write (topic, skills, text, reply, recorded points) as one grading round."""
        place = self.folder(student, len(rows[0][1]), number, generation) / "graded"
        path = place / f"by_{grader}_on_text_1_{grading}_gpt" / "records.csv"
        lines = [
            [",  \n".join(skills).count(",") + 1, ",  \n".join(skills), topic, "",
             prompt(skills, topic, text), reply, "", 0, 0, points, 1,
             1.0 if within is None else within[i], False]
            for i, (topic, skills, text, reply, points) in enumerate(rows)
        ]  # fmt: skip
        return write(path, GRADER_COLUMNS, lines)


def write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


@pytest.fixture
def published(tmp_path: Path) -> Published:
    return Published(tmp_path / "records")


@pytest.fixture
def whole_table() -> Callable[[Sequence[str], str, Sequence[object]], str]:
    return table


@pytest.fixture
def ask_for_table() -> Callable[[Sequence[str], str, str], str]:
    return table_prompt


def load_beside(name: str) -> ModuleType:
    """A module of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def start_chat_server() -> Callable[..., Any]:
    """`ChatServer` of chat_server.py: a context manager that takes the settings."""
    return load_beside("chat_server").ChatServer


@pytest.fixture(scope="session")
def _chat_process(start_chat_server: Callable[..., Any]) -> Iterator[Any]:
    with start_chat_server(life=3600.0) as server:
        yield server


@pytest.fixture
def chat_server(_chat_process: Any) -> Any:
    """A server of the chat protocol, as if freshly started; `control` sets how it misbehaves."""
    _chat_process.reset()
    return _chat_process
