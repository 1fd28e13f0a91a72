"""The servers of a simulated cluster, each as the command, the port and the health check that the local stack's own have."""

import ssl
from collections.abc import Sequence
from http.client import HTTPException, HTTPSConnection
from pathlib import Path

import yaml

from scripts.cluster import layout, pki, stages, tools
from scripts.operate import storage
from scripts.stack.supervise import component, fingerprints, health, places, processes

# In the order in which they are started; they end in the opposite one.
NAMES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "metrics-server")
SERVICES, PODS = "10.96.0.0/16", "10.244.0.0/16"
_ISSUER = "https://kubernetes.default.svc"
_AUTOSCALER = "--horizontal-pod-autoscaler"
_REQUEST_HEADERS = {"username": "X-Remote-User", "group": "X-Remote-Group", "extra-headers-prefix": "X-Remote-Extra-"}


def etcd(cluster: layout.Cluster) -> component.Component:
    """The store. It does not wait for the disk: the data of a simulated cluster may be lost."""
    clients, peers = f"http://{cluster.address('etcd')}", f"http://{cluster.address('etcd-peer')}"
    flags = (
        *("--name=simulated", f"--data-dir={cluster.folder / 'etcd'}", "--unsafe-no-fsync", "--log-level=warn"),
        *(f"--listen-client-urls={clients}", f"--advertise-client-urls={clients}"),
        *(f"--listen-peer-urls={peers}", f"--initial-advertise-peer-urls={peers}"),
        f"--initial-cluster=simulated={peers}",
    )
    address = cluster.address("etcd")
    return _component(cluster, "etcd", flags, healthy=lambda: health.http(f"http://{address}/health"))


def apiserver(cluster: layout.Cluster) -> component.Component:
    """The API, with the admission of any cluster: pod security, quotas, priorities, disruption budgets."""
    # Pods find the API by its endpoint, which can't be a loopback address: simulated ones don't look for it.
    reconciler = "none" if cluster.host == places.HOST else "lease"
    headers = (f"--requestheader-{name}{_plural(name)}={value}" for name, value in _REQUEST_HEADERS.items())
    flags = (
        *(f"--etcd-servers=http://{cluster.address('etcd')}", f"--endpoint-reconciler-type={reconciler}"),
        *(f"--advertise-address={cluster.host}", f"--service-cluster-ip-range={SERVICES}"),
        # As on any cluster it is pod security that says who may be privileged, not the API's own old switch.
        "--allow-privileged=true",
        *("--authorization-mode=Node,RBAC", f"--client-ca-file={cluster.certificate(pki.AUTHORITY)}"),
        *(f"--service-account-issuer={_ISSUER}", f"--service-account-key-file={cluster.certificate(pki.ACCOUNTS)}"),
        f"--service-account-signing-key-file={cluster.key(pki.ACCOUNTS)}",
        f"--proxy-client-cert-file={cluster.certificate('front-proxy')}",
        f"--proxy-client-key-file={cluster.key('front-proxy')}",
        f"--requestheader-client-ca-file={cluster.certificate(pki.AUTHORITY)}",
        *("--requestheader-allowed-names=front-proxy", *headers),
        # What people read of a pod's log, the API reads of its kubelet.
        *(f"--kubelet-certificate-authority={cluster.certificate(pki.AUTHORITY)}", *_client(cluster)),
        "--kubelet-preferred-address-types=InternalIP",
        *_serving(cluster, "kube-apiserver"),
    )
    return _secure(cluster, "kube-apiserver", flags, path="/readyz")


def controller_manager(cluster: layout.Cluster) -> component.Component:
    """Deployments, jobs, endpoints, budgets and the autoscaler, which looks more often here than on a real cluster."""
    flags = (
        *(f"--kubeconfig={kubeconfig(cluster, 'kube-controller-manager')}", "--leader-elect=false"),
        *("--use-service-account-credentials", "--allocate-node-cidrs", f"--cluster-cidr={PODS}"),
        f"--service-account-private-key-file={cluster.key(pki.ACCOUNTS)}",
        f"--root-ca-file={cluster.certificate(pki.AUTHORITY)}",
        *(f"{_AUTOSCALER}-sync-period=3s", f"{_AUTOSCALER}-cpu-initialization-period=5s"),
        f"{_AUTOSCALER}-initial-readiness-delay=2s",
        *_serving(cluster, "kube-controller-manager"),
    )
    return _secure(cluster, "kube-controller-manager", flags, path="/healthz")


def scheduler(cluster: layout.Cluster) -> component.Component:
    """Which node a pod goes to."""
    found = kubeconfig(cluster, "kube-scheduler")
    flags = (
        *(f"--kubeconfig={found}", f"--authentication-kubeconfig={found}", f"--authorization-kubeconfig={found}"),
        *("--leader-elect=false", *_serving(cluster, "kube-scheduler")),
    )
    return _secure(cluster, "kube-scheduler", flags, path="/healthz")


def nodes(cluster: layout.Cluster) -> component.Component:
    """kwok: the kubelets of the simulated nodes. Raises a StackError when it can't be built."""
    address = cluster.address("kwok")
    config = stages.write(cluster)
    flags = (
        *(f"--kubeconfig={kubeconfig(cluster, pki.ADMIN)}", f"--config={config}"),
        *("--manage-all-nodes=true", "--node-lease-duration-seconds=40"),
        *(f"--node-ip={places.HOST}", f"--node-port={cluster.port('kwok')}", f"--server-address={address}"),
        *(f"--tls-cert-file={cluster.certificate(pki.ADMIN)}", f"--tls-private-key-file={cluster.key(pki.ADMIN)}"),
    )
    return _secure(cluster, "kwok", flags, path="/healthz", sources=(config,))


def metrics(cluster: layout.Cluster) -> component.Component:
    """metrics-server: what pods use, as the autoscaler asks for it."""
    found = kubeconfig(cluster, pki.ADMIN)
    flags = (
        *(f"--kubeconfig={found}", f"--authentication-kubeconfig={found}", f"--authorization-kubeconfig={found}"),
        *("--kubelet-insecure-tls", "--kubelet-use-node-status-port", "--kubelet-preferred-address-types=InternalIP"),
        # It is not told to look more often than every ten seconds, and refuses to wait longer than it looks.
        *("--metric-resolution=10s", "--kubelet-request-timeout=5s"),
        *_serving(cluster, pki.ADMIN, port="metrics-server"),
    )
    return _secure(cluster, "metrics-server", flags, path="/livez")


def answers(cluster: layout.Cluster, part: str, path: str) -> bool:
    """Tell whether a server of the cluster answers 200 there. Never raises."""
    try:
        context = ssl.create_default_context(cafile=cluster.certificate(pki.AUTHORITY))
        context.load_cert_chain(cluster.certificate(pki.ADMIN), cluster.key(pki.ADMIN))
        connection = HTTPSConnection(cluster.host, cluster.port(part), timeout=health.TIMEOUT_S, context=context)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        finally:
            connection.close()
    except (OSError, HTTPException):
        return False


def _secure(
    cluster: layout.Cluster, name: str, flags: Sequence[str], *, path: str, sources: Sequence[Path] = ()
) -> component.Component:
    return _component(cluster, name, flags, healthy=lambda: answers(cluster, name, path), sources=sources)


def _component(
    cluster: layout.Cluster,
    name: str,
    flags: Sequence[str],
    *,
    healthy: component.Check,
    sources: Sequence[Path] = (),
) -> component.Component:
    command = (str(tools.path(name)), *flags)
    return component.Component(
        name=name,
        program=processes.Program(command, {}, cluster.folder),
        address=cluster.address(name),
        ports=tuple(cluster.port(part) for part in layout.OFFSETS if part in (name, f"{name}-peer")),
        variable="CLUSTER_PORT_BASE",
        healthy=healthy,
        fingerprint=fingerprints.of(command, {}, [*sources, cluster.certificate(pki.AUTHORITY)]),
    )


def _serving(cluster: layout.Cluster, party: str, *, port: str = "") -> tuple[str, ...]:
    """On the cluster's address only, by a certificate of the cluster's authority."""
    return (
        f"--bind-address={cluster.host}",
        f"--secure-port={cluster.port(port or party)}",
        f"--tls-cert-file={cluster.certificate(party)}",
        f"--tls-private-key-file={cluster.key(party)}",
    )


def _client(cluster: layout.Cluster) -> tuple[str, ...]:
    certificate, key = cluster.certificate(pki.ADMIN), cluster.key(pki.ADMIN)
    return (f"--kubelet-client-certificate={certificate}", f"--kubelet-client-key={key}")


def kubeconfig(cluster: layout.Cluster, party: str) -> Path:
    """The file by which a party finds the API and proves who it is."""
    file = cluster.folder / f"{party}.kubeconfig"
    user = {"client-certificate": str(cluster.certificate(party)), "client-key": str(cluster.key(party))}
    server = {"server": cluster.server, "certificate-authority": str(cluster.certificate(pki.AUTHORITY))}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "simulated", "cluster": server}],
        "users": [{"name": party, "user": user}],
        "contexts": [{"name": "simulated", "context": {"cluster": "simulated", "user": party}}],
        "current-context": "simulated",
    }
    storage.write(file, yaml.safe_dump(document, sort_keys=False))
    return file


def _plural(name: str) -> str:
    return "" if name.endswith("prefix") else "-headers"
