"""What people want to be told where, and how that may change."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from services.chassis import errors
from services.notification.domain import quiet_hours
from services.notification.domain.kinds import USUAL, Channel, Kind, Language
from services.notification.domain.quiet_hours import NEVER, QuietHours


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a person wants to be told where. choices has the kinds that the person chose for; the others are as usual."""

    user_id: str
    choices: Mapping[Kind, frozenset[Channel]] = field(default_factory=dict)
    phone_number: str = ""
    push_endpoint: str = ""
    language: Language = Language.EN
    quiet_hours: QuietHours = NEVER

    def channels(self, kind: Kind) -> list[Channel]:
        """The channels for a kind of message, in their usual order."""
        chosen = self.choices.get(kind, USUAL[kind])
        return [channel for channel in Channel if channel in chosen]


@dataclass(frozen=True, slots=True)
class PreferencesChange:
    """What somebody wants to be different. What is None stays, and so do kinds that are not named."""

    choices: Mapping[Kind, frozenset[Channel]] = field(default_factory=dict)
    phone_number: str | None = None
    push_endpoint: str | None = None
    language: Language | None = None
    quiet_hours: QuietHours | None = None


def changed(preferences: Preferences, change: PreferencesChange) -> Preferences:
    """Preferences after a change. Raises CHANNEL_REQUIRED, CHANNEL_WITHOUT_ADDRESS or TIME_ZONE_UNKNOWN."""
    new = Preferences(
        preferences.user_id,
        {**preferences.choices, **change.choices},
        preferences.phone_number if change.phone_number is None else change.phone_number,
        preferences.push_endpoint if change.push_endpoint is None else change.push_endpoint,
        change.language or preferences.language,
        preferences.quiet_hours if change.quiet_hours is None else quiet_hours.checked(change.quiet_hours),
    )
    if Channel.EMAIL not in new.channels(Kind.ACCOUNT):
        wrong = errors.Violation("choices", "ACCOUNT must include EMAIL: mail about the account cannot be switched off")
        raise errors.invalid("CHANNEL_REQUIRED", "mail about the account cannot be switched off", wrong)
    chosen = {channel for kind in Kind for channel in new.channels(kind)}
    addresses = (("phone_number", Channel.SMS, new.phone_number), ("push_endpoint", Channel.PUSH, new.push_endpoint))
    missing = [
        errors.Violation(name, f"is required because {channel} is among the chosen channels")
        for name, channel, address in addresses
        if channel in chosen and not address
    ]
    if missing:
        raise errors.invalid("CHANNEL_WITHOUT_ADDRESS", "a chosen channel has no phone number or device", *missing)
    return new


def without_mail(preferences: Preferences, kind: Kind) -> Preferences:
    """Preferences of somebody who wants no more mail of a kind; over other channels it comes as before."""
    left = frozenset(preferences.channels(kind)) - {Channel.EMAIL}
    return replace(preferences, choices={**preferences.choices, kind: left})
