"""The chart on a real Kubernetes API with simulated nodes. `make test-cluster` runs these; a plain pytest passes them by."""
