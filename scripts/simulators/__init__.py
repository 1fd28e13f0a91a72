"""The outside world, as programs of its own: a payment provider, a carrier, a mail server and a bucket.

    python -m scripts.simulators.provider --listen 127.0.0.1:8071 --state .souk/provider
    python -m scripts.simulators.carrier --listen 127.0.0.1:8073 --state .souk/carrier --speed 36000
    python -m scripts.simulators.mail --listen 127.0.0.1:8025 --store .souk/mail
    python -m scripts.simulators.objects --listen 127.0.0.1:8072 --bucket souk-images --region eu-central-1

Each says on its first line where it listens; port 0 means any free one. They know nothing of Souk: what provider, carrier
and mail server write down is what the world saw, and the tests hold Souk's own books against it.
"""
