"""The tables of accounts and sign-ins."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text
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
    Column("language", Text, nullable=False, server_default=""),
    Column("currency", Text, nullable=False, server_default=""),
    Column("time_zone", Text, nullable=False, server_default=""),
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
    Column("address", Text, nullable=False, server_default=""),
    Column("user_agent", Text, nullable=False, server_default=""),
    Column("use_time", TIME, nullable=True),
    Column("network", Text, nullable=False, server_default=""),
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
# Tries to sign in that failed, under digests of an account, a network, or both.
SIGN_IN_FAILURES = Table(
    "sign_in_failures",
    METADATA,
    Column("key", LargeBinary, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("next_try_time", TIME, nullable=False),
    Column("expire_time", TIME, nullable=False),
    Index("ix_sign_in_failures_expire_time", "expire_time"),
)
ADDRESSES = Table(
    "addresses",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("label", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("line1", Text, nullable=False),
    Column("line2", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("postal_code", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("create_time", TIME, nullable=False),
    Index("ix_addresses_user", "user_id", "id"),
    Index("uq_addresses_default", "user_id", unique=True, postgresql_where="is_default"),
)
PAYMENT_METHODS = Table(
    "payment_methods",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("provider_token", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("last_digits", Text, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("create_time", TIME, nullable=False),
    Index("ix_payment_methods_user", "user_id", "id"),
    Index("uq_payment_methods_default", "user_id", unique=True, postgresql_where="is_default"),
)
# What is to be sent by mail. The token in it is made when it is sent, and only its digest is kept, in `proofs`.
LETTERS = Table(
    "letters",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    Column("next_try_at", TIME, nullable=False),
    Index("ix_letters_due", "next_try_at"),
)
PROOFS = Table(
    "proofs",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("letter_id", ID, nullable=False),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("expire_time", TIME, nullable=False),
    Column("use_time", TIME, nullable=True),
    Index("ix_proofs_user", "user_id", "purpose", "create_time"),
    Index("ix_proofs_expire_time", "expire_time"),
)
# Of recovery codes only digests are kept; a code that is used is taken out. used_step is the last step that a code counted for.
SECOND_FACTORS = Table(
    "second_factors",
    METADATA,
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("secret", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("enable_time", TIME, nullable=True),
    Column("used_step", BigInteger, nullable=False, server_default="0"),
    Column("wrong_codes", Integer, nullable=False, server_default="0"),
    Column("wrong_since", TIME, nullable=True),
    Column("recovery_digests", ARRAY(LargeBinary), nullable=False, server_default="{}"),
)
ROLE_CHANGES = Table(
    "role_changes",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, nullable=False),
    Column("admin_id", ID, nullable=False),
    Column("before", ARRAY(Text), nullable=False),
    Column("after", ARRAY(Text), nullable=False),
    Column("reason", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
    Index("ix_role_changes_user", "user_id", "id"),
)
# What is known of a sign-in with another provider while it is under way. use_time is when its answer came, subject who came.
SIGN_IN_ATTEMPTS = Table(
    "sign_in_attempts",
    METADATA,
    Column("state_digest", LargeBinary, primary_key=True),
    Column("binding_digest", LargeBinary, nullable=False),
    Column("provider", Text, nullable=False),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=True),
    Column("secrets", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("expire_time", TIME, nullable=False),
    Column("use_time", TIME, nullable=True),
    Column("subject", Text, nullable=True),
    Column("email", Text, nullable=False, server_default=""),
    Column("email_verified", Boolean, nullable=False, server_default="false"),
    Column("name", Text, nullable=False, server_default=""),
    Index("ix_sign_in_attempts_expire_time", "expire_time"),
    Index("ix_sign_in_attempts_user", "user_id", postgresql_where="user_id IS NOT NULL"),
    Index("ix_sign_in_attempts_email", "email", postgresql_where="email <> ''"),
)
VENDOR_APPLICATIONS = Table(
    "vendor_applications",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("state", Text, nullable=False),
    Column("shop_name", Text, nullable=False),
    Column("legal_name", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("tax_number", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("decide_time", TIME, nullable=True),
    Column("reason", Text, nullable=False, server_default=""),
    Index("ix_vendor_applications_user", "user_id", "id"),
    Index("ix_vendor_applications_state", "state", "id"),
    Index("uq_vendor_applications_pending", "user_id", unique=True, postgresql_where="state = 'PENDING'"),
)
SIGN_IN_LINKS = Table(
    "sign_in_links",
    METADATA,
    Column("provider", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("email", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
    Index("uq_sign_in_links_user", "user_id", "provider", unique=True),
)
