"""Where the brokers are, and what crosses to and from them: a record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kafka.net.compat import KafkaNetClient

from services.chassis.kafka import logins, sockets

Client = TypeVar("Client")


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a topic. headers are text. The last three are -1 until the broker has given them.

    leader_epoch counts the leaders of the partition: with it, brokers notice a reader whose place in the log was lost.
    """

    topic: str
    key: str
    value: bytes
    headers: Mapping[str, str]
    partition: int = -1
    offset: int = -1
    leader_epoch: int = -1


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the brokers are and how to talk to them. `security` is passed to the library: TLS, SASL, IAM."""

    bootstrap: str
    client_id: str
    security: Mapping[str, Any] = field(default_factory=dict)

    def options(self) -> dict[str, Any]:
        """The settings that all clients share."""
        return {
            "bootstrap_servers": self.bootstrap.split(","),
            "client_id": self.client_id,
            "proxy_url": sockets.DIRECTLY,
            "retry_backoff_ms": 50,
            # Brokers that were away are found within a second of their return; the default would wait for up to 30.
            "reconnect_backoff_max_ms": 1000,
            # Brokers that do not let us in look like brokers that are away: give up, and say so, after this.
            "bootstrap_timeout_ms": 10000,
            **self.security,
        }

    def opened(self, kind: Callable[..., Client], **options: Any) -> Client:
        """A client of the library (a producer, a consumer, an administrator) with these options beside the shared ones.

        Raises KafkaError when no broker answers. The library would keep a thread and four files for each such try, so a
        process that waits for its brokers would run out of files: what was begun is closed.
        """
        begun: list[KafkaNetClient] = []

        def network(**given: Any) -> KafkaNetClient:
            begun.append(logins.network(**given))
            return begun[-1]

        try:
            return kind(kafka_client=network, **options, **self.options())
        except BaseException:
            for client in begun:
                client.close()
            raise
