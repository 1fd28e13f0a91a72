"""What the applied environments promise: nothing public, everything encrypted, guarded and tagged, rights from the registry."""

import fnmatch
import json
from typing import Any

import pytest
import yaml

from scripts.cloud import values
from scripts.stack import layout
from services import registry
from tests.deploy.cloud import hcl, workspace
from tests.deploy.jenkins import groovy, rules

KNOWN = registry.load()
NODES = layout.ROOT / "k8s" / "karpenter" / "nodes.yaml"
# A topic's name is its address beneath the cluster's.
TOPIC = "arn:aws:kafka:eu-central-1:123456789012:topic/souk-prod/0a1b2c3d-1"
GROUP = "arn:aws:kafka:eu-central-1:123456789012:group/souk-prod/0a1b2c3d-1"
DEAD = "dead-letter"


def _inline(applied: workspace.Applied, role: str) -> dict[str, list[dict[str, Any]]]:
    """A role's own policies: name to statements."""
    policies = [policy for policy in applied.of("aws_iam_role_policy") if policy["role"] == role]
    return {policy["name"]: json.loads(policy["policy"])["Statement"] for policy in policies}


@pytest.mark.parametrize("service", KNOWN.services)
def test_a_service_reads_and_writes_exactly_its_topics_in_its_own_group(prod: workspace.Applied, service: str) -> None:
    declared = KNOWN.services[service]
    policies = _inline(prod, f"souk-prod-{service}")
    assert ("kafka" in policies) == declared.on_kafka
    by_sid = {statement["Sid"]: statement for statement in policies.get("kafka", [])}
    written = {*declared.publishes, *([DEAD] if declared.consumes else [])}
    assert _resources(by_sid.get("Publish")) == {f"{TOPIC}/{topic}" for topic in written}
    assert _resources(by_sid.get("Consume")) == {f"{TOPIC}/{topic}" for topic in declared.consumes}
    assert _resources(by_sid.get("Group")) == ({f"{GROUP}/{service}"} if declared.consumes else set())


def _resources(statement: dict[str, Any] | None) -> set[str]:
    found = (statement or {}).get("Resource", [])
    return {found} if isinstance(found, str) else set(found)


def test_only_a_services_own_accounts_take_its_role(prod: workspace.Applied) -> None:
    for service in KNOWN.services:
        role = next(role for role in prod.of("aws_iam_role") if role["name"] == f"souk-prod-{service}")
        (statement,) = json.loads(role["assume_role_policy"])["Statement"]
        asked = {key.rpartition("/")[2]: value for key, value in statement["Condition"]["StringEquals"].items()}
        assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
        assert asked["kubernetes-namespace"] == "souk"
        # Of a release, and of the canary beside it.
        assert asked["kubernetes-service-account"] == [f"souk-{service}", f"souk-canary-{service}"]
        (cluster,) = prod.of("aws_eks_cluster")
        assert statement["Condition"]["ArnEquals"] == {"aws:SourceArn": cluster["arn"]}


def test_eks_knows_which_account_has_which_role_and_nothing_takes_one_by_a_token_of_the_cluster(
    prod: workspace.Applied,
) -> None:
    given = {
        (entry["namespace"], entry["service_account"]): entry["role_arn"].rpartition("/")[2]
        for entry in prod.of("aws_eks_pod_identity_association")
    }
    for service in (*KNOWN.services, "topics", "credentials"):
        assert given["souk", f"souk-{service}"] == f"souk-prod-{service}"
    for service in (*KNOWN.services, "topics"):
        assert given["souk", f"souk-canary-{service}"] == f"souk-prod-{service}"
    assert len(given) == len(prod.of("aws_eks_pod_identity_association"))
    assert prod.of("aws_iam_openid_connect_provider") == []
    trusts = [json.loads(role["assume_role_policy"]) for role in prod.of("aws_iam_role")]
    federated = [one for trust in trusts for one in trust["Statement"] if "Federated" in one["Principal"]]
    # Jenkins' own, which is no pod of this cluster.
    assert all("jenkins.souk.example" in json.dumps(one) for one in federated)


def test_the_job_that_makes_topics_may_make_those_of_the_registry_and_nothing_else(prod: workspace.Applied) -> None:
    statements = _inline(prod, "souk-prod-topics")["administer"]
    assert {action for statement in statements for action in statement["Action"]} == {
        "kafka-cluster:Connect",
        "kafka-cluster:DescribeCluster",
        "kafka-cluster:CreateTopic",
        "kafka-cluster:DescribeTopic",
        "kafka-cluster:DescribeTopicDynamicConfiguration",
    }
    assert _resources(statements[1]) == {f"{TOPIC}/{topic}" for topic in KNOWN.topics}


def test_secrets_are_those_that_the_registrys_services_read(prod: workspace.Applied) -> None:
    names = {secret["name"].removeprefix("souk/prod/") for secret in prod.of("aws_secretsmanager_secret")}
    stored = [name for name, service in KNOWN.services.items() if "postgres" in service.stores]
    expected = {f"{name}-{kind}" for name in stored for kind in ("database", "migration")}
    chart = yaml.safe_load((layout.ROOT / "helm/souk/values.yaml").read_text())["outside"]
    systems = {system for service in KNOWN.services.values() for system in service.outside}
    # Systems of which the chart mounts nothing are reached by a role.
    outside = {secret["name"] for system in systems for secret in chart[system]["secrets"]}
    assert outside
    assert names == expected | outside | {"mesh", "signing", "admin", "redis"}


def test_no_password_of_a_service_is_in_the_state(prod: workspace.Applied) -> None:
    for version in prod.of("aws_secretsmanager_secret_version"):
        assert version["secret_string"] is None
        assert version["secret_string_wo"] is None
    for database in prod.of("aws_db_instance"):
        assert database["password"] is None


def test_nothing_is_public_but_what_the_load_balancer_needs(prod: workspace.Applied, dev: workspace.Applied) -> None:
    for applied in (prod, dev):
        assert not any(subnet["map_public_ip_on_launch"] for subnet in applied.of("aws_subnet"))
        assert not any(database["publicly_accessible"] for database in applied.of("aws_db_instance"))
        (cluster,) = applied.of("aws_eks_cluster")
        assert cluster["vpc_config"][0]["endpoint_public_access"] is False
        for rule in applied.of("aws_vpc_security_group_ingress_rule"):
            assert rule["cidr_ipv4"] != "0.0.0.0/0"
        public = {table["id"] for table in applied.of("aws_route_table") if table["tags"]["Name"].endswith("-public")}
        to_the_world = {
            route["route_table_id"]
            for route in applied.of("aws_route")
            if route["gateway_id"] and not route["nat_gateway_id"]
        }
        assert to_the_world <= public | {None}


def test_brokers_and_databases_have_no_way_out(prod: workspace.Applied) -> None:
    (intra,) = [table["id"] for table in prod.of("aws_route_table") if table["tags"]["Name"].endswith("-intra")]
    assert intra not in {route["route_table_id"] for route in prod.of("aws_route")}
    inside = {
        association["subnet_id"]
        for association in prod.of("aws_route_table_association")
        if association["route_table_id"] == intra
    }
    (brokers,) = prod.of("aws_msk_cluster")
    assert set(brokers["broker_node_group_info"][0]["client_subnets"]) == inside
    (group,) = prod.of("aws_db_subnet_group")
    assert set(group["subnet_ids"]) == inside
    assert len(inside) == 3


def test_everything_that_keeps_data_is_encrypted_with_a_key_of_ours(
    prod: workspace.Applied, shared: workspace.Applied
) -> None:
    keys = {key["arn"] for applied in (prod, shared) for key in applied.of("aws_kms_key")}
    for database in prod.of("aws_db_instance"):
        assert database["storage_encrypted"]
        assert database["replicate_source_db"] or database["kms_key_id"] in keys
    (brokers,) = prod.of("aws_msk_cluster")
    assert brokers["encryption_info"][0]["encryption_at_rest_kms_key_arn"] in keys
    assert brokers["encryption_info"][0]["encryption_in_transit"] == [{"client_broker": "TLS", "in_cluster": True}]
    (cache,) = prod.of("aws_elasticache_replication_group")
    assert cache["kms_key_id"] in keys
    assert (cache["transit_encryption_enabled"], cache["transit_encryption_mode"]) == (True, "required")
    for log in (*prod.of("aws_cloudwatch_log_group"), *shared.of("aws_cloudwatch_log_group")):
        assert log["kms_key_id"] in keys, log["name"]
    for secret in prod.of("aws_secretsmanager_secret"):
        assert secret["kms_key_id"] in keys
    for repository in shared.of("aws_ecr_repository"):
        assert repository["encryption_configuration"][0]["kms_key"] in keys
        assert repository["image_tag_mutability"] == "IMMUTABLE"
    (cluster,) = prod.of("aws_eks_cluster")
    assert cluster["encryption_config"][0]["provider"][0]["key_arn"] in keys


def test_a_replica_in_the_region_of_its_server_names_no_key(prod: workspace.Applied) -> None:
    servers = {server["identifier"]: server for server in prod.of("aws_db_instance")}
    replicas = [server for server in servers.values() if server["replicate_source_db"]]
    assert replicas
    for replica in replicas:
        # By its name alone, which says that its server is in the same region; a server elsewhere is named by its ARN.
        assert replica["replicate_source_db"] in servers
        # RDS refuses one, also the same: a replica has its server's.
        assert replica["kms_key_id"] is None


def test_every_key_rotates(prod: workspace.Applied, bootstrap: workspace.Applied) -> None:
    assert all(key["enable_key_rotation"] for key in (*prod.of("aws_kms_key"), *bootstrap.of("aws_kms_key")))


def test_production_spreads_over_zones_and_keeps_backups(prod: workspace.Applied) -> None:
    servers = [server for server in prod.of("aws_db_instance") if not server["replicate_source_db"]]
    assert all(server["multi_az"] and server["backup_retention_period"] == 35 for server in servers)
    assert all(server["deletion_protection"] for server in prod.of("aws_db_instance"))
    (brokers,) = prod.of("aws_msk_cluster")
    assert brokers["number_of_broker_nodes"] == 3
    assert len(prod.of("aws_nat_gateway")) == 3
    (configuration,) = prod.of("aws_msk_configuration")
    properties = dict(line.split("=", 1) for line in configuration["server_properties"].splitlines())
    assert properties["auto.create.topics.enable"] == "false"
    assert (properties["default.replication.factor"], properties["min.insync.replicas"]) == ("3", "2")


def test_what_keeps_data_in_production_is_guarded_and_in_development_is_not(
    prod: workspace.Applied, dev: workspace.Applied
) -> None:
    guards = [found["address"] for found in prod.resources if found["type"] == "terraform_data"]
    assert sorted(guards) == [
        f"module.platform.module.{part}.module.guard.terraform_data.this[0]"
        for part in ("images", "kafka", "postgres", "redis")
    ]
    assert not [found for found in dev.resources if found["type"] == "terraform_data"]
    assert not any(server["deletion_protection"] for server in dev.of("aws_db_instance"))


def test_terraform_refuses_to_destroy_or_to_replace_what_is_guarded(
    copy: workspace.Workspace, prod: workspace.Applied
) -> None:
    assert prod.resources
    with pytest.raises(workspace.TerraformError, match="prevent_destroy"):
        copy.terraform("envs/prod", "plan", "-destroy", "-input=false")
    brokers = "module.platform.module.kafka.aws_msk_cluster.this"
    with pytest.raises(workspace.TerraformError, match="prevent_destroy"):
        copy.terraform("envs/prod", "plan", "-input=false", f"-replace={brokers}")


def test_development_is_small_and_on_spot(dev: workspace.Applied) -> None:
    assert len(dev.of("aws_nat_gateway")) == 1
    groups = {group["node_group_name"]: group for group in dev.of("aws_eks_node_group")}
    assert groups["spot"]["capacity_type"] == "SPOT"
    assert groups["base"]["scaling_config"][0]["min_size"] == 1


def test_nodes_are_graviton_and_give_pods_no_way_to_their_role(prod: workspace.Applied) -> None:
    assert {group["ami_type"] for group in prod.of("aws_eks_node_group")} == {"AL2023_ARM_64_STANDARD"}
    for template in prod.of("aws_launch_template"):
        (metadata,) = template["metadata_options"]
        assert (metadata["http_tokens"], metadata["http_put_response_hop_limit"]) == ("required", 1)
        assert {tags["resource_type"] for tags in template["tag_specifications"]} == {
            "instance",
            "network-interface",
            "volume",
        }
        assert all(tags["tags"]["environment"] == "prod" for tags in template["tag_specifications"])


def test_nodes_and_addons_follow_the_version_of_the_cluster(prod: workspace.Applied, copy: workspace.Workspace) -> None:
    (cluster,) = prod.of("aws_eks_cluster")
    for group in prod.of("aws_eks_node_group"):
        assert group["version"] == cluster["version"]
        # What AWS says under this name is the newest image of the version.
        name = f"/aws/service/eks/optimized-ami/{cluster['version']}/amazon-linux-2023/arm64/standard/recommended/release_version"
        assert group["release_version"] == f"released-for-{name}"
    assert {addon["addon_version"] for addon in prod.of("aws_eks_addon")} == {"v1.2.3-eksbuild.4"}
    text = (copy.folder / "terraform/modules/cluster/main.tf").read_text()
    asked = text.split('data "aws_eks_addon_version"')[1].split("\n}\n")[0]
    assert "kubernetes_version = var.settings.kubernetes_version" in asked


def test_all_tags_come_from_one_place(copy: workspace.Workspace) -> None:
    for root in ("shared", "envs/dev", "envs/prod"):
        text = (copy.folder / "terraform" / root / "main.tf").read_text()
        assert "default_tags {\n    tags = module.naming.tags" in text


def test_the_firewall_counts_requests_per_address(prod: workspace.Applied) -> None:
    (acl,) = prod.of("aws_wafv2_web_acl")
    rate = json.loads(acl["rule_json"])[0]
    assert rate["Statement"]["RateBasedStatement"] == {
        "Limit": 2000,
        "AggregateKeyType": "IP",
        "EvaluationWindowSec": 300,
    }


def test_alarms_watch_every_broker_server_and_cache_and_each_says_what_to_do(prod: workspace.Applied) -> None:
    alarms = prod.of("aws_cloudwatch_metric_alarm")
    assert {alarm["dimensions"].get("Broker ID") for alarm in alarms} >= {"1", "2", "3"}
    watched = {alarm["dimensions"].get("DBInstanceIdentifier") for alarm in alarms} - {None}
    assert watched == {server["identifier"] for server in prod.of("aws_db_instance")}
    assert all(len(alarm["alarm_description"]) > 15 and alarm["alarm_actions"] for alarm in alarms)


def test_storage_is_told_of_well_below_where_rds_begins_to_grow_it(
    prod: workspace.Applied, dev: workspace.Applied
) -> None:
    for applied in (prod, dev):
        sizes = {one["identifier"]: one["allocated_storage"] for one in applied.of("aws_db_instance")}
        least = min(size for size in sizes.values() if size)
        alarms = [one for one in applied.of("aws_cloudwatch_metric_alarm") if one["metric_name"] == "FreeStorageSpace"]
        assert len(alarms) == len(sizes)
        # Below a tenth, and below 64 GiB, it grows: half of that is for the time it takes.
        assert all(0 < one["threshold"] <= min(least / 20, 32) * 1024**3 for one in alarms)


def test_no_alarm_watches_what_brokers_without_zookeeper_do_not_tell(prod: workspace.Applied) -> None:
    assert "ActiveControllerCount" not in {one["metric_name"] for one in prod.of("aws_cloudwatch_metric_alarm")}


def test_connections_are_logged_as_the_version_of_postgresql_says_it(prod: workspace.Applied) -> None:
    (group,) = prod.of("aws_db_parameter_group")
    assert group["family"] == "postgres18"
    logged = {one["name"]: one["value"] for one in group["parameter"]}["log_connections"]
    assert logged == "receipt,authentication,authorization"


def test_whoever_deploys_may_ask_for_the_error_budget_of_its_own_environment(
    prod: workspace.Applied, dev: workspace.Applied
) -> None:
    for name, applied in {"prod": prod, "dev": dev}.items():
        (metrics,) = applied.of("aws_prometheus_workspace")
        statements = _inline(applied, f"souk-{name}-jenkins-deploy")["deploy"]
        assert [one["Resource"] for one in statements if one["Action"] == ["aps:QueryMetrics"]] == [metrics["arn"]]
        assert values.prometheus(json.dumps(applied.values["outputs"])) == metrics["prometheus_endpoint"]


def test_exactly_the_builds_that_take_a_role_of_jenkins_are_given_it(
    prod: workspace.Applied, dev: workspace.Applied, shared: workspace.Applied
) -> None:
    trust = _jenkins_trust(prod, dev, shared)
    builds = {**rules.INSIDE, "main": rules.MAIN, "release": rules.RELEASE}
    trusted = {
        (role, name)
        for role, subjects in trust.items()
        for name, build in builds.items()
        if any(fnmatch.fnmatchcase(f"{JOB}job/{build['BRANCH_NAME']}/", subject) for subject in subjects)
    }
    with groovy.running() as harness:
        pipeline = rules.Pipeline((layout.ROOT / "Jenkinsfile").read_text(), harness.evaluate)
        taken = {
            (event["role"].rpartition("/")[2], name)
            for name, build in builds.items()
            for event in pipeline.build(build, files=rules.CHANGES).commands
            if event["role"]
        }
    assert trusted == taken
    assert len({role for role, _ in taken}) == len(trust) == 7


JOB = "https://jenkins.souk.example/job/souk/"


def _jenkins_trust(*applied: workspace.Applied) -> dict[str, list[str]]:
    """Role to the jobs that may take it."""
    found = {}
    for role in (role for one in applied for role in one.of("aws_iam_role") if "-jenkins-" in role["name"]):
        (statement,) = json.loads(role["assume_role_policy"])["Statement"]
        found[role["name"]] = statement["Condition"]["StringLike"]["jenkins.souk.example/oidc:sub"]
    return found


def test_the_cluster_lets_jenkins_into_one_namespace_once_its_role_is_there(prod: workspace.Applied) -> None:
    entry = next(one for one in prod.of("aws_eks_access_entry") if "jenkins" in one["principal_arn"])
    roles = {role["arn"] for role in prod.of("aws_iam_role") if role["name"] == "souk-prod-jenkins-deploy"}
    assert entry["principal_arn"] in roles
    granted = [one for one in prod.of("aws_eks_access_policy_association") if "jenkins" in one["principal_arn"]]
    assert [one["access_scope"] for one in granted] == [[{"namespaces": ["souk"], "type": "namespace"}]]
    # EKS refuses an entry for a role that does not exist: Terraform must know which of them comes first.
    given = hcl.strings(hcl.module(hcl.MODULES / "platform").calls["cluster"]["access"])
    assert any("module.ci" in text for text in given)
    assert not any(":role/" in text for text in given)


def test_who_publishes_signs_and_who_deploys_only_verifies(prod: workspace.Applied, shared: workspace.Applied) -> None:
    (key,) = [one for one in shared.of("aws_kms_key") if one["key_usage"] == "SIGN_VERIFY"]
    assert key["customer_master_key_spec"] == "ECC_NIST_P256"
    assert shared.outputs["signing_key_arn"] == key["arn"]
    reads = ["kms:DescribeKey", "kms:GetPublicKey"]
    publish = {one["Sid"]: one for one in _inline(shared, "souk-shared-jenkins-publish")["publish"]}
    assert (publish["Signatures"]["Action"], publish["Signatures"]["Resource"]) == ([*reads, "kms:Sign"], key["arn"])
    for role in ("plan", "deploy", "apply"):
        statements = _inline(prod, f"souk-prod-jenkins-{role}")[role]
        assert "kms:Sign" not in json.dumps(statements)
        assert [one["Action"] for one in statements if one["Sid"] == "Signatures"] == (
            [reads] if role == "deploy" else []
        )


def test_karpenters_nodes_are_of_the_role_and_in_the_network_that_were_made(prod: workspace.Applied) -> None:
    (wanted,) = [one for one in yaml.safe_load_all(NODES.read_text()) if one["kind"] == "EC2NodeClass"]
    chosen = wanted["spec"]
    assert chosen["role"] in {role["name"] for role in prod.of("aws_iam_role")}
    (subnets,) = chosen["subnetSelectorTerms"]
    own = [one for one in prod.of("aws_subnet") if subnets["tags"].items() <= one["tags"].items()]
    assert {one["availability_zone"][-1] for one in own} == {"a", "b", "c"}
    assert all("-private-" in one["tags"]["Name"] for one in own)
    (groups,) = chosen["securityGroupSelectorTerms"]
    tagged = {(one["key"], one["value"]) for one in prod.of("aws_ec2_tag")}
    assert set(groups["tags"].items()) <= tagged
