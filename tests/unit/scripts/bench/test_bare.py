"""The bare path's figures; the path itself on real servers is a scenario of the bench."""

from scripts.bench import bare, bare_path


def test_what_an_order_costs_is_summed_and_compared_with_the_product() -> None:
    plan = bare_path.Plan("", "", orders=1000, per_commit=8)
    found = bare.told(plan, bare_path.Outcome(2.0, 1.0), {"postgres": 0.6, "kafka": 0.4}, 5.0)
    assert found.cpu_ms_per_confirmed == {"python": 1.0, "postgres": 0.6, "kafka": 0.4}
    assert (found.total, found.ratio, found.confirmed_per_s) == (2.0, 2.5, 500.0)
    assert "8 orders a commit: 2.00 CPU ms" in bare.table([found])
    assert "2.5 times" in bare.table([found])


def test_without_the_product_nothing_is_compared() -> None:
    plan = bare_path.Plan("", "", orders=1000, per_commit=100)
    assert "times" not in bare.table([bare.told(plan, bare_path.Outcome(2.0, 1.0), {}, 0.0)])
