"""What is installed fits what was made: the pods of an environment its nodes, their connections its databases."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
import yaml

from scripts.cloud import values
from scripts.release import environments
from services import registry
from tests.deploy.cloud import hcl, test_commands, workspace

KNOWN = registry.load()
# Per node, for its own pods and the kubelet: what modules/sizing leaves free, too.
SYSTEM_CORES = Decimal("0.5")
CORES = {"large": 2, "xlarge": 4, "2xlarge": 8}
ENVIRONMENTS = ("dev", "prod")


@dataclass(frozen=True, slots=True)
class Deployment:
    """The least and the most pods of a deployment, the cores each asks for, and the connections it opens to a database."""

    least: int
    most: int
    cores: Decimal
    connections: int

    def surged(self, pods: int) -> int:
        """So many pods and those of a roll-out beside them: maxSurge is 25 %."""
        return pods + math.ceil(pods / 4)


def installed(name: str, applied: workspace.Applied) -> dict[str, Any]:
    """The values with which a release is rolled out to an environment, as scripts/release gives them to Helm."""
    merged: dict[str, Any] = yaml.safe_load((hcl.ROOT / "helm/souk/values.yaml").read_text())
    for path in environments.read(name, {}).values:
        written = path.startswith(".souk/cloud/")
        text = values.render(test_commands.outputs(applied)) if written else (hcl.ROOT / path).read_text()
        merged = test_commands.over(merged, yaml.safe_load(text))
    return merged


def deployments(chosen: dict[str, Any]) -> Iterator[Deployment]:
    """All that the chart makes."""
    yield _deployment(chosen["edge"], pool=0, partitions=0)
    for service in KNOWN.services.values():
        pool = chosen["postgres"]["pool"] if "postgres" in service.stores else 0
        partitions = max((KNOWN.topics[topic].partitions for topic in service.consumes), default=0)
        for role in service.roles:
            own = chosen["services"].get(service.name, {}).get(role, {})
            yield _deployment(test_commands.over(chosen[role], own), pool=pool, partitions=partitions)


def _deployment(settings: dict[str, Any], *, pool: int, partitions: int) -> Deployment:
    scaling = settings["autoscaling"]
    text = settings["resources"]["requests"]["cpu"]
    cores = Decimal(text.removesuffix("m")) / 1000 if text.endswith("m") else Decimal(text)
    most = scaling["maxReplicas"] or max(partitions, scaling["minReplicas"])
    return Deployment(scaling["minReplicas"], most, cores, pool)


@pytest.fixture(params=ENVIRONMENTS)
def environment(request: pytest.FixtureRequest) -> tuple[workspace.Applied, dict[str, Any]]:
    applied: workspace.Applied = request.getfixturevalue(request.param)
    return applied, installed(request.param, applied)


Environment = tuple[workspace.Applied, dict[str, Any]]


def test_a_release_at_rest_and_its_roll_out_fit_the_nodes_that_are_there(environment: Environment) -> None:
    applied, chosen = environment
    there = sum(
        group["scaling_config"][0]["desired_size"]
        * (min(_cores(kind) for kind in group["instance_types"]) - SYSTEM_CORES)
        for group in applied.of("aws_eks_node_group")
    )
    asked = sum(one.surged(one.least) * one.cores for one in deployments(chosen))
    assert asked <= there


def _cores(kind: str) -> int:
    return CORES[kind.partition(".")[2]]


def test_a_database_server_takes_all_connections_that_the_pods_of_all_services_can_open(
    environment: Environment,
) -> None:
    applied, chosen = environment
    servers = [one for one in applied.of("aws_db_instance") if not one["replicate_source_db"]]
    assert len(servers) == 1, "services are spread over servers: count the connections of each"
    (parameters,) = applied.of("aws_db_parameter_group")
    most = {one["name"]: one["value"] for one in parameters["parameter"]}["max_connections"]
    opened = sum(one.surged(one.most) * one.connections for one in deployments(chosen))
    # A tenth is for migrations, for whoever looks after it, and for AWS itself.
    assert opened <= int(most) * 0.9


def test_an_environment_in_the_cloud_brings_no_servers_of_its_own(environment: Environment) -> None:
    _, chosen = environment
    assert chosen["development"]["enabled"] is False
    assert chosen["migrations"]["when"] == chosen["topics"]["when"] == "before"


def test_the_load_balancer_stays_where_data_stays(environment: Environment) -> None:
    applied, chosen = environment
    guarded = any(found["type"] == "terraform_data" for found in applied.resources)
    assert chosen["edge"]["ingress"]["deletionProtection"] is guarded


def test_the_firewall_lets_the_load_test_through(dev: workspace.Applied) -> None:
    load = environments.read("dev", {}).load
    (acl,) = dev.of("aws_wafv2_web_acl")
    (limit,) = [
        one["Statement"]["RateBasedStatement"]["Limit"] for one in json.loads(acl["rule_json"]) if one["Name"] == "rate"
    ]
    # Customers register and sign in besides, and sampled orders are asked for until they have come to an end.
    assert 3 * load.rate * load.seconds < limit


def test_browsers_of_the_environments_own_domain_may_call_and_no_others(environment: Environment) -> None:
    applied, chosen = environment
    (host,) = chosen["edge"]["ingress"]["hosts"]
    assert chosen["edge"]["allowedOrigins"] == [f"https://{host.removeprefix('api.')}"]
    assert applied.outputs["edge"]["hosts"] == [host]
