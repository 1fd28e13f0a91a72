"""Values are refused when they are misspelt, out of range or secret, with a message that says where and why."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from scripts.generate.chart import package, values_table
from services import registry
from tests.deploy.charts import rendering

SERVICES = ", ".join(sorted(registry.load().services))
REFUSED = {
    "serve.replcas=3": ("/serve", "additional properties 'replcas' not allowed"),
    "serv.replicas=3": ("''", "additional properties 'serv' not allowed"),
    "serve.replicas=0": ("/serve/replicas", "minimum: got 0, want 1"),
    "services.order.serve.autoscaling.cpuPercent=700": ("/services/order/serve/autoscaling/cpuPercent", "maximum"),
    "services.ordr.serve.replicas=2": ("services.ordr", f"the registry has no such service; it has {SERVICES}"),
    "mesh.provider=consul": ("/mesh/provider", "must be one of 'none', 'istio', 'linkerd'"),
    "kafka.replication=0": ("/kafka/replication", "minimum"),
    "kafka.bootstrap=": ("kafka.bootstrap", "not set"),
    "kafka.saslMechanism=AWS_MSK_IAM": ("awsRegion", "AWS_MSK_IAM needs the region"),
    "kafka.caFile=kafka.pem": ("trust.configMap", "kafka.caFile names a file in it"),
    "work.resources.requests.cpu=lots": ("/work/resources/requests/cpu", "does not match pattern"),
    "images.edge.tag=latest": ("images.edge.tag", "give a version or a digest"),
    "images.edge.digest=sha256:12": ("/images/edge/digest", "does not match pattern"),
    "services.user.image.tag=latest": ("services.user.image.tag", "give a version or a digest"),
    "environment.STRIPE_API_KEY=sk_live": ("environment.STRIPE_API_KEY", "a secret is no value"),
    "services.order.environment.ORDER_DATABASE_URL=x": ("services.order.environment.ORDER_DATABASE_URL", "no value"),
    "outside.smtp.environment.SMTP_URL=smtp://a:b@mail": ("outside.smtp.environment.SMTP_URL", "no value"),
    "drain.terminationGraceSeconds=40": ("drain.terminationGraceSeconds", "too short"),
    "serve.autoscaling.maxReplicas=1": (".serve.autoscaling", "maxReplicas is below minReplicas"),
    "edge.ingress.enabled=true": ("edge.ingress.certificateArn", "serves HTTPS only"),
    "edge.gateway.enabled=true": ("edge.gateway.parent.name", "not set"),
    "canary=true,edge.gateway.enabled=true,edge.gateway.parent.name=a": ("canary", "no way in"),
    "edge.allowedOrigins={*}": ("/edge/allowedOrigins/0", "does not match pattern"),
    "tracing.ratio=7": ("/tracing/ratio", "maximum"),
    "services.order.roleArn=order": ("/services/order", "additional properties 'roleArn' not allowed"),
}


@pytest.mark.parametrize(("value", "said"), REFUSED.items(), ids=REFUSED)
def test_a_wrong_value_is_refused_with_its_path_and_the_reason(value: str, said: tuple[str, str]) -> None:
    with pytest.raises(rendering.RefusedError) as refused:
        rendering.text(*rendering.DEFAULT, "--set", value)
    message = str(refused.value)
    assert said[0] in message
    assert said[1] in message


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(rendering.RefusedError) as refused:
        rendering.text("--set", "services.ordr.serve.replicas=2,images.edge.tag=latest,environment.API_KEY=1")
    for path in ("kafka.bootstrap", "services.ordr", "images.edge.tag", "environment.API_KEY"):
        assert path in str(refused.value)


def test_the_schema_knows_every_value_and_no_other() -> None:
    values = yaml.safe_load((package.CHART / "values.yaml").read_text())
    schema = json.loads((package.CHART / "values.schema.json").read_text())
    # What Helm itself puts among the values: those of the library, and what charts share.
    assert set(schema["properties"]) - set(values) == {"global", "lib"}
    assert list(_unknown(values, schema, schema, "")) == []


def _unknown(values: dict[str, Any], node: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[str]:
    """The paths of values that their schema does not name, and of objects that would take any name."""
    node = schema["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node
    if "properties" not in node:
        return
    if node.get("additionalProperties") is not False:
        yield f"{path or 'the values'} take any name"
    for name, value in values.items():
        if name not in node["properties"]:
            yield f"{path}{name}"
        elif isinstance(value, dict):
            yield from _unknown(value, node["properties"][name], schema, f"{path}{name}.")


def test_every_value_is_explained() -> None:
    rows = list(values_table.values((package.CHART / "values.yaml").read_text()))
    assert len(rows) > 100
    assert [row.path for row in rows if not row.meaning] == []


def test_a_value_that_nobody_explains_is_noticed() -> None:
    with pytest.raises(ValueError, match=r"values without a comment: a\.c"):
        values_table.render("a:\n  # Known.\n  b: 1\n  c: 2\n")
