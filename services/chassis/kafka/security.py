"""How to reach the brokers and to prove who we are: read here for producers, consumers and topics alike.

Plain text, TLS, SCRAM over TLS, or the role of the pod at AWS (`AWS_MSK_IAM`): tokens that the role's credentials sign.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kafka.errors import KafkaConfigurationError
from kafka.net.sasl import oauth

from services.chassis import credentials, kafka
from services.chassis.credentials import Credential
from services.chassis.kafka import logins, sockets
from services.chassis.settings import SettingsError, env

AWS_MSK_IAM = "AWS_MSK_IAM"
SCRAM = ("SCRAM-SHA-512", "SCRAM-SHA-256")
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT")
# A token is replaced this long before it ends, in seconds; the signer gives it 15 minutes.
RENEW_BEFORE_S = 300


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the brokers are and what they ask for."""

    bootstrap: str = env("KAFKA_BOOTSTRAP")
    protocol: str = env("KAFKA_SECURITY_PROTOCOL", default="PLAINTEXT")
    ca_file: str = env("KAFKA_CA_FILE", default="")
    mechanism: str = env("KAFKA_SASL_MECHANISM", default="")
    username: Credential = env("KAFKA_USERNAME", default=credentials.NONE)  # noqa: RUF009 - no value is made here: a field is
    password: Credential = env("KAFKA_PASSWORD", default=credentials.NONE, secret=True)  # noqa: RUF009 - the same
    region: str = env("AWS_REGION", default="")

    def connection(self, client_id: str) -> kafka.Connection:
        """How a client of this name reaches the brokers. Raises SettingsError with all that does not fit together."""
        if mistakes := [*self._transport_mistakes(), *self._identity_mistakes()]:
            raise SettingsError("\n".join(mistakes))
        security: dict[str, Any] = {"security_protocol": self.protocol}
        if self.protocol.endswith("SSL"):
            security["ssl_context"] = sockets.Tls(self.ca_file)
        if self.mechanism == AWS_MSK_IAM:
            security |= {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": RoleToken(self.region)}
        elif self.mechanism:
            security |= logins.scram(self.mechanism, self.username, self.password)
        return kafka.Connection(self.bootstrap, client_id, security)

    def _transport_mistakes(self) -> Iterator[str]:
        if self.protocol not in PROTOCOLS:
            yield f"KAFKA_SECURITY_PROTOCOL: {self.protocol!r} is none of {', '.join(PROTOCOLS)}"
        elif self.protocol.startswith("SASL") and not self.mechanism:
            yield f"KAFKA_SASL_MECHANISM is not set; {self.protocol} needs one"
        elif self.mechanism and not self.protocol.startswith("SASL"):
            yield f"KAFKA_SASL_MECHANISM: {self.protocol} takes none; SASL_SSL does"
        if self.ca_file and not self.protocol.endswith("SSL"):
            yield f"KAFKA_CA_FILE: {self.protocol} has no TLS that it could be for"
        elif self.ca_file and not Path(self.ca_file).is_file():
            yield f"KAFKA_CA_FILE: {self.ca_file} is not a file"

    def _identity_mistakes(self) -> Iterator[str]:
        if self.mechanism not in ("", AWS_MSK_IAM, *SCRAM):
            yield f"KAFKA_SASL_MECHANISM: {self.mechanism!r} is none of {', '.join([*SCRAM, AWS_MSK_IAM])}"
        named = {"KAFKA_USERNAME": self.username, "KAFKA_PASSWORD": self.password}
        for name, value in named.items():
            if self.mechanism in SCRAM and not value:
                yield f"{name} is not set; {self.mechanism} needs it"
            if self.mechanism not in SCRAM and value:
                yield f"{name} is set, and only {SCRAM[0]} uses it"
        if self.mechanism == AWS_MSK_IAM and not self.region:
            yield "AWS_REGION is not set; AWS_MSK_IAM signs for it"
        if self.mechanism == AWS_MSK_IAM and self.protocol == "SASL_PLAINTEXT":
            yield "KAFKA_SECURITY_PROTOCOL: AWS_MSK_IAM needs SASL_SSL; a token must not cross the network in the open"


class RoleToken(oauth.AbstractTokenProvider):  # type: ignore[misc]  # the library has no types
    """Tokens for MSK, signed with the credentials of this process's AWS role. Asked by several threads of the library."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._lock = threading.Lock()
        self._token, self._renew_at = "", 0.0

    def token(self) -> str:
        """A token that lives for some minutes more. Raises KafkaConfigurationError when there are no credentials."""
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider  # noqa: PLC0415 - botocore is large; few need it

        with self._lock:
            if time.time() >= self._renew_at:
                try:
                    self._token, ends_ms = MSKAuthTokenProvider.generate_auth_token(self._region)
                except (AttributeError, ValueError) as error:
                    # The signer asks for the key of credentials that are None, or that are empty.
                    raise KafkaConfigurationError("AWS_MSK_IAM: no AWS credentials were found") from error
                self._renew_at = ends_ms / 1000 - RENEW_BEFORE_S
            return self._token
