"""Cart: what people keep, one text each. The first rooms, to be filled with what the service is for.

Owns: entries (one text for each person).

Consumes `orders`, publishes nothing. Asks the user service for the keys of access tokens.

Read in this order: `events.py` (something happened), `rpc.py` (a call comes in),
`usecases.py` (what it means), `domain.py` (the values and rules), `store.py` (where they are kept),
`main.py` (put together).
"""
