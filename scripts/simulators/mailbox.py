"""Where the mail server keeps what it was sent, and how a test finds it again.

DIR/mails.mbox holds the messages, as any mail program reads them; DIR/index.jsonl one line for each: when it came, from
whom, to whom, its subject and id, and where it lies in the mbox. Two appends make keeping a message cheap, and finding
the mails to an address is one pass over the index.
"""

import email
import email.policy
import errno
import fcntl
import json
import os
import re
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from pathlib import Path
from typing import Self

MESSAGES = "mails.mbox"
INDEX = "index.jsonl"

# The mbox rule: a line of a message that looks like the start of another message is quoted with ">".
_LOOKS_LIKE_START = re.compile(rb"^(>*From )", re.MULTILINE)
_QUOTED_START = re.compile(rb"^>(>*From )", re.MULTILINE)
_SUBJECT = re.compile(rb"^subject:[ \t]*(.*(?:\n[ \t].*)*)", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(.*)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Mail:
    """One line of the index. `time` is ISO 8601 in UTC; `offset` and `length` count bytes of the mbox."""

    time: str
    sender: str
    to: list[str]
    subject: str
    message_id: str
    offset: int
    length: int


FIELDS = tuple(field.name for field in fields(Mail))


class StoreInUse(Exception):  # noqa: N818 - the other process is right, this one is late
    """Another process writes this store."""


class MailStore:
    """The writing side. One process may have a store open: for a second `open` raises StoreInUse."""

    def __init__(self, messages: int, index: int) -> None:
        self._messages = messages
        self._index = index
        self._end = os.fstat(messages).st_size

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Open or make the store. What a crash cut short is dropped: its sender was never told that it was taken."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        index = _open_to_append(directory / INDEX)
        try:
            fcntl.flock(index, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            os.close(index)
            raise StoreInUse(str(directory)) from taken
        lines = (directory / INDEX).read_bytes()
        os.ftruncate(index, lines.rfind(b"\n") + 1)
        messages = _open_to_append(directory / MESSAGES)
        known = read_index(directory)
        os.ftruncate(messages, known[-1].offset + known[-1].length + 1 if known else 0)
        return cls(messages, index)

    def close(self) -> None:
        """Let go of the files."""
        os.close(self._messages)
        os.close(self._index)

    def keep(self, sender: str, to: list[str], content: bytes) -> Mail:
        """Append a message, with its envelope in X-Envelope headers. Raises OSError when it can't be kept."""
        now = datetime.now(UTC)
        body = content.replace(b"\r\n", b"\n")
        head, _, _ = body.partition(b"\n\n")
        start = f"From {sender or 'MAILER-DAEMON'} {now:%a %b %d %H:%M:%S %Y}\n".encode()
        envelope = f"X-Envelope-From: {sender}\nX-Envelope-To: {', '.join(to)}\n".encode()
        message = envelope + _LOOKS_LIKE_START.sub(rb">\1", body if body.endswith(b"\n") else body + b"\n")
        mail = Mail(
            time=now.isoformat(timespec="milliseconds"),
            sender=sender,
            to=to,
            subject=_header(_SUBJECT, head),
            message_id=_header(_MESSAGE_ID, head),
            offset=self._end + len(start),
            length=len(message),
        )
        _append(self._messages, start + message + b"\n", self._end)
        self._end = mail.offset + mail.length + 1
        line = json.dumps({name: getattr(mail, name) for name in FIELDS}, separators=(",", ":")).encode() + b"\n"
        _append(self._index, line, os.fstat(self._index).st_size)
        return mail


def read_index(directory: Path, to: str = "") -> list[Mail]:
    """The mails in a store, oldest first; with `to` only those to this address. A store not yet made is empty."""
    index = directory / INDEX
    if not index.exists():
        return []
    wanted = json.dumps(to).encode() if to else b""
    with index.open("rb") as lines:
        found = [Mail(**json.loads(line)) for line in lines if wanted in line and line.endswith(b"\n")]
    return [mail for mail in found if not to or to in mail.to]


def read_message(directory: Path, mail: Mail) -> EmailMessage:
    """The message itself, parsed, with its envelope in X-Envelope-From and X-Envelope-To."""
    with (directory / MESSAGES).open("rb") as messages:
        messages.seek(mail.offset)
        raw = _QUOTED_START.sub(rb"\1", messages.read(mail.length))
    return email.message_from_bytes(raw, policy=email.policy.default)


def _open_to_append(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _append(descriptor: int, content: bytes, end: int) -> None:
    if os.write(descriptor, content) != len(content):
        os.ftruncate(descriptor, end)
        raise OSError(errno.ENOSPC, "the mail store can't grow")


def _header(pattern: re.Pattern[bytes], head: bytes) -> str:
    found = pattern.search(head)
    if not found:
        return ""
    text = re.sub(r"\n[ \t]+", " ", found[1].decode("utf-8", "replace")).strip()
    return str(make_header(decode_header(text))) if "=?" in text else text
