"""A credential that came from a file is what the file says now; a file that cannot be read is no reason to forget it."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from services.chassis import cache, credentials
from services.chassis.settings import SettingsError, env, read


@dataclass(frozen=True, slots=True)
class Settings:
    url: credentials.Credential = env("{SERVICE}_DATABASE_URL", secret=True)  # noqa: RUF009 - no value is made here: a field is


def alarms(name: str) -> float:
    return REGISTRY.get_sample_value("souk_alarms_total", {"service": "order", "alarm": name}) or 0.0


def credential(path: Path) -> credentials.Credential:
    return read(Settings, {"ORDER_DATABASE_URL_FILE": str(path)}, service="order").url


def test_a_changed_file_is_read_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "url"
    path.write_text("first\n")
    changing = credential(path)
    assert changing.current() == "first"
    path.write_text("second\n")
    assert changing.current() == "second"


def test_a_variable_does_not_change() -> None:
    assert read(Settings, {"ORDER_DATABASE_URL": "always"}, service="order").url.current() == "always"


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"])
def test_a_file_that_is_gone_or_empty_raises_an_alarm_and_the_last_text_is_used(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "url"
    path.write_text("kept")
    changing, before = credential(path), alarms("credential_unreadable")
    path.unlink() if content is None else path.write_bytes(content)
    assert changing.current() == "kept"
    assert alarms("credential_unreadable") == before + 1
    path.write_text("new")
    assert changing.current() == "new"
    assert alarms("credential_unreadable") == before + 1


def test_a_file_that_is_missing_at_the_start_is_a_mistake_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="ORDER_DATABASE_URL"):
        credential(tmp_path / "none")


def test_a_credential_does_not_tell_its_secret(tmp_path: Path) -> None:
    path = tmp_path / "url"
    path.write_text("hidden")
    assert "hidden" not in repr(credential(path))
    assert "ORDER_DATABASE_URL" in repr(credential(path))


def test_processes_of_one_service_trust_each_others_cache_after_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "SECRET_S", 0.0)
    path = tmp_path / "url"
    path.write_text("first")
    older = cache.Seal.of_database(credential(path))
    assert older.open("key", older.close("key", b"tea", 60)) == b"tea"
    path.write_text("second")
    younger = cache.Seal.of_database(credential(path))
    assert older.open("key", younger.close("key", b"tea", 60)) == b"tea"
    assert older.open("key", cache.Seal.of_database("first").close("key", b"tea", 60)) is None
