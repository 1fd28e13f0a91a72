"""`helm/souk/files/registry.yaml`: the registry, and who may call whom by the contract, as the chart's templates read it.

A caller of a service is one that the registry lets call it and the contract lets in: with the paths that are open to
it. The edge is a caller of every service that has methods for people.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from gateway import contract
from services.registry import Registry, Service

HEADER = """\
# Generated from services/services.yaml and the contract's access rules by
# `python -m scripts.generate.chart`; a test compares them.
# roles: the deployments it has. callers: who may call the service, and which methods.
"""
EDGE = "edge"


def render(registry: Registry, contracted: contract.Contract) -> str:
    """The file's text. Raises ValueError when a service says it calls one whose contract has no method for it."""
    methods = {service.name: service.methods for service in contracted.services}
    services = {name: _block(service, registry, methods[name]) for name, service in registry.services.items()}
    topics = {name: {"partitions": topic.partitions} for name, topic in registry.topics.items()}
    return HEADER + yaml.safe_dump({"services": services, "topics": topics}, sort_keys=False, width=120)


def _block(service: Service, registry: Registry, methods: tuple[contract.Method, ...]) -> dict[str, Any]:
    return {
        "port": service.port,
        "metricsPort": service.metrics_port,
        "roles": list(service.roles),
        "stores": list(service.stores),
        "publishes": list(service.publishes),
        "consumes": list(service.consumes),
        "calls": list(service.calls),
        "outside": list(service.outside),
        "callers": dict(_callers(service.name, registry, methods)),
    }


def _callers(name: str, registry: Registry, methods: tuple[contract.Method, ...]) -> Iterator[tuple[str, list[str]]]:
    exposed = [method.grpc_path for method in methods if method.access.exposed]
    if exposed:
        yield EDGE, exposed
    for caller in registry.services.values():
        if name in caller.calls:
            yield caller.name, _open_to(caller.name, name, methods)


def _open_to(caller: str, called: str, methods: tuple[contract.Method, ...]) -> list[str]:
    """The methods whose rule names the caller, and the reads that people may do too: it does them with their token."""
    paths = [method.grpc_path for method in methods if _names(method.access, caller) or _read(method)]
    if not paths:
        raise ValueError(f"{caller} says that it calls {called}, whose contract has no method for it")
    return paths


def _names(access: contract.Access, caller: str) -> bool:
    return access.admits(caller) or caller in access.for_users


def _read(method: contract.Method) -> bool:
    return method.access.exposed and method.idempotency is contract.Idempotency.SAFE


def callers(document: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Every (caller, called) pair of a rendered file."""
    return {(caller, name) for name, block in document["services"].items() for caller in block["callers"]}
