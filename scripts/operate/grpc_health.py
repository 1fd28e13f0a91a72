"""Asks a server the standard gRPC health question; the health check of a container that holds no other tool.

python -m scripts.operate.grpc_health HOST:PORT       exit code 0 when the server says SERVING
"""

import contextlib
import sys
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc


def serving(address: str, *, timeout_s: float = 2.0) -> bool:
    """Tell whether the server at `host:port` says SERVING."""
    with contextlib.suppress(grpc.RpcError), grpc.insecure_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=timeout_s)
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
    return False


if __name__ == "__main__":
    sys.exit(0 if serving(sys.argv[1]) else 1)
