"""From an event to a mail in a mailbox: once for each occasion, when the address is known, whatever the server says."""

import dataclasses
import signal
import socket
from pathlib import Path

import pytest

from services.notification import store
from tests.integration.notification import mortal_worker
from tests.integration.notification import post_office as offices
from tests.integration.notification.post_office import PostOffice, cancelled, confirmed, new_id, refunded, registered
from tests.support import mails, mortal, mortal_effects, ports, simulators, tables
from tests.support.polling import eventually


def address() -> str:
    return f"ann-{new_id()}@example.com"


async def test_a_new_user_is_welcomed(office: PostOffice) -> None:
    user, to = new_id(), address()
    await office.hear(registered(user, to))
    await office.reach(user, "SENT")
    [mail], [message] = office.mails(to), await office.messages(user)
    assert (mail["Subject"], mail["Message-ID"]) == ("Welcome to Souk", f"<{message.id}@souk.test>")
    assert mails.text(mail).startswith("Hello Ann,")


async def test_a_confirmed_order_is_confirmed_by_mail(office: PostOffice) -> None:
    user, to, order = new_id(), address(), new_id()
    await office.hear(registered(user, to), confirmed(order, user))
    await office.reach(user, "SENT", "SENT")
    assert office.subjects(to) == ["Welcome to Souk", f"Your order {order} is confirmed"]
    [text] = [mails.text(mail) for mail in office.mails(to) if "confirmed" in mail["Subject"]]
    assert "2 x Teapot: $42.00" in text
    assert "Total: $42.00" in text


async def test_a_cancelled_and_refunded_order_is_told_with_its_reason(office: PostOffice) -> None:
    user, to, order = new_id(), address(), new_id()
    await office.hear(registered(user, to), cancelled(order, user, "CAPTURE_REFUSED"), refunded(order, user))
    await office.reach(user, "SENT", "SENT", "SENT")
    texts = {str(mail["Subject"]): mails.text(mail) for mail in office.mails(to)}
    assert "your bank refused the payment" in texts[f"Your order {order} was cancelled"]
    assert f"$42.00 refunded for your order {order}" in texts


async def test_a_repeated_event_sends_one_mail(office: PostOffice) -> None:
    user, to, order = new_id(), address(), new_id()
    await office.hear(registered(user, to), confirmed(order, user))
    await office.hear(registered(user, to), confirmed(order, user))
    await office.reach(user, "SENT", "SENT")
    await office.hear(confirmed(order, user))
    assert len(await office.messages(user)) == 2
    assert len(office.mails(to)) == 2


async def test_a_message_waits_until_its_address_is_known_and_that_is_no_attempt(office: PostOffice) -> None:
    user, to, order = new_id(), address(), new_id()
    await office.hear(confirmed(order, user))
    # What came later was sent: this one would have been, too, were there an address.
    later = new_id()
    await office.hear(confirmed(new_id(), later), registered(later, address()))
    await office.reach(later, "SENT", "SENT")
    [waiting] = await office.messages(user)
    assert (waiting.state, waiting.attempts) == ("QUEUED", 0)
    await office.hear(registered(user, to))
    await office.reach(user, "SENT", "SENT")
    assert len(office.mails(to)) == 2


async def test_a_message_without_an_address_does_not_hold_up_those_behind_it(office: PostOffice) -> None:
    await office.hear(*(confirmed(new_id(), new_id()) for _ in range(300)))
    user, to = new_id(), address()
    await office.hear(registered(user, to))
    await office.reach(user, "SENT")


async def test_a_mailbox_that_does_not_exist_fails_at_once_and_for_good(office: PostOffice) -> None:
    user, to = new_id(), f"bounce-{new_id()}@example.com"
    await office.hear(registered(user, to))
    await office.reach(user, "FAILED")
    [message] = await office.messages(user)
    assert (message.attempts, message.reason.startswith("550 ")) == (1, True)


async def test_an_address_that_is_none_fails_without_bothering_the_server(office: PostOffice) -> None:
    user = new_id()
    await office.hear(registered(user, "ann@example.com\r\nBcc: everybody@example.com"))
    await office.reach(user, "FAILED")
    assert [message.reason for message in await office.messages(user)] == ["ADDRESS_INVALID"]


async def test_a_mailbox_that_is_busy_gets_its_mail_later(office: PostOffice) -> None:
    user, to = new_id(), f"defer-{new_id()}@example.com"
    await office.hear(registered(user, to))
    await office.reach(user, "SENT")
    [message] = await office.messages(user)
    assert message.attempts == 2
    assert len(office.mails(to)) == 1


async def test_a_message_that_is_put_off_again_and_again_is_given_up(idle_office: PostOffice, smtp_url: str) -> None:
    user = new_id()
    chosen = offices.settings(smtp_url, most_attempts=1)
    async with offices.working(idle_office.db, chosen):
        await idle_office.hear(registered(user, f"defer-{new_id()}@example.com"))
        await idle_office.reach(user, "FAILED")


async def test_text_of_all_languages_arrives_as_it_was(office: PostOffice) -> None:
    user, to, order = new_id(), address(), new_id()
    await office.hear(registered(user, to, "Žofie 李"), confirmed(order, user, "Čajník\r\n.\r\nQUIT"))
    await office.reach(user, "SENT", "SENT")
    [text] = [mails.text(mail) for mail in office.mails(to) if "confirmed" in mail["Subject"]]
    assert "Hello Žofie 李," in text
    assert "2 x Čajník . QUIT: $42.00" in text


async def test_a_hundred_mails_go_over_few_connections(office: PostOffice) -> None:
    users = {new_id(): address() for _ in range(100)}
    await office.hear(*(registered(user, to) for user, to in users.items()))
    for user, to in users.items():
        await office.reach(user, "SENT")
        assert len(office.mails(to)) == 1


async def test_a_server_that_is_away_costs_no_attempts_and_gets_the_mail_when_it_is_back(
    idle_office: PostOffice, tmp_path: Path
) -> None:
    user, to = new_id(), address()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"smtp://127.0.0.1:{taken.getsockname()[1]}"
        async with offices.working(idle_office.db, offices.settings(url)):
            await idle_office.hear(registered(user, to))

            async def tried() -> bool:
                [message] = await idle_office.messages(user)
                return message.reason == "NO_CONNECTION"

            await eventually(tried, within_s=offices.PATIENCE_S)
    [message] = await idle_office.messages(user)
    assert (message.state, message.attempts) == ("QUEUED", 0)
    with simulators.mail_server(tmp_path) as back:
        async with offices.working(idle_office.db, offices.settings(back)):
            await idle_office.reach(user, "SENT")
    assert len(dataclasses.replace(idle_office, store=tmp_path).mails(to)) == 1


async def test_a_server_that_never_answers_is_given_up_after_a_while(idle_office: PostOffice) -> None:
    user = new_id()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        async with offices.working(idle_office.db, offices.settings(url, timeout_s=0.2)):
            await idle_office.hear(registered(user, address()))

            async def tried() -> bool:
                [message] = await idle_office.messages(user)
                return message.reason == "NO_CONNECTION"

            await eventually(tried, within_s=offices.PATIENCE_S)


async def test_a_server_that_drops_its_connections_is_connected_again(idle_office: PostOffice, tmp_path: Path) -> None:
    first, second, to = new_id(), new_id(), address()
    listen = ports.free_address()
    async with offices.working(idle_office.db, offices.settings(f"smtp://{listen}")):
        for user in (first, second):
            with simulators.mail_server(tmp_path, listen=listen):
                await idle_office.hear(registered(user, to))
                await idle_office.reach(user, "SENT")
    assert len(dataclasses.replace(idle_office, store=tmp_path).mails(to)) == 2


@pytest.mark.parametrize("point", mortal_effects.POINTS)
async def test_a_worker_killed_at_any_line_leaves_a_mail_that_is_sent_and_can_be_told_from_a_second_one(
    idle_office: PostOffice, database_url: str, smtp_url: str, point: str
) -> None:
    user, to = new_id(), address()
    with mortal.worker(mortal_worker.__name__, database_url, smtp_url, die_at=point) as doomed:
        await idle_office.hear(registered(user, to))
        assert await mortal.death_of(doomed, within_s=offices.PATIENCE_S) == -signal.SIGKILL
    async with offices.working(idle_office.db, offices.settings(smtp_url)):
        await idle_office.reach(user, "SENT")
    [message] = await idle_office.messages(user)
    copies = 2 if point in {mortal_effects.ANSWERED, mortal_effects.WRITTEN} else 1
    assert [mail["Message-ID"] for mail in idle_office.mails(to)] == [f"<{message.id}@souk.test>"] * copies


def test_the_codes_tables_are_those_that_the_migrations_make(database_url: str) -> None:
    assert tables.differences(database_url, store.METADATA) == []
