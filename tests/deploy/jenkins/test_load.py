"""The thresholds of a load test; the load itself is sent in tests/system."""

import dataclasses

import pytest

from scripts.bench import figures
from scripts.release import environments, load
from scripts.stack.supervise import problems

WANTED = environments.Load(rate=10, seconds=10, failed=0.01, accept_p95_ms=500, settle_s=30)
WELL = load.Seen(
    sent=100,
    failed=0.01,
    accept_ms=figures.Percentiles.of([500.0] * 99),
    sampled=40,
    confirmed=38,
    unsettled=0,
    samples=(),
)


def test_what_is_just_within_the_thresholds_passes() -> None:
    assert load.missed(WELL, WANTED) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"failed": 0.02, "samples": ("429 slow down",)},
            "2.00% of the orders failed, more than 1.00% (429 slow down)",
        ),
        ({"accept_ms": figures.Percentiles.of([501.0] * 99)}, "p95 of acceptance is 501 ms, more than 500"),
        ({"unsettled": 1}, "1 of 40 orders came to no end within 30 s"),
        ({"confirmed": 0}, "none of the orders that were followed was confirmed"),
    ],
)
def test_what_is_beyond_one_is_told(changed: dict[str, object], said: str) -> None:
    assert load.missed(dataclasses.replace(WELL, **changed), WANTED) == [said]  # type: ignore[arg-type]  # one field each


def test_no_order_at_all_is_no_success() -> None:
    nothing = load.Seen(0, 1.0, figures.Percentiles.of([]), 0, 0, 0, ())
    assert load.missed(nothing, WANTED) == ["100.00% of the orders failed, more than 1.00%"]


def test_an_edge_that_is_not_there_is_told_in_one_line() -> None:
    with pytest.raises(problems.StackError, match="the load test cannot begin: http://127"):
        load.test("http://127.0.0.1:9", WANTED, environments.FILE.parent, load.Purchase("card_approved"))


def test_numbers_are_changed_by_the_environment() -> None:
    assert environments.load_wanted(WANTED, {"LOAD_RATE": "25", "LOAD_ACCEPT_P95_MS": ""}).rate == 25
    with pytest.raises(problems.StackError, match="LOAD_SECONDS=long is no number"):
        environments.load_wanted(WANTED, {"LOAD_SECONDS": "long"})


def test_addresses_are_changed_by_the_environment_and_unknown_environments_are_refused() -> None:
    assert environments.read("dev", {"EDGE_URL": "http://edge"}).edge_url == "http://edge"
    one_for_each = {
        "PAYMENT_METHOD_prod": "pm_live",
        "PROMETHEUS_URL_dev": "http://dev",
        "PROMETHEUS_URL_prod": "http://prod",
    }
    dev, prod = (environments.read(name, one_for_each) for name in ("dev", "prod"))
    assert (dev.payment_method, prod.payment_method) == ("pm_card_visa", "pm_live")
    assert (dev.prometheus_url, prod.prometheus_url) == ("http://dev", "http://prod")
    with pytest.raises(problems.StackError, match="ENV=moon is none of dev, prod"):
        environments.read("moon", {})
