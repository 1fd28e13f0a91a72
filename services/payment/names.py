"""What payments and refunds are named by: ids made from what asks for them, never drawn.

The provider knows a call by the id of its payment or refund. Whoever asks again for the same thing, also when the database was
restored to a moment at which it had not heard of it, thus asks with the same key, and the provider does it once.
"""

import hashlib
import uuid

_DIGEST_BITS = 80
_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_KEEP = ~(0xF << 76) & ~(0b11 << 62)


def payment_id(order_id: str) -> str:
    """The id of an order's payment. An order has one."""
    return _beneath(order_id, "payment")


def refund_id(payment: str, actor: str, request_id: str) -> str:
    """The id of the refund of this payment that this request of somebody's begins."""
    return _beneath(payment, f"refund:{actor}:{request_id}")


def _beneath(owner: str, what: str) -> str:
    """A UUIDv7 with its owner's time, so that indexes grow at one end, and a digest where others have random bits."""
    time = uuid.UUID(owner).int >> _DIGEST_BITS << _DIGEST_BITS
    digest = hashlib.sha256(f"{owner}:{what}".encode()).digest()[: _DIGEST_BITS // 8]
    return str(uuid.UUID(int=((time | int.from_bytes(digest, "big")) & _KEEP) | _VERSION | _VARIANT))
