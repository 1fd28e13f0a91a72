"""What makes the machine in the node's network a node: the kubelet, which runs pods, and kube-proxy, which finds services."""

import dataclasses
import os
from typing import Any

import yaml

from scripts.cluster import layout, pki, servers, tools
from scripts.operate import storage
from scripts.stack.supervise import component, fingerprints, health, processes
from tests.deploy.node.host import names, network, runtime

ZONE = "eu-west-1a"
_KUBELET_HEALTH, _PROXY_HEALTH = 10248, 10256
Document = dict[str, Any]


def kubelet(cluster: layout.Cluster) -> component.Component:
    """The kubelet: probes, volumes, security contexts and grace periods are its work."""
    flags = (
        f"--kubeconfig={servers.kubeconfig(cluster, 'kubelet')}",
        f"--hostname-override={layout.NODE_NAME}",
        f"--node-ip={layout.NODE}",
        f"--node-labels=topology.kubernetes.io/zone={ZONE},topology.kubernetes.io/region={ZONE[:-1]}",
        f"--root-dir={cluster.folder / 'kubelet'}",
    )
    agent = _agent(cluster, "kubelet", flags, _kubelet_configuration(cluster), _KUBELET_HEALTH)
    return dataclasses.replace(agent, prepare=runtime.make_groups)


def proxy(cluster: layout.Cluster) -> component.Component:
    """kube-proxy, by nftables."""
    configuration = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "bindAddress": layout.NODE,
        "healthzBindAddress": f"{layout.NODE}:{_PROXY_HEALTH}",
        "metricsBindAddress": f"{layout.NODE}:10249",
        "hostnameOverride": layout.NODE_NAME,
        "clientConnection": {"kubeconfig": str(servers.kubeconfig(cluster, "kube-proxy"))},
        # Limits of the whole machine, which are not this network's to set.
        "conntrack": {"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }
    return _agent(cluster, "kube-proxy", (), configuration, _PROXY_HEALTH)


def _kubelet_configuration(cluster: layout.Cluster) -> Document:
    resolver = cluster.folder / "resolv.conf"
    storage.write(resolver, "nameserver 127.0.0.1\n")
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {"x509": {"clientCAFile": str(cluster.certificate(pki.AUTHORITY))}},
        "tlsCertFile": str(cluster.certificate("kubelet")),
        "tlsPrivateKeyFile": str(cluster.key("kubelet")),
        "address": layout.NODE,
        "healthzBindAddress": layout.NODE,
        "healthzPort": _KUBELET_HEALTH,
        "containerRuntimeEndpoint": f"unix://{runtime.socket(cluster)}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{runtime.GROUP}",
        # The machine may still have the first version of control groups, and swap.
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [names.ADDRESS],
        "clusterDomain": "cluster.local",
        "resolvConf": str(resolver),
        # A full disk of this machine is not the node's business, nor are its images.
        "evictionHard": {"memory.available": "100Mi"},
        "imageGCHighThresholdPercent": 100,
        "volumePluginDir": str(cluster.folder / "kubelet" / "plugins"),
        "podLogsDir": str(cluster.folder / "logs" / "pods"),
    }


def _agent(
    cluster: layout.Cluster, name: str, flags: tuple[str, ...], configuration: Document, health_port: int
) -> component.Component:
    config = cluster.folder / f"{name}.yaml"
    storage.write(config, yaml.safe_dump(configuration, sort_keys=False))
    command = (*network.INSIDE, str(tools.path(name)), f"--config={config}", *flags)
    return component.Component(
        name=name,
        program=processes.Program(command, {"PATH": os.environ["PATH"]}, cluster.folder, umask=network.PUBLIC_UMASK),
        address=f"{layout.NODE}:{health_port}",
        ports=(),
        variable="",
        healthy=lambda: health.http(f"http://{layout.NODE}:{health_port}/healthz"),
        fingerprint=fingerprints.of(command, {}, [config]),
    )
