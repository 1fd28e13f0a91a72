"""Which certificates are issued, when they are issued again, and what is in them."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from scripts.operate.mesh_certificates import __main__ as command
from scripts.operate.mesh_certificates import authority, folders, issuing
from services import registry

WANTED = {"order": ("souk-order",), "edge": ()}
NOW = authority.now()


@pytest.fixture
def keeper(tmp_path: Path) -> folders.Folders:
    return folders.Folders(tmp_path)


def certificate(keeper: folders.Folders, name: str) -> x509.Certificate:
    pair = keeper.read(name)
    assert pair
    return x509.load_pem_x509_certificate(pair.certificate)


def test_everybody_gets_a_certificate_and_keeps_it(keeper: folders.Folders) -> None:
    assert issuing.ensure(keeper, WANTED, NOW) == ["order", "edge"]
    assert issuing.ensure(keeper, WANTED, NOW + authority.LIFETIME / 2) == []


def test_a_certificate_names_the_identity_and_where_it_is_reached(keeper: folders.Folders) -> None:
    issuing.ensure(keeper, WANTED, NOW)
    names = certificate(keeper, "order-tls").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://souk/order"]
    assert names.get_values_for_type(x509.DNSName) == ["order", "souk-order"]


def test_what_has_less_than_a_third_of_its_life_left_is_issued_again_by_the_same_authority(
    keeper: folders.Folders,
) -> None:
    issuing.ensure(keeper, WANTED, NOW)
    trusted = keeper.read(issuing.AUTHORITY)
    assert issuing.ensure(keeper, WANTED, NOW + authority.LIFETIME * 0.7) == ["order", "edge"]
    assert keeper.read(issuing.AUTHORITY) == trusted


def test_a_new_name_asks_for_a_new_certificate(keeper: folders.Folders) -> None:
    issuing.ensure(keeper, WANTED, NOW)
    assert issuing.ensure(keeper, {**WANTED, "edge": ("shop.example",)}, NOW) == ["edge"]


def test_a_certificate_of_another_authority_or_of_nobody_is_replaced(keeper: folders.Folders) -> None:
    issuing.ensure(keeper, WANTED, NOW)
    foreign = authority.Authority.made(NOW)
    keeper.write("order-tls", foreign.issue("order", ("souk-order",), NOW), foreign.pair.certificate)
    keeper.write("edge-tls", authority.Pair(b"no certificate", b"no key"), b"")
    assert issuing.ensure(keeper, WANTED, NOW) == ["order", "edge"]


def test_no_certificate_outlives_its_authority(keeper: folders.Folders) -> None:
    short = authority.Authority.made(NOW, timedelta(days=10))
    keeper.write(issuing.AUTHORITY, short.pair, short.pair.certificate)
    issuing.ensure(keeper, WANTED, NOW)
    ends = [certificate(keeper, name).not_valid_after_utc for name in ("order-tls", issuing.AUTHORITY)]
    assert ends[0] == ends[1]


def test_an_authority_that_is_due_is_replaced_with_all_that_it_issued(keeper: folders.Folders) -> None:
    issuing.ensure(keeper, WANTED, NOW)
    assert issuing.ensure(keeper, WANTED, NOW + authority.AUTHORITY_LIFETIME * 0.7) == ["order", "edge"]


def test_only_the_owner_may_read_a_key(keeper: folders.Folders) -> None:
    issuing.ensure(keeper, WANTED, NOW)
    folder = keeper.folder("order-tls")
    assert (folder / "tls.key").stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0


def test_the_command_issues_for_the_whole_registry_and_the_edge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--out", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {*registry.load().services, "edge", "mesh-ca"}
    assert command.main(["--out", str(tmp_path)]) == 0
    assert "0 issued (none due)" in capsys.readouterr().out


def test_a_service_that_does_not_exist_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--out", str(tmp_path), "--service", "odrer"]) == 1
    assert "no such service: odrer" in capsys.readouterr().err
