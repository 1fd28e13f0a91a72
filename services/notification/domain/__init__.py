"""What a message to somebody is, who wants it where, and what becomes of it: values and rules, without any I/O.

`kinds` (what sorts there are), `preferences` (who wants which), `quiet_hours` (and when not), `notifications` (what becomes of
one), `feedback` (what is told of one that was sent), `reasons` (amounts and reasons as they are said).
"""

from services.notification.domain.feedback import Feedback, News
from services.notification.domain.kinds import KINDS, LISTING, PATIENT, USUAL, Channel, Kind, Language, Template
from services.notification.domain.notifications import (
    Contact,
    Letter,
    LowStock,
    Message,
    Notification,
    Outcome,
    Result,
    State,
    becomes,
    channels_of,
)
from services.notification.domain.preferences import Preferences, PreferencesChange, changed, without_mail
from services.notification.domain.quiet_hours import NEVER, QuietHours
from services.notification.domain.reasons import (
    AMOUNTS,
    CANCELLED_ANYHOW,
    cancelled_because,
    in_words,
    security_changed,
    undeliverable_because,
)

__all__ = [
    "AMOUNTS",
    "CANCELLED_ANYHOW",
    "KINDS",
    "LISTING",
    "NEVER",
    "PATIENT",
    "USUAL",
    "Channel",
    "Contact",
    "Feedback",
    "Kind",
    "Language",
    "Letter",
    "LowStock",
    "Message",
    "News",
    "Notification",
    "Outcome",
    "Preferences",
    "PreferencesChange",
    "QuietHours",
    "Result",
    "State",
    "Template",
    "becomes",
    "cancelled_because",
    "changed",
    "channels_of",
    "in_words",
    "security_changed",
    "undeliverable_because",
    "without_mail",
]
