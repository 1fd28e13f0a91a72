"""Servers of an installation's own (compose, `values-laptop.yaml`): their passwords and keys, and each service's database."""
