"""The AWS provider's schema of the types that the modules use, extracted once and kept beside the wheel it comes from."""

import json
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scripts.cloud import tools
from tests.deploy.cloud import hcl, provider_schema
from tests.deploy.cloud.provider_schema import Attribute, Block, Nested

# What data sources answer, and what AWS's own names look like where it matters; `{name}` is what a resource is called.
ANSWERS: dict[str, dict[str, Any]] = {
    "data.aws_caller_identity": {"account_id": "123456789012"},
    "data.aws_partition": {"partition": "aws", "dns_suffix": "amazonaws.com"},
    "data.aws_ssm_parameter": {"insecure_value": "released-for-{name}"},
    "data.aws_eks_addon_version": {"version": "v1.2.3-eksbuild.4"},
    "data.aws_region": {"region": "eu-central-1"},
    "data.aws_route53_zone": {"zone_id": "Z00000000000000000000"},
    "data.aws_kms_public_key": {"public_key_pem": "-----BEGIN PUBLIC KEY-----\nof {name}\n-----END PUBLIC KEY-----\n"},
    "aws_msk_cluster": {"arn": "arn:aws:kafka:eu-central-1:123456789012:cluster/{name}/0a1b2c3d-1"},
    "aws_iam_role": {"arn": "arn:aws:iam::123456789012:role/{name}"},
    "aws_iam_policy": {"arn": "arn:aws:iam::123456789012:policy/{name}"},
    "aws_iam_openid_connect_provider": {"arn": "arn:aws:iam::123456789012:oidc-provider/{name}"},
    "aws_s3_bucket": {"arn": "arn:aws:s3:::{name}"},
    "aws_sns_topic": {"arn": "arn:aws:sns:eu-central-1:123456789012:{name}"},
    "aws_sqs_queue": {"arn": "arn:aws:sqs:eu-central-1:123456789012:{name}"},
    "aws_kms_key": {"arn": "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-4000-8000-0000{name}"},
    "aws_cloudwatch_log_group": {"arn": "arn:aws:logs:eu-central-1:123456789012:log-group:{name}"},
    "aws_secretsmanager_secret": {"arn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}-a1b2c3"},
    "aws_ecr_repository": {
        "arn": "arn:aws:ecr:eu-central-1:123456789012:repository/{name}",
        "repository_url": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/{name}",
    },
    "aws_elasticache_replication_group": {
        "arn": "arn:aws:elasticache:eu-central-1:123456789012:replicationgroup:{name}"
    },
}


def used() -> set[str]:
    """The types in terraform/, as the schema is asked for them."""
    modules = [hcl.module(folder) for folder in hcl.folders()]
    resources = {kind for module in modules for kind, _ in module.resources if kind.startswith("aws_")}
    data = {f"data.{kind}" for module in modules for kind, _ in (*module.data, *module.ephemeral)}
    return resources | data | {"provider"}


def of(addresses: Collection[str]) -> dict[str, Block]:
    """The schemas of these types. Raises UnknownTypeError when the provider lacks one."""
    wheel = tools.wheel()
    kept = wheel.parent / "types"
    kept.mkdir(exist_ok=True)
    missing = [address for address in addresses if not (kept / f"{address}.json").exists()]
    for address, block in provider_schema.Wheel(wheel).blocks(missing).items() if missing else ():
        (kept / f"{address}.json").write_text(json.dumps(asdict(block)))
    return {address: _block(json.loads((kept / f"{address}.json").read_text())) for address in addresses}


def write_catalogue(path: Path) -> None:
    """What the stand-in for the provider reads."""
    blocks = {address: asdict(block) for address, block in of(used()).items()}
    ephemeral = {kind for folder in hcl.folders() for kind, _ in hcl.module(folder).ephemeral}
    data = {name.removeprefix("data."): block for name, block in blocks.items() if name.startswith("data.")}
    document = {
        "provider": blocks["provider"],
        "resources": {name: block for name, block in blocks.items() if name.startswith("aws_")},
        "data": data,
        # The classes have no ephemeral resources; this one takes and answers what the data source of its name does.
        "ephemeral": {name: data[name] for name in ephemeral},
        "answers": ANSWERS,
    }
    path.write_text(json.dumps(document))


def _block(document: dict[str, Any]) -> Block:
    return Block(
        {name: Attribute(**attribute) for name, attribute in document["attributes"].items()},
        {name: Nested(**{**nested, "block": _block(nested["block"])}) for name, nested in document["blocks"].items()},
    )
