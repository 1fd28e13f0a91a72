"""Terraform's outputs as what the cluster is given: the chart's values besides values-aws.yaml, and the store of its secrets.

terraform output -json | python -m scripts.cloud.values > values.yaml
"""

import json
import sys
from pathlib import Path

import yaml

STORE = Path(__file__).resolve().parents[2] / "k8s" / "external-secrets" / "store.yaml"
HEADER = "# Written by `make values` from Terraform's outputs. No secret is in it.\n"


def render(outputs: str) -> str:
    """The values, as YAML. Raises KeyError when Terraform has not made them yet."""
    values = json.loads(outputs)["values"]["value"]
    return HEADER + yaml.safe_dump(values, sort_keys=False, width=160)


def secret_store(outputs: str) -> str:
    """The store of External Secrets in the environment's region, as YAML. Raises KeyError as `render` does."""
    store = yaml.safe_load(STORE.read_text())
    store["spec"]["provider"]["aws"]["region"] = json.loads(outputs)["values"]["value"]["awsRegion"]
    return HEADER + yaml.safe_dump(store, sort_keys=False, width=160)


def prometheus(outputs: str) -> str:
    """Where the environment's Prometheus on AWS answers; empty where metrics stay in the cluster. Raises KeyError too."""
    made = json.loads(outputs)["observability"]["value"]["prometheus"]
    return str(made["endpoint"]) if made else ""


if __name__ == "__main__":
    sys.stdout.write(render(sys.stdin.read()))
