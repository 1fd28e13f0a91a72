"""The simulated cluster itself: what is missing is completed, and nothing is left of it in the end."""

from collections.abc import Iterator

import pytest

from scripts.cluster import layout, plane, servers
from scripts.stack.supervise import processes, progress
from tests.deploy.cluster import helm as helm_command


@pytest.fixture
def another(cluster: layout.Cluster) -> Iterator[layout.Cluster]:
    """A second cluster beside the one of the run."""
    another = layout.Cluster("another", cluster.port_base + layout.NEXT)
    yield another
    plane.down(another, progress.Silent())


def test_a_part_that_died_is_started_again_and_all_of_them_end(another: layout.Cluster) -> None:
    known = processes.Processes(another.folder)
    plane.up(another, progress.Silent())
    before = {name: _running(known, name) for name in servers.NAMES}
    processes.kill(before["kube-scheduler"])

    plane.up(another, progress.Silent())
    again = {name: _running(known, name) for name in servers.NAMES}
    assert {name for name in servers.NAMES if again[name] != before[name]} == {"kube-scheduler"}

    plane.down(another, progress.Silent())
    assert [name for name, record in again.items() if record.alive()] == []
    assert [path.name for path in another.folder.iterdir()] == ["logs"]


def test_a_kind_that_the_cluster_does_not_know_is_named(helm: helm_command.Helm) -> None:
    manifest = helm.cluster.folder / "unknown.yaml"
    manifest.write_text("apiVersion: example.com/v1\nkind: Unheard\nmetadata: {name: a}\n")
    with pytest.raises(helm_command.RefusedError, match='no matches for kind "Unheard"'):
        helm.kubectl("apply", "--filename", str(manifest))


def _running(known: processes.Processes, name: str) -> processes.Record:
    record = known.running(name)
    assert record, name
    return record
