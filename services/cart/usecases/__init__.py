"""What can be done with carts, one module for each thing.

`carts`: put in, take out, merge, check out. `showing`: what the shop says of them now. `reminding`: those that were left.
"""

from services.cart.usecases.carts import MOST_ROUNDS, PAUSES_S, SERVICE, Carts, Lifetimes, Orders
from services.cart.usecases.reminding import Publishing, Reminding, Times
from services.cart.usecases.showing import Catalog, Inventory, Pricing, Shelves

__all__ = [
    "MOST_ROUNDS",
    "PAUSES_S",
    "SERVICE",
    "Carts",
    "Catalog",
    "Inventory",
    "Lifetimes",
    "Orders",
    "Pricing",
    "Publishing",
    "Reminding",
    "Shelves",
    "Times",
]
