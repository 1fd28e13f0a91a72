"""Promotions and messages of the contract.

`terms`: what administrators say. `prices`: promotional prices. `quotes`: what items cost. `orders`: what orders say, and how
they are answered.
"""

from services.promotion.messages.orders import (
    cancellation,
    confirmation,
    of_redeemed,
    of_refused,
    of_released,
    wish,
)
from services.promotion.messages.prices import of_price, of_scheduled, of_withdrawn, price_sent
from services.promotion.messages.quotes import of_answers, of_quote, question, questions_of
from services.promotion.messages.terms import of_batch, of_chunk, of_promotion, order_of_codes, terms_sent

__all__ = [
    "cancellation",
    "confirmation",
    "of_answers",
    "of_batch",
    "of_chunk",
    "of_price",
    "of_promotion",
    "of_quote",
    "of_redeemed",
    "of_refused",
    "of_released",
    "of_scheduled",
    "of_withdrawn",
    "order_of_codes",
    "price_sent",
    "question",
    "questions_of",
    "terms_sent",
    "wish",
]
