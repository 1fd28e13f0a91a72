"""One simulated cluster for the run, and the chart on it."""

import os
import sys
from collections.abc import Iterator

import kubernetes
import pytest

from scripts.cluster import layout, plane, tools
from scripts.operate import release
from scripts.stack import layout as local
from scripts.stack.supervise import progress
from tests.deploy.cluster import helm as helm_command
from tests.deploy.cluster import shop
from tests.deploy.cluster import story as stories


@pytest.fixture(scope="session")
def cluster(story: stories.Story) -> Iterator[layout.Cluster]:
    """A control plane and three nodes, stopped and removed at the end whatever the tests say."""
    report = progress.Progress(sys.stderr)
    tools.build(tools.TOOLS, report)
    chosen = layout.chosen("test", os.environ)
    plane.down(chosen, progress.Silent())
    try:
        with story.tells("control plane and nodes up") as seen:
            plane.up(chosen, progress.Silent())
            seen.append("kube-apiserver, controller-manager, scheduler; 3 nodes in 3 zones")
        yield chosen
    finally:
        plane.down(chosen, progress.Silent())


@pytest.fixture(scope="session")
def api(cluster: layout.Cluster) -> Iterator[kubernetes.client.ApiClient]:
    """The cluster's API, as its administrator."""
    with plane.client(cluster) as client:
        yield client


@pytest.fixture(scope="session")
def helm(cluster: layout.Cluster) -> helm_command.Helm:
    """Helm and kubectl, as a person with a KUBECONFIG runs them."""
    return helm_command.Helm(cluster)


@pytest.fixture(scope="session")
def prepared(helm: helm_command.Helm, api: kubernetes.client.ApiClient) -> release.Release:
    """What docs/operations.md asks for before the first installation: the namespace with its rules, and the secrets."""
    helm.kubectl("apply", "-f", str(local.ROOT / "k8s" / "namespace.yaml"))
    helm.kubectl("apply", "-f", str(local.ROOT / "k8s" / "priority-classes.yaml"))
    of = release.Release(api, shop.RELEASE, shop.NAMESPACE)
    shop.await_default_account(of)
    shop.create_secrets(of)
    return of


@pytest.fixture(scope="session")
def before(prepared: release.Release) -> set[str]:
    """What the namespace holds before the chart is installed."""
    return shop.everything(prepared)
