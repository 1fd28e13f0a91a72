"""Unsubscribing by one click (RFC 8058): links in mail that may be unsubscribed, and what following one does.

A link names the reader, the kind of message and a signature over both, by a key in this service's own database: who has the mail
can unsubscribe, without signing in, and from nothing else. It does not expire: mail is read late. Only a POST changes
something, since programs that look at mail follow its links.
"""

import base64
import binascii
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from services.chassis import database, errors
from services.notification import domain, store
from services.notification.domain import Kind

# The kinds of mail that have a link, and the byte that stands for each in links. Mail about what somebody ordered has none.
KINDS: Mapping[Kind, int] = {Kind.MARKETING: 1, Kind.STOCK: 2}
_NAMED = {number: kind for kind, number in KINDS.items()}
_MAC_BYTES = 16
PATH = "/api/v1/notifications/unsubscribe/"


@dataclass(frozen=True, slots=True)
class Subscription:
    """Somebody who gets a kind of mail."""

    user_id: str
    kind: Kind


class Unsubscribing:
    """The links, and the use cases of who follows one. public_url is where the edge is; without it mail has no links."""

    def __init__(self, db: database.Database, *, public_url: str) -> None:
        self._db = db
        self._public_url = public_url.rstrip("/")
        self._key = b""

    async def link(self, notification: domain.Notification) -> str:
        """Where the reader of this mail unsubscribes from its kind; empty where there is nothing to. Raises TransientError."""
        if not self._public_url or notification.kind not in KINDS:
            return ""
        token = made(await self._signing(), Subscription(notification.user_id, notification.kind))
        return f"{self._public_url}{PATH}{token}"

    async def read(self, token: str) -> Subscription:
        """What a link is about. Raises UNSUBSCRIBE_TOKEN_INVALID or TransientError."""
        found = parsed(await self._signing(), token)
        if found is None:
            said = "the link is not one that was sent"
            raise errors.not_found("UNSUBSCRIBE_TOKEN_INVALID", said)
        return found

    async def unsubscribe(self, token: str) -> Subscription:
        """Send no more mail of this kind; other channels stay. Raises UNSUBSCRIBE_TOKEN_INVALID or TransientError."""
        found = await self.read(token)
        async with self._db.transaction() as transaction:
            await end(transaction, found)
        return found

    async def _signing(self) -> bytes:
        if not self._key:
            self._key = await store.unsubscribe_key(self._db)
        return self._key


async def end(transaction: database.Transaction, subscription: Subscription) -> None:
    """Send somebody no more mail of a kind; over other channels it comes as before."""
    preferences = await store.lock_preferences(transaction, subscription.user_id)
    await store.save_preferences(transaction, domain.without_mail(preferences, subscription.kind))


def made(key: bytes, subscription: Subscription) -> str:
    """The token of a link: base64url of the user's id, the kind and the signature."""
    about = uuid.UUID(subscription.user_id).bytes + bytes([KINDS[subscription.kind]])
    return base64.urlsafe_b64encode(about + _mac(key, about)).decode()


def parsed(key: bytes, token: str) -> Subscription | None:
    """What a token is about; None for one that was not made with this key."""
    try:
        content = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    about, mac = content[:-_MAC_BYTES], content[-_MAC_BYTES:]
    if len(about) != 17 or not hmac.compare_digest(_mac(key, about), mac) or about[16] not in _NAMED:
        return None
    return Subscription(str(uuid.UUID(bytes=about[:16])), _NAMED[about[16]])


def _mac(key: bytes, about: bytes) -> bytes:
    return hmac.digest(key, b"unsubscribe\0" + about, hashlib.sha256)[:_MAC_BYTES]
