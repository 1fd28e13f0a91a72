"""Accounts, credentials and the keys that sign access tokens.

Owns: users (who somebody is, what they may do, the hash of their password). Sessions are signed tokens and have no rows.

States: an account exists or does not. Consumes nothing, publishes `users`. Calls nobody.

Read in this order: `rpc.py` (a call comes in), `usecases.py` (what it means), `domain.py` (the values), `passwords.py`
(hashed and compared), `tokens.py` (signed, and the public keys), `store.py` (the rows), `events.py` (what goes out),
`main.py` (put together).
"""
