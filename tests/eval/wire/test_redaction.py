"""No key is written down, whoever echoes it."""

import pytest

from unparrot.eval.wire.redaction import Redactor


def test_values_of_variables_that_hold_keys_are_struck_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "a-very-plain-word")
    monkeypatch.setenv("OTHER_TOKEN", "another plain word")
    monkeypatch.setenv("SHORT_KEY", "yes")
    redact = Redactor()
    assert redact("a-very-plain-word / another plain word / yes") == "[key] / [key] / yes"
    assert redact.known("said a-very-plain-word") == "said [key]"


def test_the_longer_of_two_goes_whole() -> None:
    redact = Redactor(["abcdefgh", "abcdefgh-ijkl"])
    assert redact.known("abcdefgh-ijkl abcdefgh") == "[key] [key]"


@pytest.mark.parametrize(
    "text",
    [
        "sk-proj-0123456789abcdefghij", "AIzaSyA0123456789abcdefghijk", "hf_0123456789abcdefghij",
        "xai-0123456789abcdefghij", "gsk_0123456789abcdefghij",
    ],
)  # fmt: skip
def test_what_looks_like_a_key_is_struck_out_of_errors_alone(text: str) -> None:
    redact = Redactor()
    assert redact(f"wrong key {text}.") == "wrong key [key]."
    assert redact.known(text) == text


def test_headers_and_addresses_lose_their_secrets() -> None:
    redact = Redactor()
    assert redact("Authorization: Bearer 0123456789ab") == "Authorization: Bearer [key]"
    assert redact("http://ann:pass@host:8000/v1") == "http://[key]@host:8000/v1"
    assert redact("http://host:8000/v1") == "http://host:8000/v1"
    assert redact("http://h/v1?api-version=2&key=abc#x") == "http://h/v1?api-version=2&key=[key]#x"


def test_ordinary_words_stay() -> None:
    text = "The skipper asked: is this a risk-averse, half-hearted token of my esteem?"
    assert Redactor()(text) == text


def test_a_variable_that_holds_a_word_does_not_corrupt_what_models_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOME_TOKEN", "sentence")
    redact = Redactor()
    assert redact.known("One sentence, two sentences.") == "One sentence, two sentences."
    assert redact("wrong token sentence") == "wrong token [key]"
    assert Redactor(["sentence"]).known("a sentence") == "a [key]"  # given as a key
