"""What becomes of a message, over which channels it goes, and how amounts and reasons read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import errors, money
from services.chassis.credentials import Credential
from services.chassis.settings import SettingsError
from services.notification import domain
from services.notification.domain import Channel, Kind, Outcome, Preferences, PreferencesChange, State
from services.notification.settings import Carrier, Settings


@pytest.mark.parametrize(
    ("outcome", "attempt", "state"),
    [
        (Outcome.SENT, 1, State.SENT),
        (Outcome.SENT, 10, State.SENT),
        (Outcome.REFUSED, 1, State.FAILED),
        (Outcome.DEFERRED, 1, State.QUEUED),
        (Outcome.DEFERRED, 9, State.QUEUED),
        (Outcome.DEFERRED, 10, State.FAILED),
        (Outcome.AWAY, 1, State.QUEUED),
        (Outcome.AWAY, 99, State.QUEUED),
    ],
)
def test_a_message_becomes_what_its_try_came_to(outcome: Outcome, attempt: int, state: State) -> None:
    assert domain.becomes(domain.Result(outcome), attempt=attempt, most_attempts=10) is state


@pytest.mark.parametrize(
    ("currency", "amount", "words"),
    [
        ("USD", 123450, "1234.50 USD"),
        ("USD", 5, "0.05 USD"),
        ("EUR", -1999, "-19.99 EUR"),
        ("JPY", 700, "700 JPY"),
        ("KWD", 1234, "1.234 KWD"),
    ],
)
def test_an_amount_reads_as_a_person_writes_it(currency: str, amount: int, words: str) -> None:
    assert domain.in_words(money.Money(currency, amount)) == words


def test_every_reason_code_reads_as_a_reason() -> None:
    assert domain.cancelled_because("PAYMENT_DECLINED") == "your payment was declined"
    assert domain.cancelled_because("SOMETHING_NEW") == domain.CANCELLED_ANYHOW


CHOICES = st.dictionaries(st.sampled_from(Kind), st.frozensets(st.sampled_from(Channel)))
CHANGES = st.builds(
    PreferencesChange, CHOICES, st.sampled_from([None, "", "+4915112345678"]), st.sampled_from([None, "", "arn:device"])
)


@given(st.lists(CHANGES, max_size=6))
def test_whatever_is_chosen_the_account_is_mailed_about_and_every_channel_leads_somewhere(
    changes: list[PreferencesChange],
) -> None:
    preferences = Preferences("ann")
    for change in changes:
        try:
            preferences = domain.changed(preferences, change)
        except errors.DomainError:
            continue
        assert {kind: preferences.channels(kind) for kind in change.choices} == {
            kind: [channel for channel in Channel if channel in channels] for kind, channels in change.choices.items()
        }
    chosen = {channel for kind in Kind for channel in preferences.channels(kind)}
    assert Channel.EMAIL in preferences.channels(Kind.ACCOUNT)
    assert bool(preferences.phone_number) or Channel.SMS not in chosen
    assert bool(preferences.push_endpoint) or Channel.PUSH not in chosen


def test_every_template_is_of_a_kind() -> None:
    assert {template.kind for template in domain.Template} <= set(Kind)
    assert set(domain.KINDS) == set(domain.Template)


def test_sns_is_not_chosen_without_a_region() -> None:
    with pytest.raises(SettingsError, match="AWS_REGION"):
        Settings(smtp_url=Credential("smtp://localhost"), push=Carrier.SNS)
    assert Settings(smtp_url=Credential("smtp://localhost")).sms is Carrier.LOG
