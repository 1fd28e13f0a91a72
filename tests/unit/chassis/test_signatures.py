"""What a webhook's signature proves: who sent these bytes, unchanged, and not long ago."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import credentials, errors, signatures

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SECRETS = credentials.of("new-secret old-secret")


def header(body: bytes, *, secret: str = "new-secret", at: datetime = NOW) -> str:  # noqa: S107 - it is a test's
    seconds = int(at.timestamp())
    return f"t={seconds},v1={signatures.code(secret, f'{seconds}.'.encode() + body)}"


def verified(sent: str, body: bytes) -> bool:
    try:
        signatures.verify(sent, body, SECRETS, now=NOW)
    except errors.DomainError as error:
        return (error.code, error.reason) != (errors.Code.UNAUTHENTICATED, "SIGNATURE_INVALID")
    return True


def test_the_code_is_that_of_the_published_vector() -> None:
    # RFC 4231, test case 2.
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert signatures.code("Jefe", b"what do ya want for nothing?") == expected


@given(body=st.binary(max_size=200))
@pytest.mark.parametrize("secret", ["new-secret", "old-secret"])
def test_what_was_signed_with_either_live_secret_is_taken(secret: str, body: bytes) -> None:
    assert verified(header(body, secret=secret), body)


@given(body=st.binary(max_size=50), other=st.binary(max_size=50))
def test_other_bytes_are_refused(body: bytes, other: bytes) -> None:
    assert verified(header(body), other) == (body == other)


def test_one_of_several_codes_is_enough_while_a_provider_changes_its_secret() -> None:
    assert verified(header(b"x").replace(",v1=", f",v1={'0' * 64},v0=abc,v1="), b"x")


@pytest.mark.parametrize(("away", "taken"), [(-300, True), (-301, False), (300, True), (301, False), (0, True)])
def test_a_signature_counts_for_five_minutes(away: int, *, taken: bool) -> None:
    assert verified(header(b"x", at=NOW + timedelta(seconds=away)), b"x") is taken


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "t=,v1=",
        "v1=abc",
        f"t=now,v1={'0' * 64}",
        f"t={'9' * 40},v1={'0' * 64}",
        header(b"x", secret="a-guess"),
        header(b"x").replace("v1=", "v0="),
        header(b"x").partition(",")[0],
        f"t=1,{header(b'x')}",
        header(b"x").replace("v1=", "v1=\u00e9"),
    ],
)
def test_whatever_else_is_refused(sent: str) -> None:
    assert not verified(sent, b"x")


def body_verified(sent: str, body: bytes, secrets: credentials.Credential = SECRETS) -> bool:
    try:
        signatures.verify_body(sent, body, secrets, now=NOW)
    except errors.DomainError as error:
        return error.reason != "SIGNATURE_INVALID"
    return True


@given(body=st.binary(max_size=50), other=st.binary(max_size=50))
@pytest.mark.parametrize("secret", ["new-secret", "old-secret"])
def test_a_body_that_was_signed_alone_is_taken_and_no_other(secret: str, body: bytes, other: bytes) -> None:
    assert body_verified(f"hmac-sha256-hex={signatures.code(secret, body)}", other) == (body == other)


@pytest.mark.parametrize("sent", ["", "hmac-sha256-hex=", signatures.code("new-secret", b"x"), "hmac-sha256-hex=00"])
def test_a_body_without_its_scheme_or_code_is_refused(sent: str) -> None:
    assert not body_verified(sent, b"x")


def test_a_secret_is_taken_however_its_letters_are_composed() -> None:
    code = signatures.code("se\u0301cret", b"x")
    assert body_verified(f"hmac-sha256-hex={code}", b"x", credentials.of("s\u00e9cret"))
