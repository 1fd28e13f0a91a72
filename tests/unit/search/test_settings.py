"""How OpenSearch is configured: what must be said, and what is refused."""

from pathlib import Path

import pytest

from services.chassis.settings import SettingsError, read
from services.search.settings import EngineKind, OpenSearchSettings, Settings

URL = {"SEARCH_OPENSEARCH_URL": "https://search.example"}


def test_postgresql_searches_unless_something_else_is_said() -> None:
    assert read(Settings, {}).engine is EngineKind.POSTGRES
    assert read(Settings, {"SEARCH_ENGINE": "opensearch"}).engine is EngineKind.OPENSEARCH
    with pytest.raises(SettingsError, match="SEARCH_ENGINE"):
        read(Settings, {"SEARCH_ENGINE": "solr"})


def test_a_login_comes_from_a_file_and_is_in_no_log(tmp_path: Path) -> None:
    file = tmp_path / "login"
    file.write_text("souk:secret\n")
    found = OpenSearchSettings.of(URL | {"SEARCH_OPENSEARCH_LOGIN_FILE": str(file)})
    assert found.login
    assert found.login.current() == "souk:secret"
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "SEARCH_OPENSEARCH_URL is not set"),
        ({"SEARCH_OPENSEARCH_URL": "http://search", "SEARCH_OPENSEARCH_LOGIN": "a:b"}, "must begin with https://"),
        (
            {"SEARCH_OPENSEARCH_URL": "http://search", "SEARCH_OPENSEARCH_AWS_REGION": "eu-west-1"},
            "must begin with https",
        ),
        (URL | {"SEARCH_OPENSEARCH_LOGIN": "a:b", "SEARCH_OPENSEARCH_AWS_REGION": "eu-west-1"}, "exclude each other"),
        (URL | {"SEARCH_OPENSEARCH_SHARDS": "many"}, "SEARCH_OPENSEARCH_SHARDS"),
    ],
)
def test_what_makes_no_sense_is_refused(environ: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        OpenSearchSettings.of(environ)


def test_a_password_does_not_travel_unencrypted_and_without_one_a_node_of_this_machine_will_do() -> None:
    assert OpenSearchSettings.of({"SEARCH_OPENSEARCH_URL": "http://127.0.0.1:9200"}).login is None
