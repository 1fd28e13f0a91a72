"""Topics: made when they are missing, with the cluster's replication; never shrunk, which would re-key what is in them."""

from collections.abc import Mapping
from dataclasses import dataclass

from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import TopicAlreadyExistsError

from services.chassis import kafka
from services.chassis.settings import env


@dataclass(frozen=True, slots=True)
class Settings:
    """How often the brokers keep a record, and whether users get their rights too, where they sign in by password."""

    replication: int = env("KAFKA_REPLICATION", default=3)
    acls: bool = env("KAFKA_ACLS", default=True)


def ensure(connection: kafka.Connection, wanted: Mapping[str, int], *, replication: int) -> list[str]:
    """Make the topics (name to partitions) that do not exist: the names of those made. Raises KafkaError."""
    admin = connection.opened(KafkaAdminClient)
    try:
        missing = [name for name in wanted if name not in set(admin.list_topics())]
        made = []
        for name in missing:
            try:
                admin.create_topics([NewTopic(name, wanted[name], replication)])
            except TopicAlreadyExistsError:
                continue  # somebody else made it meanwhile
            made.append(name)
        return made
    finally:
        admin.close()
