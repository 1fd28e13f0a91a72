"""What can be done with orders, one module for each thing.

`pricing`: what an order would cost. `accepting`: a new order. `advancing`: what a reply makes of orders. `timer`: deadlines
that passed. `reading`: one order, lists, histories. `watching`: histories as they happen. `noting`: what people write to
orders. `searching`: orders across customers. `invoicing`: invoices and credit notes. `returning`: what comes back.

A write is one transaction: order, saga, history, outbox and idempotency claim together, or none of them. If the process
dies before the commit nothing happened and the caller repeats with the same request id; if it dies after it, the relay
of whoever starts next publishes what was committed.
"""

from dataclasses import dataclass

from services.order.usecases import (
    accepting,
    advancing,
    invoicing,
    noting,
    pricing,
    reading,
    returning,
    searching,
    timer,
    watching,
)


@dataclass(frozen=True, slots=True)
class Orders:
    """The use cases of orders, all on one database."""

    pricing: pricing.Pricing
    accepting: accepting.Accepting
    advancing: advancing.Advancing
    timer: timer.Timer
    reading: reading.Reading
    watching: watching.Watching
    noting: noting.Noting
    searching: searching.Searching
    invoicing: invoicing.Invoicing
    returning: returning.Returning
