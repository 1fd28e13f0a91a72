"""Mesh keys that change while services run: each reads its file at a time of its own, and all understand each other."""

from pathlib import Path

import pytest

from scripts.operate.cloud import credentials as job
from services.chassis import errors
from services.chassis.credentials import Credential
from services.chassis.rpc import identity


class Pod:
    """A process with the file that its kubelet keeps."""

    def __init__(self, path: Path, keys: list[str]) -> None:
        self._path = path
        self.told(keys)
        self.mesh = identity.Mesh(Credential("", path=path), "order")

    def told(self, keys: list[str]) -> None:
        self._path.write_text(" ".join(keys) + "\n")

    def token(self) -> str:
        """One that is made now."""
        return identity.Mesh(Credential("", path=self._path), "order").token()


@pytest.mark.parametrize("begun", [[], ["the one key of an older installation"[:32].replace(" ", "-")]])
def test_pods_that_read_a_change_sooner_or_later_accept_each_other(tmp_path: Path, begun: list[str]) -> None:
    keys = begun or job.turned([])
    early, late = Pod(tmp_path / "early", keys), Pod(tmp_path / "late", keys)
    signing = set()
    for _ in range(4):
        keys = job.turned(keys)
        early.told(keys)
        assert late.mesh.verify(early.token()) == "order"
        assert early.mesh.verify(late.token()) == "order"
        late.told(keys)
        signing.add(keys[0])
    assert len(signing) >= 3


def test_what_a_key_signed_that_is_gone_is_refused(tmp_path: Path) -> None:
    pod = Pod(tmp_path / "keys", job.turned([]))
    stolen = pod.token()
    assert pod.mesh.verify(pod.token()) == "order"
    pod.told(job.turned([]))
    fresh = identity.Mesh(Credential("", path=tmp_path / "keys"), "catalog")
    with pytest.raises(errors.DomainError, match="SERVICE_UNKNOWN"):
        fresh.verify(stolen)


def test_a_process_signs_with_the_new_key_from_its_next_token_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "MESH_LIFETIME_S", 0)
    pod = Pod(tmp_path / "keys", job.turned([]))
    pod.mesh.token()
    pod.told(job.turned([]))
    monkeypatch.setattr(identity, "MESH_LIFETIME_S", 300)
    assert identity.Mesh(Credential("", path=tmp_path / "keys"), "catalog").verify(pod.mesh.token()) == "order"
