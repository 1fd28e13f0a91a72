"""Forecasts over calls, on a real database: from movements of a past that the test wrote, with what is on its way."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.chassis import database
from services.chassis.rpc import render
from souk.inventory.v1 import inventory_service_pb2
from tests.integration.inventory.depot import Depot, new_sku
from tests.support import calls

# Ten a day for so many days, twice as many on the day of the week that today is, and none today.
SOLD = database.Statement("""
INSERT INTO movements (sku, warehouse, delta, reason, reference, note, time)
SELECT %(sku)s, 'east', CASE WHEN day %% 7 = 0 THEN -20 ELSE -10 END, 'sold', 'x', '',
  date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - day * interval '1 day' + interval '12 hours'
FROM generate_series(%(days)s, 1, -1) AS day
""")


async def sold(depot: Depot, days: int, left: int) -> str:
    """A SKU that was sold on so many days, and of which so many are left."""
    sku = new_sku()
    await depot.db.read(SOLD, {"sku": sku, "days": days})
    await depot.adjust(sku, 10**6)
    await depot.audited(sku, repair=True)
    [level] = await depot.stock.levels(sku)
    await depot.adjust(sku, left - level.on_hand)
    return sku


async def forecast(depot: Depot, sku: str, **asked: int) -> Any:
    request = inventory_service_pb2.GetForecastRequest(sku=sku, **asked)
    return await depot.stub.GetForecast(request, metadata=depot.admin)


def day(number: int) -> str:
    return (datetime.now(UTC) + timedelta(days=number)).date().isoformat()


async def test_a_weekly_season_is_forecast_from_the_movements(depot: Depot) -> None:
    found = await forecast(depot, await sold(depot, 56, 100))
    assert (found.history_days, len(found.days), found.days[0].date) == (56, 35, day(0))
    assert [round(each.quantity) for each in found.days[:8]] == [20, *[10] * 6, 20]
    assert found.trial.error < 0.5
    assert found.trial.naive_error == 0


async def test_what_is_left_lasts_for_days_and_what_comes_lets_an_order_wait(depot: Depot) -> None:
    sku = await sold(depot, 56, 105)
    alone = await forecast(depot, sku)
    assert (alone.available, alone.incoming, alone.days_of_cover) == (105, 0, 8)
    assert alone.order_date == day(1)
    line = inventory_service_pb2.SentLine(sku=sku, quantity=110)
    when = render.timestamp(datetime.now(UTC) + timedelta(days=5))
    order = inventory_service_pb2.CreateRestockOrderRequest(
        supplier="Potters", warehouse="east", lines=[line], expected_time=when
    )
    await depot.stub.CreateRestockOrder(order, metadata=depot.admin)
    helped = await forecast(depot, sku)
    assert (helped.incoming, helped.days_of_cover) == (110, 8)
    assert helped.order_date > alone.order_date
    assert (await forecast(depot, sku, lead_days=30)).order_date == day(0)


async def test_a_sku_that_was_never_sold_needs_no_order(depot: Depot) -> None:
    found = await forecast(depot, await depot.filled(3))
    assert (found.history_days, found.order_date, found.order_quantity) == (0, "", 0)
    assert not found.HasField("days_of_cover")
    assert not found.HasField("trial")


async def test_nothing_is_forecast_of_what_is_not_there(depot: Depot) -> None:
    assert (await calls.refused(forecast(depot, new_sku()))).reason == "SKU_NOT_FOUND"
