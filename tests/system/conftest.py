"""These tests run against the whole stack, through its edge."""

from tests.support.through_edge import auditor, environment, market, only_reasons_of_the_contract_are_answered

__all__ = ["auditor", "environment", "market", "only_reasons_of_the_contract_are_answered"]
