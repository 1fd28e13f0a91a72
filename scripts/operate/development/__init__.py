"""Servers of an installation's own (compose, `values-dev.yaml`): their passwords and keys, and each service's database."""
