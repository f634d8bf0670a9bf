"""`unparrot eval export`: which files it writes, and when it asks first."""

import stat
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from unparrot.cli.eval import eval_group
from unparrot.core.errors import BadInput
from unparrot.eval.record.prepare import Prepared

pytest.importorskip("inspect_ai")

from inspect_ai.log import read_eval_log

GPT = "openai/gpt-4o-mini"
Export = Callable[..., str]


@pytest.fixture
def run(journal_runs: ModuleType, tmp_path: Path) -> Prepared:
    return journal_runs.fabricate(tmp_path / "run", n=2)


@pytest.fixture
def export(tmp_path: Path) -> Export:
    """`unparrot eval export RUN --to inspect ...`; errors of ours are raised."""

    def go(*arguments: object) -> str:
        command = ["export", str(tmp_path / "run"), "--to", "inspect", *map(str, arguments)]
        result = CliRunner().invoke(eval_group, command)
        if result.exception:
            raise result.exception
        return result.output

    return go


def test_each_model_gets_a_private_log_of_its_name(run: Prepared, export: Export) -> None:
    said = export()
    place = run.folder / "inspect"
    assert sorted(path.name for path in place.iterdir()) == [
        "anthropic-claude-3-5-haiku.eval",
        "openai-gpt-4o-mini.eval",
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in place.iterdir()} == {0o600}
    assert f"{GPT}: 8 samples in {place / 'openai-gpt-4o-mini.eval'}" in said
    assert read_eval_log(str(place / "openai-gpt-4o-mini.eval")).eval.model == GPT
    export()  # again, over its own files


def test_the_logs_may_go_into_another_folder(run: Prepared, export: Export, tmp_path: Path) -> None:
    export("--out", tmp_path / "folder")
    assert len(list((tmp_path / "folder").iterdir())) == 2
    assert not (run.folder / "inspect").exists()


def test_a_private_pack_needs_a_word(
    journal_runs: ModuleType, export: Export, tmp_path: Path
) -> None:
    pack = tmp_path / "secret.yaml"
    pack.write_text(journal_runs.PRIVATE_PACK)
    run = journal_runs.fabricate(tmp_path / "run", pack=str(pack), n=2)
    with pytest.raises(BadInput, match="add --private-ok"):
        export()
    assert not (run.folder / "inspect").exists()
    assert "do not publish them" in export("--private-ok")
    log = read_eval_log(str(run.folder / "inspect/openai-gpt-4o-mini.eval"))
    assert log.metadata["private"] is True


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, export: Export) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(BadInput, match=r"has no journal\.sqlite"):
        export()
