"""How to reach the brokers and to prove who we are: read here for producers, consumers and topics alike.

Plain text, TLS, SCRAM over TLS, or the role of the pod at AWS (`AWS_MSK_IAM`): tokens that the role's credentials sign.
"""

import threading
import time
from dataclasses import dataclass
from typing import Any

from kafka.net.sasl import oauth

from services.chassis import kafka
from services.chassis.settings import SettingsError, env

AWS_MSK_IAM = "AWS_MSK_IAM"
# A token is replaced this long before it ends, in seconds; the signer gives it 15 minutes.
RENEW_BEFORE_S = 300


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the brokers are and what they ask for."""

    bootstrap: str = env("KAFKA_BOOTSTRAP")
    protocol: str = env("KAFKA_SECURITY_PROTOCOL", default="PLAINTEXT")
    ca_file: str = env("KAFKA_CA_FILE", default="")
    mechanism: str = env("KAFKA_SASL_MECHANISM", default="")
    username: str = env("KAFKA_USERNAME", default="")
    password: str = env("KAFKA_PASSWORD", default="", secret=True)
    region: str = env("AWS_REGION", default="")

    def connection(self, client_id: str) -> kafka.Connection:
        """How a client of this name reaches the brokers. Raises SettingsError when something is missing for it."""
        if self.protocol.startswith("SASL") != bool(self.mechanism):
            raise SettingsError("KAFKA_SASL_MECHANISM and a KAFKA_SECURITY_PROTOCOL of SASL_SSL go together")
        security: dict[str, Any] = {"security_protocol": self.protocol, "ssl_cafile": self.ca_file or None}
        if self.mechanism == AWS_MSK_IAM:
            if not self.region or self.protocol != "SASL_SSL":
                raise SettingsError("AWS_MSK_IAM needs AWS_REGION and KAFKA_SECURITY_PROTOCOL=SASL_SSL")
            security |= {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": RoleToken(self.region)}
        elif self.mechanism:
            if not (self.username and self.password):
                raise SettingsError(f"{self.mechanism} needs KAFKA_USERNAME and KAFKA_PASSWORD")
            security |= {"sasl_mechanism": self.mechanism, "sasl_plain_username": self.username}
            security["sasl_plain_password"] = self.password
        return kafka.Connection(self.bootstrap, client_id, security)


class RoleToken(oauth.AbstractTokenProvider):  # type: ignore[misc]  # the library has no types
    """Tokens for MSK, signed with the credentials of this process's AWS role. Asked by several threads of the library."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._lock = threading.Lock()
        self._token, self._renew_at = "", 0.0

    def token(self) -> str:
        """A token that lives for some minutes more. Raises what botocore raises without credentials."""
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider  # noqa: PLC0415 - botocore is large; few need it

        with self._lock:
            if time.time() >= self._renew_at:
                self._token, ends_ms = MSKAuthTokenProvider.generate_auth_token(self._region)
                self._renew_at = ends_ms / 1000 - RENEW_BEFORE_S
            return self._token
