"""Messages to customers, by email.

Owns: contacts (whom to write to, learnt from the user service's events) and notifications (what is written, and whether it was
sent).

States: QUEUED -> SENT | FAILED. A message is queued by an event, once for each occasion and template, or by an administrator,
and waits until its address is known and the mail server has taken or refused it.

Consumes `users` (UserRegistered, UserChanged), `orders` (OrderConfirmed, OrderCancellationCompleted) and `payments`
(PaymentRefunded, PaymentPartlyRefunded), publishes nothing. Calls the mail server, outside of every transaction.

Read in this order: `events.py` (something happened), `usecases.py` (what it means, and the worker that sends), `domain.py` (the
values), `templates/` (the words), `clients.py` (letters and the mail server), `store.py` (the rows), `rpc.py` (sending, and
reading what was sent), `main.py` (put together).
"""
