"""The health of a process, whatever it hosts: what probes ask, in plain text and apart from the mesh's own ports.

    await process.run(health.around(parts, "0.0.0.0:50040"))

Every service has the health of its own server besides; this one is there in every role, also where nothing else listens.
"""

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer

from services.chassis import process

# What a probe asks for. Readiness is the empty name, which stands for the process as a whole.
READY = ""
LIVE = "live"
_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Listening:
    """Answers probes from before the first part starts until after the last one has stopped.

    It lives on the event loop that does the work: `live` is answered only while that loop turns.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._server: grpc.aio.Server | None = None
        self.answers = HealthServicer()

    async def start(self) -> None:
        """Listen; alive, and not yet ready. Raises OSError when the address is taken."""
        await self.answers.set(LIVE, _SERVING)
        await self.answers.set(READY, _NOT_SERVING)
        # Two processes on one port would each answer half of the probes: a port in use is an error.
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        health_pb2_grpc.add_HealthServicer_to_server(self.answers, self._server)
        try:
            self._server.add_insecure_port(self._address)
        except RuntimeError as error:
            raise OSError(f"health: cannot listen on {self._address}; is it in use?") from error
        await self._server.start()

    async def stop(self) -> None:
        """Answer no more; whoever watches is told by the end of the stream."""
        if self._server:
            await self._server.stop(None)


class Ready:
    """Ready between its start and its stop: listed last, it starts when all others have, and ends before any of them."""

    def __init__(self, listening: Listening) -> None:
        self._listening = listening

    async def start(self) -> None:
        """Say that everything has started."""
        await self._listening.answers.set(READY, _SERVING)

    async def stop(self) -> None:
        """Say that no work should be sent here any more."""
        await self._listening.answers.set(READY, _NOT_SERVING)


def around(parts: list[process.Part], address: str) -> list[process.Part]:
    """The parts, with the health of their process at `address` (`host:port`); as they are without an address."""
    if not address:
        return parts
    listening = Listening(address)
    return [listening, *parts, Ready(listening)]
