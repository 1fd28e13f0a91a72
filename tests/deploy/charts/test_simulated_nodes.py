"""What the simulated nodes are told is something that kwok understands."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from scripts.cluster import stages, tools
from tests.deploy.charts import crds

STAGES = list(yaml.safe_load_all((stages.SIMULATED / "stages.yaml").read_text()))


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    into: Path = tmp_path_factory.mktemp("schemas")
    crds.write((tools.path("stages") / "crd" / "bases" / "kwok.x-k8s.io_stages.yaml").read_text(), into)
    read: dict[str, Any] = json.loads((into / "stage-kwok-v1alpha1.json").read_text())
    return read


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage["metadata"]["name"])
def test_a_stage_of_ours_is_valid_by_kwoks_schema(schema: dict[str, Any], stage: dict[str, Any]) -> None:
    jsonschema.validate(stage, schema)


def test_a_misspelt_field_of_a_stage_is_noticed(schema: dict[str, Any]) -> None:
    [first, *_] = STAGES
    misspelt = {**first, "spec": {**first["spec"], "selektor": {}}}
    with pytest.raises(jsonschema.ValidationError, match="selektor"):
        jsonschema.validate(misspelt, schema)


def test_there_is_a_node_in_each_of_three_zones() -> None:
    zones = [node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in stages.nodes()]
    assert len(zones) == len(set(zones)) == 3
