"""The programs of the simulated cluster, built from Go modules once for each machine and kept by version.

Each folder of `go/` names one module and, in its go.sum, the hash of everything that goes into it. What comes out is kept
under `~/.cache/souk/cluster` (or XDG_CACHE_HOME): programs, kwok's stages and the JSON schemas of Kubernetes.
"""

import functools
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.cluster import schemas
from scripts.stack.supervise import go, kept, problems, progress, sizes

MODULES = Path(__file__).with_name("go")
CACHE = kept.Cache("cluster", space=8 * sizes.GIB)
KUBERNETES = "k8s.io/kubernetes"
_KUBERNETES_MINOR = 36
_COMPONENT = "k8s.io/component-base/version"
_CHARTS = "helm.sh/helm/v3/pkg/chartutil"

# Servers that describe themselves in OpenAPI do so by code that knows the first version of encoding/json. With the second, which
# Go takes by itself from 1.27 on, metrics-server writes a document that the API server can't merge with its own: kubectl and
# helm then say "the server is currently unable to handle the request" where they should name a kind that is not there.
_FIRST_JSON = "nojsonv2"
_KUBERNETES_STAMPS = {
    f"{_COMPONENT}.gitVersion": "{version}",
    f"{_COMPONENT}.gitMajor": "1",
    f"{_COMPONENT}.gitMinor": str(_KUBERNETES_MINOR),
}
_CONTAINERD = "github.com/containerd/containerd/v2"
_CNI = "github.com/containernetworking/plugins"


def _stages(source: Path, into: Path) -> None:
    shutil.copytree(source / "kustomize", into / "kustomize", copy_function=shutil.copyfile)


def _schemas(source: Path, into: Path) -> None:
    schemas.write(source / "api" / "openapi-spec" / "swagger.json", into)


_tool = functools.partial(go.Tool, modules=MODULES, cache=CACHE)
# In the order in which they are built: what is quick and what others wait for comes first.
TOOLS = (
    _tool(
        "kubeconform", "github.com/yannh/kubeconform", ("github.com/yannh/kubeconform/cmd/kubeconform",), minutes=0.2
    ),
    _tool("schemas", KUBERNETES, folder="kubernetes", gather=_schemas, minutes=0.5),
    _tool(
        "helm",
        "helm.sh/helm/v3",
        ("helm.sh/helm/v3/cmd/helm",),
        {
            "helm.sh/helm/v3/internal/version.version": "{version}",
            f"{_CHARTS}.k8sVersionMajor": "1",
            f"{_CHARTS}.k8sVersionMinor": str(_KUBERNETES_MINOR),
        },
        minutes=2,
    ),
    _tool("etcd", "go.etcd.io/etcd/server/v3", ("go.etcd.io/etcd/server/v3",), program="etcd"),
    _tool(
        "kubernetes",
        KUBERNETES,
        tuple(
            f"{KUBERNETES}/cmd/{name}"
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
        ),
        _KUBERNETES_STAMPS,
        experiment=_FIRST_JSON,
        minutes=6.5,
    ),
    _tool("kwok", "sigs.k8s.io/kwok", ("sigs.k8s.io/kwok/cmd/kwok",), gather=_stages, minutes=1.2),
    _tool(
        "metrics-server",
        "sigs.k8s.io/metrics-server",
        ("sigs.k8s.io/metrics-server/cmd/metrics-server",),
        experiment=_FIRST_JSON,
        minutes=2.5,
    ),
)
# What the real node needs besides (tests/deploy/node/host).
NODE_TOOLS = (
    _tool(
        "kubelet",
        KUBERNETES,
        (f"{KUBERNETES}/cmd/kubelet", f"{KUBERNETES}/cmd/kube-proxy"),
        _KUBERNETES_STAMPS,
        minutes=4,
    ),
    _tool(
        "containerd",
        _CONTAINERD,
        tuple(f"{_CONTAINERD}/cmd/{name}" for name in ("containerd", "containerd-shim-runc-v2", "ctr")),
        minutes=2,
    ),
    _tool(
        "cni",
        _CNI,
        tuple(f"{_CNI}/plugins/{name}" for name in ("main/ptp", "main/loopback", "ipam/host-local")),
        minutes=0.3,
    ),
    _tool("coredns", "github.com/coredns/coredns", ("github.com/coredns/coredns",), minutes=2),
)
EVERY = (*TOOLS, *NODE_TOOLS)


def path(name: str, report: progress.Progress | None = None) -> Path:
    """A program (`helm`, `kubectl`, `kube-apiserver`...), or the folder `schemas` or `stages`; built if it is not there yet.

    Raises a StackError when it can't be built, KeyError when no tool has it.
    """
    if name == "stages":
        return ready("kwok", report) / "kustomize"
    if name == "schemas":
        return ready("schemas", report)
    having = {program: tool.name for tool in EVERY for program in tool.programs}
    return ready(having[name], report) / name


def ready(tool: str, report: progress.Progress | None = None) -> Path:
    """The folder of a tool, built if it is not there yet."""
    found = named(tool)
    build((found,), report or progress.Progress(sys.stderr))
    return found.home


def named(name: str) -> go.Tool:
    """A tool by its name. Raises a StackError when there is none."""
    for tool in EVERY:
        if tool.name == name:
            return tool
    raise problems.StackError(f"there is no tool {name}: there are {', '.join(tool.name for tool in EVERY)}")


def build(wanted: Sequence[go.Tool], report: progress.Progress) -> None:
    """Build those of the tools that are not there yet. Raises a StackError when one can't be built."""
    CACHE.make([tool.kept_folder for tool in wanted], report)
