"""What cart keeps and shows, and messages of the contract: `of_entry` renders an entry."""

from services.cart import domain
from souk.cart.v1 import cart_entry_pb2


def of_entry(entry: domain.Entry) -> cart_entry_pb2.CartEntry:
    return cart_entry_pb2.CartEntry(user_id=entry.user_id, text=entry.text, version=entry.version)
