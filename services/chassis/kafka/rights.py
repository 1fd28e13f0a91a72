"""What each user may do at the brokers: written as ACLs by `python -m services topics`, from the registry.

Where services prove themselves by user and password (SCRAM), the user of a service has its name. Rights are only ever added:
what somebody else gave stays, and what is there is not written again.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)

from services.chassis import kafka
from services.chassis.outbox import outbox

# The brokers as a whole, as ACLs name them.
CLUSTER = "kafka-cluster"
EVERY = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)


class Client(Protocol):
    """A service, as the brokers know it: its user's and its group's name, and the topics it writes and reads."""

    @property
    def name(self) -> str:
        """Its user and its consumer group."""

    @property
    def publishes(self) -> Sequence[str]:
        """The topics that it writes."""

    @property
    def consumes(self) -> Sequence[str]:
        """The topics that it reads."""


def written(service: Client) -> tuple[str, ...]:
    """The topics that a service writes: a consumer publishes to dead-letter what it cannot read or handle."""
    return (*service.publishes, *([outbox.DEAD_LETTER] if service.consumes else []))


def of_service(service: Client) -> list[ACL]:
    """The ACLs that a service needs at the brokers, and no others."""
    return [
        *(_may(service.name, ACLOperation.WRITE, ResourceType.TOPIC, topic) for topic in written(service)),
        *(_may(service.name, ACLOperation.READ, ResourceType.TOPIC, topic) for topic in service.consumes),
        *([_may(service.name, ACLOperation.READ, ResourceType.GROUP, service.name)] if service.consumes else []),
    ]


def of_administrator(user: str, topics: Sequence[str]) -> list[ACL]:
    """The ACLs of the user that creates topics and ACLs: it is not authorised to read or write records."""
    operations = (ACLOperation.ALTER, ACLOperation.DESCRIBE, ACLOperation.CREATE)
    return [
        *(_may(user, operation, ResourceType.CLUSTER, CLUSTER) for operation in operations),
        *(_may(user, ACLOperation.DESCRIBE, ResourceType.TOPIC, topic) for topic in topics),
    ]


def grant(connection: kafka.Connection, user: str, topics: Sequence[str], clients: Iterable[Client]) -> list[ACL]:
    """Create the ACLs that these clients need and do not have, as this user; returns those created.

    Raises SecurityDisabledError where brokers allow everything, ClusterAuthorizationFailedError where this user is not
    authorised to create ACLs, other KafkaErrors where they don't answer.
    """
    # The user's own come first: once a broker has an ACL for the cluster, nobody without one may create others.
    wanted = of_administrator(user, topics)
    wanted += [acl for client in clients for acl in of_service(client)]
    admin = connection.opened(KafkaAdminClient)
    try:
        there, _ = admin.describe_acls(ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, EVERY))
        given = set(there)
        missing = [acl for acl in wanted if acl not in given]
        for error in admin.create_acls(missing)["failed"] if missing else ():
            raise error
        return missing
    finally:
        admin.close()


def _may(user: str, operation: ACLOperation, kind: ResourceType, name: str) -> ACL:
    return ACL(f"User:{user}", "*", operation, ACLPermissionType.ALLOW, ResourcePattern(kind, name))
