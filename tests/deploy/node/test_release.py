"""The life of a development release on a real node: each test goes on where the last one left off."""

import asyncio
from pathlib import Path
from typing import Any

import kubernetes
import pytest

from scripts.cluster import layout
from scripts.operate import release
from tests.deploy.cluster import helm as helm_command
from tests.deploy.cluster import shop as charts
from tests.deploy.cluster import story as stories
from tests.deploy.node import visit
from tests.deploy.node.host import runtime
from tests.support import audit, shop, shopping
from tests.support.polling import eventually

SHOPPERS = 4
SETTLE_S = 60.0
REPLACED = ("edge", "order-serve", "order-work")
# Without these an order can't go on: the worker that charges, the broker, and the database.
KILLED = (f"{charts.RELEASE}-payment-work", f"{charts.RELEASE}-kafka", f"{charts.RELEASE}-postgres")


@pytest.fixture
def environment(installed: release.Release, tmp_path: Path) -> Any:
    """Where the shop is."""
    return visit.environment(installed, tmp_path)


def test_every_container_runs_and_none_had_to_be_started_twice(installed: release.Release) -> None:
    pods = installed.pods()
    states = {pod.metadata.name: [status.ready for status in pod.status.container_statuses] for pod in pods}
    assert {name for name, ready in states.items() if not all(ready)} == set()
    assert {pod.metadata.name for pod in pods if _restarts(pod)} == set()


def test_helm_test_places_an_order_and_sees_it_confirmed(
    installed: release.Release, node_helm: helm_command.Helm, story: stories.Story
) -> None:
    with story.tells("helm test") as seen:
        said = node_helm("test", installed.name, "--namespace", installed.namespace, "--timeout", "120s", "--logs")
        status = next(line for line in said.splitlines() if line.startswith("status"))
        seen.append(status)
        assert status.split() == ["status", "FULFILLING"]


def test_no_container_could_do_what_it_is_not_meant_to(
    installed: release.Release, node_helm: helm_command.Helm
) -> None:
    workload = f"deployment/{installed.name}-order-serve"
    said = node_helm.kubectl("--namespace", installed.namespace, "exec", workload, "--", "python", "-c", _CONFINED)
    user, capabilities, privileges, root = said.split()
    assert (user, capabilities, privileges) == ("10001", "0000000000000000", "1")
    assert root == "read-only"


async def test_replacing_pods_while_customers_shop_fails_no_request(
    environment: dict[str, str], installed: release.Release, node_helm: helm_command.Helm, story: stories.Story
) -> None:
    async with shop.opened(environment) as opened:
        tour = shopping.Shopping(await opened.product(stock=10_000))
        customers = [(await opened.registered())[0] for _ in range(SHOPPERS)]
        with story.tells(f"{', '.join(REPLACED)} replaced while customers shop") as seen:
            async with shopping.busy(tour, customers):
                await asyncio.to_thread(_replace, node_helm, installed)
            seen.append(f"{sum(tour.answers.values())} requests, {len(tour.failures)} failed")
        for order_id, customer in tour.orders.items():
            await customer.settled(order_id, within_s=SETTLE_S)
    assert tour.failures == []
    assert len(tour.orders) >= SHOPPERS
    await audit.Auditor(environment).audit(list(tour.orders))


async def test_killing_a_worker_the_broker_and_the_database_loses_no_order(
    environment: dict[str, str], installed: release.Release, node: layout.Cluster, story: stories.Story
) -> None:
    async with shop.opened(environment) as opened:
        product = await opened.product(stock=100)
        customer = (await opened.registered())[0]
        orders = [await customer.place(shop.basket((product, 1))) for _ in range(12)]
        with story.tells("payment's worker, Kafka and PostgreSQL killed with orders under way") as seen:
            for name in KILLED:
                runtime.kill(node, _container(installed, name))
            await asyncio.to_thread(charts.eventually, lambda: _came_back(installed), within_s=SETTLE_S)
            await eventually(lambda: _answers(customer, orders[0]["id"]), within_s=SETTLE_S)
            settled = [await customer.settled(order["id"], within_s=SETTLE_S * 2) for order in orders]
            seen.append(f"{len(settled)} orders, {sum(order['status'] == 'FULFILLING' for order in settled)} confirmed")
    await audit.Auditor(environment).audit([order["id"] for order in orders])


def test_uninstalling_ends_every_pod_in_its_time(
    installed: release.Release, node_helm: helm_command.Helm, story: stories.Story
) -> None:
    with story.tells("helm uninstall") as seen:
        node_helm("uninstall", installed.name, "--namespace", installed.namespace, "--wait", "--timeout", "120s")
        charts.eventually(lambda: not installed.pods() and not _leaving(installed), within_s=120)
        seen.append("no pod is left")


# Who it is, what it may, whether it could become more, and whether it can write beside its folders.
_CONFINED = """
import os
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
try:
    open("/souk/x", "w")
    root = "writable"
except OSError:
    root = "read-only"
print(os.getuid(), status["CapEff"].strip(), status["NoNewPrivs"].strip(), root)
"""


def _replace(helm: helm_command.Helm, of: release.Release) -> None:
    names = [f"deployment/{of.name}-{name}" for name in REPLACED]
    helm.kubectl("--namespace", of.namespace, "rollout", "restart", *names)
    for name in names:
        helm.kubectl("--namespace", of.namespace, "rollout", "status", name, "--timeout", "170s")
    # Those that were replaced still serve what they have begun.
    charts.eventually(lambda: not _leaving(of), within_s=120)


async def _answers(customer: shop.Person, order_id: str) -> bool:
    """Whether the shop tells of an order: while its database is away it says so, and asks to be asked again."""
    answer = await customer.http.get(f"/api/v1/orders/{order_id}/status")
    assert answer.status_code in (200, 503, 504), answer.text
    return answer.is_success


def _came_back(of: release.Release) -> bool:
    """Whether each of those that were killed was started again and is ready."""
    pods = [_pod(of, name) for name in KILLED]
    return all(_restarts(pod) and all(one.ready for one in pod.status.container_statuses) for pod in pods)


def _leaving(of: release.Release) -> list[str]:
    """The pods that are told to end and have not ended."""
    found = kubernetes.client.CoreV1Api(of.api).list_namespaced_pod(of.namespace, label_selector=of.selector).items
    return [pod.metadata.name for pod in found if pod.metadata.deletion_timestamp]


def _pod(of: release.Release, start: str) -> Any:
    return next(pod for pod in of.pods() if pod.metadata.name.startswith(start))


def _container(of: release.Release, start: str) -> str:
    return str(_pod(of, start).status.container_statuses[0].container_id)


def _restarts(pod: Any) -> int:
    return sum(status.restart_count for status in pod.status.container_statuses)
