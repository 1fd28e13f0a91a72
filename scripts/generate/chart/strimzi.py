"""`k8s/strimzi/topics.yaml` and `users.yaml`: the registry's topics, and for each service a Kafka user with just its rights."""

from collections.abc import Sequence
from typing import Any

import yaml

from services.chassis.kafka import rights
from services.registry import Registry, Service

HEADER = "# Generated from services/services.yaml by `python -m scripts.generate.chart`; a test compares them.\n"
API = "kafka.strimzi.io/v1"
CLUSTER = {"strimzi.io/cluster": "souk"}


def topics(registry: Registry) -> str:
    """A KafkaTopic for each topic: three copies, of which two must have a record before it counts."""
    config = {"min.insync.replicas": 2}
    return _documents(
        [
            _object("KafkaTopic", name, {"partitions": topic.partitions, "replicas": 3, "config": config})
            for name, topic in registry.topics.items()
        ]
    )


def users(registry: Registry) -> str:
    """A KafkaUser for each service with topics, which may write what it publishes and read what it consumes."""
    return _documents([_user(service) for service in registry.services.values() if service.on_kafka])


def _user(service: Service) -> dict[str, Any]:
    acls = [_allow("topic", name, ["Describe", "Write"]) for name in sorted(rights.written(service))]
    acls += [_allow("topic", name, ["Describe", "Read"]) for name in service.consumes]
    if service.consumes:
        acls.append(_allow("group", service.name, ["Read"]))
    authorization = {"type": "simple", "acls": acls}
    return _object(
        "KafkaUser", service.name, {"authentication": {"type": "scram-sha-512"}, "authorization": authorization}
    )


def _allow(kind: str, name: str, operations: Sequence[str]) -> dict[str, Any]:
    return {"resource": {"type": kind, "name": name, "patternType": "literal"}, "operations": list(operations)}


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name, "labels": dict(CLUSTER)}, "spec": spec}


def _documents(documents: Sequence[dict[str, Any]]) -> str:
    return HEADER + yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, width=120)


class _Dumper(yaml.SafeDumper):
    """Writes no aliases: the file is for people."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - pyyaml's own signature
        return True
