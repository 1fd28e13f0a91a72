"""The edge: one Envoy in front of every service, its configuration generated from the contract.

`contract` reads what `proto/` says and refuses what the edge could not serve; `envoy` turns it into the configuration,
one module per concern (listener, filters, routes, rate limits, clusters, errors); `openapi` and `page` turn it into
documentation; `generate` writes the files. Nothing here imports a service: a new method reaches the edge by its
comments and options alone. README.md says how the edge behaves.
"""
