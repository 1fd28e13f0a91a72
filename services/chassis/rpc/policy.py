"""What the contract says of a method: `souk.options.v1.policy`, read from the descriptor once."""

from dataclasses import dataclass

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from services.chassis.rpc import bounds
from souk.options.v1 import options_pb2

DEFAULT_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Method:
    """A method's name and policy.

    timeout_s is 0 for a stream without limit. retriable: calling it twice does no harm. most_bytes: no valid request is larger.
    for_users are the services that may call it for a person, with the person's access token. stream_bytes is what the messages
    of a stream of requests may have together; 0 for a method that takes one request.
    """

    path: str
    public: bool
    roles: frozenset[str]
    services: frozenset[str]
    any_service: bool
    timeout_s: float
    retriable: bool
    most_bytes: int
    for_users: frozenset[str] = frozenset()
    stream_bytes: int = 0

    @property
    def for_services(self) -> bool:
        """Whether any service may call it on its own behalf."""
        return self.any_service or bool(self.services)

    def admits(self, service: str) -> bool:
        """Whether this service of the mesh may call it on its own behalf."""
        return self.any_service or service in self.services


def of_method(descriptor: MethodDescriptor) -> Method:
    """The policy of one method. Raises ValueError for one without an access rule, or whose requests have no upper bound."""
    policy = descriptor.GetOptions().Extensions[options_pb2.policy]
    access = policy.access
    if not (access.public or access.roles or access.services or access.any_service):
        raise ValueError(f"{descriptor.full_name} has no access rule")
    if bool(policy.stream_bytes) != descriptor.client_streaming:
        raise ValueError(
            f"{descriptor.full_name}: stream_bytes belongs to every stream of requests, and to nothing else"
        )
    default = 0.0 if descriptor.server_streaming else DEFAULT_TIMEOUT_S
    return Method(
        path=f"/{descriptor.containing_service.full_name}/{descriptor.name}",
        public=access.public,
        roles=frozenset(options_pb2.Access.Role.Name(role) for role in access.roles),
        services=frozenset(access.services),
        any_service=access.any_service,
        timeout_s=policy.timeout_ms / 1000 or default,
        most_bytes=bounds.largest(descriptor.input_type),
        for_users=frozenset(access.for_users),
        stream_bytes=policy.stream_bytes,
        retriable=policy.idempotency in (options_pb2.Policy.SAFE, options_pb2.Policy.IDEMPOTENT),
    )


def of_service(descriptor: ServiceDescriptor) -> dict[str, Method]:
    """The policies of a service's methods, by name."""
    return {method.name: of_method(method) for method in descriptor.methods}
