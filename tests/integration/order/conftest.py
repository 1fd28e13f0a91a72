"""A database for each module, and the use cases of orders on it."""

import pytest

from services.chassis import database
from services.order.usecases import Orders
from tests.integration.order import ordering


@pytest.fixture
def prices() -> ordering.PriceList:
    return ordering.PriceList()


@pytest.fixture
def orders(db: database.Database, prices: ordering.PriceList) -> Orders:
    return ordering.using(db, prices)
