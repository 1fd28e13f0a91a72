"""Reads the contract: services, methods with their policies, and messages, out of a compiled descriptor set.

The edge's configuration and every document are made from what this module returns. It needs a descriptor set with
comments (`protoc --include_source_info`), and it refuses a contract that could not be served: see `read`.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from buf.validate import validate_pb2
from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2

from gateway.comments import Comments
from souk.options.v1 import options_pb2

RAW_BODY = "google.api.HttpBody"
# What the contract promises for `timeout_ms: 0` on a call that is no stream.
DEFAULT_TIMEOUT_MS = 2000

_VERBS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_PLAIN_PATH = re.compile(r"(/(\.?[a-z0-9][a-z0-9._-]*|{[a-z][a-z0-9_]*}))+")
_ERRORS = re.compile(r"^Errors:\s*([A-Z0-9_,\s]+)\.$", re.MULTILINE)
# Field numbers inside descriptor.proto, out of which the address of a comment is made.
_FILE_MESSAGE, _FILE_ENUM, _FILE_SERVICE = 4, 5, 6
_MESSAGE_FIELD, _MESSAGE_NESTED, _MESSAGE_ENUM = 2, 3, 4
_SERVICE_METHOD, _ENUM_VALUE = 2, 2


class ContractError(Exception):
    """The contract cannot be served. `problems` holds one line per mistake, all at once."""

    def __init__(self, problems: Collection[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class Idempotency(Enum):
    """What a repeated call does, as `souk.options.v1.Policy.Idempotency` says."""

    SAFE = "SAFE"
    KEYED = "KEYED"
    IDEMPOTENT = "IDEMPOTENT"
    ONCE = "ONCE"


class Scope(Enum):
    """Whom a rate limit's bucket belongs to."""

    USER = "USER"
    ADDRESS = "ADDRESS"


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call a method: anyone, people with one of the roles, the named services.

    for_users are the services that may call it for one of these people.
    """

    public: bool
    roles: tuple[str, ...]
    services: tuple[str, ...]
    any_service: bool = False
    for_users: tuple[str, ...] = ()

    def admits(self, service: str) -> bool:
        """Whether this service of the mesh may call it on its own behalf."""
        return self.any_service or service in self.services

    @property
    def exposed(self) -> bool:
        """Whether the edge serves the method at all: methods for services only stay inside the mesh."""
        return self.public or bool(self.roles)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Calls a minute, per user or per address."""

    per_minute: int
    scope: Scope


@dataclass(frozen=True, slots=True)
class HttpRule:
    """One REST binding: verb, path template, `*`, a field's name or nothing as the body, and the field answered alone, if any."""

    verb: str
    path: str
    body: str
    response_body: str = ""

    @property
    def path_fields(self) -> tuple[str, ...]:
        """The request fields that stand in the path, in order."""
        return tuple(re.findall(r"{([^}=]+)", self.path))


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC with its REST bindings and its policy. `timeout_ms` is resolved: 0 means no limit. stream_bytes bounds uploads.

    raw: the body of its REST call reaches the service as it was sent. headers: what it reads beside what every method may.
    """

    service: str
    service_full_name: str
    name: str
    comment: str
    request: str
    response: str
    client_streaming: bool
    server_streaming: bool
    http: tuple[HttpRule, ...]
    access: Access
    rate_limit: RateLimit | None
    idempotency: Idempotency
    timeout_ms: int
    errors: tuple[str, ...]
    stream_bytes: int = 0
    raw: bool = False
    headers: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """`souk.order.v1.OrderService.CreateOrder`."""
        return f"{self.service_full_name}.{self.name}"

    @property
    def grpc_path(self) -> str:
        """`/souk.order.v1.OrderService/CreateOrder`."""
        return f"/{self.service_full_name}/{self.name}"


@dataclass(frozen=True, slots=True)
class Service:
    """One gRPC service; `name` is its name in the registry."""

    name: str
    full_name: str
    comment: str
    methods: tuple[Method, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a message. `type` is the scalar's name, `message` or `enum`; `type_name` names the latter two.

    optional tells that leaving the field out is something else than its default, and that its rules do not apply then.
    """

    name: str
    type: str
    type_name: str
    repeated: bool
    comment: str
    rules: validate_pb2.FieldRules
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A message type."""

    full_name: str
    comment: str
    fields: tuple[Field, ...]
    map_entry: bool


@dataclass(frozen=True, slots=True)
class EnumType:
    """An enum type: its values' names, each with its comment."""

    full_name: str
    comment: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Contract:
    """All of it; messages and enums by full name, imported ones included."""

    services: tuple[Service, ...]
    messages: Mapping[str, Message]
    enums: Mapping[str, EnumType]

    @property
    def methods(self) -> Iterator[Method]:
        """Every method of every service."""
        return (method for service in self.services for method in service.methods)

    @property
    def exposed(self) -> Iterator[Method]:
        """The methods that the edge serves."""
        return (method for method in self.methods if method.access.exposed)


def read(descriptor_set: bytes, registry: Collection[str]) -> Contract:
    """The contract in a serialized `FileDescriptorSet`.

    registry names the services that exist. Raises ContractError, with every mistake at once, when a method has no
    access rule, an access rule names a service that does not exist, or a method that people may call lacks what the
    edge needs: a REST route of its own, a rate limit, a request that is one message.
    """
    reader = _Reader()
    for file in descriptor_pb2.FileDescriptorSet.FromString(descriptor_set).file:
        reader.file(file)
    contract = Contract(tuple(reader.services), reader.messages, reader.enums)
    problems = [*reader.problems, *_problems(contract, registry)]
    if problems:
        raise ContractError(problems)
    return contract


def _problems(contract: Contract, registry: Collection[str]) -> Iterator[str]:
    for service in contract.services:
        yield from _unknown(service, registry)
    for method in contract.methods:
        yield from _unknown_callers(method, registry)
        if method.access.exposed:
            yield from _unserved(method)
            yield from _unroutable(method, contract.messages[method.request])
    yield from _shared_routes(contract)


def _unknown(service: Service, registry: Collection[str]) -> Iterator[str]:
    if service.name not in registry:
        yield f"{service.full_name}: the registry knows no service `{service.name}`"


def _unknown_callers(method: Method, registry: Collection[str]) -> Iterator[str]:
    for caller in (*method.access.services, *method.access.for_users):
        if caller not in registry:
            yield f"{method.full_name}: its access rule names `{caller}`, which the registry does not know"
    if method.access.for_users and not method.access.roles:
        yield f"{method.full_name}: services may call it for users, but it names no roles that may"


def _unserved(method: Method) -> Iterator[str]:
    if not method.http:
        yield f"{method.full_name}: people may call it, but it has no google.api.http rule"
    if method.rate_limit is None:
        yield f"{method.full_name}: people may call it, but it has no rate limit"
    elif method.rate_limit.scope is Scope.USER and method.access.public:
        yield f"{method.full_name}: a public method is limited by ADDRESS, for its callers need no token"
    if method.client_streaming and not (method.stream_bytes and method.raw):
        yield f"{method.full_name}: the edge takes a stream only as an upload: a {RAW_BODY} as the body, and stream_bytes"


def _unroutable(method: Method, request: Message) -> Iterator[str]:
    names = {field.name for field in request.fields}
    for rule in method.http:
        if rule.verb not in _VERBS or not _PLAIN_PATH.fullmatch(rule.path):
            yield f"{method.full_name}: `{rule.verb} {rule.path}` is no plain route like `GET /api/v1/orders/{{id}}`"
        for name in (*rule.path_fields, *([rule.body] if rule.body.strip("*") else [])):
            if name not in names:
                yield f"{method.full_name}: its route names `{name}`, which {method.request} does not have"


def _shared_routes(contract: Contract) -> Iterator[str]:
    takers: dict[str, str] = {}
    for method in contract.exposed:
        for rule in method.http:
            route = f"{rule.verb} {re.sub('{[^}]*}', '{}', rule.path)}"
            if takers.setdefault(route, method.full_name) != method.full_name:
                yield f"{method.full_name}: its route `{rule.verb} {rule.path}` is already {takers[route]}'s"


@dataclass
class _Reader:
    """Walks files and collects what they declare, and what is wrong with it."""

    services: list[Service] = field(default_factory=list)
    messages: dict[str, Message] = field(default_factory=dict)
    enums: dict[str, EnumType] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def file(self, file: descriptor_pb2.FileDescriptorProto) -> None:
        said = Comments(file)
        for index, message in enumerate(file.message_type):
            self._message(message, f"{file.package}.{message.name}", said, (_FILE_MESSAGE, index))
        for index, enum in enumerate(file.enum_type):
            self._enum(enum, f"{file.package}.{enum.name}", said, (_FILE_ENUM, index))
        for index, service in enumerate(file.service):
            self._service(service, file.package, said, (_FILE_SERVICE, index))

    def _service(
        self, service: descriptor_pb2.ServiceDescriptorProto, package: str, comments: Comments, at: tuple[int, ...]
    ) -> None:
        full_name = f"{package}.{service.name}"
        methods = []
        for index, method in enumerate(service.method):
            where = comments.at(*at, _SERVICE_METHOD, index)
            try:
                read = _method(method, full_name, where)
                methods.append(replace(read, raw=_is_raw(read, self.messages[read.request])))
            except ContractError as error:
                self.problems += error.problems
        self.services.append(Service(_registry_name(package), full_name, comments.at(*at), tuple(methods)))

    def _message(
        self, message: descriptor_pb2.DescriptorProto, full_name: str, comments: Comments, at: tuple[int, ...]
    ) -> None:
        at_field = (*at, _MESSAGE_FIELD)
        fields = tuple(_field(each, comments.at(*at_field, index)) for index, each in enumerate(message.field))
        self.messages[full_name] = Message(full_name, comments.at(*at), fields, message.options.map_entry)
        for index, nested in enumerate(message.nested_type):
            self._message(nested, f"{full_name}.{nested.name}", comments, (*at, _MESSAGE_NESTED, index))
        for index, enum in enumerate(message.enum_type):
            self._enum(enum, f"{full_name}.{enum.name}", comments, (*at, _MESSAGE_ENUM, index))

    def _enum(
        self, enum: descriptor_pb2.EnumDescriptorProto, full_name: str, comments: Comments, at: tuple[int, ...]
    ) -> None:
        values = {value.name: comments.at(*at, _ENUM_VALUE, index) for index, value in enumerate(enum.value)}
        self.enums[full_name] = EnumType(full_name, comments.at(*at), values)


def _registry_name(package: str) -> str:
    """`souk.order.v1` belongs to the service `order`."""
    return package.split(".")[1]


def _method(method: descriptor_pb2.MethodDescriptorProto, service: str, comment: str) -> Method:
    policy = method.options.Extensions[options_pb2.policy]
    full_name = f"{service}.{method.name}"
    access = _access(policy.access)
    if not (access.exposed or access.services or access.any_service):
        raise ContractError([f"{full_name}: no access rule (option souk.options.v1.policy)"])
    if policy.idempotency == options_pb2.Policy.IDEMPOTENCY_UNSPECIFIED:
        raise ContractError([f"{full_name}: its policy does not say what a repeated call does (idempotency)"])
    streaming = method.client_streaming or method.server_streaming
    listed = _ERRORS.search(comment)
    return Method(
        service=_registry_name(service),
        service_full_name=service,
        name=method.name,
        comment=_ERRORS.sub("", comment).strip(),
        request=method.input_type.removeprefix("."),
        response=method.output_type.removeprefix("."),
        client_streaming=method.client_streaming,
        server_streaming=method.server_streaming,
        http=_http_rules(method.options),
        access=access,
        rate_limit=_rate_limit(policy),
        idempotency=Idempotency(options_pb2.Policy.Idempotency.Name(policy.idempotency)),
        timeout_ms=policy.timeout_ms or (0 if streaming else DEFAULT_TIMEOUT_MS),
        errors=tuple(re.findall(r"\w+", listed.group(1))) if listed else (),
        stream_bytes=policy.stream_bytes,
        headers=tuple(policy.headers),
    )


def _is_raw(method: Method, request: Message) -> bool:
    return any(
        rule.body == field.name for rule in method.http for field in request.fields if field.type_name == RAW_BODY
    )


def _access(access: options_pb2.Access) -> Access:
    roles = tuple(options_pb2.Access.Role.Name(role) for role in access.roles)
    return Access(access.public, roles, tuple(access.services), access.any_service, tuple(access.for_users))


def _rate_limit(policy: options_pb2.Policy) -> RateLimit | None:
    limit = policy.rate_limit
    if not limit.per_minute or limit.scope == options_pb2.RateLimit.SCOPE_UNSPECIFIED:
        return None
    return RateLimit(limit.per_minute, Scope(options_pb2.RateLimit.Scope.Name(limit.scope)))


def _http_rules(options: descriptor_pb2.MethodOptions) -> tuple[HttpRule, ...]:
    if not options.HasExtension(annotations_pb2.http):
        return ()
    rule = options.Extensions[annotations_pb2.http]
    return tuple(_http_rule(each) for each in (rule, *rule.additional_bindings))


def _http_rule(rule: http_pb2.HttpRule) -> HttpRule:
    pattern = rule.WhichOneof("pattern")
    if pattern == "custom" or pattern is None:
        return HttpRule(rule.custom.kind, rule.custom.path, rule.body)
    return HttpRule(pattern.upper(), getattr(rule, pattern), rule.body, rule.response_body)


def _field(proto: descriptor_pb2.FieldDescriptorProto, comment: str) -> Field:
    return Field(
        name=proto.name,
        type=descriptor_pb2.FieldDescriptorProto.Type.Name(proto.type).removeprefix("TYPE_").lower(),
        type_name=proto.type_name.removeprefix("."),
        repeated=proto.label == descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED,
        comment=comment,
        rules=proto.options.Extensions[validate_pb2.field],
        optional=proto.proto3_optional,
    )
