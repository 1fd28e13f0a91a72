"""The controllers as Helm releases: each pinned, under the account that has its role, with values out of what was applied."""

import json
import re

import pytest
import yaml

from scripts.cloud import controllers
from tests.deploy.cloud import hcl, workspace

RELEASES = {release.name: release for release in controllers.releases()}
# What needs no right at AWS.
WITHOUT_ROLE = {"cert-manager", "prometheus-adapter"}


def values(name: str, applied: workspace.Applied) -> dict[str, object]:
    document: dict[str, object] = yaml.safe_load(
        controllers.render(RELEASES[name], json.dumps(applied.values["outputs"]))
    )
    return document


def accounts(document: object) -> set[str]:
    """The service accounts that values name."""
    if not isinstance(document, dict):
        return set()
    found = {document["name"]} if {"create", "name"} <= document.keys() else set()
    own = document.get("serviceAccount")
    # Made whenever its roles are.
    found |= {own["name"]} if isinstance(own, dict) and "name" in own else set()
    return found.union(*(accounts(below) for below in document.values()))


@pytest.mark.parametrize("name", RELEASES)
def test_a_release_is_pinned_to_one_version(name: str) -> None:
    assert re.fullmatch(r"v?\d+\.\d+\.\d+", RELEASES[name].version)
    command = RELEASES[name].install(controllers.K8S)
    assert command[command.index("--version") + 1] == RELEASES[name].version
    assert {"--install", "--atomic"} <= set(command)
    assert RELEASES[name].chart.startswith("oci://") != RELEASES[name].repository.startswith("https://")


@pytest.mark.parametrize("name", sorted(RELEASES.keys() - WITHOUT_ROLE))
def test_a_controller_runs_under_the_account_that_has_its_role(name: str, prod: workspace.Applied) -> None:
    given = {(one["namespace"], one["service_account"]) for one in prod.of("aws_eks_pod_identity_association")}
    named = accounts(values(name, prod))
    assert named
    assert {(RELEASES[name].namespace, account) for account in named} <= given


def test_every_controller_that_has_a_role_is_installed(prod: workspace.Applied) -> None:
    given = {(one["namespace"], one["service_account"]) for one in prod.of("aws_eks_pod_identity_association")}
    installed = {
        (release.namespace, account)
        for release in RELEASES.values()
        for account in accounts(values(release.name, prod))
    }
    # The shop's own accounts are the chart's, those of add-ons EKS's.
    assert {one for one in given - installed if one[0] not in ("souk", "kube-system")} == set()
    assert {("kube-system", "karpenter"), ("kube-system", "external-dns")} <= installed


def test_values_name_the_cluster_and_its_network(prod: workspace.Applied, dev: workspace.Applied) -> None:
    for environment, applied in {"prod": prod, "dev": dev}.items():
        balancer = values("aws-load-balancer-controller", applied)
        assert balancer["clusterName"] == f"souk-{environment}"
        assert balancer["vpcId"] == applied.outputs["network"]["vpc_id"]
        settings = values("karpenter", applied)["settings"]
        assert settings == {
            "clusterName": f"souk-{environment}",
            "interruptionQueue": applied.outputs["karpenter"]["interruption_queue"],
        }
        text = controllers.nodes(json.dumps(applied.values["outputs"]))
        assert f"role: souk-{environment}-node" in text
        assert "${" not in "".join(
            controllers.render(release, json.dumps(applied.values["outputs"])) for release in RELEASES.values()
        )


def test_the_adapter_has_the_rule_that_the_autoscalers_ask_by(prod: workspace.Applied) -> None:
    (rule,) = values("prometheus-adapter", prod)["rules"]["custom"]  # type: ignore[index]  # values are of any shape
    chart = yaml.safe_load((hcl.ROOT / "helm/souk/values.yaml").read_text())
    assert rule["name"]["as"] == chart["autoscaling"]["requestRate"]["metric"]


def test_metrics_are_written_to_amazon_only_where_it_has_a_place_for_them(prod: workspace.Applied) -> None:
    def spec(outputs: dict[str, object]) -> dict[str, object]:
        written = yaml.safe_load(controllers.render(RELEASES["kube-prometheus-stack"], json.dumps(outputs)))
        found: dict[str, object] = written["prometheus"]["prometheusSpec"]
        return found

    outputs = prod.values["outputs"]
    (workspace_,) = prod.of("aws_prometheus_workspace")
    url = f"{workspace_['prometheus_endpoint']}api/v1/remote_write"
    assert spec(outputs)["remoteWrite"] == [{"url": url, "sigv4": {"region": "eu-central-1"}}]
    within = {**outputs["observability"]["value"], "prometheus": None}
    assert "remoteWrite" not in spec({**outputs, "observability": {"value": within}})
