"""The rules of cart."""

import pytest

from services.cart import domain
from services.chassis import errors


def test_a_text_is_kept_without_the_blanks_around_it() -> None:
    assert domain.kept("  tea \n", most=10) == "tea"


def test_a_text_that_is_too_long_is_refused_and_the_error_says_by_how_much() -> None:
    assert domain.kept("x" * 10, most=10) == "x" * 10
    with pytest.raises(errors.DomainError) as refused:
        domain.kept("x" * 11, most=10)
    assert refused.value.reason == "ENTRY_TOO_LONG"
    assert refused.value.metadata == {"length": "11", "most": "10"}
