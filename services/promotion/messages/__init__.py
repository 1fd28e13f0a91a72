"""Promotions and messages of the contract.

`terms`: what administrators say. `quotes`: what items cost. `orders`: what orders say, and how they are answered.
"""

from services.promotion.messages.orders import (
    cancellation,
    confirmation,
    of_redeemed,
    of_refused,
    of_released,
    wish,
)
from services.promotion.messages.quotes import of_quote, question, question_of_order
from services.promotion.messages.terms import of_batch, of_chunk, of_promotion, order_of_codes, terms_sent

__all__ = [
    "cancellation",
    "confirmation",
    "of_batch",
    "of_chunk",
    "of_promotion",
    "of_quote",
    "of_redeemed",
    "of_refused",
    "of_released",
    "order_of_codes",
    "question",
    "question_of_order",
    "terms_sent",
    "wish",
]
