"""Accounts, credentials and the keys that sign access tokens.

Owns: users (who somebody is, what they may do, the hash of their password), and sign-ins. An access token is signed, short,
and has no row. A sign-in is a family of refresh tokens, each exchanged once for the next; of each only a hash is kept. And what
people keep with an account: addresses, payment methods (the provider's tokens, answered to services alone), preferences.

States: an account exists or does not, and its version counts its changes. A refresh token is new, then used; its family is
open until it ends or is revoked: by logout, by a new password, or because a used token was sent again.
Consumes nothing, publishes `users`. Calls nobody.

Read in this order: `rpc.py` (a call comes in), `usecases/` (what it means), `domain/` (the values), `passwords.py`
(hashed and compared), `tokens.py` (signed, and the public keys), `store/` (the rows), `events.py` (what goes out),
`main.py` (put together).
"""
