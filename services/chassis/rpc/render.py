"""Values of the chassis as messages and back: money and moments."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money as MoneyMessage

from services.chassis import errors, money

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def money_message(value: money.Money) -> MoneyMessage:
    """The message for an amount."""
    units, nanos = money.to_units(value)
    return MoneyMessage(currency_code=value.currency, units=units, nanos=nanos)


def money_value(message: MoneyMessage) -> money.Money:
    """The amount in a message. Raises MONEY_INVALID."""
    return money.from_units(message.currency_code, message.units, message.nanos)


def money_sent(field: str, message: MoneyMessage) -> money.Money:
    """The amount in a field of a request. Raises MONEY_INVALID, which names the field."""
    try:
        return money_value(message)
    except errors.DomainError as error:
        violation = errors.Violation(field, error.message, error.reason)
        raise errors.invalid(error.reason, error.message, violation, **error.metadata) from error


def timestamp(moment: datetime) -> Timestamp:
    """The message for a moment."""
    since = moment - _EPOCH
    return Timestamp(seconds=since.days * 86400 + since.seconds, nanos=since.microseconds * 1000)


def moment(message: Timestamp) -> datetime:
    """The moment in a message, in UTC."""
    return message.ToDatetime(tzinfo=UTC)
