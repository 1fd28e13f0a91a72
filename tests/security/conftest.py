"""Attacks on the running stack go through its edge, or to its services' own addresses. The others need none."""

from tests.support.through_edge import auditor, environment, market

__all__ = ["auditor", "environment", "market"]
