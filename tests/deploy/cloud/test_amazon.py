"""What is applied, tried against AWS's interfaces on loopback: their own clients check every argument, and moto what it knows.

All values come from the state that Terraform made of the sources. What moto lacks is held to the interface's own model.
"""

import json
from typing import Any

import botocore.session
import botocore.validate
import pytest

from tests.deploy.cloud import amazon, workspace

# The shape of every call that moto does not answer, as AWS publishes it for its clients.
_MODELS = botocore.session.get_session()


def _fits(service: str, operation: str, **arguments: Any) -> None:
    """Raises ParamValidationError when AWS's own model of an operation refuses the arguments."""
    shape = _MODELS.get_service_model(service).operation_model(operation).input_shape
    report = botocore.validate.ParamValidator().validate(arguments, shape)
    assert not report.has_errors(), report.generate_report()


def test_iam_takes_every_role_and_every_policy(
    aws: amazon.Amazon, prod: workspace.Applied, shared: workspace.Applied
) -> None:
    iam = aws.client("iam")
    for applied in (prod, shared):
        for role in applied.of("aws_iam_role"):
            iam.create_role(
                RoleName=role["name"],
                AssumeRolePolicyDocument=role["assume_role_policy"],
                Description=role["description"],
            )
        for policy in applied.of("aws_iam_role_policy"):
            iam.create_policy(PolicyName=f"{policy['role']}-{policy['name']}", PolicyDocument=policy["policy"])
        for policy in applied.of("aws_iam_policy"):
            iam.create_policy(
                PolicyName=policy["name"], PolicyDocument=policy["policy"], Description=policy["description"]
            )


def test_every_policy_of_awss_own_exists(aws: amazon.Amazon, prod: workspace.Applied) -> None:
    iam = aws.client("iam")
    attached = {found["policy_arn"] for found in prod.of("aws_iam_role_policy_attachment")}
    owned = {found["arn"] for found in prod.of("aws_iam_policy")}
    for arn in attached - owned:
        assert iam.get_policy(PolicyArn=arn)["Policy"]["IsAttachable"]


def test_the_network_and_its_subnets_fit_into_each_other(aws: amazon.Amazon, prod: workspace.Applied) -> None:
    ec2 = aws.client("ec2")
    (network,) = prod.of("aws_vpc")
    made = ec2.create_vpc(CidrBlock=network["cidr_block"])["Vpc"]["VpcId"]
    # A range that another has already, or that is not within the network's, is refused.
    for subnet in prod.of("aws_subnet"):
        ec2.create_subnet(VpcId=made, CidrBlock=subnet["cidr_block"], AvailabilityZone=subnet["availability_zone"])
    with pytest.raises(ec2.exceptions.ClientError, match="conflicts with another subnet"):
        ec2.create_subnet(VpcId=made, CidrBlock=prod.of("aws_subnet")[0]["cidr_block"])


def test_keys_take_their_policies(aws: amazon.Amazon, prod: workspace.Applied) -> None:
    kms = aws.client("kms")
    for key in prod.of("aws_kms_key"):
        made = kms.create_key(Policy=key["policy"], Description=key["description"])["KeyMetadata"]
        assert json.loads(kms.get_key_policy(KeyId=made["KeyId"], PolicyName="default")["Policy"])["Statement"]


def test_eks_takes_the_cluster_its_nodes_and_their_sizes(aws: amazon.Amazon, prod: workspace.Applied) -> None:
    eks = aws.client("eks")
    (cluster,) = prod.of("aws_eks_cluster")
    network = cluster["vpc_config"][0]
    (encryption,) = cluster["encryption_config"]
    eks.create_cluster(
        name=cluster["name"],
        version=cluster["version"],
        roleArn=cluster["role_arn"],
        resourcesVpcConfig={
            "subnetIds": network["subnet_ids"],
            "endpointPrivateAccess": network["endpoint_private_access"],
            "endpointPublicAccess": network["endpoint_public_access"],
        },
        encryptionConfig=[
            {"resources": encryption["resources"], "provider": {"keyArn": encryption["provider"][0]["key_arn"]}}
        ],
        logging={"clusterLogging": [{"types": cluster["enabled_cluster_log_types"], "enabled": True}]},
    )
    for group in prod.of("aws_eks_node_group"):
        (scaling,) = group["scaling_config"]
        eks.create_nodegroup(
            clusterName=cluster["name"],
            nodegroupName=group["node_group_name"],
            nodeRole=group["node_role_arn"],
            subnets=group["subnet_ids"],
            amiType=group["ami_type"],
            capacityType=group["capacity_type"],
            instanceTypes=group["instance_types"],
            labels=group["labels"],
            scalingConfig={
                f"{key.removesuffix('_size')}Size": scaling[key] for key in ("min_size", "max_size", "desired_size")
            },
        )
    assert set(eks.list_nodegroups(clusterName=cluster["name"])["nodegroups"]) == {"base", "spot"}


def test_addons_and_access_entries_have_the_interfaces_shape(prod: workspace.Applied) -> None:
    for addon in prod.of("aws_eks_addon"):
        associations = [
            {"serviceAccount": found["service_account"], "roleArn": found["role_arn"]}
            for found in addon["pod_identity_association"]
        ]
        _fits(
            "eks",
            "CreateAddon",
            clusterName=addon["cluster_name"],
            addonName=addon["addon_name"],
            resolveConflicts=addon["resolve_conflicts_on_create"],
            podIdentityAssociations=associations,
        )
        json.loads(addon["configuration_values"] or "{}")
    for entry in prod.of("aws_eks_access_policy_association"):
        (scope,) = entry["access_scope"]
        _fits(
            "eks",
            "AssociateAccessPolicy",
            clusterName=entry["cluster_name"],
            principalArn=entry["principal_arn"],
            policyArn=entry["policy_arn"],
            accessScope={"type": scope["type"], "namespaces": scope["namespaces"] or []},
        )


def test_msk_takes_the_brokers(aws: amazon.Amazon, prod: workspace.Applied) -> None:
    (brokers,) = prod.of("aws_msk_cluster")
    (nodes,) = brokers["broker_node_group_info"]
    (encryption,) = brokers["encryption_info"]
    (sasl,) = brokers["client_authentication"][0]["sasl"]
    arguments = {
        "ClusterName": brokers["cluster_name"],
        "KafkaVersion": brokers["kafka_version"],
        "NumberOfBrokerNodes": brokers["number_of_broker_nodes"],
        "EnhancedMonitoring": brokers["enhanced_monitoring"],
        "BrokerNodeGroupInfo": {
            "InstanceType": nodes["instance_type"],
            "ClientSubnets": nodes["client_subnets"],
            "SecurityGroups": nodes["security_groups"],
            "StorageInfo": {
                "EbsStorageInfo": {"VolumeSize": nodes["storage_info"][0]["ebs_storage_info"][0]["volume_size"]}
            },
        },
        "ClientAuthentication": {
            "Sasl": {"Iam": {"Enabled": sasl["iam"]}},
            "Unauthenticated": {"Enabled": False},
        },
        "EncryptionInfo": {
            "EncryptionAtRest": {"DataVolumeKMSKeyId": encryption["encryption_at_rest_kms_key_arn"]},
            "EncryptionInTransit": {"ClientBroker": "TLS", "InCluster": True},
        },
    }
    _fits("kafka", "CreateCluster", **arguments)
    kafka = aws.client("kafka")
    made = kafka.create_cluster(**arguments)["ClusterArn"]
    assert kafka.describe_cluster(ClusterArn=made)["ClusterInfo"]["ClusterName"] == "souk-prod"
    # MSK wants as many brokers in each zone as in the others.
    assert brokers["number_of_broker_nodes"] % len(nodes["client_subnets"]) == 0


def test_rds_takes_the_servers_their_replicas_and_parameters(aws: amazon.Amazon, prod: workspace.Applied) -> None:
    rds, ec2 = aws.client("rds"), aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.40.{at}.0/24", AvailabilityZone=f"eu-central-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for at, zone in enumerate("abc")
    ]
    (group,) = prod.of("aws_db_subnet_group")
    rds.create_db_subnet_group(
        DBSubnetGroupName=group["name"], DBSubnetGroupDescription=group["description"], SubnetIds=subnets
    )
    (parameters,) = prod.of("aws_db_parameter_group")
    name = f"{parameters['name_prefix']}1"
    rds.create_db_parameter_group(
        DBParameterGroupName=name, DBParameterGroupFamily=parameters["family"], Description=parameters["description"]
    )
    servers = prod.of("aws_db_instance")
    for server in (server for server in servers if not server["replicate_source_db"]):
        made = rds.create_db_instance(
            DBInstanceIdentifier=server["identifier"],
            Engine=server["engine"],
            EngineVersion=server["engine_version"],
            DBInstanceClass=server["instance_class"],
            AllocatedStorage=server["allocated_storage"],
            MaxAllocatedStorage=server["max_allocated_storage"],
            StorageType=server["storage_type"],
            StorageEncrypted=server["storage_encrypted"],
            MasterUsername=server["username"],
            ManageMasterUserPassword=server["manage_master_user_password"],
            MultiAZ=server["multi_az"],
            DBSubnetGroupName=server["db_subnet_group_name"],
            DBParameterGroupName=name,
            BackupRetentionPeriod=server["backup_retention_period"],
            PreferredBackupWindow=server["backup_window"],
            PreferredMaintenanceWindow=server["maintenance_window"],
            DeletionProtection=server["deletion_protection"],
            PubliclyAccessible=server["publicly_accessible"],
            EnableCloudwatchLogsExports=server["enabled_cloudwatch_logs_exports"],
        )["DBInstance"]
        assert made["MasterUserSecret"]["SecretArn"]
    for replica in (server for server in servers if server["replicate_source_db"]):
        rds.create_db_instance_read_replica(
            DBInstanceIdentifier=replica["identifier"],
            SourceDBInstanceIdentifier=replica["replicate_source_db"],
            DBInstanceClass=replica["instance_class"],
        )
    with pytest.raises(rds.exceptions.ClientError, match="deletion protection"):
        rds.delete_db_instance(DBInstanceIdentifier=servers[0]["identifier"], SkipFinalSnapshot=True)


def test_elasticache_takes_the_replication_group(aws: amazon.Amazon, prod: workspace.Applied) -> None:
    (cache,) = prod.of("aws_elasticache_replication_group")
    arguments = {
        "ReplicationGroupId": cache["replication_group_id"],
        "ReplicationGroupDescription": cache["description"],
        "Engine": cache["engine"],
        "EngineVersion": cache["engine_version"],
        "CacheNodeType": cache["node_type"],
        "NumCacheClusters": cache["num_cache_clusters"],
        "AutomaticFailoverEnabled": cache["automatic_failover_enabled"],
        "MultiAZEnabled": cache["multi_az_enabled"],
        "TransitEncryptionEnabled": cache["transit_encryption_enabled"],
        "TransitEncryptionMode": cache["transit_encryption_mode"],
        "AuthToken": "a" * 40,
        "AtRestEncryptionEnabled": True,
        "KmsKeyId": cache["kms_key_id"],
        "SnapshotRetentionLimit": cache["snapshot_retention_limit"],
        "SnapshotWindow": cache["snapshot_window"],
    }
    _fits("elasticache", "CreateReplicationGroup", **arguments)
    made = aws.client("elasticache").create_replication_group(**arguments)["ReplicationGroup"]
    assert (made["ReplicationGroupId"], made["TransitEncryptionEnabled"]) == ("souk-prod", True)
    assert cache["num_cache_clusters"] == 3


def test_ecr_takes_the_repositories_and_their_life_cycle(aws: amazon.Amazon, shared: workspace.Applied) -> None:
    ecr = aws.client("ecr")
    for repository in shared.of("aws_ecr_repository"):
        ecr.create_repository(
            repositoryName=repository["name"],
            imageTagMutability=repository["image_tag_mutability"],
            imageScanningConfiguration={"scanOnPush": repository["image_scanning_configuration"][0]["scan_on_push"]},
            encryptionConfiguration={
                "encryptionType": "KMS",
                "kmsKey": repository["encryption_configuration"][0]["kms_key"],
            },
        )
    for policy in shared.of("aws_ecr_lifecycle_policy"):
        # moto checks the rules' order, kinds and counts as ECR does.
        ecr.put_lifecycle_policy(repositoryName=policy["repository"], lifecyclePolicyText=policy["policy"])


def test_secrets_manager_takes_the_secrets(aws: amazon.Amazon, prod: workspace.Applied) -> None:
    secrets = aws.client("secretsmanager")
    for secret in prod.of("aws_secretsmanager_secret"):
        secrets.create_secret(Name=secret["name"], Description=secret["description"], KmsKeyId=secret["kms_key_id"])


def test_the_firewalls_rules_are_what_its_interface_takes(aws: amazon.Amazon, prod: workspace.Applied) -> None:
    (acl,) = prod.of("aws_wafv2_web_acl")
    (visibility,) = acl["visibility_config"]
    arguments = {
        "Name": acl["name"],
        "Scope": acl["scope"],
        "DefaultAction": {"Allow": {}},
        "Rules": json.loads(acl["rule_json"]),
        "VisibilityConfig": {
            "SampledRequestsEnabled": visibility["sampled_requests_enabled"],
            "CloudWatchMetricsEnabled": visibility["cloudwatch_metrics_enabled"],
            "MetricName": visibility["metric_name"],
        },
    }
    _fits("wafv2", "CreateWebACL", **arguments)
    assert aws.client("wafv2").create_web_acl(**arguments)["Summary"]["ARN"]


def test_alarms_queues_and_rules_are_taken(aws: amazon.Amazon, prod: workspace.Applied) -> None:
    cloudwatch = aws.client("cloudwatch")
    for alarm in prod.of("aws_cloudwatch_metric_alarm"):
        cloudwatch.put_metric_alarm(
            AlarmName=alarm["alarm_name"],
            AlarmDescription=alarm["alarm_description"],
            Namespace=alarm["namespace"],
            MetricName=alarm["metric_name"],
            Dimensions=[{"Name": key, "Value": value} for key, value in alarm["dimensions"].items()],
            Statistic=alarm["statistic"],
            ComparisonOperator=alarm["comparison_operator"],
            Threshold=alarm["threshold"],
            Period=alarm["period"],
            EvaluationPeriods=alarm["evaluation_periods"],
            TreatMissingData=alarm["treat_missing_data"],
        )
    sqs = aws.client("sqs")
    for queue in prod.of("aws_sqs_queue"):
        sqs.create_queue(
            QueueName=queue["name"], Attributes={"MessageRetentionPeriod": str(queue["message_retention_seconds"])}
        )
    events = aws.client("events")
    for rule in prod.of("aws_cloudwatch_event_rule"):
        events.put_rule(Name=rule["name"], EventPattern=rule["event_pattern"])


def test_storage_scaling_and_topics_settings_have_the_interfaces_shape(prod: workspace.Applied) -> None:
    (target,) = prod.of("aws_appautoscaling_target")
    _fits(
        "application-autoscaling",
        "RegisterScalableTarget",
        ServiceNamespace=target["service_namespace"],
        ResourceId=target["resource_id"],
        ScalableDimension=target["scalable_dimension"],
        MinCapacity=target["min_capacity"],
        MaxCapacity=target["max_capacity"],
    )
    (configuration,) = prod.of("aws_msk_configuration")
    _fits(
        "kafka",
        "CreateConfiguration",
        Name=configuration["name"],
        KafkaVersions=configuration["kafka_versions"],
        ServerProperties=configuration["server_properties"].encode(),
    )


# Where an argument is one of a few words, AWS's own models say which.
WORDS = [
    ("aws_appautoscaling_target", "scalable_dimension", "application-autoscaling", "ScalableDimension"),
    ("aws_appautoscaling_target", "service_namespace", "application-autoscaling", "ServiceNamespace"),
    ("aws_msk_cluster", "enhanced_monitoring", "kafka", "EnhancedMonitoring"),
    ("aws_eks_node_group", "ami_type", "eks", "AMITypes"),
    ("aws_eks_node_group", "capacity_type", "eks", "CapacityTypes"),
    ("aws_flow_log", "log_destination_type", "ec2", "LogDestinationType"),
    ("aws_flow_log", "traffic_type", "ec2", "TrafficType"),
    ("aws_vpc_endpoint", "vpc_endpoint_type", "ec2", "VpcEndpointType"),
    ("aws_wafv2_web_acl", "scope", "wafv2", "Scope"),
    ("aws_acm_certificate", "validation_method", "acm", "ValidationMethod"),
    ("aws_acm_certificate", "key_algorithm", "acm", "KeyAlgorithm"),
    ("aws_budgets_budget", "budget_type", "budgets", "BudgetType"),
    ("aws_budgets_budget", "time_unit", "budgets", "TimeUnit"),
    ("aws_elasticache_replication_group", "transit_encryption_mode", "elasticache", "TransitEncryptionMode"),
    ("aws_cloudwatch_metric_alarm", "comparison_operator", "cloudwatch", "ComparisonOperator"),
    ("aws_cloudwatch_metric_alarm", "statistic", "cloudwatch", "Statistic"),
    ("aws_ecr_repository", "image_tag_mutability", "ecr", "ImageTagMutability"),
]


@pytest.mark.parametrize("row", WORDS, ids=[f"{row[0]}.{row[1]}" for row in WORDS])
def test_a_word_is_one_of_those_that_aws_knows(
    prod: workspace.Applied, shared: workspace.Applied, row: tuple[str, str, str, str]
) -> None:
    kind, argument, service, shape = row
    known = _MODELS.get_service_model(service).shape_for(shape).enum
    found = {resource[argument] for applied in (prod, shared) for resource in applied.of(kind)}
    assert found
    assert found <= {*known, *(word.replace("_", "-") for word in known if kind == "aws_acm_certificate")}


# Classes of machines. EC2's and RDS's models name all there are.
def test_every_class_of_nodes_exists(prod: workspace.Applied, dev: workspace.Applied) -> None:
    known = set(_MODELS.get_service_model("ec2").shape_for("InstanceType").enum)
    for applied in (prod, dev):
        assert {kind for group in applied.of("aws_eks_node_group") for kind in group["instance_types"]} <= known
        assert {server["instance_class"].removeprefix("db.") for server in applied.of("aws_db_instance")} <= known
        assert {
            brokers["broker_node_group_info"][0]["instance_type"].removeprefix("kafka.")
            for brokers in applied.of("aws_msk_cluster")
        } <= known
