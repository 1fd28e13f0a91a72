"""The tables that the machinery keeps in every service's database. `migrations/` makes them; nothing else touches them."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

METADATA = MetaData()
ID = UUID(as_uuid=False)
TIME = DateTime(timezone=True)

# Events on their way to Kafka: written with the change they tell of, deleted when the broker has them.
OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", ID, nullable=False),
    Column("shard", SmallInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("time", TIME, nullable=False),
    Column("traceparent", Text, nullable=False),
    Column("headers", JSONB, nullable=True),
    Column("payload", LargeBinary, nullable=False),
)

# Events that were handled. Their ids sort by time, so old ones are purged without a time column.
INBOX = Table("inbox", METADATA, Column("event_id", ID, primary_key=True))

# Events whose handling failed, and those of the same key behind them, in order.
PARKED = Table(
    "parked_events",
    METADATA,
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", ID, nullable=False, unique=True),
    Column("key", Text, nullable=False, index=True),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("error", Text, nullable=False, server_default=""),
    Column("parked_at", TIME, nullable=False, server_default="clock_timestamp()"),
    Column("next_try_at", TIME, nullable=False, server_default="clock_timestamp()"),
    Column("dead", Integer, nullable=False, server_default="0"),
)

# What an operator did to parked events.
PARKED_ACTIONS = Table(
    "parked_actions",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", ID, nullable=False),
    Column("action", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("time", TIME, nullable=False, server_default="clock_timestamp()"),
)

# Which request made which resource, per caller.
REQUESTS = Table(
    "idempotent_requests",
    METADATA,
    Column("principal", Text, primary_key=True),
    Column("request_id", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("resource_id", ID, nullable=False),
    Column("time", TIME, nullable=False, server_default="clock_timestamp()"),
)

# What signs page tokens: all processes of a service share it.
PAGE_KEYS = Table(
    "page_keys",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    Column("create_time", TIME, nullable=False, server_default="clock_timestamp()"),
)

# Whose accounts were erased, and when what is kept about them is looked at next.
ERASED_USERS = Table(
    "erased_users",
    METADATA,
    Column("user_id", ID, primary_key=True),
    Column("time", TIME, nullable=False, server_default="clock_timestamp()"),
    Column("looks", Integer, nullable=False, server_default="0"),
    Column("next_look_at", TIME, nullable=False, index=True, server_default="clock_timestamp()"),
)

# Who works on what, by the database's clock. The epoch grows with each new owner and fences off the last.
LEASES = Table(
    "leases",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("expires_at", TIME, nullable=False),
)
