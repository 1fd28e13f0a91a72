import re

import pytest

from gateway.envoy import headers

SIGNED = "x-signature"


@pytest.mark.parametrize("name", [*headers.FORWARDED, SIGNED])
def test_what_services_read_is_let_in_and_goes_on(name: str) -> None:
    assert not re.fullmatch(
        headers.at_the_door([SIGNED])["remove_on_match"]["key_matcher"]["safe_regex"]["regex"], name
    )
    assert name not in headers.NOT_FORWARDED


@pytest.mark.parametrize("name", [":path", ":method", ":authority", ":scheme", "te", "origin"])
def test_what_is_no_header_of_the_callers_own_is_let_in(name: str) -> None:
    assert not re.fullmatch(
        headers.at_the_door([SIGNED])["remove_on_match"]["key_matcher"]["safe_regex"]["regex"], name
    )


def test_everything_but_the_names_matches() -> None:
    names = ["te", "test", "x-a.b", "host"]
    pattern = re.compile(headers.all_but(names))
    others = {name[:cut] for name in names for cut in range(1, len(name))} - {*names}
    others |= {f"{name}{letter}" for name in names for letter in "aest-.*"} - {*names}
    others |= {f"{letter}{name}" for name in names for letter in "aest-.*"} - {*names}

    assert not [name for name in names if pattern.fullmatch(name)]
    assert not [name for name in others if not pattern.fullmatch(name)]
