"""The error budget's gate, against a server that answers as Prometheus's HTTP API does."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from scripts.release import budget, environments
from scripts.stack.supervise import problems
from tests.deploy import loopback

GENEROUS = environments.Budget(seconds=60, ratio=0.01, calls=100)


def vector(*values: float) -> dict[str, Any]:
    """An instant vector as Prometheus writes one: values are strings beside a time."""
    result = [{"metric": {}, "value": [1795265649.172, str(value)]} for value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


@dataclass(slots=True)
class Watched:
    """Time that passes only when it is waited for."""

    passed: float = 0.0
    waits: list[float] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.passed += seconds

    @property
    def clock(self) -> budget.Clock:
        return budget.Clock(lambda: self.passed, self.wait)


def watch(server: loopback.Loopback, allowed: environments.Budget = GENEROUS) -> tuple[budget.Calls, Watched]:
    watched = Watched()
    return budget.watch(budget.Prometheus(server.url, "souk"), allowed, watched.clock), watched


def counting(all_calls: float, failed: float | None) -> Any:
    """A Prometheus with so many calls; without failures there is no series of them."""

    def answer(asked: loopback.Asked) -> loopback.Answer:
        if "code=~" not in asked.query["query"]:
            return 200, vector(all_calls)
        return 200, vector() if failed is None else vector(failed)

    return answer


@pytest.mark.parametrize("failed", [None, 0.0, 4.9])
def test_a_release_within_its_budget_passes_when_the_time_is_over(failed: float | None) -> None:
    with loopback.serving(counting(500, failed)) as server:
        seen, watched = watch(server)
    assert seen == budget.Calls(500, failed or 0)
    assert watched.passed == GENEROUS.seconds


def test_amazons_prometheus_is_asked_as_the_role_that_rolls_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    url = "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1/"
    assert budget.Prometheus.at(url, "souk").region == "eu-west-1"
    with loopback.serving(counting(500, 0)) as server:
        assert budget.Prometheus(server.url, "souk", "eu-west-1").calls(60) == budget.Calls(500, 0)
        assert budget.Prometheus.at(server.url, "souk").calls(60) == budget.Calls(500, 0)
    signed, open_to_all = server.asked[0].headers, server.asked[2].headers
    assert re.match(
        r"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/\d{8}/eu-west-1/aps/aws4_request", signed["authorization"]
    )
    assert "authorization" not in open_to_all


def test_a_canary_is_judged_by_the_calls_of_its_own_pods() -> None:
    with loopback.serving(counting(500, 0)) as server:
        budget.Prometheus.at(server.url, "souk", "souk-canary-.*").calls(60)
        budget.Prometheus.at(server.url, "souk").calls(60)
    of_canary, of_all = ([asked.query["query"] for asked in server.asked[at : at + 2]] for at in (0, 2))
    assert all('{namespace="souk",pod=~"souk-canary-.*"' in query for query in of_canary)
    assert not any("pod" in query for query in of_all)


def test_a_release_beyond_it_is_refused_as_soon_as_that_shows() -> None:
    with loopback.serving(counting(500, 6)) as server, pytest.raises(problems.StackError, match=r"1\.20% of 500 calls"):
        watch(server)
    assert len(server.asked) == 2


def test_a_few_calls_prove_nothing_in_between() -> None:
    answers = iter([(50, 40), (500, 4), (800, 4), (1000, 4)])
    now: list[tuple[float, float]] = []

    def answer(asked: loopback.Asked) -> loopback.Answer:
        failing = "code=~" in asked.query["query"]
        if not failing:
            now.append(next(answers))
        return 200, vector(now[-1][failing])

    with loopback.serving(answer) as server:
        seen, _ = watch(server)
    assert seen == budget.Calls(1000, 4)


@pytest.mark.parametrize("calls", [None, 99.0])
def test_too_few_calls_in_the_end_are_no_yes(calls: float | None) -> None:
    answer = counting(calls, None) if calls else (lambda _: (200, vector()))
    with loopback.serving(answer) as server, pytest.raises(problems.StackError, match="nothing can be told"):
        watch(server)


@pytest.mark.parametrize(
    "answer", [(500, {}), (200, {"status": "error", "error": "bad_data"}), (200, {"status": "success"})]
)
def test_a_prometheus_that_does_not_tell_is_no_yes(answer: loopback.Answer) -> None:
    with loopback.serving(lambda _: answer) as server, pytest.raises(problems.StackError, match="that is no yes"):
        watch(server)


def test_a_prometheus_that_is_away_is_no_yes() -> None:
    with loopback.serving(counting(1, 1)) as server:
        gone = server.url
    with pytest.raises(problems.StackError, match="that is no yes"):
        budget.watch(budget.Prometheus(gone, "souk"), GENEROUS, Watched().clock)


def test_a_prometheus_that_comes_back_is_believed() -> None:
    counts = counting(500, 0)

    def answer(asked: loopback.Asked) -> loopback.Answer:
        return (503, {}) if len(server.asked) < 3 else counts(asked)

    with loopback.serving(answer) as server:
        seen, _ = watch(server)
    assert seen.all == 500


def test_it_asks_for_the_calls_of_this_namespace_since_the_roll_out() -> None:
    with loopback.serving(counting(500, 0)) as server:
        watch(server)
    queries = [asked.query["query"] for asked in server.asked]
    assert {asked.path for asked in server.asked} == {"/api/v1/query"}
    assert queries[0] == 'sum(increase(souk_rpc_seconds_count{namespace="souk"}[15s]))'
    assert queries[-1].endswith("[60s]))")
    assert 'code=~"INTERNAL|' in queries[-1]


def test_calls_of_the_smoke_check_and_of_the_load_test_before_it_count() -> None:
    watched = Watched()
    with loopback.serving(counting(500, 0)) as server:
        budget.watch(budget.Prometheus(server.url, "souk"), GENEROUS, watched.clock, since_s=100)
    queries = [asked.query["query"] for asked in server.asked]
    assert "[115s]" in queries[0]
    assert "[160s]" in queries[-1]
    assert watched.passed == GENEROUS.seconds


QUIET = environments.Budget(seconds=60, ratio=0.01, calls=100, orders=3)


def judged_by_orders(server: loopback.Loopback, order: Callable[[], None]) -> tuple[budget.Calls, Watched]:
    watched = Watched()
    return budget.watch(budget.Prometheus(server.url, "souk"), QUIET, watched.clock, order=order), watched


def test_a_quiet_shop_is_judged_by_synthetic_orders() -> None:
    placed: list[int] = []

    def answer(asked: loopback.Asked) -> loopback.Answer:
        counted: loopback.Answer = counting(4 + 9 * len(placed), 0)(asked)
        return counted

    with loopback.serving(answer) as server:
        seen, watched = judged_by_orders(server, lambda: placed.append(1))
    assert len(placed) == QUIET.orders
    assert seen == budget.Calls(4 + 9 * QUIET.orders, 0)
    assert watched.passed == QUIET.seconds + budget.SEEN_S


def test_a_shop_with_enough_calls_buys_nothing() -> None:
    placed: list[int] = []
    with loopback.serving(counting(500, 0)) as server:
        judged_by_orders(server, lambda: placed.append(1))
    assert placed == []


def test_a_synthetic_order_that_is_not_confirmed_is_no_yes() -> None:
    def order() -> None:
        raise problems.StackError("the order was CANCELLED")

    with loopback.serving(counting(4, 0)) as server, pytest.raises(problems.StackError, match="CANCELLED"):
        judged_by_orders(server, order)


@pytest.mark.parametrize(
    ("calls", "failed", "said"), [(31.0, 1.0, "3.23% of 31 calls"), (0.0, 0.0, "no call was counted")]
)
def test_synthetic_orders_excuse_no_failure_and_no_blindness(calls: float, failed: float, said: str) -> None:
    with loopback.serving(counting(calls, failed)) as server, pytest.raises(problems.StackError, match=said):
        judged_by_orders(server, lambda: None)
