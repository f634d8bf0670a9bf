"""Finding packs by name and by path, what cannot be read, and what a report may say of a pack."""

import os
from pathlib import Path

import pytest

from unparrot.core.errors import BadInput
from unparrot.packs.reading import is_shipped, load_pack, public_part, read_bytes, shipped_packs


def test_we_ship_a_pack_of_language_and_one_of_mathematics() -> None:
    assert shipped_packs() == ("language.en", "language.ko", "mathematics.en")


def test_a_path_is_private_even_if_it_has_a_shipped_name(
    small: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("language.en").write_bytes(small)
    assert load_pack("language.en").name == "language.en"
    assert load_pack("./language.en").name == "small"
    assert load_pack(tmp_path / "language.en").name == "small"
    assert is_shipped("language.en")
    assert not is_shipped("./language.en")
    assert not is_shipped(Path("language.en"))


@pytest.mark.parametrize("name", ["langage.en", "Language.en", "language"])
def test_an_unknown_name_offers_the_nearest(name: str) -> None:
    with pytest.raises(BadInput, match=r"did you mean .*'language.en'.*\? .*mathematics.en"):
        load_pack(name)


@pytest.mark.parametrize("name", ["", ".", "absent.yaml", "language.en.yaml", "a\x00b", "x" * 5000])
def test_what_is_no_file_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput):
        load_pack(name)


def test_a_pipe_does_not_keep_us_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInput, match="pipe is a named pipe: give a file"):
        read_bytes(tmp_path / "pipe")


def test_a_huge_file_is_refused_unread(small: bytes, tmp_path: Path) -> None:
    path = tmp_path / "pack.yaml"
    path.write_bytes(small + b"#" * (1 << 20))
    with pytest.raises(BadInput, match="more than 1,048,576 bytes"):
        load_pack(path)


def test_a_file_that_cannot_be_read_is_bad_input(
    small: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "pack.yaml"
    path.write_bytes(small)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(BadInput, match="cannot be read: permission denied"):
        load_pack(path)


def test_the_errors_of_a_pack_are_told_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "pack.yaml"
    path.write_text("name: x\nversion: 1\nskills:\n" + "  - {}\n" * 3 + "topics: [tea]\n")
    with pytest.raises(BadInput) as caught:
        load_pack(path)
    told = str(caught.value).splitlines()
    assert told[0].endswith("pack.yaml' cannot be used; `unparrot packs check` tells more:")
    assert told[1] == "  line 4: skill without a name: the field 'name' is missing"
    assert told[-1] == "  and 7 more"  # 3 skills lack 4 fields each, and 5 are shown


def test_a_private_pack_is_known_by_its_hash_and_sizes_only(small: bytes, tmp_path: Path) -> None:
    path = tmp_path / "secret.yaml"
    path.write_bytes(small)
    pack = load_pack(path)
    sizes = {"language": "en", "digest": pack.digest, "skills": 2, "categories": 2, "topics": 2}
    assert public_part(pack, private=True) == sizes
    assert public_part(pack, private=False) == {"name": "small", "version": "1", **sizes}
