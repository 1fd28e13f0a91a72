"""Accounts without I/O."""

from services.user import domain


def test_an_address_is_compared_without_case_and_outer_spaces() -> None:
    assert domain.address(" Ann@Example.COM ") == "ann@example.com"


def test_a_password_is_not_shown_when_a_registration_is_printed() -> None:
    shown = repr(domain.Registration("ann@example.com", "correct horse battery", "Ann"))
    assert "ann@example.com" in shown
    assert "horse" not in shown


def test_a_wrong_login_does_not_say_what_was_wrong() -> None:
    wrong = domain.credentials_wrong()
    assert (wrong.reason, wrong.metadata, wrong.violations) == ("CREDENTIALS_WRONG", {}, ())
