"""Kubernetes' own description of its API as strict JSON schemas, one file for each kind, as kubeconform reads them.

Strict means that a field which the API does not know is an error, as it is for a misspelt key of a manifest.
"""

import json
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

_REFERENCE = "#/definitions/"
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
# What the description calls a string, and the API takes as a number too.
_WIDER: dict[str, Schema] = {
    _QUANTITY: {"oneOf": [{"type": "string"}, {"type": "number"}]},
    _INT_OR_STRING: {"oneOf": [{"type": "string"}, {"type": "integer"}]},
}
# Some definitions (DeleteOptions) belong to every group there is: nobody writes a manifest of them.
_TOO_GENERAL = 3


def write(swagger: Path, into: Path) -> int:
    """Write `<kind>-<group>-<version>.json` for every kind of a swagger document: how many."""
    definitions = json.loads(swagger.read_text())["definitions"] | _WIDER
    written = 0
    for name, definition in definitions.items():
        kinds = definition.get("x-kubernetes-group-version-kind", [])
        if len(kinds) > _TOO_GENERAL:
            continue
        for kind in kinds:
            schema = _of_kind(_expanded(definition, definitions, (name,)), kind)
            (into / _file_name(kind)).write_text(json.dumps(schema, separators=(",", ":")))
            written += 1
    return written


def _of_kind(schema: Schema, kind: dict[str, str]) -> Schema:
    version = f"{kind['group']}/{kind['version']}" if kind["group"] else kind["version"]
    properties = schema.get("properties", {})
    for field, value in (("apiVersion", version), ("kind", kind["kind"])):
        if field in properties:
            properties[field] = {**properties[field], "enum": [value]}
    return {**schema, "$schema": "http://json-schema.org/draft-07/schema#"}


def _file_name(kind: dict[str, str]) -> str:
    parts = (kind["kind"].lower(), kind["group"].partition(".")[0], kind["version"])
    return "-".join(part for part in parts if part) + ".json"


def _expanded(node: Any, definitions: dict[str, Schema], inside: tuple[str, ...]) -> Any:
    """A copy with every reference replaced by what it refers to; a definition inside itself (CRD schemas) stays open."""
    if isinstance(node, list):
        return [_expanded(item, definitions, inside) for item in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str):
        name = node["$ref"].removeprefix(_REFERENCE)
        if name in inside:
            return {"type": "object"}
        return _expanded(definitions[name], definitions, (*inside, name))
    return _strict({key: _expanded(value, definitions, inside) for key, value in node.items()})


def _strict(schema: Schema) -> Schema:
    if schema.get("format") == "int-or-string":
        return _WIDER[_INT_OR_STRING]
    properties = schema.get("properties")
    if not isinstance(properties, dict) or "additionalProperties" in schema:
        return schema
    required = set(schema.get("required", ()))
    nullable = {name: value if name in required else _nullable(value) for name, value in properties.items()}
    return {**schema, "properties": nullable, "additionalProperties": False}


def _nullable(schema: Any) -> Any:
    """A field that may be left out may also be null."""
    if isinstance(schema, dict) and isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return schema
