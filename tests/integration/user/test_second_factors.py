"""Second factors on a real database: a code counts once, also of many at once, and guessing lets nobody in or keeps them out."""

import asyncio
import uuid
from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
import pytest_asyncio
from cryptography import fernet

from services.chassis import clock, database, errors
from services.user import domain, passwords, sealing, usecases
from services.user.domain import second_factors as rules
from services.user.usecases import proving
from services.user.usecases.second_factors import Owner
from souk.user.v1 import user_events_pb2
from tests.integration.user import mortal as process
from tests.integration.user.conftest import Hands
from tests.support import mortal

PASSWORD = "correct horse battery"
STEP = timedelta(seconds=30)
ROW = database.Statement("SELECT f::text, secret FROM second_factors AS f WHERE user_id = %(user_id)s")
TOLD = database.Statement("""
SELECT payload FROM outbox WHERE key = %(user_id)s AND type = 'souk.user.v1.SecurityChanged' ORDER BY id
""")
HOME = domain.Origin("192.0.2.7")


class Protected:
    """Ann, her authenticator, and her recovery codes."""

    def __init__(self, users: usecases.Users, session: domain.Session, hands: Hands) -> None:
        self.users = users
        self.session = session
        self.id, self.email = session.user.id, session.user.email
        self.hands = hands
        self.secret = ""
        self.recovery: list[str] = []

    def code(self, *, ahead: timedelta = timedelta(0)) -> str:
        return pyotp.TOTP(self.secret).at(self.hands() + ahead)

    def owner(self, code: str, password: str = PASSWORD) -> Owner:
        return Owner(self.id, "", password, code)

    async def enrol(self, sign_in: str = "") -> None:
        self.secret = (await self.users.second_factors.begin(Owner(self.id, password=PASSWORD))).secret
        self.recovery = list(await self.users.second_factors.confirm(Owner(self.id, sign_in, code=self.code())))
        self.hands.ahead += STEP

    def login(self, code: str = "", *, origin: domain.Origin = HOME) -> Awaitable[domain.Session]:
        return self.users.accounts.login(self.email, PASSWORD, code=code, origin=origin)


async def reason(call: Awaitable[object]) -> str:
    with pytest.raises(errors.DomainError) as caught:
        await call
    return caught.value.reason


@pytest.fixture
def seal(tmp_path: Path) -> sealing.Seal:
    (tmp_path / "1.seal").write_bytes(fernet.Fernet.generate_key())
    return sealing.of_folder(tmp_path)


@pytest_asyncio.fixture
async def ann(
    db: database.Database,
    hashing: passwords.Passwords,
    sessions: usecases.Sessions,
    hands: Hands,
    seal: sealing.Seal,
) -> Protected:
    accounts = usecases.Accounts(db, hashing, sessions, now=hands, seal=seal)
    wanted = domain.Registration(f"ann.{uuid.uuid4().hex}@example.com", PASSWORD, "Ann")
    ann = Protected(usecases.users(db, accounts, sessions, hashing, now=hands), await accounts.register(wanted), hands)
    await ann.enrol()
    return ann


async def test_the_password_alone_opens_nothing_and_a_code_counts_once(ann: Protected) -> None:
    assert await reason(ann.login()) == "SECOND_FACTOR_REQUIRED"
    code = ann.code()
    assert (await ann.login(code)).user.id == ann.id
    assert await reason(ann.login(code)) == "SECOND_FACTOR_WRONG"
    ann.hands.ahead += STEP
    assert await reason(ann.login(code)) == "SECOND_FACTOR_WRONG"
    await ann.login(ann.code())


async def test_without_the_password_every_answer_is_the_same_with_a_code_and_without(ann: Protected) -> None:
    for email in (ann.email, "nobody@example.com"):
        for code in ("", ann.code(), "000000", ann.recovery[0]):
            assert await reason(ann.users.accounts.login(email, "a guess", code=code)) == "CREDENTIALS_WRONG"
    # Nothing of it was used up.
    await ann.login(ann.code())
    await ann.login(ann.recovery[0])


@pytest.mark.parametrize("kind", ["code", "recovery"])
async def test_of_many_who_send_one_code_at_once_one_gets_in(ann: Protected, kind: str) -> None:
    code = ann.code() if kind == "code" else ann.recovery[3]
    answers = await asyncio.gather(*(ann.login(code) for _ in range(8)), return_exceptions=True)
    assert len([answer for answer in answers if isinstance(answer, domain.Session)]) == 1
    refused = {answer.reason for answer in answers if isinstance(answer, errors.DomainError)}
    assert refused == {"SECOND_FACTOR_WRONG"}


async def test_guessing_ends_after_twenty_and_keeps_its_owner_out_of_nothing(ann: Protected) -> None:
    elsewhere = domain.Origin("203.0.113.9")
    await ann.login(ann.code())
    ann.hands.ahead += STEP
    far = ann.code(ahead=timedelta(days=9))
    for _ in range(rules.MOST_WRONG):
        assert await reason(ann.login(far, origin=elsewhere)) == "SECOND_FACTOR_WRONG"
    assert await reason(ann.login(ann.code(), origin=elsewhere)) == "SECOND_FACTOR_EXHAUSTED"
    await ann.login(ann.code())
    await ann.login(ann.recovery[0], origin=elsewhere)
    ann.hands.ahead += rules.WRONG_WITHIN
    await ann.login(ann.code(), origin=domain.Origin("203.0.113.10"))


async def test_what_is_kept_shows_neither_the_secret_nor_a_recovery_code(ann: Protected, db: database.Database) -> None:
    [(row, secret)] = await db.read(ROW, {"user_id": ann.id})
    assert ann.secret not in row
    assert not any(rules.kept(code) in row for code in ann.recovery)
    assert not secret.startswith("clear:")


async def test_it_is_begun_by_the_password_and_counts_when_it_is_confirmed(ann: Protected) -> None:
    use = ann.users.second_factors
    assert await reason(use.begin(ann.owner(""))) == "SECOND_FACTOR_EXISTS"
    assert await reason(use.confirm(ann.owner(ann.code()))) == "SECOND_FACTOR_EXISTS"
    await use.disable(ann.owner(ann.recovery[0]))
    assert await reason(use.begin(ann.owner("", "wrong"))) == "PASSWORD_WRONG"
    await use.begin(ann.owner(""))
    assert await reason(use.confirm(ann.owner(ann.code()))) == "CODE_WRONG"
    assert await use.get(ann.id) is None
    await ann.login()


async def test_switching_it_on_and_off_ends_the_other_sign_ins_alone(ann: Protected) -> None:
    use, sessions = ann.users.second_factors, ann.users.sessions
    assert await reason(sessions.refresh(ann.session.refresh.text)) == "REFRESH_TOKEN_INVALID"
    mine, other = await ann.login(ann.code()), await ann.login(ann.recovery[0])
    [_, kept] = await sessions.list(ann.id)
    await use.disable(Owner(ann.id, kept.id, PASSWORD, ann.recovery[1]))
    await sessions.refresh(mine.refresh.text)
    assert await reason(sessions.refresh(other.refresh.text)) == "REFRESH_TOKEN_INVALID"
    assert len(await sessions.list(ann.id)) == 1
    assert await reason(use.disable(ann.owner(ann.recovery[2]))) == "SECOND_FACTOR_OFF"


async def test_it_is_switched_off_by_password_and_code_and_by_neither_alone(ann: Protected) -> None:
    use = ann.users.second_factors
    assert await reason(use.disable(ann.owner(ann.code(), "wrong"))) == "PASSWORD_WRONG"
    assert await reason(use.disable(ann.owner(ann.code(ahead=timedelta(days=9))))) == "CODE_WRONG"
    assert await use.get(ann.id) is not None
    await use.disable(ann.owner(ann.code()))
    await ann.login()


async def test_new_recovery_codes_end_those_of_before(ann: Protected) -> None:
    use = ann.users.second_factors
    assert await reason(use.renew_codes(ann.owner("000000"))) == "CODE_WRONG"
    new = await use.renew_codes(ann.owner(ann.recovery[0]))
    factor = await use.get(ann.id)
    assert factor is not None
    assert len(factor.recovery) == len(new) == rules.RECOVERY_CODES
    assert await reason(ann.login(ann.recovery[1])) == "SECOND_FACTOR_WRONG"
    await ann.login(new[0])


async def test_a_login_beside_the_switch_survives_it_only_with_a_code(ann: Protected) -> None:
    await ann.users.second_factors.disable(ann.owner(ann.code()))
    ann.hands.ahead += STEP
    answers = await asyncio.gather(*(ann.login() for _ in range(6)), ann.enrol(), return_exceptions=True)
    assert answers[-1] is None
    for answer in answers[:-1]:
        if isinstance(answer, domain.Session):
            assert await reason(ann.users.sessions.refresh(answer.refresh.text)) == "REFRESH_TOKEN_INVALID"


async def test_a_new_password_by_mail_does_not_switch_it_off(
    ann: Protected, db: database.Database, hashing: passwords.Passwords
) -> None:
    class Post:
        token = ""

        async def send(self, user_id: str, _subject: str, text: str, *, key: str) -> bool:
            assert key
            if user_id == ann.id:
                self.token = text.splitlines()[1]
            return True

    post = Post()
    letters = proving.Letters(post, now=clock.utc_now)
    await ann.users.proving.request_reset(ann.email)
    async with db.transaction() as transaction:
        claimed = await letters.claim(transaction, 100)
    for work in claimed:
        await letters.perform(work)
    await proving.Proving(db, ann.users.accounts, hashing, now=clock.utc_now).reset(post.token, "another horse battery")
    login = ann.users.accounts.login
    assert await reason(login(ann.email, "another horse battery")) == "SECOND_FACTOR_REQUIRED"
    await login(ann.email, "another horse battery", code=ann.code())


async def test_a_recovery_code_whose_sign_in_died_before_its_answer_is_used(ann: Protected, database_url: str) -> None:
    used = ann.recovery[0]
    environment = {"DOES": "login", "EMAIL": ann.email, "PASSWORD": PASSWORD, "CODE": used}
    mortal.dies(process.__name__, database_url, at=process.SIGNING, **environment)
    assert await reason(ann.login(used)) == "SECOND_FACTOR_WRONG"
    await ann.login(ann.recovery[1])


@pytest.mark.parametrize("point", mortal.POINTS)
async def test_a_confirmation_that_died_is_repeated_or_its_lost_codes_are_made_anew(
    ann: Protected, database_url: str, tmp_path: Path, *, point: str
) -> None:
    use = ann.users.second_factors
    await use.disable(ann.owner(ann.code()))
    ann.hands.ahead = timedelta(0)
    ann.secret = (await use.begin(ann.owner(""))).secret
    environment = {"DOES": "confirm", "USER_ID": ann.id, "CODE": ann.code(), "SEAL_DIR": str(tmp_path)}
    mortal.dies(process.__name__, database_url, at=point, EMAIL="", PASSWORD="", **environment)
    if point == mortal.WRITTEN:
        assert await use.get(ann.id) is None
        await use.confirm(ann.owner(ann.code()))
    assert await reason(use.confirm(ann.owner(ann.code()))) == "SECOND_FACTOR_EXISTS"
    ann.hands.ahead += STEP
    [code, *_] = await use.renew_codes(ann.owner(ann.code()))
    await ann.login(code)


async def test_each_change_of_what_protects_an_account_is_told_and_nothing_that_was_refused(
    ann: Protected, db: database.Database
) -> None:
    use = ann.users.second_factors
    assert await reason(use.disable(ann.owner("ABCDE-FGHJK"))) == "CODE_WRONG"
    await ann.login(ann.recovery[0])
    await use.renew_codes(ann.owner(ann.code()))
    ann.hands.ahead += STEP
    await use.disable(ann.owner(ann.code()))
    await ann.users.accounts.update(ann.id, domain.ProfileChange("Anna"))
    await ann.users.accounts.update(
        ann.id, domain.ProfileChange(current_password=PASSWORD, new_password=f"another {PASSWORD}")
    )
    told = [user_events_pb2.SecurityChanged.FromString(row[0]) for row in await db.read(TOLD, {"user_id": ann.id})]
    assert [user_events_pb2.SecurityChanged.Change.Name(event.change) for event in told] == [
        "SECOND_FACTOR_ENABLED",
        "RECOVERY_CODE_USED",
        "RECOVERY_CODES_RENEWED",
        "SECOND_FACTOR_DISABLED",
        "PASSWORD_CHANGED",
    ]
    assert {event.user_id for event in told} == {ann.id}
    assert len({event.change_id for event in told}) == len(told)
