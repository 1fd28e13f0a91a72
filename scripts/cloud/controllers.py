"""The controllers of a cluster as Helm releases: which, in which order, and with what values out of Terraform's outputs.

terraform output -json | python -m scripts.cloud.controllers .souk/cloud/dev/controllers     writes NAME.yaml for each,
and what only they understand
"""

import json
import string
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

K8S = Path(__file__).resolve().parents[2] / "k8s"
RELEASES = Path(__file__).with_name("controllers.yaml")
ADAPTER = K8S / "prometheus" / "adapter.yaml"
NODES = K8S / "karpenter" / "nodes.yaml"
SIGNED = K8S / "kyverno" / "signed-images.yaml"
# The cluster that k8s/karpenter/nodes.yaml is written for.
NODES_OF = "souk-prod"
# What stands in k8s/kyverno/signed-images.yaml where the environment's own belongs.
UNKNOWN = "written-by-make-controllers"


@dataclass(frozen=True, slots=True)
class Release:
    """One Helm release, as controllers.yaml has it."""

    name: str
    chart: str
    version: str
    namespace: str
    values: Mapping[str, Any]
    repository: str = ""

    def install(self, values: Path) -> tuple[str, ...]:
        """Helm's command: it may be repeated, and a release that does not become ready is rolled back."""
        source = ("--repo", self.repository) if self.repository else ()
        return (
            *("helm", "upgrade", "--install", self.name, self.chart, *source, "--version", self.version),
            *("--namespace", self.namespace, "--create-namespace", "--values", str(values)),
            *("--atomic", "--timeout", "10m"),
        )


def releases(file: Path = RELEASES) -> list[Release]:
    """All of them, in the order they are installed."""
    return [Release(name, **block) for name, block in yaml.safe_load(file.read_text()).items()]


def render(release: Release, outputs: str) -> str:
    """The values of one, as YAML. Raises KeyError when Terraform has not made what it needs."""
    values = _filled(release.values, _facts(json.loads(outputs)))
    if release.name == "prometheus-adapter":
        configured = yaml.safe_load(ADAPTER.read_text())["data"]["config.yaml"]
        values["rules"]["custom"] = yaml.safe_load(configured)["rules"]
    if release.name == "kube-prometheus-stack" and not values["prometheus"]["prometheusSpec"]["remoteWrite"][0]["url"]:
        del values["prometheus"]["prometheusSpec"]["remoteWrite"]
    return yaml.safe_dump(values, sort_keys=False, width=160)


def nodes(outputs: str) -> str:
    """Karpenter's node pool for this cluster, as YAML."""
    return NODES.read_text().replace(NODES_OF, _facts(json.loads(outputs))["cluster"])


def signed_images(outputs: str) -> str:
    """The policy that lets in what the pipeline has signed, as YAML; nothing but a comment where no key signs."""
    admission = json.loads(outputs)["admission"]["value"]
    if admission is None:
        return "# No key signs here (`jenkins` is not set in terraform.tfvars): everything is let in.\n"
    policy = yaml.safe_load(SIGNED.read_text())
    (attestor,) = policy["spec"]["attestors"]
    attestor["cosign"]["key"]["data"] = admission["public_key"]
    ours = policy["spec"]["validations"][0]
    ours["expression"] = ours["expression"].replace(UNKNOWN, admission["registry"])
    return yaml.safe_dump(policy, sort_keys=False, width=160)


def write(outputs: str, folder: Path) -> None:
    """The values of each release, the node pool, and the policy of signed images, as files."""
    folder.mkdir(parents=True, exist_ok=True)
    for release in releases():
        (folder / f"{release.name}.yaml").write_text(render(release, outputs))
    (folder / "nodes.yaml").write_text(nodes(outputs))
    (folder / SIGNED.name).write_text(signed_images(outputs))


def _facts(outputs: Mapping[str, Any]) -> dict[str, str]:
    found = {name: output["value"] for name, output in outputs.items()}
    metrics = found["observability"]["prometheus"]
    return {
        "cluster": found["cluster"]["name"],
        "region": found["cluster"]["region"],
        "vpc": found["network"]["vpc_id"],
        "zone": found["edge"]["zone_id"],
        "queue": found["karpenter"]["interruption_queue"],
        "log_group": found["observability"]["log_group"],
        "remote_write": f"{metrics['endpoint']}api/v1/remote_write" if metrics else "",
    }


def _filled(value: Any, facts: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled(item, facts) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, facts) for item in value]
    return string.Template(value).substitute(facts) if isinstance(value, str) else value


if __name__ == "__main__":
    write(sys.stdin.read(), Path(sys.argv[1]))
