"""Kubernetes' description of its API becomes schemas that refuse what the API would ignore."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from scripts.cluster import schemas

META = {"type": "object", "properties": {"name": {"type": "string"}, "labels": {"type": "object"}}}
POD = {
    "type": "object",
    "required": ["metadata"],
    "properties": {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"$ref": "#/definitions/meta"},
        "memory": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.api.resource.Quantity"},
        "port": {"type": "string", "format": "int-or-string"},
        "note": {"type": "string"},
    },
    "x-kubernetes-group-version-kind": [{"group": "apps.k8s.io", "version": "v1", "kind": "Pod"}],
}
TREE = {
    "type": "object",
    "properties": {"children": {"type": "array", "items": {"$ref": "#/definitions/tree"}}},
    "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "Tree"}],
}
GENERAL = {
    "type": "object",
    "x-kubernetes-group-version-kind": [{"group": group, "version": "v1", "kind": "DeleteOptions"} for group in "abcd"],
}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    swagger = tmp_path / "swagger.json"
    swagger.write_text(json.dumps({"definitions": {"meta": META, "pod": POD, "tree": TREE, "general": GENERAL}}))
    into = tmp_path / "schemas"
    into.mkdir()
    assert schemas.write(swagger, into) == 2
    return into


def _allows(written: Path, file: str, document: dict[str, Any]) -> bool:
    return jsonschema.Draft7Validator(json.loads((written / file).read_text())).is_valid(document)


def test_there_is_a_file_for_each_kind_by_its_group_and_version(written: Path) -> None:
    assert {path.name for path in written.iterdir()} == {"pod-apps-v1.json", "tree-v1.json"}


@pytest.mark.parametrize(
    ("document", "allowed"),
    [
        ({"apiVersion": "apps.k8s.io/v1", "kind": "Pod", "metadata": {"name": "a"}}, True),
        ({"metadata": {"name": "a"}, "memory": 5, "port": 80, "note": None}, True),
        ({"metadata": {"name": "a"}, "memory": "5Gi", "port": "http"}, True),
        ({"apiVersion": "v1", "kind": "Pod", "metadata": {}}, False),
        ({"metadata": {"nmae": "a"}}, False),
        ({"metadata": {}, "memori": 5}, False),
        ({"metadata": None}, False),
        ({}, False),
    ],
)
def test_what_the_api_does_not_know_or_needs_is_an_error(
    written: Path, document: dict[str, Any], *, allowed: bool
) -> None:
    assert _allows(written, "pod-apps-v1.json", document) is allowed


def test_a_definition_that_contains_itself_stays_open_inside(written: Path) -> None:
    assert _allows(written, "tree-v1.json", {"children": [{"anything": 1}]})
    assert not _allows(written, "tree-v1.json", {"anything": 1})
