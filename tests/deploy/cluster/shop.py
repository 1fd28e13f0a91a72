"""The release under test: what it needs before, how it is installed, and what the API says of it."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kubernetes
import kubernetes.dynamic

from scripts.operate import first_order, release
from services import registry
from tests.deploy.cluster import helm as helm_command

RELEASE = NAMESPACE = "souk"
VALUES = Path(__file__).with_name("values.yaml")
ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "helm" / "souk"
# Of which the cluster itself keeps something in a namespace.
_THE_CLUSTERS_OWN = {"Event", "Lease", "PodMetrics", "EndpointSlice", "Endpoints"}
POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Chart:
    """The chart as a person installs it, with the values of these tests."""

    helm: helm_command.Helm

    def install(self, *arguments: str) -> None:
        """Install it and wait for it."""
        self.helm("install", RELEASE, str(CHART), *self._usual, *arguments)

    def upgrade(self, version: str, *arguments: str) -> None:
        """Go to the images of another version and wait for them; what comes later in the arguments wins.

        Raises RefusedError when that fails.
        """
        self.helm("upgrade", RELEASE, str(CHART), *self._usual, *self.images(version), *arguments)

    def roll_back(self, revision: int) -> None:
        """Go back to a revision and wait for it."""
        self.helm("rollback", RELEASE, str(revision), "--namespace", NAMESPACE, "--wait", "--timeout", "120s")

    def uninstall(self) -> None:
        """Remove it and wait until it is gone."""
        self.helm("uninstall", RELEASE, "--namespace", NAMESPACE, "--wait", "--timeout", "120s")

    @staticmethod
    def images(version: str) -> tuple[str, ...]:
        """The arguments that choose the images of a version."""
        return tuple(f"--set=images.{name}.tag={version}" for name in ("services", "edge", "tools"))

    @property
    def _usual(self) -> tuple[str, ...]:
        return ("--namespace", NAMESPACE, "--values", str(VALUES), "--wait", "--timeout", "120s")


def registered() -> tuple[registry.Service, ...]:
    """The registry's services."""
    return tuple(registry.load().services.values())


def services() -> tuple[str, ...]:
    """The names of the registry's services."""
    return tuple(registry.load().services)


def wish() -> first_order.Wish:
    """An order as anybody places it."""
    return first_order.Wish(first_order.BASKET, "card_approved", "CONFIRMED")


def secrets() -> Mapping[str, tuple[str, ...]]:
    """The secrets that docs/operations.md asks for, by name, and their keys."""
    known = registry.load().services.values()
    kept = [service.name for service in known if "postgres" in service.stores]
    outside = {system for service in known for system in service.outside}
    found = {
        "mesh": ("mesh_key",),
        **{f"{name}-kafka": ("username", "password") for name in (*services(), "topics")},
        "signing": ("key.pem",),
        **{f"{name}-database": ("url",) for name in kept},
        **{f"{name}-migration": ("url",) for name in kept},
    }
    if any("redis" in service.stores for service in known):
        found["redis"] = ("url",)
    if "provider" in outside:
        found["provider"] = ("stripe_api_key",)
    if "carrier" in outside:
        found["carrier"] = ("url",)
    if "smtp" in outside:
        found["smtp"] = ("url",)
    return {f"{RELEASE}-{name}": keys for name, keys in found.items()}


def create_secrets(of: release.Release) -> None:
    """Make them, with values that open nothing."""
    core = kubernetes.client.CoreV1Api(of.api)
    for name, keys in secrets().items():
        body = {"metadata": {"name": name}, "stringData": dict.fromkeys(keys, "of-a-test")}
        core.create_namespaced_secret(of.namespace, body)


def await_default_account(of: release.Release) -> None:
    """A namespace takes pods once its service account is there, a moment after it."""
    core = kubernetes.client.CoreV1Api(of.api)
    eventually(lambda: bool(core.list_namespaced_service_account(of.namespace).items), within_s=20)


def everything(of: release.Release) -> set[str]:
    """All objects of the namespace, of every kind that the API knows, as `Kind/name`."""
    return {f"{item['kind']}/{item['metadata']['name']}" for item in objects(of)}


def objects(of: release.Release) -> Iterator[Mapping[str, Any]]:
    """All objects of the namespace as plain dictionaries, but for those that the cluster keeps about them."""
    client = kubernetes.dynamic.DynamicClient(of.api)
    seen = set()
    for kinds in client.resources.search(namespaced=True):
        listed = kinds.kind.endswith("List") or "list" not in (kinds.verbs or ())
        if listed or kinds.kind in _THE_CLUSTERS_OWN or (kinds.group, kinds.kind) in seen:
            continue
        seen.add((kinds.group, kinds.kind))
        for item in kinds.get(namespace=of.namespace).to_dict()["items"]:
            yield {"kind": kinds.kind, **item}


def references(pod: Any) -> Iterator[str]:
    """What a pod needs in its namespace before it can start, as `Kind/name`."""
    yield f"ServiceAccount/{pod.spec.service_account_name}"
    for volume in pod.spec.volumes or ():
        if volume.secret:
            yield f"Secret/{volume.secret.secret_name}"
        if volume.config_map:
            yield f"ConfigMap/{volume.config_map.name}"
    for container in [*(pod.spec.init_containers or ()), *pod.spec.containers]:
        for source in container.env_from or ():
            yield (
                f"ConfigMap/{source.config_map_ref.name}"
                if source.config_map_ref
                else f"Secret/{source.secret_ref.name}"
            )
        for variable in container.env or ():
            if variable.value_from and variable.value_from.secret_key_ref:
                yield f"Secret/{variable.value_from.secret_key_ref.name}"


def eventually(happened: Callable[[], bool], *, within_s: float) -> None:
    """Return as soon as it happened. Raises AssertionError when it does not."""
    until = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < until, f"it did not happen within {within_s} s"
        time.sleep(POLL_S)
