from scripts.bench import figures

PARTS = figures.Parts(services=("order", "payment"), simulators=("provider", "mail"))


def test_percentiles_are_values_that_were_measured() -> None:
    found = figures.Percentiles.of([float(value) for value in range(100, 0, -1)])
    assert found == figures.Percentiles(count=100, p50=50, p95=95, p99=99, most=100)


def test_one_value_is_every_percentile_and_none_is_zero() -> None:
    assert figures.Percentiles.of([7.0]) == figures.Percentiles(1, 7.0, 7.0, 7.0, 7.0)
    assert figures.Percentiles.of([]) == figures.Percentiles(0, 0.0, 0.0, 0.0, 0.0)


def test_the_total_leaves_out_what_stands_for_the_world_outside_and_the_load_generator() -> None:
    spent = {"order": 2.0, "payment": 1.0, "kafka": 0.5, "provider": 4.0, "mail": 0.25}
    cost = figures.Cost.of(spent, 8.0, 1000, PARTS)
    assert (cost.total, cost.with_simulators, cost.services, cost.load_generator) == (3.5, 7.75, 3.0, 8.0)
    assert cost.by_process == {"order": 2.0, "payment": 1.0, "kafka": 0.5, "provider": 4.0, "mail": 0.25}


def test_without_orders_nothing_has_a_cost() -> None:
    assert figures.Cost.of({"order": 2.0}, 1.0, 0, PARTS).total == 0


def test_a_rate_is_per_second() -> None:
    assert figures.rate(30, 60.0) == 0.5
    assert figures.rate(30, 0.0) == 0.0
