"""What payments and refunds are named by: ids made from what asks for them, never drawn.

The provider knows a call by the id of its payment or refund. Whoever asks again for the same thing, also when the database was
restored to a moment at which it had not heard of it, thus asks with the same key, and the provider does it once.
"""

from services.chassis import ids


def payment_id(order_id: str) -> str:
    """The id of an order's payment. An order has one."""
    return ids.beneath(order_id, "payment")


def refund_id(payment: str, actor: str, request_id: str) -> str:
    """The id of the refund of this payment that this request of somebody's begins."""
    return ids.beneath(payment, f"refund:{actor}:{request_id}")
