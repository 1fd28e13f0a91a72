"""JSON schemas of the operators' resources that the chart and k8s/ make, out of the CRDs in the operators' own Go modules.

They are fetched once for each machine, by version and hash, and kept beside the tools of the simulated cluster. Strimzi (Java)
and Linkerd (templates of its chart) publish theirs in no package: what is of theirs cannot be checked.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import yaml

from scripts.cluster import tools
from scripts.stack.supervise import go, kept, problems, progress

Schema = dict[str, Any]
NOT_PUBLISHED = ("kafka.strimzi.io", "policy.linkerd.io")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # whichever there is
    """In C where it can be, for the other takes minutes. A lone `=` is text to it, as it is to Kubernetes."""

    yaml_implicit_resolvers: ClassVar = {
        key: value for key, value in yaml.SafeLoader.yaml_implicit_resolvers.items() if key != "="
    }


@dataclass(frozen=True, slots=True)
class Module:
    """A Go module: its path, version and hash, and where in it the CRDs are."""

    path: str
    version: str
    sum: str
    files: str


MODULES = (
    Module(
        "github.com/cert-manager/cert-manager",
        "v1.21.2",
        "h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=",
        "deploy/crds/*.yaml",
    ),
    Module(
        "github.com/kedacore/keda/v2",
        "v2.21.0",
        "h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=",
        "config/crd/bases/*.yaml",
    ),
    Module(
        "istio.io/api",
        "v1.31.1",
        "h1:5Yb5ihcz4YQsCkciusK7DnFpBMwRB6EFWeUKH1Atuyk=",
        "kubernetes/customresourcedefinitions.gen.yaml",
    ),
    Module(
        "github.com/external-secrets/external-secrets",
        "v1.3.2",
        "h1:u2J8RjlHIeF0oZCqtl92adI/uZWUwOesJIDkfql6LqQ=",
        "config/crds/bases/external-secrets.io_*.yaml",
    ),
    Module(
        "github.com/prometheus-operator/prometheus-operator",
        "v0.85.0",
        "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
        "example/prometheus-operator-crd/*.yaml",
    ),
    Module(
        "sigs.k8s.io/gateway-api",
        "v1.7.0",
        "h1:duVnm7nO6oXfMMUWfcDoBph47CYR/ME3NGxccOVglaY=",
        "config/crd/standard/gateway.networking.k8s.io_*routes.yaml",
    ),
    Module(
        "github.com/aws/karpenter-provider-aws",
        "v1.15.0",
        "h1:3qnrxRxKHPg9Hd71D7xH4xKxPfmcrB30EFBrMz74mOs=",
        "pkg/apis/crds/karpenter.*.yaml",
    ),
    Module(
        "github.com/kyverno/kyverno",
        "v1.19.1",
        "h1:/MkgFii3/VlQfKR1JpC9tVwNNVNQTt2S4U6qCsafsTU=",
        "config/crds/policies.kyverno.io/policies.kyverno.io_imagevalidatingpolicies.yaml",
    ),
)


def folder() -> Path:
    """The folder of the schemas, in kubeconform's layout; made if it is not there. Raises a StackError when that fails."""
    home = tools.CACHE.path / f"crds-{hashlib.sha256(repr(MODULES).encode()).hexdigest()[:8]}"
    tools.CACHE.make(
        [kept.Folder("crds", home, "downloading the operators' CRDs", _fill)], progress.Progress(sys.stderr)
    )
    return home


def _fill(into: Path, build: kept.Build) -> None:
    for module in MODULES:
        for file in sorted(_fetched(module, build).glob(module.files)):
            write(file.read_text(), into)


def _fetched(module: Module, build: kept.Build) -> Path:
    """The module's folder, downloaded by Go. Raises a StackError when it is not what its hash says."""
    asked = ("mod", "download", "-json", f"{module.path}@{module.version}")
    told = json.loads(go.run(build, build.scratch, *asked))
    if told["Sum"] != module.sum:
        raise problems.StackError(f"crds: {module.path} {module.version} has the hash {told['Sum']}, not {module.sum}")
    return Path(told["Dir"])


def write(text: str, into: Path) -> int:
    """Write `<kind>-<group>-<version>.json` for each version of the CRDs in a text: how many."""
    written = 0
    for name, schema in _schemas(text):
        (into / name).write_text(json.dumps(schema, separators=(",", ":")))
        written += 1
    return written


def _schemas(text: str) -> Iterator[tuple[str, Schema]]:
    for crd in yaml.load_all(text, Loader=_Loader):
        if crd and crd["kind"] == "CustomResourceDefinition":
            spec = crd["spec"]
            for version in spec["versions"]:
                group = spec["group"].partition(".")[0]
                name = f"{spec['names']['kind'].lower()}-{group}-{version['name']}.json"
                yield name, _of_kind(version["schema"]["openAPIV3Schema"])


def _of_kind(schema: Schema) -> Schema:
    strict = _strict(schema)
    # The API itself checks what every object has.
    common = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
    return {**strict, "properties": {**strict.get("properties", {}), **common}}


def _strict(node: Any) -> Any:
    """A field that the CRD does not know is an error, as in `kubectl apply` with strict validation."""
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    strict = {key: _strict(value) for key, value in node.items() if not key.startswith("x-kubernetes")}
    closed = isinstance(node.get("properties"), dict) and not node.get("x-kubernetes-preserve-unknown-fields")
    if closed and isinstance(node.get("type"), str) and "additionalProperties" not in node:
        strict["additionalProperties"] = False
    return strict


def unpublished(api_version: str) -> bool:
    """Whether no package carries the CRDs of a group."""
    return api_version.partition("/")[0] in NOT_PUBLISHED
