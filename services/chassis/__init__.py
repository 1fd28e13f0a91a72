"""The machinery every service shares. It knows no word of the shop and imports no service.

Values: errors, money, ids, clock, pages. Running: settings, logs, metrics, tracing, process. Data: database, outbox, relay,
inbox, consumer, parked, idempotency, leases, effects, timers, cache, migrate. Calls: coalesce, webhooks and the folder rpc.
"""
