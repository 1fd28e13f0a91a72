"""Reads what is told of mail after it was sent: webhooks, in the words of Amazon SES, signed by who relays them.

The words: https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html (`notificationType`; where events are published
instead, `eventType`). SES replaces a mail's Message-ID, so ours is read from the headers of the original, which SES has to be
told to include.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from services.chassis import clock, credentials, webhooks
from services.notification import domain
from services.notification.clients import is_address
from services.notification.domain import News

# There is one sender: no word of the path tells it from others.
SENDER = "mail"
_ID = re.compile(r"[!-~]{1,255}")
_WORD = re.compile(r"[A-Za-z]{1,40}")
_STATUS = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")

Body = Mapping[str, Any]


def door(
    secrets: credentials.Credential, hear: Callable[[domain.Feedback], Awaitable[None]], *, now: clock.Clock
) -> webhooks.Door[domain.Feedback]:
    """Where news of mail come in."""
    return webhooks.Door(webhooks.Sender(SENDER, "webhook-signature", secrets), read, hear, now=now)


def read(event: Any) -> domain.Feedback:
    """What SES tells; without news where that is of no concern. Raises ValueError, LookupError or the like for no event."""
    match event["notificationType"] if "notificationType" in event else event["eventType"]:
        case "Bounce" if event["bounce"]["bounceType"] == "Permanent":
            return _feedback(News.BOUNCED, event["bounce"], event["mail"])
        case "Complaint" if event["complaint"].get("complaintFeedbackType") != "not-spam":
            return _feedback(News.COMPLAINED, event["complaint"], event["mail"])
        case _:
            return domain.Feedback()


def _feedback(news: News, about: Body, mail: Body) -> domain.Feedback:
    if not _ID.fullmatch(about["feedbackId"]):
        raise ValueError("feedbackId is none")
    # Each mail goes to one address. The recipients of a bounce may be where that one forwards to.
    addresses = tuple(address.lower() for address in mail["destination"] if is_address(address))
    return domain.Feedback(about["feedbackId"], news, _own_id(mail.get("headers") or ()), addresses, _why(about))


def _own_id(headers: Sequence[Body]) -> str:
    ids = (str(header["value"]) for header in headers if str(header["name"]).lower() == "message-id")
    return webhooks.own_id(next(ids, "").strip().removeprefix("<").partition("@")[0])


def _why(about: Body) -> str:
    """SES's word for it and the status by RFC 3463. What the other mail server said stays out: it may name somebody."""
    recipients = about.get("bouncedRecipients") or [{}]
    said = (_WORD.fullmatch(str(about.get("bounceSubType"))), _STATUS.fullmatch(str(recipients[0].get("status"))))
    return " ".join(found[0] for found in said if found)
