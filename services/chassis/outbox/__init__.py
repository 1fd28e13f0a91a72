"""What a service says: `outbox` writes rows in the transaction that makes them true, `relay` brings them to Kafka.

`leases` says which process relays which of them.
"""
