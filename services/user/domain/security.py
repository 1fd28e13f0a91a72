"""What protects an account and is told to its owner when it changes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.chassis import ids


class Change(StrEnum):
    """What was changed. The words are those of the contract."""

    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - a word of the contract is no secret
    SECOND_FACTOR_ENABLED = "SECOND_FACTOR_ENABLED"
    SECOND_FACTOR_DISABLED = "SECOND_FACTOR_DISABLED"
    RECOVERY_CODES_RENEWED = "RECOVERY_CODES_RENEWED"
    RECOVERY_CODE_USED = "RECOVERY_CODE_USED"
    SIGN_IN_LINK_ADDED = "SIGN_IN_LINK_ADDED"
    SIGN_IN_LINK_REMOVED = "SIGN_IN_LINK_REMOVED"


@dataclass(frozen=True, slots=True)
class SecurityChanged:
    """Something that protects an account was changed; provider is empty unless it is a link."""

    user_id: str
    change: Change
    change_time: datetime
    change_id: str
    provider: str = ""


def changed(user_id: str, change: Change, now: datetime, *, provider: str = "") -> SecurityChanged:
    """The news of a change that is made now."""
    return SecurityChanged(user_id, change, now, ids.new_id(now), provider)
