"""The rows of the user service. Rows become domain values here and nowhere else."""

from services.user.store.accounts import erase, find, find_by_address, insert_account, lock, lock_all, renew_hash, write
from services.user.store.sign_ins import (
    Held,
    end_family,
    end_others,
    exchange,
    families,
    lock_token,
    open_family,
    purge,
    revocations,
    revoke_access,
    revoke_all,
    revoke_family,
)
from services.user.store.tables import FAMILIES, METADATA, REVOCATIONS, TOKENS, USERS

__all__ = [
    "FAMILIES",
    "METADATA",
    "REVOCATIONS",
    "TOKENS",
    "USERS",
    "Held",
    "end_family",
    "end_others",
    "erase",
    "exchange",
    "families",
    "find",
    "find_by_address",
    "insert_account",
    "lock",
    "lock_all",
    "lock_token",
    "open_family",
    "purge",
    "renew_hash",
    "revocations",
    "revoke_access",
    "revoke_all",
    "revoke_family",
    "write",
]
