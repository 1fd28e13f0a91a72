"""Tokens: signed with real keys out of files, verified as every other service verifies them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from services.chassis import errors
from services.chassis.rpc import identity
from services.chassis.settings import SettingsError
from services.user import domain, tokens

SIGN_IN = "0193a1b2-0000-7000-8000-000000000001"
ISSUER = identity.Issuer("https://souk.test", "souk")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ANN = domain.User("01890000-0000-7000-8000-000000000001", "ann@example.com", "Ann", (domain.Role.CUSTOMER,), LONG_AGO)


def write_key(folder: Path, name: str, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None) -> None:
    private = key or ec.generate_private_key(ec.SECP256R1())
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    pem = private.private_bytes(encoding, form, serialization.NoEncryption())
    (folder / f"{name}.pem").write_bytes(pem)


def signer(keys: tokens.KeyRing, *, minutes: int = 15) -> tokens.Signer:
    return tokens.Signer(keys, ISSUER, timedelta(minutes=minutes))


async def test_a_session_is_let_in_by_who_has_the_published_keys(tmp_path: Path) -> None:
    write_key(tmp_path, "2026-01")
    keys = tokens.KeyRing(tmp_path)
    session = signer(keys).sign(ANN, SIGN_IN, datetime.now(UTC))
    caller = await identity.Tokens(ISSUER, keys.verifying).verify(session.access_token)
    assert caller == identity.Caller(user_id=ANN.id, roles=frozenset(["CUSTOMER"]))


async def test_a_token_says_who_for_whom_until_when_and_with_which_key(tmp_path: Path) -> None:
    write_key(tmp_path, "2026-01")
    now = datetime.now(UTC)
    made = signer(tokens.KeyRing(tmp_path))
    session, another = made.sign(ANN, SIGN_IN, now), made.sign(ANN, SIGN_IN, now)
    claims, others = (jwt.decode(s.access_token, options={"verify_signature": False}) for s in (session, another))
    assert jwt.get_unverified_header(session.access_token) == {"alg": "ES256", "kid": "2026-01", "typ": "JWT"}
    assert claims.pop("jti") != others.pop("jti")
    begun = int(now.timestamp())
    fixed: dict[str, object] = {"iss": ISSUER.issuer, "aud": ISSUER.audience, "sub": ANN.id, "roles": ["CUSTOMER"]}
    fixed |= {"sid": SIGN_IN, "ver": 1}
    assert claims == {**fixed, "iat": begun, "exp": begun + 900}
    assert session.expire_time == datetime.fromtimestamp(begun + 900, UTC)


async def test_a_session_that_ended_is_refused(tmp_path: Path) -> None:
    write_key(tmp_path, "2026-01")
    keys = tokens.KeyRing(tmp_path)
    session = signer(keys).sign(ANN, SIGN_IN, datetime.now(UTC) - timedelta(minutes=16))
    with pytest.raises(errors.DomainError, match="TOKEN_EXPIRED"):
        await identity.Tokens(ISSUER, keys.verifying).verify(session.access_token)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


def signed_by(keys: tokens.KeyRing) -> str:
    token = signer(keys).sign(ANN, SIGN_IN, datetime.now(UTC)).access_token
    return str(jwt.get_unverified_header(token)["kid"])


def published(keys: tokens.KeyRing) -> list[str]:
    return [key.id for key in keys.public]


async def test_a_key_that_is_added_is_published_at_once_and_signs_when_all_can_know_it(tmp_path: Path) -> None:
    clock = Clock()
    write_key(tmp_path, "2026-01")
    keys = tokens.KeyRing(tmp_path, clock)
    old = signer(keys).sign(ANN, SIGN_IN, datetime.now(UTC))

    write_key(tmp_path, "2026-02")
    clock.pass_by(tokens.LOOK_EVERY_S)
    assert published(keys) == ["2026-01", "2026-02"]
    clock.pass_by(tokens.PUBLISHED_S - 1)
    assert signed_by(keys) == "2026-01"
    clock.pass_by(1)
    assert signed_by(keys) == "2026-02"

    new = signer(keys).sign(ANN, SIGN_IN, datetime.now(UTC))
    verifier = identity.Tokens(ISSUER, keys.verifying)
    assert {(await verifier.verify(session.access_token)).user_id for session in (old, new)} == {ANN.id}


def test_who_starts_in_the_middle_of_a_rotation_waits_with_the_new_key_too(tmp_path: Path) -> None:
    clock = Clock()
    for name in ("2026-01", "2026-02", "2026-03"):
        write_key(tmp_path, name)
    keys = tokens.KeyRing(tmp_path, clock)
    assert signed_by(keys) == "2026-02"
    clock.pass_by(tokens.PUBLISHED_S)
    assert signed_by(keys) == "2026-03"


def test_the_only_key_signs_at_once(tmp_path: Path) -> None:
    clock = Clock()
    write_key(tmp_path, "2026-01")
    keys = tokens.KeyRing(tmp_path, clock)
    assert signed_by(keys) == "2026-01"
    (tmp_path / "2026-01.pem").unlink()
    write_key(tmp_path, "2026-02")
    clock.pass_by(tokens.LOOK_EVERY_S)
    assert (published(keys), signed_by(keys)) == (["2026-02"], "2026-02")


def test_another_key_under_the_same_name_is_a_new_one(tmp_path: Path) -> None:
    clock = Clock()
    write_key(tmp_path, "2026-01")
    write_key(tmp_path, "2026-02")
    keys = tokens.KeyRing(tmp_path, clock)
    clock.pass_by(tokens.PUBLISHED_S)
    assert signed_by(keys) == "2026-02"
    write_key(tmp_path, "2026-02")
    clock.pass_by(tokens.LOOK_EVERY_S)
    assert signed_by(keys) == "2026-01"


@pytest.mark.parametrize("harm", ["broken", "empty"])
def test_keys_stay_as_they_were_while_the_folder_holds_none_or_a_broken_one(
    tmp_path: Path, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    write_key(tmp_path, "2026-01")
    keys = tokens.KeyRing(tmp_path, clock)
    before = keys.public
    file = tmp_path / "2026-01.pem"
    if harm == "broken":
        (tmp_path / "2026-02.pem").write_text("half a k")
    else:
        file.rename(tmp_path / "aside")
    for _ in range(3):
        clock.pass_by(tokens.LOOK_EVERY_S)
        assert (keys.public, signed_by(keys)) == (before, "2026-01")
    assert [record.message for record in caplog.records] == ["signing keys stay as they were"], "said once"

    write_key(tmp_path, "2026-02")
    clock.pass_by(tokens.LOOK_EVERY_S)
    assert "2026-02" in published(keys)


async def test_a_key_that_was_taken_away_verifies_no_longer(tmp_path: Path) -> None:
    write_key(tmp_path, "2026-01")
    session = signer(tokens.KeyRing(tmp_path)).sign(ANN, SIGN_IN, datetime.now(UTC))
    (tmp_path / "2026-01.pem").unlink()
    write_key(tmp_path, "2026-02")
    with pytest.raises(errors.DomainError, match="TOKEN_INVALID"):
        await identity.Tokens(ISSUER, tokens.KeyRing(tmp_path).verifying).verify(session.access_token)


def test_nothing_private_is_published(tmp_path: Path) -> None:
    write_key(tmp_path, "2026-01")
    [key] = tokens.jwks(tokens.KeyRing(tmp_path).public)
    assert set(key) == {"kty", "crv", "alg", "use", "kid", "x", "y"}


def test_a_folder_without_keys_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no \*\.pem file"):
        tokens.KeyRing(tmp_path)


def test_a_file_that_is_no_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.pem").write_text("not a key")
    with pytest.raises(SettingsError, match=r"broken\.pem cannot be read"):
        tokens.KeyRing(tmp_path)


@pytest.mark.parametrize("key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())])
def test_a_key_of_another_kind_is_refused(tmp_path: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    write_key(tmp_path, "other", key)
    with pytest.raises(SettingsError, match="no key on the curve P-256"):
        tokens.KeyRing(tmp_path)
