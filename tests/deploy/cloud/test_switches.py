"""The other ways to build it: each switch, planned and applied with the stand-in, and what it changes."""

import json
import re
import shutil
from typing import Any

import botocore.session
import pytest

from services.search.settings import EngineKind, OpenSearchSettings
from tests.deploy.cloud import workspace


def variant(copy: workspace.Workspace, name: str, *changes: tuple[str, str]) -> workspace.Applied:
    """Production, differently: another root with some text replaced."""
    folder, prod = copy.folder / "terraform" / "envs" / name, copy.folder / "terraform" / "envs" / "prod"
    shutil.copytree(prod, folder, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    for good, other in changes:
        (changed,) = (path for path in folder.glob("*.tf") if good in path.read_text())
        changed.write_text(changed.read_text().replace(good, other))
    copy.prepare(f"envs/{name}")
    return copy.applied(f"envs/{name}")


@pytest.fixture(scope="module")
def searching(copy: workspace.Workspace) -> workspace.Applied:
    """Search, Grafana, and brokers and databases of other versions."""
    return variant(
        copy,
        "searching",
        ("    kafka = {\n", '    kafka = {\n      kafka_version = "4.2.x.kraft"\n'),
        ("  network = merge(", "  opensearch = {}\n\n  network = merge("),
        ("= var.grafana", "= true"),
        ("    postgres = {\n", '    postgres = {\n      engine_version = "17.6"\n'),
    )


@pytest.fixture(scope="module")
def plain(copy: workspace.Workspace) -> workspace.Applied:
    """Metrics in the cluster, no Jenkins, no endpoints."""
    return variant(
        copy,
        "plain",
        ("    observability = {}", '    observability = { mode = "in-cluster" }'),
        ("    network = {", "    network = { interface_endpoints = [],"),
        ("  ci = var.jenkins == null ? null : {", "  ci = var.jenkins != null ? null : {"),
    )


def test_versions_of_brokers_and_databases_are_chosen_by_the_environment(searching: workspace.Applied) -> None:
    (brokers,) = searching.of("aws_msk_cluster")
    assert brokers["kafka_version"] == "4.2.x.kraft"
    assert {server["engine_version"] for server in searching.of("aws_db_instance") if server["engine"]} == {"17.6"}
    assert {group["family"] for group in searching.of("aws_db_parameter_group")} == {"postgres17"}


def test_a_configuration_of_another_version_of_kafka_does_not_take_the_name_of_the_last(
    prod: workspace.Applied, searching: workspace.Applied
) -> None:
    # A configuration of another version replaces the last one, and stands beside it until the brokers have moved.
    (last,), (next_one,) = prod.of("aws_msk_configuration"), searching.of("aws_msk_configuration")
    assert last["kafka_versions"] != next_one["kafka_versions"]
    assert last["name"] != next_one["name"]
    assert all(re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z-]*", one["name"]) for one in (last, next_one))


def test_the_engine_of_search_is_for_search_which_is_told_where_it_is(searching: workspace.Applied) -> None:
    (domain,) = searching.of("aws_opensearch_domain")
    (statement,) = json.loads(domain["access_policies"])["Statement"]
    allowed = {arn.rsplit("/", 1)[1] for arn in statement["Principal"]["AWS"]}
    assert allowed == {"souk-prod-search", "souk-prod-search-administration"}
    assert domain["encrypt_at_rest"][0]["enabled"]
    assert domain["node_to_node_encryption"][0]["enabled"]
    told = searching.outputs["values"]["outside"]["opensearch"]
    settings = OpenSearchSettings.of(told["environment"])
    assert settings.url == searching.outputs["opensearch"]
    assert settings.aws_region == searching.outputs["values"]["awsRegion"]
    assert told["environment"]["SEARCH_ENGINE"] == EngineKind.OPENSEARCH
    intra = {one["cidr_block"] for one in searching.of("aws_subnet") if "-intra-" in one["tags"]["Name"]}
    [rule] = told["egress"]
    assert ({peer["ipBlock"]["cidr"] for peer in rule["to"]}, rule["ports"]) == (intra, [443])
    [entry] = [
        one
        for one in searching.of("aws_vpc_security_group_ingress_rule")
        if one["from_port"] == 443 and "search" in one["tags"]["Name"]
    ]
    assert entry["referenced_security_group_id"]


def test_without_the_switch_there_is_no_opensearch_and_search_is_told_nothing(prod: workspace.Applied) -> None:
    assert not prod.of("aws_opensearch_domain")
    assert "opensearch" not in prod.outputs["values"]["outside"]


def test_metrics_in_the_cluster_need_no_managed_prometheus(plain: workspace.Applied) -> None:
    kinds: set[Any] = {found["type"] for found in plain.resources}
    assert kinds & {"aws_prometheus_workspace", "aws_grafana_workspace"} == set()
    assert plain.outputs["observability"]["prometheus"] is None


def test_grafana_is_made_only_where_somebody_says_that_the_account_has_an_identity_center(
    prod: workspace.Applied, searching: workspace.Applied
) -> None:
    assert not prod.of("aws_grafana_workspace")
    assert not [role for role in prod.of("aws_iam_role") if role["name"].endswith("-grafana")]
    (made,) = searching.of("aws_grafana_workspace")
    assert made["authentication_providers"] == ["AWS_SSO"]
    models = botocore.session.get_session().get_service_model("grafana")
    assert made["permission_type"] in models.shape_for("PermissionType").enum
    assert made["account_access_type"] in models.shape_for("AccountAccessType").enum


def test_without_jenkins_there_is_none_of_its_roles(plain: workspace.Applied) -> None:
    assert not [role for role in plain.of("aws_iam_role") if "jenkins" in role["name"]]
    assert plain.outputs["jenkins_role_arns"] == {}


def test_endpoints_can_be_left_to_nat_but_s3_never(plain: workspace.Applied) -> None:
    assert [endpoint["vpc_endpoint_type"] for endpoint in plain.of("aws_vpc_endpoint")] == ["Gateway"]


def test_messages_go_to_the_endpoint_inside_the_network_and_only_without_one_to_the_world(
    prod: workspace.Applied, plain: workspace.Applied
) -> None:
    subnets = {one["cidr_block"] for one in prod.of("aws_subnet") if "-private-" in one["tags"]["Name"]}
    assert _towards_sns(prod) == (subnets, [443])
    assert _towards_sns(plain) == ({"0.0.0.0/0"}, [443])


def _towards_sns(applied: workspace.Applied) -> tuple[set[str], list[int]]:
    """Where the chart lets go who sends by SNS: addresses and ports."""
    (rule,) = applied.outputs["values"]["outside"]["sns"]["egress"]
    return {peer["ipBlock"]["cidr"] for peer in rule["to"]}, rule["ports"]


# What is refused before anything is planned: the switch, and the words that say why.
REFUSED = [
    ('kafka_version = "3.9.x"', "without ZooKeeper"),
    ("storage_most_gib = 1\n    storage_gib = 2\n", "At least what it starts with"),
]


@pytest.mark.parametrize(("switch", "said"), REFUSED, ids=[row[1] for row in REFUSED])
def test_what_makes_no_sense_is_refused_with_its_reason(copy: workspace.Workspace, switch: str, said: str) -> None:
    name = f"refused-{REFUSED.index((switch, said))}"
    kafka = (copy.folder / "terraform/envs/prod/values.tf").read_text().split("    kafka = {\n")[1].split("    }\n")[0]
    with pytest.raises(workspace.TerraformError) as refusal:
        variant(copy, name, (kafka, f"      {switch}\n"))
    assert said in " ".join(str(refusal.value).replace("│", " ").split())
