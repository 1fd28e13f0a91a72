"""Whose account an identity opens, what a new account is called, and which settings make no sense."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import clock, errors
from services.chassis.settings import SettingsError, read
from services.user import domain
from services.user.domain import providers
from services.user.settings import Settings

ROLES = st.lists(st.sampled_from(domain.Role), unique=True)
ACME = {
    "name": "acme",
    "issuer": "https://acme.example.com",
    "client_id": "souk",
    "redirect_uri": "https://s.example/in",
}


@given(said=st.booleans(), kept=st.none() | st.booleans(), roles=ROLES)
def test_an_address_links_only_what_both_sides_verified(
    *, said: bool, kept: bool | None, roles: list[domain.Role]
) -> None:
    identity = providers.Identity("1", "ann@example.com", said)
    owner = None
    if kept is not None:
        owner = domain.User("a", "ann@example.com", "Ann", tuple(roles), clock.utc_now(), email_verified=kept)
    try:
        outcome = providers.whose(identity, owner).name
    except errors.DomainError as error:
        outcome = error.reason
    if not said:
        assert outcome == "SIGN_IN_EMAIL_UNVERIFIED"
    elif owner is None:
        assert outcome == "NOBODYS"
    elif kept and domain.Role.ADMIN not in roles:
        assert outcome == "THEIRS"
    else:
        assert outcome == "LINK_NEEDS_SIGN_IN"


@given(st.text())
def test_a_name_of_a_provider_becomes_one_line_with_something_to_read(name: str) -> None:
    made = providers.display_name(providers.Identity("1", "ann@example.com", name=name))
    assert 1 <= len(made) <= providers.LONGEST_NAME
    assert any(letter.isalnum() for letter in made)
    assert len(made.splitlines()) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Acme"},
        {"name": "a/b"},
        {"issuer": "http://acme.example.com"},
        {"redirect_uri": "http://shop.example.com/in"},
        {"redirect_uri": ""},
        {"client_id": 7},
        {"scopes": "email"},
        {"colour": "red"},
    ],
    ids=repr,
)
def test_a_provider_that_makes_no_sense_is_no_setting(wrong: dict[str, object]) -> None:
    for text in (json.dumps([{**ACME, **wrong}]), json.dumps([ACME, ACME]), "{", "7"):
        with pytest.raises(SettingsError, match="USER_SIGN_IN_PROVIDERS"):
            of(text).providers()


def test_providers_are_read_and_their_secrets_are_not_shown() -> None:
    settings = of(json.dumps([{**ACME, "client_secret": "hush"}]))
    [provider] = settings.providers()
    assert (provider.name, provider.client_secret, provider.scopes) == ("acme", "hush", "openid email profile")
    assert "hush" not in f"{settings!r} {provider!r}"
    assert of("").providers() == []


def of(text: str) -> Settings:
    return read(Settings, {"USER_SIGNING_KEY_DIR": "keys", "USER_SIGN_IN_PROVIDERS": text})
