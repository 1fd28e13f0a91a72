"""Payments: the money of one order at one provider, and the ledger of what was taken and given back.

Owns: payments (one per order), refunds (who wanted money back) and ledger_entries (double entry), both append-only.

States: AUTHORIZING -> AUTHORIZED -> CAPTURING -> CAPTURED; AUTHORIZING -> DECLINED; where the customer has to confirm
AUTHORIZING -> ACTION_REQUIRED -> AUTHORIZED or DECLINED; what is held goes VOIDING -> VOIDED, what
was taken REFUNDING -> REFUNDED. An order without a payment method begins in AWAITING_METHOD. A part that an administrator gives
back goes CAPTURED -> REFUNDING_PART -> CAPTURED, all that is left CAPTURED -> REFUNDING_REST -> REFUNDED. In a state with -ING
the provider is being asked: yes, a definite no, or unknown, which stays where it is and is asked about. A database that was put
back to an earlier moment hears its orders again: payments have the ids, and the provider the keys, that they had before.

Of a return it keeps what is due (return_refunds: WAITING -> BEGUN -> SETTLED), and gives it back when the payment is free.

Consumes `orders` (PaymentRequested, OrderConfirmed, OrderCancelled, ReturnInspected), publishes `payments`. Calls the
provider, outside of every transaction.

Read in this order: `events.py` (an order says something), `usecases/` (what it means, and `charging`, the worker that calls
the provider), `domain/` (what a payment is, and `moves`, the one table of what follows what), `names.py` (ids that stay the
same), `clients/` (the provider and its breaker), `store/` (the rows, and `claims`, the worker's), `rpc.py` (choosing how to
pay, giving back, reading), `main.py` (put together).
"""
