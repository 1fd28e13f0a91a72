"""These tests run against the whole stack, through its edge."""

from tests.support.through_edge import auditor, environment, market

__all__ = ["auditor", "environment", "market"]
