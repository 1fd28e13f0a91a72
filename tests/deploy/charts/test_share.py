"""The command that shifts requests to a canary, on the Ingresses that the chart makes, behind an API on loopback."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from scripts.cluster import __main__ as cluster
from scripts.operate import share
from tests.deploy import loopback
from tests.deploy.charts import objects, rendering

LISTED = "/apis/networking.k8s.io/v1/namespaces/souk/ingresses"


class Api:
    """The Kubernetes API as far as Ingresses are listed and their annotations patched; patches are noted."""

    def __init__(self, ingresses: list[objects.Object]) -> None:
        self.ingresses = {item["metadata"]["name"]: item for item in ingresses}
        self.listed: list[loopback.Asked] = []

    def weights(self) -> list[tuple[int, int]]:
        """Of the release's edge and of the canary's, for each Ingress."""
        found = []
        for item in self.ingresses.values():
            (text,) = (said for name, said in item["metadata"]["annotations"].items() if name.startswith(share.ACTIONS))
            stable, canary = json.loads(text)["forwardConfig"]["targetGroups"]
            found.append((stable["weight"], canary["weight"]))
        return found

    def answer(self, asked: loopback.Asked) -> loopback.Answer:
        if asked.body is None:
            self.listed.append(asked)
            listed = list(self.ingresses.values())
            return 200, {"kind": "IngressList", "apiVersion": "networking.k8s.io/v1", "items": listed}
        # A list of changes would be another form: an object is merged into what is there.
        assert asked.headers["content-type"] != "application/json-patch+json"
        item = self.ingresses[asked.path.rpartition("/")[2]]
        item["metadata"]["annotations"].update(asked.body["metadata"]["annotations"])
        return 200, item


@pytest.fixture
def ingresses() -> list[objects.Object]:
    return list(objects.of_kind(rendering.rendered(*rendering.CASES["production"]), "Ingress"))


@pytest.fixture
def api(ingresses: list[objects.Object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """An API with the chart's Ingresses, which KUBECONFIG names."""
    made = Api(ingresses)

    with loopback.serving(made.answer) as server:
        config = {
            "clusters": [{"name": "it", "cluster": {"server": server.url}}],
            "users": [{"name": "it", "user": {}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "current-context": "it",
        }
        (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
        monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "kubeconfig"))
        yield made


def shared(*to: str) -> int:
    return cluster.main(["share", "--release", "souk", "--namespace", "souk", *to])


def test_every_ingress_of_the_release_gets_the_share_and_says_it(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert api.weights() == [(100, 0)] * 2
    for percent in (5, 25, 50, 0):
        assert shared("--to", str(percent)) == 0
        assert api.weights() == [(100 - percent, percent)] * 2
        assert shared() == 0
        assert capsys.readouterr().out.split()[-1] == str(percent)
    assert all((asked.path, "labelSelector" in asked.query) == (LISTED, True) for asked in api.listed)


def test_nothing_else_of_an_ingress_changes(api: Api, ingresses: list[objects.Object]) -> None:
    before = {name: json.dumps(item) for name, item in api.ingresses.items()}
    shared("--to", "25")
    shared("--to", "0")
    after = {name: json.dumps(item) for name, item in api.ingresses.items()}
    assert len(ingresses) == 2
    # Only the spelling of the annotation may differ.
    assert {name: text.replace(" ", "") for name, text in after.items()} == {
        name: text.replace(" ", "") for name, text in before.items()
    }


def test_what_somebody_left_half_done_shows_as_the_larger_share_and_is_mended(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    shared("--to", "25")
    first = next(iter(api.ingresses.values()))["metadata"]["annotations"]
    (name,) = (name for name in first if name.startswith(share.ACTIONS))
    first[name] = first[name].replace('"weight":25', '"weight":0').replace('"weight":75', '"weight":100')
    shared()
    assert capsys.readouterr().out.split()[-1] == "25"
    shared("--to", "0")
    assert api.weights() == [(100, 0)] * 2


def test_a_release_whose_load_balancer_knows_no_canary_has_none(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    for item in api.ingresses.values():
        for name in [name for name in item["metadata"]["annotations"] if name.startswith(share.ACTIONS)]:
            del item["metadata"]["annotations"][name]
    assert shared() == 0
    assert capsys.readouterr().out == "none\n"
    # To give nothing where there is nothing is done already; to give something is not.
    assert shared("--to", "0") == 0
    assert shared("--to", "5") == 1
