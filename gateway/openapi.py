"""The OpenAPI document: every REST operation of the contract, with its input rules, errors and limits."""

from collections.abc import Iterator, Sequence
from typing import Any

from gateway.contract import RAW_BODY, Contract, Field, HttpRule, Idempotency, Method, RateLimit, Scope
from gateway.envoy import errors
from gateway.schemas import Schema, Schemas, is_required, reachable

_DESCRIPTION = """\
Souk takes orders and sees them through. This document is generated from the contract in `proto/`.

Every error has the same shape: a `code` (that of gRPC), a `message` for people, and `details`, where `ErrorInfo` gives
the `reason` that a program can act on. An operation lists its reasons under `x-error-reasons`; the edge may answer
any operation with one of its own. Unknown query parameters are refused, unknown fields in a body are ignored.
"""
# Which answers any operation may give, and what for.
_ANSWERS = {
    "400": "The request is malformed, or fields break rules of the contract: `BadRequest` names each of them.",
    "413": "The request's body is too large.",
    "429": "Too many requests: the rate limit of this caller and operation is exhausted.",
    "503": "The service, or something it depends on, is unavailable or overloaded: retry later.",
    "504": "The service did not answer in time. The requested change may have been made or not.",
}
_ALL_ROLES = 3
# A body that is whatever was sent.
_RAW: Schema = {"application/json": {"schema": {}}}
# A body that is a file: its format is told by its content type.
_FILE = {kind: {"schema": {"type": "string"}} for kind in ("text/csv", "application/jsonl")}
_RPC = "google.rpc"
_DETAILS = (f"{_RPC}.ErrorInfo", f"{_RPC}.BadRequest", f"{_RPC}.RetryInfo", f"{_RPC}.PreconditionFailure")


def document(contract: Contract, factor: float = 1) -> dict[str, Any]:
    """The document. factor multiplies the contract's rate limits, as the edge's setting of that name does."""
    routed = [(method, rule) for method in contract.exposed for rule in method.http]
    schemas = Schemas(contract, reachable(contract, {method.request for method, _ in routed}))
    paths: dict[str, dict[str, Any]] = {}
    for method, rule in routed:
        paths.setdefault(rule.path, {})[rule.verb.lower()] = _Operation(contract, schemas, method, rule).render(factor)
    error = _error(schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Souk", "version": "v1", "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": service.name, "description": service.comment} for service in contract.services],
        "paths": paths,
        "components": {
            "schemas": {**schemas.components, "Error": error},
            "responses": dict(_responses()),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
        "x-edge-error-reasons": {edge.reason: f"{edge.status}: {_static(edge.message)}" for edge in errors.ERRORS},
    }


class _Operation:
    """One operation in the making."""

    def __init__(self, contract: Contract, schemas: Schemas, method: Method, rule: HttpRule) -> None:
        self._contract = contract
        self._schemas = schemas
        self._method = method
        self._rule = rule
        self._request = contract.messages[method.request]

    def _id(self) -> str:
        """The method's name; further routes of the same method are numbered, for an id stands in the document once."""
        number = self._method.http.index(self._rule)
        return f"{self._method.service}.{self._method.name}{number + 1 if number else ''}"

    def render(self, factor: float) -> Schema:
        method = self._method
        limit = method.rate_limit
        return {
            "operationId": self._id(),
            "tags": [method.service],
            "summary": _first_sentence(method.comment),
            "description": method.comment,
            "parameters": [*self._in_path(), *self._in_query(), *self._headers()],
            **self._body(),
            "responses": self._answers(),
            "security": [] if method.access.public else [{"bearer": []}],
            "x-error-reasons": list(method.errors),
            "x-idempotency": method.idempotency.value,
            **({} if limit is None else {"x-rate-limit": _limit(limit, factor)}),
            **({} if method.access.public else {"x-roles": list(method.access.roles)}),
            **({"x-timeout-ms": method.timeout_ms} if method.timeout_ms else {}),
            "x-grpc-method": method.grpc_path.removeprefix("/"),
        }

    def _in_path(self) -> Iterator[Schema]:
        fields = {field.name: field for field in self._request.fields}
        for name in self._rule.path_fields:
            yield self._parameter(fields[name], name, "path", required=True)

    def _in_query(self) -> Iterator[Schema]:
        if self._rule.body == "*":
            return
        taken = {*self._rule.path_fields, self._rule.body}
        for field in self._request.fields:
            if field.name not in taken:
                yield from self._query(field, field.name)

    def _query(self, field: Field, name: str) -> Iterator[Schema]:
        """A message's fields are parameters with dotted names."""
        if field.type == "message" and "$ref" in self._schemas.message(field.type_name):
            for inner in self._contract.messages[field.type_name].fields:
                yield from self._query(inner, f"{name}.{inner.name}")
        else:
            yield self._parameter(field, name, "query", required=is_required(field))

    def _headers(self) -> Iterator[Schema]:
        if self._method.idempotency is Idempotency.KEYED:
            yield {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "Makes the call safe to repeat: the same key gives the answer of the first call.",
                "schema": {"type": "string", "maxLength": 128},
            }
        for name in self._method.headers:
            description = "Read as the description says. Only one of such headers is needed."
            yield {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}

    def _parameter(self, field: Field, name: str, place: str, *, required: bool) -> Schema:
        schema = self._schemas.field(field, self._request.full_name)
        description = {"description": field.comment} if schema.pop("description", "") else {}
        return {"name": name, "in": place, **description, **({"required": True} if required else {}), "schema": schema}

    def _body(self) -> Schema:
        if not self._rule.body:
            return {}
        if self._rule.body != "*":
            field = next(each for each in self._request.fields if each.name == self._rule.body)
            if field.type_name == RAW_BODY:
                return {"requestBody": {"description": field.comment, "required": True, "content": self._content()}}
            return _json_body(self._schemas.field(field, self._request.full_name), required=is_required(field))
        in_path = self._rule.path_fields
        schema = (
            self._schemas.object(self._request, without=in_path)
            if in_path
            else self._schemas.message(self._request.full_name)
        )
        required = any(is_required(field) for field in self._request.fields if field.name not in in_path)
        return _json_body(schema, required=required)

    def _content(self) -> Schema:
        return dict(_FILE if self._method.client_streaming else _RAW)

    def _answers(self) -> Schema:
        response = self._contract.messages[self._method.response]
        comment, alone = response.comment, [each for each in response.fields if each.name == self._rule.response_body]
        if alone and alone[0].type_name == RAW_BODY:
            answers: Schema = {"200": {"description": alone[0].comment, "content": dict(_FILE)}}
        else:
            if self._method.server_streaming:
                comment += "\nA stream: one JSON object per line, each sent when it happens."
            schema = self._schemas.message(self._method.response)
            answers = {"200": {"description": comment, "content": {"application/json": {"schema": schema}}}}
        references = {status: {"$ref": f"#/components/responses/{status}"} for status in self._statuses()}
        reasons = ", ".join(f"`{reason}`" for reason in self._method.errors)
        rest = f"Any other error. Reasons of this operation: {reasons}." if reasons else "Any other error."
        return {**answers, **references, "default": {"description": rest, "content": _error_content()}}

    def _statuses(self) -> Sequence[str]:
        access = self._method.access
        refused = [] if access.public else ["401"]
        if not access.public and len(access.roles) < _ALL_ROLES:
            refused.append("403")
        return sorted([*_ANSWERS, *refused])


def _responses() -> Iterator[tuple[str, Schema]]:
    for status, description in _ANSWERS.items():
        yield status, {"description": description, "content": _error_content()}
    yield "401", {"description": "The access token is missing or not valid.", "content": _error_content()}
    yield "403", {"description": "The token's roles do not allow this operation.", "content": _error_content()}


def _error(schemas: Schemas) -> Schema:
    """`google.rpc.Status`, with the details that Souk uses spelt out."""
    known = [
        {"allOf": [schemas.message(name), {"properties": {"@type": {"const": f"type.googleapis.com/{name}"}}}]}
        for name in _DETAILS
    ]
    details = {"type": "object", "required": ["@type"], "properties": {"@type": {"type": "string"}}, "anyOf": known}
    return {
        "type": "object",
        "description": "What went wrong. The `ErrorInfo` among the details has the reason.",
        "required": ["code", "message", "details"],
        "properties": {
            "code": {"type": "integer", "description": "The code, as gRPC numbers them."},
            "message": {"type": "string", "description": "What went wrong, for people."},
            "details": {"type": "array", "items": details},
        },
    }


def _error_content() -> Schema:
    return {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}


def _json_body(schema: Schema, *, required: bool) -> Schema:
    return {"requestBody": {"required": required, "content": {"application/json": {"schema": schema}}}}


def _limit(limit: RateLimit, factor: float) -> Schema:
    per = {Scope.USER: "user", Scope.ADDRESS: "address"}[limit.scope]
    return {"calls_per_minute": max(1, round(limit.per_minute * factor)), "per": per}


def _first_sentence(comment: str) -> str:
    flat = " ".join(comment.split())
    sentence, stop, _ = flat.partition(". ")
    return sentence + stop.strip() if stop else flat


def _static(message: str) -> str:
    return message.replace(": %LOCAL_REPLY_BODY%", "").replace("%LOCAL_REPLY_BODY%", "")
