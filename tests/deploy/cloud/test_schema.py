"""The schema that is read out of the wheel: what is known of a few types, so that a change of its classes is noticed."""

import pytest

from tests.deploy.cloud import schemas
from tests.deploy.cloud.provider_schema import Attribute, Block


@pytest.fixture(scope="session")
def cluster() -> Block:
    """EKS's."""
    return schemas.of(["aws_eks_cluster"])["aws_eks_cluster"]


def test_what_is_required_is_told_from_what_is_computed(cluster: Block) -> None:
    assert cluster.attributes["name"] == Attribute("string", required=True)
    assert cluster.attributes["arn"] == Attribute("string", computed=True)
    assert cluster.attributes["version"] == Attribute("string")


def test_nested_blocks_have_their_arguments_and_what_is_computed_in_them(cluster: Block) -> None:
    network = cluster.blocks["vpc_config"]
    assert (network.nesting, network.required, network.single_item) == ("list", True, True)
    assert network.block.attributes["subnet_ids"] == Attribute(["set", "string"], required=True)
    assert network.block.attributes["cluster_security_group_id"].computed
    provider = cluster.blocks["encryption_config"].block.blocks["provider"]
    assert provider.block.attributes["key_arn"].required


def test_sets_lists_maps_and_single_blocks_are_told_apart(cluster: Block) -> None:
    assert cluster.attributes["enabled_cluster_log_types"].type == ["set", "string"]
    assert cluster.attributes["tags"].type == ["map", "string"]
    assert cluster.blocks["timeouts"].nesting == "single"
    group = schemas.of(["aws_eks_node_group"])["aws_eks_node_group"]
    assert group.attributes["instance_types"].type == ["list", "string"]
    assert group.blocks["taint"].nesting == "set"


def test_computed_objects_are_known_to_their_last_member(cluster: Block) -> None:
    assert cluster.attributes["identity"].type == [
        "list",
        ["object", {"oidc": ["list", ["object", {"issuer": "string"}]]}],
    ]


def test_numbers_and_booleans_are_no_strings() -> None:
    brokers = schemas.of(["aws_msk_cluster"])["aws_msk_cluster"]
    assert brokers.attributes["number_of_broker_nodes"] == Attribute("number", required=True)
    assert brokers.blocks["client_authentication"].block.attributes["unauthenticated"].type == "bool"


def test_terraforms_own_arguments_are_not_the_providers(cluster: Block) -> None:
    assert not {"count", "for_each", "lifecycle", "depends_on", "provider"} & {*cluster.attributes, *cluster.blocks}
