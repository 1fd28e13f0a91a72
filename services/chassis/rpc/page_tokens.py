"""Page tokens: where the next page of a list begins, signed so that a token counts for nothing but the list it was made for.

The signature covers the method, every filter of the request, the caller when the list is theirs, and the position. A token is
base64url of JSON, `{"after": position, "key": name, "mac": signature}`: releases before signatures read its `after` alone.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from services.chassis import database, errors, page_keys, pages

# The fields of a request that say which page, and not of what.
_PAGING = ("page_size", "page_token")
_MAC_BYTES = 16
# The caller of a list that is the same for everybody.
ANYBODY = ""


class PageTokens:
    """Reads and makes the page tokens of one service.

    unsigned accepts tokens without a signature: for the rollout of the release that brought signatures, and no longer.
    """

    def __init__(self, db: database.Database, *, unsigned: bool = False) -> None:
        self._keys = page_keys.Keys(db)
        self._unsigned = unsigned

    async def page(self, request: Any, caller: str, *, key: Callable[[str], object] = str) -> pages.Page:
        """The page that a request asks for. Raises PAGE_TOKEN_INVALID or TransientError.

        caller is whose list it is, or ANYBODY. key raises ValueError for a text that is no key of a row.
        """
        size = pages.size(request.page_size)
        if not request.page_token:
            return pages.Page(size)
        try:
            after = await self._verified(request, caller)
            key(after)
        except (ValueError, KeyError, TypeError) as error:
            said = "the page token was not issued for this list, these filters and this caller"
            wrong = errors.Violation("page_token", said, "PAGE_TOKEN_INVALID")
            raise errors.invalid("PAGE_TOKEN_INVALID", said, wrong) from error
        return pages.Page(size, after)

    async def token(self, request: Any, caller: str, after: str) -> str:
        """The token of the page after this row of the same list; empty when there is none. Raises TransientError."""
        return _token(await self._keys.newest(), request, caller, after) if after else ""

    async def _verified(self, request: Any, caller: str) -> str:
        content = _parsed(request.page_token)
        after = content["after"]
        if not isinstance(after, str) or not after.isprintable():
            raise ValueError("not the key of a row")
        if self._unsigned and content.keys() == {"after"}:
            return after
        key = await self._keys.named(content["key"]) if isinstance(content["key"], int) else None
        # The whole text is compared: the same content written in another way is not ours either.
        if key is None or not hmac.compare_digest(_token(key, request, caller, after), request.page_token):
            raise ValueError("not signed for this list")
        return after


def _parsed(token: str) -> dict[str, Any]:
    """The content of a token. Raises ValueError for anything but the base64url of a JSON object."""
    try:
        content = json.loads(base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True))
    except (binascii.Error, RecursionError) as error:
        raise ValueError("not a token") from error
    if not isinstance(content, dict):
        raise ValueError("not a token")  # noqa: TRY004 - told as what the others find
    return content


def _token(key: page_keys.Key, request: Message, caller: str, after: str) -> str:
    content = {"after": after, "key": key.id, "mac": _mac(key, request, caller, after)}
    return base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).decode()


def _mac(key: page_keys.Key, request: Message, caller: str, after: str) -> str:
    filters = type(request)()
    filters.CopyFrom(request)
    filters.DiscardUnknownFields()
    for name in _PAGING:
        filters.ClearField(name)
    parts = (request.DESCRIPTOR.full_name.encode(), filters.SerializeToString(deterministic=True))
    # Each part with its length, so that no two lists make the same text.
    told = b"".join(len(part).to_bytes(4, "big") + part for part in (*parts, caller.encode(), after.encode()))
    mac = hmac.digest(key.secret, told, hashlib.sha256)[:_MAC_BYTES]
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
