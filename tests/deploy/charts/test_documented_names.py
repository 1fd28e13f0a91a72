"""The names that the manuals give to values and to objects of a release are those that the chart has."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from scripts.generate.chart import package
from tests.deploy.charts import objects, rendering

DEFAULTS = yaml.safe_load((package.CHART / "values.yaml").read_text())
PAGES = ("docs/operations.md", "docs/aws.md", "docs/release.md", "helm/README.md", "k8s/README.md")
KINDS = {"job": "Job", "scaledobject": "ScaledObject", "deployment": "Deployment", "service": "Service"}


def page(name: str) -> str:
    return (package.ROOT / name).read_text()


def values(text: str) -> Iterator[str]:
    """What stands in backquotes and looks like a path into the values; one that begins with a dot goes on from the last."""
    last = ""
    for word in re.findall(r"`([A-Za-z.*_]+)(?::[^`]*)?`", text):
        path = f"{last.rpartition('.')[0]}{word}" if word.startswith(".") else word
        if path.partition(".")[0] in DEFAULTS and "." in path and not path.endswith(".yaml"):
            last = path
            yield path


def there(path: str) -> bool:
    found: Any = DEFAULTS
    parts = path.split(".")
    if parts[0] == "services":
        # Of one service: `environment` and the like, or what differs from the settings of a role.
        return len(parts) < 3 or parts[2] not in DEFAULTS or there(".".join(parts[2:]))
    for at, part in enumerate(parts):
        if part == "*":
            return all(there(".".join([*parts[:at], key, *parts[at + 1 :]])) for key in found)
        if not isinstance(found, dict):
            return False
        # What an empty map holds is the reader's own.
        if part not in found:
            return found == {}
        found = found[part]
    return True


@pytest.mark.parametrize("name", PAGES)
def test_every_value_that_a_page_names_is_one(name: str) -> None:
    assert [path for path in values(page(name)) if not there(path)] == []


def test_a_value_that_is_none_is_noticed() -> None:
    text = "`kafka.bootstrap`, `.region`; `edge.ingress.hosts`, `services.order.serve.autoscale`, `images.*.digests`"
    assert [path for path in values(text) if not there(path)] == [
        "kafka.region",
        "services.order.serve.autoscale",
        "images.*.digests",
    ]


@pytest.mark.parametrize("name", PAGES)
def test_every_object_that_a_command_names_is_in_a_release(name: str) -> None:
    rendered = rendering.rendered(*rendering.CASES["production with operators"])
    known = {(item["kind"], item["metadata"]["name"]) for item in rendered}
    named = re.findall(rf"\b({'|'.join(KINDS)})[/ ](souk-[a-z-]+[a-z])\b", page(name))
    assert [one for one in named if (KINDS[one[0]], one[1]) not in known] == []


def test_some_commands_name_objects() -> None:
    found = [name for name in PAGES if re.search(r"(job/|scaledobject )souk-", page(name))]
    assert "docs/operations.md" in found
    assert list(objects.of_kind(rendering.rendered(*rendering.DEFAULT), "Job"))
