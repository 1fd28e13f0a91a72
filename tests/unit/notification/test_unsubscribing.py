"""Links by which mail is unsubscribed: who has one can end what it names, and nobody can make one."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notification import clients, domain, unsubscribing
from services.notification.domain import Channel, Kind, Preferences, Template
from services.notification.unsubscribing import Subscription
from tests.unit.notification.test_letters import ANN, TEMPLATES, composed, notification

KEY = b"k" * 32
LINK = "https://shop.example/api/v1/notifications/unsubscribe/abc"
SUBSCRIPTIONS = st.builds(Subscription, st.uuids().map(str), st.sampled_from(sorted(unsubscribing.KINDS)))


@given(SUBSCRIPTIONS)
def test_a_link_says_whom_and_what_it_is_about(subscription: Subscription) -> None:
    token = unsubscribing.made(KEY, subscription)
    assert len(token) == 44
    assert unsubscribing.parsed(KEY, token) == subscription
    assert unsubscribing.parsed(b"another", token) is None


@given(SUBSCRIPTIONS, st.integers(0, 43), st.sampled_from("AQgwx059_-"))
def test_a_link_that_was_changed_is_about_nothing(subscription: Subscription, place: int, other: str) -> None:
    token = unsubscribing.made(KEY, subscription)
    changed = token[:place] + other + token[place + 1 :]
    assert changed == token or unsubscribing.parsed(KEY, changed) is None


@given(st.text(max_size=60))
def test_what_is_no_link_is_about_nothing(text: str) -> None:
    assert unsubscribing.parsed(KEY, text) is None


@pytest.mark.parametrize("kind", unsubscribing.KINDS)
def test_unsubscribing_ends_mail_of_the_kind_and_nothing_else(kind: Kind) -> None:
    everything = {each: frozenset(Channel) for each in Kind}
    left = domain.without_mail(Preferences("ann", everything, "+49151", "arn:device"), kind)
    assert left.channels(kind) == [Channel.SMS, Channel.PUSH]
    assert all(left.channels(each) == list(Channel) for each in Kind if each is not kind)
    assert domain.without_mail(left, kind) == left


def test_mail_about_what_somebody_ordered_or_their_account_cannot_be_unsubscribed() -> None:
    assert not unsubscribing.KINDS.keys() & {Kind.ACCOUNT, Kind.ORDER, Kind.PAYMENT}


def test_a_mail_with_a_link_names_it_where_mail_programs_look_and_where_people_do() -> None:
    message = notification(Template.CART_REMINDER)
    mail = TEMPLATES.mail(message, ANN, unsubscribe=LINK)
    raw = clients.compose(message, mail, clients.Envelope("a@souk.test", "ann@example.com", "today", LINK)).decode()
    assert f"List-Unsubscribe: <{LINK}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw
    assert f"No more mail of this kind: {LINK}\n" in mail.text
    assert f'<a href="{LINK}">No more mail of this kind</a>' in mail.html
    assert "List-Unsubscribe" not in composed(message)


def test_a_link_is_signed_for_this_use_of_the_key_alone() -> None:
    subscription = Subscription(str(uuid.uuid4()), Kind.STOCK)
    assert unsubscribing.made(KEY, subscription) != unsubscribing.made(KEY + b"x", subscription)
