"""The tables of accounts and sign-ins."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from services.chassis.schema import ID, TIME

METADATA = MetaData()
USERS = Table(
    "users",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    Column("display_name", Text, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("version", BigInteger, nullable=False, server_default="1"),
    Column("email_verified", Boolean, nullable=False, server_default="false"),
)
# A sign-in: all refresh tokens that came of it live and end together.
FAMILIES = Table(
    "token_families",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("expire_time", TIME, nullable=False),
    Column("revoke_time", TIME, nullable=True),
    Index("ix_token_families_user", "user_id"),
    Index("ix_token_families_expire_time", "expire_time"),
)
TOKENS = Table(
    "refresh_tokens",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("family_id", ID, ForeignKey("token_families.id", ondelete="CASCADE"), nullable=False),
    Column("expire_time", TIME, nullable=False),
    Column("use_time", TIME, nullable=True),
    Index("ix_refresh_tokens_family", "family_id"),
    Index("ix_refresh_tokens_expire_time", "expire_time"),
)
# Access tokens that are refused before they expire, by the sign-in or the account that they are of.
REVOCATIONS = Table(
    "revocations",
    METADATA,
    Column("subject_id", ID, primary_key=True),
    Column("least_version", BigInteger, nullable=False, server_default="0"),
    Column("revoke_time", TIME, nullable=False),
    Column("expire_time", TIME, nullable=False),
    Index("ix_revocations_revoke_time", "revoke_time"),
    Index("ix_revocations_expire_time", "expire_time"),
)
