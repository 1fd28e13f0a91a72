"""Mutual TLS of the mesh: who a process is, by a certificate in its files, taken anew whenever the files change.

The folder holds `tls.crt`, `tls.key` and `ca.crt`, as a mounted secret does. A certificate's URI `spiffe://souk/<service>`
says who calls; its DNS name `<service>` lets a caller see that it reached whom it meant.
"""

import asyncio
import functools
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from services.chassis import errors, tasks

TRUST_DOMAIN = "spiffe://souk/"
# Files are looked at again this often at most, in seconds.
LOOK_EVERY_S = 1.0
# A channel with an older certificate may finish its calls for so long: no call may take longer (serving.MOST_TIMEOUT_S).
FINISH_S = 30.0


@dataclass(frozen=True, slots=True)
class Identity:
    """A key with its certificate, and whom to trust; all PEM."""

    key: bytes
    certificate: bytes
    trusted: bytes


class Certificates:
    """The identity in a folder. Raises OSError or ValueError when there is none to begin with."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp = self._stamped()
        self._identity = self._read()
        self._look_at = time.monotonic() + LOOK_EVERY_S

    def current(self) -> Identity:
        """The newest identity whose files fit together. May be called from any thread; raises nothing."""
        if (now := time.monotonic()) >= self._look_at:
            self._look_at = now + LOOK_EVERY_S
            try:
                if (stamp := self._stamped()) != self._stamp:
                    self._identity, self._stamp = self._read(), stamp
            except (OSError, ValueError):
                pass  # in the middle of a change: what was good stays, and the next look sees the rest
        return self._identity

    def for_server(self) -> grpc.ServerCredentials:
        """For a server: every client shows a certificate; a new connection gets what the files hold by then."""
        shown = self.current()

        def renewed() -> Any:
            nonlocal shown
            # gRPC exchanges what it is given without a lock, and two handshakes in that moment may end the process: so it
            # is given nothing but what is really new, not the same again at each handshake.
            before, shown = shown, self.current()
            return None if shown is before else _configuration(shown)

        return grpc.dynamic_ssl_server_credentials(_configuration(shown), renewed, require_client_authentication=True)

    def _stamped(self) -> tuple[tuple[int, int], ...]:
        states = [(self._folder / name).stat() for name in ("tls.key", "tls.crt", "ca.crt")]
        return tuple((state.st_ino, state.st_mtime_ns) for state in states)

    def _read(self) -> Identity:
        key, certificate, trusted = ((self._folder / name).read_bytes() for name in ("tls.key", "tls.crt", "ca.crt"))
        private = serialization.load_pem_private_key(key, None)
        if x509.load_pem_x509_certificate(certificate).public_key() != private.public_key():
            raise ValueError(f"{self._folder}: the certificate is not of this key")
        x509.load_pem_x509_certificates(trusted)
        return Identity(key, certificate, trusted)


def _configuration(identity: Identity) -> Any:
    return grpc.ssl_server_certificate_configuration([(identity.key, identity.certificate)], identity.trusted)


def caller(peer: Mapping[str, Iterable[bytes]]) -> str:
    """The service that the certificate in gRPC's auth context names. Raises SERVICE_UNKNOWN."""
    uris = [uri.decode() for uri in peer.get("peer_spiffe_id", ())]
    if len(uris) != 1 or not uris[0].startswith(TRUST_DOMAIN):
        raise errors.DomainError(
            errors.Code.UNAUTHENTICATED, "SERVICE_UNKNOWN", "the client certificate does not name a service"
        )
    return uris[0].removeprefix(TRUST_DOMAIN)


class Channel:
    """The part of a channel that stubs use, over one that is opened anew for a new certificate; calls go on meanwhile."""

    def __init__(self, own: Certificates, open_: Callable[[grpc.ChannelCredentials], grpc.aio.Channel]) -> None:
        self._own = own
        self._open = open_
        self._identity: Identity | None = None
        self._channel: grpc.aio.Channel | None = None
        self._methods: dict[Any, Any] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def unary_unary(self, path: str, **options: Any) -> Callable[..., Any]:
        """Calls this method."""
        return functools.partial(self._call, "unary_unary", path, options)

    def unary_stream(self, path: str, **options: Any) -> Callable[..., Any]:
        """Calls this method, which answers with a stream."""
        return functools.partial(self._call, "unary_stream", path, options)

    def stream_unary(self, path: str, **options: Any) -> Callable[..., Any]:
        """Calls this method, which takes a stream."""
        return functools.partial(self._call, "stream_unary", path, options)

    def stream_stream(self, path: str, **options: Any) -> Callable[..., Any]:
        """Calls this method, which takes a stream and answers with one."""
        return functools.partial(self._call, "stream_stream", path, options)

    def _call(self, kind: str, path: str, options: dict[str, Any], request: Any, **call: Any) -> Any:
        if (identity := self._own.current()) is not self._identity:
            self._replace(identity)
        if path not in self._methods:
            self._methods[path] = getattr(self._channel, kind)(path, **options)
        return self._methods[path](request, **call)

    def _replace(self, identity: Identity) -> None:
        if self._channel:
            task = tasks.spawn(self._channel.close(FINISH_S), name="channel-close")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        self._identity, self._methods = identity, {}
        self._channel = self._open(grpc.ssl_channel_credentials(identity.trusted, identity.key, identity.certificate))

    async def close(self) -> None:
        """Close it, and those before it."""
        for task in self._closing:
            task.cancel()
        if self._channel:
            await self._channel.close()
