"""What a code of a second factor is worth, and how secrets are sealed, without I/O beyond a folder."""

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from cryptography import fernet
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import errors
from services.user import recovery_codes, sealing
from services.user.domain import second_factors
from services.user.domain.second_factors import Code, Factor, Verdict

# The secret of RFC 6238's own examples.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STEP = timedelta(seconds=30)
ON = Factor("u", SECRET, NOW, NOW)


def code_at(when: datetime) -> str:
    return pyotp.TOTP(SECRET).at(when)


def sent(text: str, *, trusted: bool = False) -> Code:
    return Code(second_factors.kept(text), recovery_codes.digest(text), trusted)


@pytest.mark.parametrize(("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    assert second_factors.step_of(SECRET, code, now) == seconds // 30


@given(away=st.integers(min_value=-5, max_value=5))
def test_a_code_counts_for_one_step_before_and_after_its_own(away: int) -> None:
    verdict, _ = second_factors.judged(ON, sent(code_at(NOW + away * STEP)), NOW)
    assert (verdict is Verdict.RIGHT) == (abs(away) <= 1)


def test_a_code_counts_once_and_an_older_one_not_after_it() -> None:
    verdict, after = second_factors.judged(ON, sent(code_at(NOW)), NOW)
    assert verdict is Verdict.RIGHT
    for again in (NOW, NOW - STEP):
        assert second_factors.judged(after, sent(code_at(again)), NOW)[0] is Verdict.WRONG
    assert second_factors.judged(after, sent(code_at(NOW + STEP)), NOW)[0] is Verdict.RIGHT


def test_a_recovery_code_counts_once_however_it_is_typed() -> None:
    first, second, *_ = recovery_codes.new()
    factor = dataclasses.replace(ON, recovery=(recovery_codes.digest(first), recovery_codes.digest(second)))
    verdict, after = second_factors.judged(factor, sent(first.lower().replace("-", " ")), NOW)
    assert (verdict, after.recovery) == (Verdict.RIGHT, (recovery_codes.digest(second),))
    assert second_factors.judged(after, sent(first), NOW)[0] is Verdict.WRONG


def guessed(factor: Factor, times: int, now: datetime) -> Factor:
    for _ in range(times):
        verdict, factor = second_factors.judged(factor, sent(code_at(now + 9 * STEP)), now)
        assert verdict is Verdict.WRONG
    return factor


def test_after_too_many_wrong_codes_none_is_looked_at_for_an_hour_but_recovery_codes_and_those_of_trusted_places() -> (
    None
):
    [code, *_] = recovery_codes.new()
    factor = dataclasses.replace(ON, recovery=(recovery_codes.digest(code),))
    tired = guessed(factor, second_factors.MOST_WRONG, NOW)
    right = sent(code_at(NOW))
    assert second_factors.judged(tired, right, NOW) == (Verdict.EXHAUSTED, tired)
    assert second_factors.judged(tired, dataclasses.replace(right, trusted=True), NOW)[0] is Verdict.RIGHT
    assert second_factors.judged(tired, sent(code), NOW)[0] is Verdict.RIGHT
    later = NOW + second_factors.WRONG_WITHIN
    assert second_factors.judged(tired, sent(code_at(later)), later)[0] is Verdict.RIGHT
    assert guessed(tired, 1, later).wrong_codes == 1


def test_what_is_no_code_at_all_is_wrong_and_counts_for_nothing() -> None:
    for text in ("12345", "1234567", "١٢٣٤٥٦", "abcdef"):
        assert second_factors.judged(ON, sent(text), NOW) == (Verdict.WRONG, ON)


def test_an_enrolment_is_confirmed_once_and_within_an_hour() -> None:
    begun = Factor("u", SECRET, NOW)
    on = second_factors.confirmed(begun, code_at(NOW), NOW)
    assert on.enable_time == NOW
    assert second_factors.judged(on, sent(code_at(NOW)), NOW)[0] is Verdict.WRONG
    late = NOW + second_factors.ENROLMENT + STEP
    refused: list[tuple[Factor | None, datetime, str]] = [
        (on, NOW, "SECOND_FACTOR_EXISTS"),
        (begun, late, "SECOND_FACTOR_NOT_BEGUN"),
        (None, NOW, "SECOND_FACTOR_NOT_BEGUN"),
        (begun, NOW + 9 * STEP, "CODE_WRONG"),
    ]
    for factor, now, reason in refused:
        with pytest.raises(errors.DomainError, match=reason):
            second_factors.confirmed(factor, code_at(late if now == late else NOW), now)


def test_an_authenticator_is_told_the_shop_and_the_address() -> None:
    enrolment = second_factors.enrolment(SECRET, "ann@example.com")
    assert enrolment.uri == f"otpauth://totp/Souk:ann%40example.com?secret={SECRET}&issuer=Souk"
    assert SECRET not in repr((enrolment, ON))


def test_recovery_codes_are_ten_different_ones_of_eighty_bits() -> None:
    codes = recovery_codes.new()
    assert len(set(codes)) == second_factors.RECOVERY_CODES
    assert {len(second_factors.kept(code)) * 5 for code in codes} == {80}


def test_a_sealed_secret_is_opened_for_its_owner_alone_and_after_a_change_of_keys(tmp_path: Path) -> None:
    clear = sealing.of_folder(tmp_path).closed("ann", SECRET)
    (tmp_path / "1.seal").write_bytes(fernet.Fernet.generate_key() + b"\n")
    first = sealing.of_folder(tmp_path)
    kept = first.closed("ann", SECRET)
    assert SECRET not in kept
    (tmp_path / "2.seal").write_bytes(fernet.Fernet.generate_key())
    both = sealing.of_folder(tmp_path)
    assert {both.opened("ann", text) for text in (clear, kept, both.closed("ann", SECRET))} == {SECRET}
    for seal, owner, text in (
        (both, "eve", kept),
        (first, "ann", both.closed("ann", SECRET)),
        (sealing.OPEN, "ann", kept),
    ):
        with pytest.raises(ValueError, match="seal"):
            seal.opened(owner, text)
