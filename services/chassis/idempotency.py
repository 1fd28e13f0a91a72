"""Idempotent requests: one resource per caller and request id, claimed in the transaction that makes the resource.

A failed request claims nothing, so it may be repeated with the same id. The claim is an INSERT that may find the row
taken, never a SELECT before it: two calls at the same moment have one winner.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from services.chassis import database, errors, schema

_COLUMNS = ("principal", "request_id", "fingerprint", "resource_id")
_CLAIM = database.Statement(
    database.insert_given(schema.REQUESTS, *_COLUMNS).on_conflict_do_nothing().returning(schema.REQUESTS.c.request_id)
)
_FIND = database.Statement("""
SELECT r.principal, r.request_id, r.fingerprint, r.resource_id
FROM idempotent_requests AS r
JOIN unnest(%(principal)s::text[], %(request_id)s::text[]) AS g(principal, request_id) USING (principal, request_id)
""")


@dataclass(frozen=True, slots=True)
class Claim:
    """A caller's wish to make `resource_id` by the request `request_id` with this content."""

    principal: str
    request_id: str
    fingerprint: bytes
    resource_id: str


def fingerprint(request: Message) -> bytes:
    """What makes two requests the same: a hash of the message without its `request_id`."""
    content = type(request)()
    content.CopyFrom(request)
    content.ClearField("request_id")
    return hashlib.sha256(content.SerializeToString(deterministic=True)).digest()


async def claim(transaction: database.Transaction, claims: Sequence[Claim]) -> list[str | errors.DomainError]:
    """Claim all: one answer each, in order.

    An answer is the id of the resource that the request makes or, when it was made before, made; or REQUEST_ID_REUSED when
    the same id came with other content. Equal claims in one list have one winner.
    """
    if not claims:
        return []
    won = await transaction.run(_CLAIM, database.columns(claims, *_COLUMNS))
    if len(won) == len(claims):
        return [claim.resource_id for claim in claims]
    return await find(transaction, claims)


async def claim_one(transaction: database.Transaction, item: Claim) -> str:
    """The id of the resource that this request makes, or made before. Raises REQUEST_ID_REUSED.

    A request without an id will not be repeated: it claims nothing, and makes its resource.
    """
    if not item.request_id:
        return item.resource_id
    [answer] = await claim(transaction, [item])
    if isinstance(answer, errors.DomainError):
        raise answer
    return answer


async def made_before(transaction: database.Transaction, item: Claim) -> bool:
    """Whether this request did what it asks for before; it is claimed otherwise. Raises REQUEST_ID_REUSED."""
    return await claim_one(transaction, item) != item.resource_id


async def find(transaction: database.Transaction, claims: Sequence[Claim]) -> list[str | errors.DomainError]:
    """What these requests made before, as `claim` answers, without claiming: for one that made nothing its `resource_id`."""
    rows = await transaction.run(_FIND, database.columns(claims, "principal", "request_id"))
    found = {(row[0], row[1]): (row[2], row[3]) for row in rows}
    return [_answer(item, found) for item in claims]


def _answer(item: Claim, found: dict[tuple[str, str], tuple[bytes, str]]) -> str | errors.DomainError:
    stored, resource_id = found.get((item.principal, item.request_id), (item.fingerprint, item.resource_id))
    if stored == item.fingerprint:
        return resource_id
    return errors.DomainError(
        errors.Code.FAILED_PRECONDITION,
        "REQUEST_ID_REUSED",
        "the request id was already used for a request with different content",
        {"request_id": item.request_id},
    )
