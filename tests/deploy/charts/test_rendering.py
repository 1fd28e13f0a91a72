"""Whatever values and operators it meets, the chart renders, is valid, and keeps its rules for pods."""

from pathlib import Path

import pytest

from scripts.generate.chart import package
from tests.deploy.charts import objects, policy, rendering

CASES = [pytest.param(arguments, id=name) for name, arguments in rendering.CASES.items()]
# What simulated nodes are told is for kwok, and no manifest: test_simulated_nodes.py holds it to kwok's own schema.
MANIFESTS = sorted(path for path in (package.ROOT / "k8s").rglob("*.yaml") if path.parent.name != "simulated")


@pytest.mark.parametrize("values", [rendering.DEFAULT, ("-f", rendering.LAPTOP), ("-f", rendering.AWS)], ids=" ".join)
def test_helm_has_nothing_against_the_chart(values: tuple[str, ...]) -> None:
    assert "0 chart(s) failed" in rendering.lint(*values)


@pytest.mark.parametrize("arguments", CASES)
def test_everything_is_valid_by_the_schemas_of_the_api_and_the_operators(arguments: tuple[str, ...]) -> None:
    assert rendering.invalid(rendering.text(*arguments)) == []


@pytest.mark.parametrize("arguments", CASES)
def test_every_pod_keeps_the_rules(arguments: tuple[str, ...]) -> None:
    assert policy.problems(rendering.rendered(*arguments)) == []


@pytest.mark.parametrize("arguments", CASES)
def test_no_two_objects_have_the_same_name(arguments: tuple[str, ...]) -> None:
    names = [(item["apiVersion"].partition("/")[0], objects.title(item)) for item in rendering.rendered(*arguments)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("arguments", CASES)
def test_two_releases_share_nothing(arguments: tuple[str, ...]) -> None:
    one, two = (rendering.rendered(*arguments, release=name) for name in ("souk", "bazaar"))
    assert not {objects.title(item) for item in one} & {objects.title(item) for item in two}
    for item in objects.of_kind(one, "Service", "Deployment", "PodDisruptionBudget", "NetworkPolicy"):
        spec = item["spec"]
        chosen = spec.get("podSelector") or spec["selector"]
        selector = chosen if "matchLabels" in chosen else {"matchLabels": chosen}
        for workload in objects.workloads(two):
            assert not objects.selects(selector, workload.labels), objects.title(item)


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_files_in_k8s_are_valid(manifest: Path) -> None:
    assert rendering.invalid(manifest.read_text()) == []


def test_kubeconform_catches_a_misspelt_field_of_the_api_and_of_an_operator() -> None:
    text = rendering.text("-f", rendering.AWS, *rendering.OPERATORS)
    for right, wrong in (("minReadySeconds:", "minReadySecond:"), ("maxReplicaCount:", "maxReplicasCount:")):
        assert right in text
        assert any(wrong.rstrip(":") in problem for problem in rendering.invalid(text.replace(right, wrong))), wrong


def test_only_what_no_package_describes_is_left_unchecked() -> None:
    everything = "\n---\n".join([rendering.text(*arguments) for arguments in rendering.CASES.values()])
    everything += "".join(f"\n---\n{path.read_text()}" for path in MANIFESTS)
    kinds = {(item["apiVersion"].partition("/")[0], item["kind"]) for item in objects.parse(everything)}
    unchecked = {f"{group}/{kind}" for group, kind in kinds if group in ("kafka.strimzi.io", "policy.linkerd.io")}
    assert unchecked == {
        "kafka.strimzi.io/Kafka",
        "kafka.strimzi.io/KafkaNodePool",
        "kafka.strimzi.io/KafkaTopic",
        "kafka.strimzi.io/KafkaUser",
        "policy.linkerd.io/AuthorizationPolicy",
        "policy.linkerd.io/MeshTLSAuthentication",
        "policy.linkerd.io/Server",
    }
