"""Every module call, variable, output, reference, argument and nested block resolves; planted mistakes show that this sees."""

from pathlib import Path

import pytest

from tests.deploy.cloud import checker, hcl, provider_schema, schemas


@pytest.fixture(scope="session")
def known() -> checker.Schemas:
    """The schema of every type that the modules use."""
    return schemas.of(schemas.used())


@pytest.mark.parametrize("folder", hcl.folders(), ids=lambda folder: str(folder.relative_to(hcl.TERRAFORM)))
def test_what_a_module_names_exists_and_has_the_right_type(folder: Path, known: checker.Schemas) -> None:
    assert [str(mistake) for mistake in checker.mistakes(hcl.module(folder), known)] == []


# What is planted: in which module, what is replaced by what, and what must be said.
PLANTED = [
    (
        "kafka",
        "number_of_broker_nodes = local.brokers",
        "number_of_brokers = local.brokers",
        "no argument or block number_of_brokers",
    ),
    ("kafka", "  kafka_version          = var.settings.kafka_version\n", "", "kafka_version is missing"),
    (
        "kafka",
        "number_of_broker_nodes = local.brokers",
        'number_of_broker_nodes = "three"',
        "number_of_broker_nodes is not a number",
    ),
    ("kafka", "client_subnets  = var.place.subnet_ids", 'client_subnets  = "mine"', "client_subnets is not a set"),
    (
        "kafka",
        "client_subnets  = var.place.subnet_ids",
        "client_subnet  = var.place.subnet_ids",
        "no argument or block client_subnet",
    ),
    (
        "kafka",
        'client_broker = "TLS"',
        "client_broker = true\n      in_clusters = true",
        "no argument or block in_clusters",
    ),
    ("kafka", "in_cluster    = true", "in_cluster    = [true]", "in_cluster is not a bool"),
    ("kafka", "volume_size = var.settings.", "volume_size = var.setting.", "there is no variable setting"),
    (
        "kafka",
        "number_of_broker_nodes = local.brokers",
        "number_of_broker_nodes = local.broker",
        "there is no local broker",
    ),
    (
        "kafka",
        "log_group = aws_cloudwatch_log_group.this.name",
        "log_group = aws_cloudwatch_log_group.that.name",
        "there is no aws_cloudwatch_log_group.that",
    ),
    (
        "kafka",
        "log_group = aws_cloudwatch_log_group.this.name",
        "log_group = aws_cloudwatch_log_group.this.nam",
        "aws_cloudwatch_log_group has no nam",
    ),
    ("kafka", 'source = "../guard"', 'source = "../guards"', "there is no module in ../guards"),
    ("kafka", "enabled = var.place.guarded", "enable = var.place.guarded", "the module has no variable enable"),
    ("kafka", "  enabled = var.place.guarded\n", "", "the variable enabled is missing"),
    (
        "kafka",
        "ids     = [aws_msk_cluster.this.arn]",
        "ids     = aws_msk_cluster.this.arn == 1\n  enabled2 = {}",
        "the module has no variable enabled2",
    ),
    ("kafka", "  enabled = var.place.guarded\n", "  enabled = []\n", "the variable enabled is not a bool"),
    ("cluster", "vpc_config {", "vpc_config = {", "vpc_config is a block, not an argument"),
    (
        "cluster",
        "aws_eks_cluster.this.vpc_config[0].cluster_security_group_id",
        "aws_eks_cluster.this.vpc_config[0].security_group_id",
        "aws_eks_cluster has no security_group_id",
    ),
    (
        "cluster",
        "  role_arn                      = aws_iam_role.cluster.arn\n",
        '  role_arn                      = aws_iam_role.cluster.arn\n  arn = "mine"\n',
        "arn is computed",
    ),
    (
        "cluster",
        "  upgrade_policy {",
        "  upgrade_policy {\n  }\n\n  upgrade_policy {",
        "there is one upgrade_policy at most",
    ),
    ("platform", "module.network.vpc_id", "module.network.vpc", "the module network has no output vpc"),
    ("platform", "module.redis.arn", "module.cache.arn", "there is no module cache"),
]


@pytest.mark.parametrize(("name", "good", "bad", "said"), PLANTED, ids=[row[3] for row in PLANTED])
def test_a_planted_mistake_is_found(name: str, good: str, bad: str, said: str, known: checker.Schemas) -> None:
    module = _planted(name, good, bad)
    found = [str(mistake) for mistake in checker.mistakes(module, known)]
    assert any(said in mistake for mistake in found), found


def test_a_type_that_the_provider_does_not_have_is_refused() -> None:
    with pytest.raises(provider_schema.UnknownTypeError, match="the provider has no aws_msk_clusters"):
        schemas.of(["aws_msk_clusters"])


def _planted(name: str, good: str, bad: str) -> hcl.Module:
    folder = hcl.MODULES / name
    texts = [path.read_text() for path in sorted(folder.glob("*.tf"))]
    assert any(good in text for text in texts), f"{name} has no {good!r} any more"
    module = hcl.Module(folder)
    for text in texts:
        hcl.add(module, hcl.parse(text.replace(good, bad)))
    return module
