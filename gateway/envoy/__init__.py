"""Envoy's configuration as plain dictionaries, one module per concern.

`bootstrap` puts the parts together; `listener` holds the connection manager, `filters` its chain, `routes` one route
per method, `rate_limits` their buckets, `clusters` the services, `tokens` how access tokens are checked and where
their keys come from, `errors` the one JSON shape of every error that the edge answers by itself.
"""
