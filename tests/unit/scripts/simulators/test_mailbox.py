"""How the mail server keeps messages."""

import mailbox as standard
from contextlib import closing
from pathlib import Path

from scripts.simulators import mailbox

MESSAGE = (
    b"From: shop@souk.test\r\nTo: ann@example.com\r\nSubject: =?utf-8?b?4pyT?=\r\n confirmed\r\n"
    b"Message-ID: <1@souk.test>\r\n\r\nFrom here on it is yours.\r\n>From there too.\r\n"
)


def test_a_kept_message_comes_back_as_it_was_sent(tmp_path: Path) -> None:
    store = mailbox.MailStore.open(tmp_path)
    store.keep("shop@souk.test", ["bob@example.com"], MESSAGE)
    store.keep("shop@souk.test", ["ann@example.com"], MESSAGE)
    store.close()
    [mail] = mailbox.read_index(tmp_path, to="ann@example.com")
    message = mailbox.read_message(tmp_path, mail)
    assert (mail.subject, mail.message_id) == ("✓ confirmed", "<1@souk.test>")
    assert message["X-Envelope-To"] == "ann@example.com"
    assert message.get_content() == "From here on it is yours.\n>From there too.\n"


def test_the_store_is_an_ordinary_mbox(tmp_path: Path) -> None:
    store = mailbox.MailStore.open(tmp_path)
    for _ in range(3):
        store.keep("shop@souk.test", ["ann@example.com"], MESSAGE)
    store.close()
    with closing(standard.mbox(tmp_path / mailbox.MESSAGES)) as box:
        assert [message["Message-ID"] for message in box] == ["<1@souk.test>"] * 3


def test_what_a_crash_cut_short_is_dropped_and_the_rest_stays(tmp_path: Path) -> None:
    store = mailbox.MailStore.open(tmp_path)
    store.keep("shop@souk.test", ["ann@example.com"], MESSAGE)
    store.close()
    with (tmp_path / mailbox.MESSAGES).open("ab") as messages, (tmp_path / mailbox.INDEX).open("ab") as index:
        messages.write(b"From shop@souk.test Sat Nov 21 10:00:00 2026\nX-Env")
        index.write(b'{"time":"20')
    reopened = mailbox.MailStore.open(tmp_path)
    reopened.keep("shop@souk.test", ["bob@example.com"], MESSAGE)
    reopened.close()
    kept = mailbox.read_index(tmp_path)
    assert [mail.to for mail in kept] == [["ann@example.com"], ["bob@example.com"]]
    assert [mailbox.read_message(tmp_path, mail)["Message-ID"] for mail in kept] == ["<1@souk.test>"] * 2
