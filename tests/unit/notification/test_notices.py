"""What is read from Amazon SES's news of a mail: which message it was, where it went, and whether it matters."""

from typing import Any

import pytest

from services.notification import notices
from services.notification.domain import Feedback, News

MESSAGE = "01936f3e-7a00-7000-8000-000000000001"
MAIL = {
    "messageId": "0000-ses",
    "destination": ["Ann@Example.com"],
    "headersTruncated": False,
    "headers": [{"name": "Subject", "value": "Hello"}, {"name": "Message-ID", "value": f"<{MESSAGE}@shop.example>"}],
}


def bounced(kind: str = "Permanent", **mail: Any) -> dict[str, Any]:
    recipient = {"emailAddress": "x@elsewhere.example", "status": "5.1.1", "diagnosticCode": "smtp; 550 <ann@...>"}
    about = {"feedbackId": "fb-1", "bounceType": kind, "bounceSubType": "General", "bouncedRecipients": [recipient]}
    return {"notificationType": "Bounce", "bounce": about, "mail": {**MAIL, **mail}}


def complained(**about: Any) -> dict[str, Any]:
    return {"notificationType": "Complaint", "complaint": {"feedbackId": "fb-2", **about}, "mail": MAIL}


def test_a_permanent_bounce_names_its_message_its_address_and_its_cause_and_nobody() -> None:
    expected = Feedback("fb-1", News.BOUNCED, MESSAGE, ("ann@example.com",), "General 5.1.1")
    assert notices.read(bounced()) == expected
    assert expected.reason == "BOUNCED: General 5.1.1"


def test_an_event_that_was_published_is_read_as_a_notification_is() -> None:
    event = bounced()
    event["eventType"] = event.pop("notificationType")
    assert notices.read(event) == notices.read(bounced())


@pytest.mark.parametrize("kind", [None, "abuse", "fraud", "other"])
def test_a_complaint_names_its_message(kind: str | None) -> None:
    found = notices.read(complained(complaintFeedbackType=kind))
    assert (found.news, found.notification_id) == (News.COMPLAINED, MESSAGE)


@pytest.mark.parametrize(
    "event",
    [
        bounced("Transient"),
        bounced("Undetermined"),
        bounced("OfAKindThatIsNew"),
        complained(complaintFeedbackType="not-spam"),
        {"notificationType": "Delivery", "mail": MAIL, "delivery": {}},
        {"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "You have subscribed."},
    ],
)
def test_what_is_temporary_or_of_another_type_is_of_no_concern(event: Any) -> None:
    assert notices.read(event) == Feedback()


@pytest.mark.parametrize(
    "headers",
    [None, [], [{"name": "Message-ID", "value": "custom"}], [{"name": "message-id", "value": "<x@shop.example>"}]],
)
def test_a_mail_without_an_id_of_ours_is_no_message_of_ours(headers: Any) -> None:
    assert notices.read(bounced(headers=headers)).notification_id == ""


@pytest.mark.parametrize(
    "event",
    [
        [],
        None,
        1,
        {},
        {"notificationType": "Bounce", "mail": MAIL},
        {"notificationType": "Bounce", "bounce": {"bounceType": "Permanent"}, "mail": MAIL},
        {"notificationType": "Bounce", "bounce": {"bounceType": "Permanent", "feedbackId": "a\0"}, "mail": MAIL},
        {"notificationType": "Complaint", "complaint": {"feedbackId": "fb"}},
        {"notificationType": "Complaint", "complaint": {"feedbackId": "fb"}, "mail": {"destination": [1]}},
    ],
)
def test_what_is_no_event_cannot_be_read(event: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        notices.read(event)
