"""ID tokens: whatever does not hold of one, it says nothing."""

import base64
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from services.user import id_tokens

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
KEY = RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
CURVE = ECKey.generate_key("P-256", {"kid": "2", "use": "sig"})
KEYS = KeySet([KEY, CURVE])
EXPECTED = id_tokens.Expected("https://acme.example.com", "souk", "a nonce", "an access token")
GOOD = {"iss": EXPECTED.issuer, "aud": "souk", "sub": "ann", "nonce": "a nonce", "iat": SECONDS, "exp": SECONDS + 60}


def signed(key: Any = KEY, alg: str = "RS256", **changes: Any) -> str:
    claims = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return jwt.encode({"alg": alg, "kid": key.kid}, claims, key, algorithms=[alg])


def part(**header: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")


def read(text: str) -> str:
    return str(id_tokens.claims(text, KEYS, EXPECTED, NOW)["sub"])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"aud": ["souk"]},
        {"aud": ["souk", "other"], "azp": "souk"},
        {"exp": SECONDS - 59},
        {"key": CURVE, "alg": "ES256"},
        {"alg": "PS256"},
    ],
    ids=["plain", "one of a list", "several with azp", "clocks apart", "a curve", "PSS"],
)
def test_a_token_that_holds_says_who_somebody_is(changes: dict[str, Any]) -> None:
    assert read(signed(**changes)) == "ann"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example.com"},
        {"iss": EXPECTED.issuer + "/"},
        {"iss": None},
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": None},
        {"aud": ["souk", "other"]},
        {"aud": ["souk", "other"], "azp": "other"},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"exp": SECONDS - 61},
        {"exp": None},
        {"exp": "soon"},
        {"iat": SECONDS + 61},
        {"iat": None},
        {"nbf": SECONDS + 61},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"alg": "RS384"},
    ],
    ids=repr,
)
def test_a_token_with_something_else_or_nothing_in_a_claim_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(id_tokens.WrongError):
        read(signed(**changes))


def test_nobody_signs_but_the_provider() -> None:
    stranger = RSAKey.generate_key(2048, {"kid": "1"})
    # The public key as a shared secret, and no signature: the old tricks.
    body = signed().split(".")[1]
    shared = f"{part(alg='HS256', kid='1')}.{body}"
    mac = base64.urlsafe_b64encode(hmac.digest(KEY.as_pem(private=False), shared.encode(), "sha256")).decode()
    unsigned = f"{part(alg='none', kid='1')}.{body}."
    for forged in (signed(stranger), f"{shared}.{mac.rstrip('=')}", unsigned, "", "a.b.c"):
        with pytest.raises(id_tokens.WrongError):
            read(forged)


def test_a_key_that_is_not_known_is_told_from_a_signature_that_is_wrong() -> None:
    with pytest.raises(id_tokens.UnknownKeyError):
        read(signed(RSAKey.generate_key(2048, {"kid": "3"})))


@given(st.data())
def test_a_token_with_any_character_changed_is_refused(data: st.DataObject) -> None:
    text = signed()
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from([other for other in "Aa0-_.~" if other != text[place]]))
    changed = text[:place] + letter + text[place + 1 :]
    # The last letter of a part of base64 may hold bits that mean nothing.
    try:
        assert read(changed) == "ann"
    except id_tokens.WrongError:
        return
    assert text[place + 1 : place + 2] in ("", ".")
