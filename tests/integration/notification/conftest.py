"""A notification service on a real database, with a real mail server process."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.chassis import clock, database
from services.notification import usecases
from tests.integration.notification import aws
from tests.integration.notification import post_office as offices
from tests.integration.notification.post_office import PostOffice
from tests.support import simulators

# What an earlier test left unsent is none of the next one's business.
_FORGET = database.Statement("TRUNCATE notifications, contacts, preferences, low_stock, mail_feedback")


@pytest.fixture(scope="module")
def mail_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mail")


@pytest.fixture(scope="module")
def smtp_url(mail_store: Path) -> Iterator[str]:
    with simulators.mail_server(mail_store) as url:
        yield url


@pytest.fixture(autouse=True)
def aws_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials for SNS, so that nobody looks for any elsewhere."""
    for name, value in aws.CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def sns() -> Iterator[aws.Sns]:
    """An SNS."""
    with aws.moto() as made:
        yield made


@pytest_asyncio.fixture
async def db(db: database.Database) -> AsyncIterator[database.Database]:
    await db.read(_FORGET)
    yield db


@pytest.fixture
def idle_office(db: database.Database, mail_store: Path) -> PostOffice:
    """A post office where events are heard, but nobody sends."""
    notifications = usecases.Notifications(db, offices.WORDS, now=clock.utc_now, wakes=offices.QUIET)
    return PostOffice(db, notifications, mail_store)


@pytest_asyncio.fixture
async def office(idle_office: PostOffice, smtp_url: str) -> AsyncIterator[PostOffice]:
    """A post office with its worker."""
    async with offices.working(idle_office.db, offices.settings(smtp_url)) as notifications:
        idle_office.notifications = notifications
        yield idle_office
