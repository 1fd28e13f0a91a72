"""Terraform's outputs as the chart's values: what `helm upgrade` is given besides values-prod.yaml.

terraform output -json | python -m scripts.cloud.values > values.yaml
"""

import json
import sys

import yaml

HEADER = "# Written by `make values` from Terraform's outputs. No secret is in it.\n"


def render(outputs: str) -> str:
    """The values, as YAML. Raises KeyError when Terraform has not made them yet."""
    values = json.loads(outputs)["values"]["value"]
    return HEADER + yaml.safe_dump(values, sort_keys=False, width=160)


if __name__ == "__main__":
    sys.stdout.write(render(sys.stdin.read()))
