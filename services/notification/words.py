"""The words of all messages: templates for each channel, into which no value is put as a line of its own.

Texts that people chose (names of accounts, titles of products) are put only into mail to an address of which somebody proved to
be the reader. Anybody can register a stranger's address, and would otherwise write to the stranger in the shop's name. What an
administrator writes is the shop's own word.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from services.notification import domain

TEMPLATES = Path(__file__).parent / "templates"
_SUBJECT = "Subject: "
_SPACE = re.compile(r"\s+")
# The longest short text, in characters: three parts of a text message, and what a telephone shows of a push message.
MOST_SHORT: Mapping[domain.Channel, int] = {domain.Channel.SMS: 459, domain.Channel.PUSH: 240}


@dataclass(frozen=True, slots=True)
class _Template:
    subject: jinja2.Template
    bodies: Mapping[domain.Channel, jinja2.Template]


class Templates:
    """The words of all messages, read and compiled once. Raises when a file is missing or a mail's has no subject."""

    def __init__(self) -> None:
        environment = jinja2.Environment(
            undefined=jinja2.StrictUndefined,  # a name that a template uses and a message lacks is an error
            autoescape=False,  # noqa: S701 - plain text has no markup to escape
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._templates = {template: _read(environment, template) for template in domain.Template}

    def subject(self, letter: domain.Letter) -> str:
        """The subject line of a letter. Raises UndefinedError when its details lack what the template names."""
        return one_line(self._templates[letter.template].subject.render(_clean(letter.details)))

    def body(self, notification: domain.Notification, contact: domain.Contact) -> str:
        """What a message says to this person over its channel. Raises UndefinedError when its details lack a name."""
        body = self._templates[notification.template].bodies[notification.channel]
        text = body.render(_for_contact(notification, contact))
        most = MOST_SHORT.get(notification.channel)
        return _cut(one_line(text), most) if most else text


def one_line(text: str) -> str:
    """The text with every run of white space, line ends too, as one space."""
    return _SPACE.sub(" ", text).strip()


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _read(environment: jinja2.Environment, template: domain.Template) -> _Template:
    subject, _, mail = _file(f"{template}.txt").partition("\n\n")
    if not subject.startswith(_SUBJECT) or not mail:
        raise ValueError(f"{template}.txt does not begin with a subject and an empty line")
    texts = {channel: _file(f"{template}.{channel.lower()}.txt") for channel in MOST_SHORT}
    bodies = {channel: environment.from_string(text) for channel, text in {domain.Channel.EMAIL: mail, **texts}.items()}
    return _Template(environment.from_string(subject.removeprefix(_SUBJECT)), bodies)


def _file(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _for_contact(notification: domain.Notification, contact: domain.Contact) -> dict[str, Any]:
    """What a template may say to this contact: a name and the titles of `lines` only where the address is verified."""
    details = _clean(notification.details)
    if notification.channel is domain.Channel.EMAIL and contact.email_verified:
        return details | {"name": one_line(contact.display_name)}
    details["name"] = ""
    if notification.template in domain.LISTING:
        lines = details.pop("lines")
        details["items"] = sum(line["quantity"] for line in lines)
    return details


def _clean(details: Mapping[str, Any]) -> dict[str, Any]:
    """The details with every text on one line: a title cannot write lines of its own into a message."""
    return {name: _clean_value(value) for name, value in details.items()}


def _clean_value(value: Any) -> Any:
    match value:
        case str():
            return one_line(value)
        case list():
            return [_clean_value(item) for item in value]
        case dict():
            return _clean(value)
        case _:
            return value
