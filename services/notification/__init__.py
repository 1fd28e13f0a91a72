"""Messages to customers, by email, text message and push.

Owns: contacts (whom to write to, learnt from the user service's events), preferences (which kind of message comes over which
channels, and the telephone they lead to), notifications (what is written, and whether it was sent), what fell low in stock since
vendors were told last, and which news of mail were heard.

States: QUEUED -> SENT | FAILED. A message is queued by an event, once for each occasion, template and channel, or by an
administrator, and waits until its contact is known and the mail server or SNS has taken or refused it. A mail that was SENT and
comes back is FAILED, and no other goes to its address.

Consumes `users` (UserRegistered, UserChanged), `orders` (OrderConfirmed, OrderCancellationCompleted), `payments`
(PaymentRefunded, PaymentPartlyRefunded), `carts` (CartAbandoned, for who wants MARKETING) and `inventory` (StockLevelLow),
publishes nothing. Calls the mail server, SNS and the catalog, outside of every transaction.

Read in this order: `events.py` (something happened), `usecases.py` (what it means, and the workers that send), `domain.py` (the
values), `digests.py` (what vendors are told now and then; `catalog.py` knows who they are), `templates/` and `words.py` (the
words), `clients.py` (letters and the mail server), `notices.py` and `bouncing.py` (what is told of mail later),
`text_messages.py` (SNS, or the log), `store.py` (the rows), `rpc.py` (sending, reading what was sent, and people's wishes),
`main.py` (put together).
"""
