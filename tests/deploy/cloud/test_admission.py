"""Admission by signature: the policy as `make controllers` writes it, and what Kyverno may do. Kyverno itself is not run."""

import json
from typing import Any

import pytest
import yaml

from scripts.cloud import commands, controllers
from tests.deploy.cloud import hcl, workspace


@pytest.fixture(scope="module")
def spec(prod: workspace.Applied) -> dict[str, Any]:
    policy = yaml.safe_load(controllers.signed_images(json.dumps(prod.values["outputs"])))
    found: dict[str, Any] = policy["spec"]
    return found


def test_the_policy_holds_the_key_and_the_registry_that_were_applied(
    spec: dict[str, Any], prod: workspace.Applied
) -> None:
    (attestor,) = spec["attestors"]
    assert attestor["cosign"]["key"]["data"] == prod.outputs["admission"]["public_key"]
    # The pipeline tells no public log, so none may be asked.
    assert attestor["cosign"]["ctlog"] == {"insecureIgnoreTlog": True, "insecureIgnoreSCT": True}
    ours = f'image.startsWith("{prod.outputs["values"]["imageRegistry"]}/souk/")'
    assert any(ours in validation["expression"] for validation in spec["validations"])
    assert controllers.UNKNOWN not in yaml.safe_dump(spec)


def test_every_kind_of_container_must_be_ours_and_signed(spec: dict[str, Any]) -> None:
    assert spec["matchImageReferences"] == [{"glob": "*"}]
    (every,) = spec["variables"]
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        assert f"images.{kind}" in every["expression"]
    assert all(one["expression"].startswith(f"variables.{every['name']}.all(") for one in spec["validations"])
    (attestor,) = spec["attestors"]
    signed = f"verifyImageSignatures(image, [attestors.{attestor['name']}]) > 0"
    assert any(signed in validation["expression"] for validation in spec["validations"])


def test_new_pods_changed_images_and_containers_for_debugging_are_looked_at_where_a_release_is(
    spec: dict[str, Any],
) -> None:
    assert (spec["failurePolicy"], spec["validationActions"]) == ("Fail", ["Deny"])
    (rule,) = spec["matchConstraints"]["resourceRules"]
    assert (rule["operations"], rule["resources"]) == (["CREATE", "UPDATE"], ["pods", "pods/ephemeralcontainers"])
    namespace = next(yaml.safe_load_all((hcl.ROOT / "k8s/namespace.yaml").read_text()))["metadata"]["name"]
    chosen = spec["matchConstraints"]["namespaceSelector"]
    assert chosen == {"matchLabels": {"kubernetes.io/metadata.name": namespace}}


def test_kyverno_may_read_signatures_and_nothing_else(prod: workspace.Applied) -> None:
    (role,) = [one for one in prod.of("aws_iam_role") if one["name"] == "souk-prod-admission"]
    (given,) = [one for one in prod.of("aws_iam_role_policy") if one["role"] == role["name"]]
    granted = {action for one in json.loads(given["policy"])["Statement"] for action in one["Action"]}
    assert granted == {"ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}


def test_without_a_key_everything_is_let_in_and_nothing_breaks() -> None:
    text = controllers.signed_images(json.dumps({"admission": {"value": None}}))
    assert yaml.safe_load(text) is None


def test_the_policy_is_applied_after_kyverno_is_there() -> None:
    steps = [str(step) for step in commands.install_controllers("prod")]
    (installed,) = [at for at, step in enumerate(steps) if "--install kyverno " in step]
    (applied,) = [at for at, step in enumerate(steps) if "signed-images.yaml" in step]
    assert installed < applied
