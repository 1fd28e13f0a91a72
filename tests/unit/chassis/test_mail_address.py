"""Addresses with internationalised domains: one form to keep, another to read."""

import pytest

from services.chassis import mail_address


@pytest.mark.parametrize(
    ("typed", "kept", "shown"),
    [
        (" Ann@Example.COM ", "ann@example.com", "ann@example.com"),
        ("ann@MÜNCHEN.de", "ann@xn--mnchen-3ya.de", "ann@münchen.de"),
        ("ann@mu\u0308nchen.de", "ann@xn--mnchen-3ya.de", "ann@münchen.de"),
        ("ann@xn--mnchen-3ya.de", "ann@xn--mnchen-3ya.de", "ann@münchen.de"),
        ("ann@例え.jp", "ann@xn--r8jz45g.jp", "ann@例え.jp"),
        ("ann@faß.de", "ann@xn--fa-hia.de", "ann@faß.de"),
        ("ann@ab--cd.com", "ann@ab--cd.com", "ann@ab--cd.com"),
        ("xn--ann@example.com", "xn--ann@example.com", "xn--ann@example.com"),
    ],
)
def test_both_spellings_of_a_domain_are_one_address(typed: str, kept: str, shown: str) -> None:
    assert mail_address.kept(typed) == kept
    assert mail_address.shown(kept) == shown


@pytest.mark.parametrize(
    "typed", ["ann@xn--a-.de", "ann@xn--99999999.de", "ann@\u0301a.de", "ann@ü" + "a" * 70 + ".de"]
)
def test_a_domain_that_is_none_raises(typed: str) -> None:
    with pytest.raises(UnicodeError):
        mail_address.kept(typed)


def test_what_was_kept_without_looking_is_shown_as_it_is() -> None:
    assert mail_address.shown("ann@xn--99999999.de") == "ann@xn--99999999.de"
