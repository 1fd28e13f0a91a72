"""Renders the chart with Helm, once for each set of arguments, and validates what comes out with kubeconform."""

import functools
import json
import subprocess
from collections.abc import Sequence

from scripts.cluster import tools
from scripts.generate.chart import package
from tests.deploy.charts import crds, objects

NAMESPACE = "shop"
LAPTOP, AWS = str(package.CHART / "values-laptop.yaml"), str(package.CHART / "values-aws.yaml")
# The least that the default values leave open.
DEFAULT = ("--set", "kafka.bootstrap=kafka.example:9096")
OPERATORS = tuple(
    argument
    for api in ("cert-manager.io/v1", "keda.sh/v1alpha1", "monitoring.coreos.com/v1")
    for argument in ("--api-versions", api)
)
GATEWAY = ("--set", "edge.gateway.enabled=true,edge.gateway.parent.name=public,edge.gateway.hosts={api.souk.example}")
CANARY = ("--set", "canary=true,edge.ingress.enabled=false")
SCRAM = ("--set", "kafka.saslMechanism=SCRAM-SHA-512,kafka.caFile=kafka.pem")
CASES = {
    "defaults": DEFAULT,
    "defaults with operators": (*DEFAULT, *OPERATORS),
    "development": ("-f", LAPTOP),
    "development with operators": ("-f", LAPTOP, *OPERATORS, "--set", "autoscaling.enabled=true"),
    "production": ("-f", AWS),
    "production with operators": ("-f", AWS, *OPERATORS),
    "production with SCRAM": ("-f", AWS, *OPERATORS, *SCRAM),
    "Istio": ("-f", AWS, *OPERATORS, *GATEWAY, "--set", "mesh.provider=istio,mesh.tls.enabled=false"),
    "Istio around TLS of our own": ("-f", AWS, *OPERATORS, "--set", "mesh.provider=istio"),
    "Linkerd": ("-f", AWS, *OPERATORS, "--set", "mesh.provider=linkerd,mesh.tls.enabled=false"),
    "a canary": ("-f", AWS, *OPERATORS, *CANARY),
    "a single pod of each": (*DEFAULT, "--set", "autoscaling.enabled=false,serve.replicas=1,work.replicas=1"),
}


class RefusedError(Exception):
    """Helm would not render: its message."""


@functools.cache
def text(*arguments: str, release: str = "souk") -> str:
    """The manifests for these arguments. Raises RefusedError."""
    command = [str(tools.path("helm")), "template", release, str(package.CHART), "--namespace", NAMESPACE, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a tool of ours
    if done.returncode:
        raise RefusedError(done.stderr)
    return done.stdout


def rendered(*arguments: str, release: str = "souk") -> list[objects.Object]:
    """The objects for these arguments, parsed anew each time so that a test may change them. Raises RefusedError."""
    return objects.parse(text(*arguments, release=release))


def lint(*arguments: str) -> str:
    """What `helm lint` says. Raises RefusedError when it finds an error."""
    command = [str(tools.path("helm")), "lint", "--strict", str(package.CHART), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a tool of ours
    if done.returncode:
        raise RefusedError(done.stdout + done.stderr)
    return done.stdout


def invalid(manifests: str) -> list[str]:
    """What kubeconform has against manifests, a line each; nothing is skipped but what no package describes."""
    pattern = "{{.ResourceKind}}{{.KindSuffix}}.json"
    known = [
        argument
        for path in (tools.path("schemas"), crds.folder())
        for argument in ("-schema-location", f"{path}/{pattern}")
    ]
    command = [
        str(tools.path("kubeconform")),
        "-strict",
        "-output",
        "json",
        "-verbose",
        *known,
        *_skipped(manifests),
        "-",
    ]
    done = subprocess.run(command, input=manifests, capture_output=True, text=True, check=False)  # noqa: S603 - a tool of ours
    found = json.loads(done.stdout)["resources"]
    return [
        f"{one['kind']} {one['name']}: {one['msg']}"
        for one in found
        if one["status"] in ("statusInvalid", "statusError")
    ]


def _skipped(manifests: str) -> Sequence[str]:
    kinds = {
        f"{item['apiVersion']}/{item['kind']}"
        for item in objects.parse(manifests)
        if crds.unpublished(item["apiVersion"])
    }
    return ["-skip", ",".join(sorted(kinds))] if kinds else []
