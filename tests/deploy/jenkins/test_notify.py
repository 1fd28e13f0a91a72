import pytest

from scripts.release import notify
from tests.deploy import loopback


def test_people_are_told_the_version_the_branch_and_the_outcome() -> None:
    given = {"VERSION": "1.4.0", "TAG_NAME": "v1.4.0", "BRANCH_NAME": "v1.4.0", "BUILD_URL": "https://ci.example/7/"}
    assert notify.text("SUCCESS", given) == "souk 1.4.0 (v1.4.0): SUCCESS https://ci.example/7/"
    assert notify.text("FAILURE", {}) == "souk unknown version (local): FAILURE"


def test_the_webhook_gets_one_message() -> None:
    with loopback.serving(lambda _: (200, {})) as server:
        assert notify.tell("hello", f"{server.url}/hooks/secret-part")
    assert [(asked.path, asked.body) for asked in server.asked] == [("/hooks/secret-part", {"text": "hello"})]


@pytest.mark.parametrize("status", [403, 500])
def test_a_webhook_that_refuses_breaks_nothing_and_stays_secret(
    status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with loopback.serving(lambda _: (status, {})) as server:
        assert not notify.tell("hello", f"{server.url}/hooks/secret-part")
    told = capsys.readouterr()
    assert f"the webhook answers {status}" in told.err
    assert "secret-part" not in told.out + told.err


@pytest.mark.parametrize("webhook", ["", "http://127.0.0.1:9/secret-part", "nonsense secret-part"])
def test_nobody_to_tell_is_said_once(webhook: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not notify.tell("hello", webhook)
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert "secret-part" not in told.out + told.err
