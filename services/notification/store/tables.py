"""The tables of the notification service."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text, Time
from sqlalchemy.dialects.postgresql import JSONB

from services.chassis.schema import ID, TIME

METADATA = MetaData()

CONTACTS = Table(
    "contacts",
    METADATA,
    Column("user_id", ID, primary_key=True),
    Column("email", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("email_verified", Boolean, nullable=False),
    Column("bounced_email", Text, nullable=False),
)
NOTIFICATIONS = Table(
    "notifications",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, nullable=False),
    Column("template", Text, nullable=False),
    Column("occasion_id", ID, nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("send_time", TIME, nullable=True),
    Column("next_try_at", TIME, nullable=True),
    Column("attempts", Integer, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("sensitive", Boolean, nullable=False),
    Index("uq_notifications_occasion", "occasion_id", "template", "channel", unique=True),
    Index("ix_notifications_due", "channel", "next_try_at", postgresql_where="next_try_at IS NOT NULL"),
    Index("ix_notifications_user_id", "user_id", "id"),
)

PREFERENCES = Table(
    "preferences",
    METADATA,
    Column("user_id", ID, primary_key=True),
    Column("choices", JSONB, nullable=False),
    Column("phone_number", Text, nullable=False),
    Column("push_endpoint", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("quiet_start", Time, nullable=False),
    Column("quiet_end", Time, nullable=False),
    Column("quiet_zone", Text, nullable=False),
)

LOW_STOCK = Table(
    "low_stock",
    METADATA,
    Column("sku", Text, primary_key=True),
    Column("available", BigInteger, nullable=False),
    Column("threshold", BigInteger, nullable=False),
    Column("since", TIME, nullable=False),
)

UNSUBSCRIBE_KEY = Table(
    "unsubscribe_key",
    METADATA,
    Column("one", Boolean, primary_key=True),
    Column("secret", LargeBinary, nullable=False),
)

MAIL_FEEDBACK = Table(
    "mail_feedback",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("receive_time", TIME, nullable=False),
    Index("ix_mail_feedback_receive_time", "receive_time"),
)
