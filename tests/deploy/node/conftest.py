"""One node for the run, with every image it needs, and the chart installed on it with the values of a laptop."""

import os
import sys
from collections.abc import Iterator, Mapping

import kubernetes
import pytest
import yaml

from scripts.cluster import layout, plane, tools
from scripts.operate import release
from scripts.release.build import building
from scripts.stack import layout as local
from scripts.stack.supervise import progress
from tests.deploy.cluster import helm as helm_command
from tests.deploy.cluster import shop
from tests.deploy.cluster import story as stories
from tests.deploy.node import images, storage
from tests.deploy.node.host import machine, runtime

# Behind the simulated clusters of the other tests.
_ABOVE = 3 * layout.NEXT
# Thirteen services, a broker and a database start at once on a few cores, and nine hooks run after them.
INSTALLED_S = 420


@pytest.fixture(scope="session")
def node(buildah: building.Buildah, story: stories.Story) -> Iterator[layout.Cluster]:
    """A cluster with one real node, stopped and removed at the end whatever the tests say."""
    if lacking := machine.lacks():
        pytest.skip(f"a real node takes {lacking}")
    report = progress.Progress(sys.stderr)
    tools.build(tools.EVERY, report)
    cluster = layout.Cluster("node", layout.chosen(layout.MAIN, os.environ).port_base + _ABOVE, host=layout.CABLE)
    machine.down(cluster, progress.Silent())
    try:
        with story.tells("control plane and a real node up") as seen:
            for name, image in images.cluster().items():
                images.make(buildah, name, image)
            machine.up(cluster, buildah, progress.Silent())
            seen.append("containerd, kubelet, kube-proxy, CoreDNS")
        with story.tells("images given to the node") as seen:
            names = _images(buildah)
            runtime.load(cluster, buildah, names)
            seen.append(f"{len(names)}, three of them stand-ins for official ones")
        yield cluster
    finally:
        machine.down(cluster, progress.Silent())


@pytest.fixture(scope="session")
def node_helm(node: layout.Cluster) -> helm_command.Helm:
    """Helm and kubectl for that cluster."""
    return helm_command.Helm(node, timeout_s=INSTALLED_S + 60)


@pytest.fixture(scope="session")
def installed(node: layout.Cluster, node_helm: helm_command.Helm, story: stories.Story) -> Iterator[release.Release]:
    """The chart, installed as a person does it on a laptop."""
    node_helm.kubectl("apply", "-f", str(local.ROOT / "k8s" / "namespace.yaml"))
    storage.provide(node, node_helm)
    with plane.client(node) as api:
        of = release.Release(api, shop.RELEASE, shop.NAMESPACE)
        shop.await_default_account(of)
        with story.tells("helm install -f values-laptop.yaml") as seen:
            node_helm("install", shop.RELEASE, str(shop.CHART), *_ARGUMENTS)
            pods = kubernetes.client.CoreV1Api(api).list_namespaced_pod(shop.NAMESPACE).items
            seen.append(f"{sum(pod.status.phase == 'Running' for pod in pods)} pods run")
        yield of


_VALUES = shop.CHART / "values-laptop.yaml"
_ARGUMENTS = (
    *(
        "--namespace",
        shop.NAMESPACE,
        "--values",
        str(_VALUES),
        "--wait",
        "--wait-for-jobs",
        "--timeout",
        f"{INSTALLED_S}s",
    ),
    *(f"--set=images.{image.short}.tag=local" for image in building.IMAGES),
)


def _images(store: building.Buildah) -> Mapping[str, str]:
    """What pods ask for, and what it is in the store: Souk's own images, and stand-ins under the names of official ones."""
    found = {f"docker.io/{image.name}:local": f"localhost/{image.name}:local" for image in building.IMAGES}
    values = yaml.safe_load((shop.CHART / "values.yaml").read_text())["development"]["images"]
    for part, image in images.engines().items():
        stored = f"localhost/souk/{part}:stand-in"
        images.make(store, stored, image)
        official = values[part]
        library = "" if "/" in official["repository"] else "library/"
        found[f"{official['registry']}/{library}{official['repository']}:{official['tag']}"] = stored
    return found
