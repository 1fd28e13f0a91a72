"""Signing in at the brokers: the user and the password of the moment for each connection, and an alarm when they are refused.

kafka-python takes a password once: a process would have to restart when it changes.
"""

from typing import Any

from kafka.errors import SaslAuthenticationFailedError
from kafka.net import sasl
from kafka.net.compat import KafkaNetClient
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

from services.chassis.credentials import Credential

_USER, _PASSWORD = "sasl_plain_username", "sasl_plain_password"


class _Scram(sasl.SaslMechanismScram):  # type: ignore[misc]  # the library has no types
    """The library's SCRAM, made for each connection, with credentials that are read then."""

    def __init__(self, **config: Any) -> None:
        super().__init__(**config | {name: config[name].current() for name in (_USER, _PASSWORD)})


class _Connections(KafkaConnectionManager):  # type: ignore[misc]  # as above
    """The library's connections, where a login that a broker refuses raises an alarm."""

    async def _connect(self, node: Any, conn: Any, **options: Any) -> None:
        await super()._connect(node, conn, **options)
        failure, password = conn.init_future.exception, self.config[_PASSWORD]
        if isinstance(failure, SaslAuthenticationFailedError) and isinstance(password, Credential):
            password.refused(str(failure))


def scram(mechanism: str, user: Credential, password: Credential) -> dict[str, Any]:
    """The library's settings for signing in by this mechanism."""
    sasl.register_sasl_mechanism(mechanism, _Scram, overwrite=True)
    return {"sasl_mechanism": mechanism, _USER: user, _PASSWORD: password}


def network(**options: Any) -> KafkaNetClient:
    """What a client of the library connects with, by the library's own options."""
    net = NetworkSelector(**options)
    return KafkaNetClient(net, _Connections(net, **options), **options)
