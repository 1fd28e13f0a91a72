"""The life of a release on a cluster, in the order in which it happens: each test goes on where the last one left off."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import kubernetes
import pytest

from scripts.cluster import stages
from scripts.operate import release, smoke, status
from scripts.stack.supervise import progress
from tests.deploy.cluster import draining, hooks, load, reach, shop, watching
from tests.deploy.cluster import helm as helm_command
from tests.deploy.cluster import story as stories

FIRST, SECOND = "1.0.0", "1.1.0"
CANNOT_MIGRATE, NEVER_READY = f"1.2.0{stages.BROKEN}", f"1.2.0{stages.STUCK}"
# Requests 250m and aims at 65 % of it: 1300m are work for eight pods.
LOADED, LOAD_MILLICORES, PODS_UNDER_LOAD = f"{shop.RELEASE}-order-serve", 1300, 8
LEAST = 2
SCALED_S = 120.0
DRAINED_S = 90.0


@pytest.fixture(scope="module")
def installed(prepared: release.Release, before: set[str], helm: helm_command.Helm, story: stories.Story) -> shop.Chart:
    """The chart, installed from nothing."""
    assert before
    chart = shop.Chart(helm)
    with story.tells(f"install {FIRST} from nothing") as seen, watching.order(prepared) as order:
        chart.install(*chart.images(FIRST))
        # A deployment begins with one pod; its autoscaler brings it to the least number it is to have.
        shop.eventually(lambda: all(one.wanted >= LEAST for one in prepared.rollouts()), within_s=30)
        rollouts = smoke.await_rollout(prepared, 60, progress.Silent())
        migrated, deployed = order.of("Job", "complete"), order.of("Deployment", "created")
        seen.append(f"{len(migrated)} hook jobs complete, then {len(rollouts)} deployments")
        seen.append(f"{sum(one.ready for one in rollouts)} pods ready")
        assert max(migrated.values()) < min(deployed.values())
    return chart


@pytest.fixture
def wanted(prepared: release.Release) -> Mapping[str, int]:
    """How many pods each deployment is to have."""
    return {one.name: one.wanted for one in prepared.rollouts()}


def test_everything_is_scheduled_ready_and_spread_over_the_zones(
    installed: shop.Chart, prepared: release.Release, story: stories.Story
) -> None:
    assert installed
    with story.tells("pods over nodes and zones") as seen:
        rollouts = prepared.rollouts()
        assert [one.name for one in rollouts if not one.complete] == []
        assert {pod.status.phase for pod in prepared.pods()} == {"Running"}
        for one in rollouts:
            assert one.wanted == LEAST, one.name
            assert len(one.zones) == min(3, one.wanted), f"{one.name} is in {dict(one.zones)}"
            assert max(one.zones.values()) - min(one.zones.values()) <= 1, one.name
        zones: Counter[str] = sum((Counter(one.zones) for one in rollouts), Counter())
        seen.append(" ".join(f"{zone}:{count}" for zone, count in sorted(zones.items())))


def test_each_role_of_each_service_and_the_edge_have_a_deployment(
    installed: shop.Chart, wanted: Mapping[str, int]
) -> None:
    assert installed
    services = {f"{shop.RELEASE}-{one.name}-{role}" for one in shop.registered() for role in one.roles}
    assert set(wanted) == services | {f"{shop.RELEASE}-edge"}


def test_quotas_and_pod_security_are_in_force_and_admit_everything(
    installed: shop.Chart, prepared: release.Release, story: stories.Story
) -> None:
    assert installed
    core = kubernetes.client.CoreV1Api(prepared.api)
    with story.tells("admission") as seen:
        labels = core.read_namespace(prepared.namespace).metadata.labels
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
        refused = [one for one in prepared.warnings() if one.reason in ("FailedCreate", "FailedScheduling")]
        assert refused == []
        [quota] = core.list_namespaced_resource_quota(prepared.namespace).items
        seen.append(f"restricted; quota used: {quota.status.used['pods']} of {quota.status.hard['pods']} pods")
        assert "PodSecurity" in _refusal(prepared, {"securityContext": {"privileged": True}})
        greedy = {
            **_RESTRICTED,
            "resources": {"requests": {"cpu": "900"}},
        }
        assert "exceeded quota" in _refusal(prepared, greedy)
        seen.append("a privileged pod and one beyond the quota were refused")


def test_network_policies_allow_exactly_the_contracts_callers(
    installed: shop.Chart, prepared: release.Release, story: stories.Story
) -> None:
    assert installed
    with story.tells("network policies") as seen:
        found = reach.open_connections(prepared)
        assert found == reach.wanted_connections()
        seen.append(
            f"{len(found)} connections open of {reach.pairs(prepared)} pairs and ports: the contract's callers and no other"
        )


def test_the_certificates_hook_has_the_rights_it_needs_and_no_others(
    installed: shop.Chart, prepared: release.Release, helm: helm_command.Helm, story: stories.Story, tmp_path: Path
) -> None:
    assert installed
    identities = {*shop.services(), "edge"}
    with (
        story.tells("certificates by the hook's program") as seen,
        hooks.opened(helm, hooks.CERTIFICATES, tmp_path) as hook,
    ):
        assert f"{len(identities)} issued" in hook.run()
        assert "0 issued" in hook.run()
        account = f"--as=system:serviceaccount:{shop.NAMESPACE}:{hook.account}"
        with pytest.raises(helm_command.RefusedError):
            helm.kubectl("auth", "can-i", "get", f"secrets/{shop.RELEASE}-mesh", "-n", shop.NAMESPACE, account)
        seen.append(f"{len(identities)} issued by its account, then none; it may read no other secret")
    assert {f"Secret/{shop.RELEASE}-{name}-tls" for name in identities} <= shop.everything(prepared)


def test_whatever_pods_refer_to_is_there(
    installed: shop.Chart, prepared: release.Release, story: stories.Story
) -> None:
    assert installed
    with story.tells("what pods refer to") as seen:
        there = shop.everything(prepared)
        wanted = {reference for pod in prepared.pods() for reference in shop.references(pod)}
        assert wanted - there == set()
        seen.append(f"{len(wanted)} secrets, config maps and accounts, all there")


def test_an_upgrade_rolls_without_going_below_the_wanted_number(
    installed: shop.Chart, prepared: release.Release, wanted: Mapping[str, int], story: stories.Story
) -> None:
    with story.tells(f"upgrade to {SECOND}") as seen, watching.pods(prepared) as watched:
        installed.upgrade(SECOND)
        # Helm waits for the new pods, not for the last of the old to leave.
        smoke.await_rollout(prepared, 60, progress.Silent())
        seen.append(_lowest(watched, wanted))
    assert watched.below(wanted) == {}
    assert _versions(prepared) == {SECOND}
    assert status.look(prepared).troubles == []


def test_a_migration_that_fails_stops_the_upgrade_and_the_old_release_serves_on(
    installed: shop.Chart, prepared: release.Release, wanted: Mapping[str, int], story: stories.Story
) -> None:
    pods = {pod.metadata.uid for pod in prepared.pods()}
    with story.tells(f"upgrade to {CANNOT_MIGRATE}") as seen, watching.pods(prepared) as watched:
        with pytest.raises(helm_command.RefusedError, match="pre-upgrade hooks failed"):
            installed.upgrade(SECOND, f"--set=images.services.tag={CANNOT_MIGRATE}")
        seen.append("refused: its migration failed")
        seen.append(f"{len(pods)} pods of {SECOND} untouched")
    assert {pod.metadata.uid for pod in prepared.pods()} == pods
    assert watched.below(wanted) == {}
    found = status.look(prepared)
    assert found.revision.status == "failed"
    assert any(line.startswith("job souk-migrate-") for line in found.troubles)
    [rollout, *_] = smoke.check(prepared, "", shop.wish(), progress.Silent(), rollout_s=5)
    assert rollout.result == "failed"


def test_an_upgrade_that_never_gets_ready_is_taken_back_by_itself(
    installed: shop.Chart, prepared: release.Release, wanted: Mapping[str, int], story: stories.Story
) -> None:
    with story.tells(f"upgrade --atomic to {NEVER_READY}") as seen, watching.pods(prepared) as watched:
        with pytest.raises(helm_command.RefusedError, match="rolled back due to atomic being set"):
            installed.upgrade(NEVER_READY, "--atomic", "--timeout", "15s")
        smoke.await_rollout(prepared, 60, progress.Silent())
        seen.append(_lowest(watched, wanted))
    assert watched.below(wanted) == {}
    assert _versions(prepared) == {SECOND}


def test_a_roll_back_brings_the_old_images_back_without_going_below(
    installed: shop.Chart, prepared: release.Release, wanted: Mapping[str, int], story: stories.Story
) -> None:
    with story.tells(f"roll back to {FIRST}") as seen, watching.pods(prepared) as watched:
        installed.roll_back(1)
        smoke.await_rollout(prepared, 60, progress.Silent())
        seen.append(_lowest(watched, wanted))
    assert watched.below(wanted) == {}
    assert _versions(prepared) == {FIRST}
    [rollout, *_] = smoke.check(prepared, "", shop.wish(), progress.Silent(), rollout_s=5)
    assert rollout.result == "passed"


def test_the_autoscaler_follows_the_load_up_and_down(
    installed: shop.Chart, prepared: release.Release, wanted: Mapping[str, int], story: stories.Story
) -> None:
    assert installed
    least = wanted[LOADED]

    def ready() -> int:
        return next(one.ready for one in prepared.rollouts() if one.name == LOADED)

    with story.tells(f"{LOAD_MILLICORES}m of load on {LOADED}") as seen, load.on(prepared, LOADED, LOAD_MILLICORES):
        shop.eventually(lambda: ready() >= PODS_UNDER_LOAD, within_s=SCALED_S)
        seen.append(f"{least} pods became {ready()}")
    with story.tells("load gone") as seen:
        shop.eventually(lambda: ready() == least, within_s=SCALED_S)
        seen.append(f"{least} pods again")


def test_draining_two_nodes_at_once_respects_the_disruption_budgets(
    installed: shop.Chart, prepared: release.Release, wanted: Mapping[str, int], story: stories.Story
) -> None:
    assert installed
    nodes = [node["metadata"]["name"] for node in stages.nodes()][:2]
    with story.tells("two of three nodes drained") as seen, watching.pods(prepared) as watched:
        with draining.cordoned(prepared, nodes):
            drained = draining.drain(prepared, nodes, within_s=DRAINED_S)
            smoke.await_rollout(prepared, DRAINED_S, progress.Silent())
        seen.append(f"{drained.evicted} pods evicted, {drained.refused} evictions refused (429)")
        seen.append(_lowest(watched, wanted))
    assert drained.refused > 0
    assert watched.below({name: count - 1 for name, count in wanted.items()}) == {}


def test_uninstalling_leaves_nothing_but_what_must_stay(
    installed: shop.Chart, prepared: release.Release, before: set[str], story: stories.Story
) -> None:
    # The certificates are no part of the release: another one in its place keeps the authority that peers trust.
    kept = {
        f"Secret/{shop.RELEASE}-{name}" for name in ("mesh-ca", "edge-tls", *(f"{one}-tls" for one in shop.services()))
    }
    with story.tells("uninstall") as seen:
        installed.uninstall()
        shop.eventually(lambda: _pods_of(shop.everything(prepared)) == set(), within_s=60)
        left = shop.everything(prepared) - before
        seen.append(f"left: {', '.join(sorted(left)) or 'nothing'}")
    assert left == kept


_RESTRICTED = {
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
}


def _refusal(of: release.Release, container: Mapping[str, Any]) -> str:
    """What the API says to a pod with such a container."""
    pod = {"metadata": {"name": "planted"}, "spec": {"containers": [{"name": "a", "image": "a", **container}]}}
    with pytest.raises(kubernetes.client.ApiException) as refused:
        kubernetes.client.CoreV1Api(of.api).create_namespaced_pod(of.namespace, pod)
    assert refused.value.status == 403
    return str(refused.value.body)


def _pods_of(things: set[str]) -> set[str]:
    """The pods among them, also those that are ending."""
    return {thing for thing in things if thing.startswith("Pod/")}


def _versions(of: release.Release) -> set[str]:
    return {image.rpartition(":")[2] for one in of.rollouts() for image in one.images}


def _lowest(watched: watching.Watched, wanted: Mapping[str, int]) -> str:
    """How near to its wanted number of pods any deployment came to falling below it."""
    name = min(wanted, key=lambda one: watched.lowest[one] - wanted[one])
    return f"at the least {watched.lowest[name]} of {wanted[name]} ready ({watched.events} events of pods watched)"
