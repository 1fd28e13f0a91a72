"""Accounts without I/O."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.user import domain, refresh_tokens

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ANN = domain.User("u", "ann@example.com", "Ann", (domain.Role.CUSTOMER,), NOW)
SPANS = st.timedeltas(min_value=timedelta(days=-40), max_value=timedelta(days=40))
TOKENS = st.builds(
    domain.HeldToken,
    digest=st.just(b""),
    family_id=st.just("f"),
    expire_time=SPANS.map(lambda span: NOW + span),
    use_time=st.none() | SPANS.map(lambda span: NOW + span),
    revoked=st.booleans(),
)


def test_an_address_is_compared_without_case_and_outer_spaces() -> None:
    assert domain.address(" Ann@Example.COM ") == "ann@example.com"


def test_a_password_is_not_shown_when_a_registration_is_printed() -> None:
    shown = repr(domain.Registration("ann@example.com", "correct horse battery", "Ann"))
    assert "ann@example.com" in shown
    assert "horse" not in shown


def test_a_wrong_login_does_not_say_what_was_wrong() -> None:
    wrong = domain.credentials_wrong()
    assert (wrong.reason, wrong.metadata, wrong.violations) == ("CREDENTIALS_WRONG", {}, ())


@given(token=TOKENS)
def test_a_token_of_a_revoked_or_ended_sign_in_is_worth_nothing(token: domain.HeldToken) -> None:
    worthless = token.revoked or token.expire_time <= NOW
    assert (domain.use_of(token, NOW) is domain.Use.ENDED) == worthless


@given(token=TOKENS)
def test_only_a_token_that_was_never_used_is_used_for_the_first_time(token: domain.HeldToken) -> None:
    use = domain.use_of(token, NOW)
    if token.use_time is None:
        assert use in {domain.Use.FIRST, domain.Use.ENDED}
    else:
        assert use is not domain.Use.FIRST


@given(since=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=1)))
def test_a_used_token_is_repeated_within_the_grace_and_stolen_after_it(since: timedelta) -> None:
    token = domain.HeldToken(b"", "f", NOW + timedelta(days=1), NOW - since, revoked=False)
    expected = domain.Use.REPEATED if since <= timedelta(seconds=10) else domain.Use.STOLEN
    assert domain.use_of(token, NOW) is expected


def test_a_token_that_nobody_knows_is_worth_nothing() -> None:
    assert domain.use_of(None, NOW) is domain.Use.ENDED


def test_a_refresh_token_is_256_random_bits_and_only_its_hash_is_ever_shown() -> None:
    made = [refresh_tokens.new(NOW) for _ in range(100)]
    assert len({token.text for token in made}) == 100
    assert all(len(token.text) == 43 and len(token.digest) == 32 for token in made)
    assert all(refresh_tokens.digest(token.text) == token.digest for token in made)
    session = domain.Session(ANN, domain.Access("signed", NOW), made[0])
    assert made[0].text not in repr(session)
    assert "signed" not in repr(session)


def test_no_password_is_shown_when_a_change_is_printed() -> None:
    shown = repr(domain.ProfileChange("Ann", "correct horse", "another horse"))
    assert "horse" not in shown
    assert "argon" not in repr(domain.Account(ANN, "$argon2id$"))


@given(roles=st.lists(st.sampled_from(domain.Role), min_size=1))
def test_a_change_counts_when_something_is_different_and_only_then(roles: list[domain.Role]) -> None:
    after = domain.changed(ANN, roles=roles)
    assert set(after.roles) == set(roles)
    assert after.version == ANN.version + (set(roles) != set(ANN.roles))
    assert domain.changed(after, roles=roles, display_name=ANN.display_name) is after
