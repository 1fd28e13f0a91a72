"""The bucket of products' images as it was applied: nobody's but the service's and CloudFront's, and S3 (moto) takes it all."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from services.catalog.domain import images
from tests.deploy.cloud import amazon, workspace

ORIGIN = "https://souk.example"


@pytest.fixture
def bucket(prod: workspace.Applied) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = prod.of("aws_s3_bucket")
    return found


def _one(prod: workspace.Applied, kind: str) -> dict[str, Any]:
    (found,) = prod.of(kind)
    return dict(found)


def _policy(prod: workspace.Applied) -> dict[str, dict[str, Any]]:
    """What the service's role may do there: statements by their names."""
    policies = [one for one in prod.of("aws_iam_role_policy") if one["name"] == "images"]
    assert [one["role"] for one in policies] == ["souk-prod-catalog"]
    return {one["Sid"]: one for one in json.loads(policies[0]["policy"])["Statement"]}


def test_nothing_in_the_bucket_is_public(prod: workspace.Applied, bucket: dict[str, Any]) -> None:
    block = _one(prod, "aws_s3_bucket_public_access_block")
    names = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    assert all(block[name] for name in names)
    (owned,) = _one(prod, "aws_s3_bucket_ownership_controls")["rule"]
    assert owned["object_ownership"] == "BucketOwnerEnforced"
    statements = {one["Sid"]: one for one in json.loads(_one(prod, "aws_s3_bucket_policy")["policy"])["Statement"]}
    shown = statements["ShownByCloudFront"]
    assert shown["Resource"] == f"arn:aws:s3:::{bucket['bucket']}/images/*"
    distribution = _one(prod, "aws_cloudfront_distribution")
    assert shown["Condition"] == {"StringEquals": {"aws:SourceArn": distribution["arn"]}}
    assert statements["OnlyEncryptedConnections"]["Effect"] == "Deny"


def test_the_service_touches_the_objects_below_its_two_prefixes_and_nothing_else(
    prod: workspace.Applied, bucket: dict[str, Any]
) -> None:
    arn = f"arn:aws:s3:::{bucket['bucket']}"
    statements = _policy(prod)
    assert statements["Objects"]["Action"] == ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    assert statements["Objects"]["Resource"] == [f"{arn}/images/*", f"{arn}/uploads/*"]
    assert (statements["SayWhatIsNotThere"]["Action"], statements["SayWhatIsNotThere"]["Resource"]) == (
        ["s3:ListBucket"],
        arn,
    )
    # The same prefixes as in the service.
    upload = images.Upload("i", "p", "image/png", datetime.max.replace(tzinfo=UTC))
    assert (upload.key.split("/")[0], upload.public_key.split("/")[0]) == ("uploads", "images")


def test_the_chart_is_told_of_the_bucket_and_of_the_address_that_everybody_reads(
    prod: workspace.Applied, bucket: dict[str, Any]
) -> None:
    told = prod.outputs["values"]["outside"]["s3"]
    distribution = _one(prod, "aws_cloudfront_distribution")
    assert told["environment"] == {
        "CATALOG_IMAGES_BUCKET": bucket["bucket"],
        "CATALOG_IMAGES_URL": f"https://{distribution['aliases'][0]}",
    }
    names = {record["type"]: record["name"] for record in prod.of("aws_route53_record") if record["alias"]}
    assert names == dict.fromkeys(["A", "AAAA"], distribution["aliases"][0])
    # No address of a private network is S3's.
    (rule,) = told["egress"]
    assert [(peer["ipBlock"]["cidr"], len(peer["ipBlock"]["except"])) for peer in rule["to"]] == [("0.0.0.0/0", 3)]


def test_images_are_read_by_https_at_a_name_of_the_shops_from_a_certificate_that_cloudfront_takes(
    prod: workspace.Applied,
) -> None:
    distribution = _one(prod, "aws_cloudfront_distribution")
    (behavior,) = distribution["default_cache_behavior"]
    assert behavior["viewer_protocol_policy"] == "https-only"
    assert set(behavior["allowed_methods"]) == {"GET", "HEAD"}
    (shown,) = distribution["viewer_certificate"]
    assert shown["minimum_protocol_version"] == "TLSv1.2_2021"
    certificates = [one for one in prod.of("aws_acm_certificate") if one["domain_name"] == distribution["aliases"][0]]
    assert [one["region"] for one in certificates] == ["us-east-1"]


def test_s3_takes_the_bucket_with_its_rules(
    aws: amazon.Amazon, prod: workspace.Applied, bucket: dict[str, Any]
) -> None:
    s3, name = aws.client("s3"), bucket["bucket"]
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": amazon.REGION})
    (cors,) = _one(prod, "aws_s3_bucket_cors_configuration")["cors_rule"]
    rule = {
        "AllowedMethods": cors["allowed_methods"],
        "AllowedOrigins": cors["allowed_origins"],
        "AllowedHeaders": cors["allowed_headers"],
        "MaxAgeSeconds": cors["max_age_seconds"],
    }
    s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [rule]})
    rules = [_rule(one) for one in _one(prod, "aws_s3_bucket_lifecycle_configuration")["rule"]]
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    s3.put_bucket_policy(Bucket=name, Policy=_one(prod, "aws_s3_bucket_policy")["policy"])
    asked = s3.get_bucket_cors(Bucket=name)["CORSRules"][0]
    assert (asked["AllowedOrigins"], asked["AllowedMethods"]) == ([ORIGIN], ["POST"])
    kept = {one["ID"]: one for one in s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]}
    # What nobody attached goes within a day; what was shown and deleted can be brought back for a month.
    assert kept["forgotten-uploads"]["Filter"]["Prefix"] == "uploads/"
    assert kept["forgotten-uploads"]["Expiration"]["Days"] == 1
    assert "Days" not in kept["deleted-images"]["Expiration"]
    assert kept["deleted-images"]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30
    assert _one(prod, "aws_s3_bucket_versioning")["versioning_configuration"][0]["status"] == "Enabled"


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule of the lifecycle, as S3's interface writes it."""
    written: dict[str, Any] = {"ID": rule["id"], "Status": rule["status"]}
    written["Filter"] = {"Prefix": rule["filter"][0]["prefix"] or ""}
    for aborted in rule["abort_incomplete_multipart_upload"]:
        written["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": aborted["days_after_initiation"]}
    for noncurrent in rule["noncurrent_version_expiration"]:
        written["NoncurrentVersionExpiration"] = {"NoncurrentDays": noncurrent["noncurrent_days"]}
    for expiration in rule["expiration"]:
        days, marker = expiration["days"], expiration["expired_object_delete_marker"]
        written["Expiration"] = {"Days": days} if days else {"ExpiredObjectDeleteMarker": marker}
    return written


def test_development_can_be_destroyed_with_its_images_and_production_cannot(
    dev: workspace.Applied, bucket: dict[str, Any]
) -> None:
    assert _one(dev, "aws_s3_bucket")["force_destroy"]
    assert not bucket["force_destroy"]
