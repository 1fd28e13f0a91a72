"""The outside world, as programs of its own: a payment provider and a mail server that remember what was asked of them.

    python -m scripts.simulators.provider --listen 127.0.0.1:8071 --state .souk/provider
    python -m scripts.simulators.mail --listen 127.0.0.1:8025 --store .souk/mail

Each says on its first line where it listens; port 0 means any free one. They know nothing of Souk: what they write down
is what the world saw, and the tests hold Souk's own books against it.
"""
