"""Who owns an account is told of each change of what protects it, and who sends something back of its label: once each."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.chassis.rpc import render
from services.notification import domain, usecases
from services.notification.domain import Channel, Kind, Language
from souk.shipping.v1 import shipment_pb2, shipping_events_pb2
from souk.user.v1 import user_events_pb2
from tests.integration.notification.post_office import PostOffice, new_id, registered
from tests.support import mails

Change = user_events_pb2.SecurityChanged.Change
SUBJECT = "What protects your account was changed"
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def secured(user: str, change: Change.ValueType, provider: str = "") -> user_events_pb2.SecurityChanged:
    return user_events_pb2.SecurityChanged(
        user_id=user, change_id=new_id(), change=change, provider=provider, change_time=render.timestamp(NOON)
    )


async def told(office: PostOffice, user: str, event: Any, *, verified: bool = True) -> Any:
    """The mail about an event that is heard twice."""
    await office.hear(registered(user, f"{user}@example.com", verified=verified))
    await office.hear(event)
    await office.hear(event)
    await office.reach(user, "SENT", "SENT")
    [mail] = [mail for mail in office.mails(f"{user}@example.com") if "Souk" not in str(mail["Subject"])]
    return mail


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (Change.PASSWORD_CHANGED, "The password of your account was changed."),
        (Change.SECOND_FACTOR_ENABLED, "A second factor was switched on for your account."),
        (Change.SECOND_FACTOR_DISABLED, "The second factor of your account was switched off."),
        (Change.RECOVERY_CODES_RENEWED, "Your account has new recovery codes"),
        (Change.RECOVERY_CODE_USED, "A recovery code of your account was used."),
    ],
)
async def test_a_change_of_what_protects_an_account_is_told_once(
    office: PostOffice, change: Change.ValueType, sentence: str
) -> None:
    user = new_id()
    mail = await told(office, user, secured(user, change))
    text = mails.text(mail)
    assert mail["Subject"] == SUBJECT
    assert sentence in text
    assert "2026-11-21 12:00 UTC" in text
    assert "provider" not in text


@pytest.mark.parametrize("change", [Change.SIGN_IN_LINK_ADDED, Change.SIGN_IN_LINK_REMOVED])
async def test_a_link_is_told_with_its_provider(office: PostOffice, change: Change.ValueType) -> None:
    user = new_id()
    assert "The provider: google\n" in mails.text(await told(office, user, secured(user, change, "google")))


async def test_a_change_that_a_later_release_knows_is_told_as_some_change(office: PostOffice) -> None:
    user = new_id()
    later = secured(user, 99)  # type: ignore[arg-type]  # no value of this release
    assert "Something that protects your account was changed." in mails.text(await told(office, user, later))


async def test_a_change_is_told_in_the_owners_language_also_to_who_switched_everything_else_off(
    office: PostOffice,
) -> None:
    user = new_id()
    nothing: dict[Kind, frozenset[Channel]] = {kind: frozenset() for kind in Kind if kind is not Kind.ACCOUNT}
    await usecases.Preferences(office.db).update(user, domain.PreferencesChange(nothing, language=Language.DE))
    mail = await told(office, user, secured(user, Change.SECOND_FACTOR_DISABLED))
    assert "Der zweite Faktor Ihres Kontos wurde ausgeschaltet." in mails.text(mail)


@pytest.mark.parametrize("verified", [True, False])
async def test_the_label_of_a_return_is_told_with_its_link(office: PostOffice, *, verified: bool) -> None:
    user = new_id()
    labelled = shipping_events_pb2.ReturnShipmentLabelled(
        order_id=new_id(),
        return_id=new_id(),
        shipment_id=new_id(),
        user_id=user,
        lines=[shipment_pb2.Shipment.Line(sku="POT", quantity=2)],
        carrier="DHL",
        label_url="https://carrier.example/labels/1.pdf",
    )
    text = mails.text(await told(office, user, labelled, verified=verified))
    assert "bring it to DHL." in text
    assert "Print the label: https://carrier.example/labels/1.pdf\n" in text
    assert ("  2 x POT\n" in text) == verified
