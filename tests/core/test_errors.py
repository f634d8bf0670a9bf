"""Errors: what they are, and what they say."""

import pytest

from unparrot.core.errors import BadInput, MissingExtra, UnparrotError


def test_bad_input_is_a_value_error() -> None:
    assert issubclass(BadInput, UnparrotError)
    assert issubclass(BadInput, ValueError)


def test_missing_extra_names_package_and_command() -> None:
    with pytest.raises(
        ImportError, match=r"ray is not installed.*pip install 'unparrot\[cluster"
    ) as e:
        raise MissingExtra("cluster", "ray")
    assert e.value.name == "ray"
    assert isinstance(e.value, UnparrotError)
