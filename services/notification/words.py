"""The words of all messages: templates for each channel, into which no value is put as a line of its own, or as markup.

A mail is one template that is rendered twice, as text and as HTML: `p`, `row`, `item`, `bullets` and `link` are what each makes
of a paragraph, a line, a list and a link, and `layout.txt` and `layout.html` are around it. It fetches nothing from elsewhere.

Texts that people chose (names of accounts, titles of products) are put only into mail to an address of which somebody proved to
be the reader. Anybody can register a stranger's address, and would otherwise write to the stranger in the shop's name. What an
administrator writes is the shop's own word.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from services.notification import domain
from services.notification.languages import Tongue

TEMPLATES = Path(__file__).parent / "templates"
_SUBJECT = "Subject: "
_BODY = "{{ body }}\n"
_SPACE = re.compile(r"\s+")
_LINK = re.compile(r"https?://\S+")
# The longest short text, in characters: three parts of a text message, and what a telephone shows of a push message.
MOST_SHORT: Mapping[domain.Channel, int] = {domain.Channel.SMS: 459, domain.Channel.PUSH: 240}


@dataclass(frozen=True, slots=True)
class Mail:
    """What a mail says, twice: without markup, and with."""

    text: str
    html: str


@dataclass(frozen=True, slots=True)
class _Template:
    subject: jinja2.Template
    text: jinja2.Template
    html: jinja2.Template
    short: Mapping[domain.Channel, jinja2.Template]


class Templates:
    """The words of all messages, read and compiled once. Raises when a file is missing or a mail's has no subject."""

    def __init__(self) -> None:
        text, html = _environment(_TEXT, markup=False), _environment(_HTML, markup=True)
        self._templates = {template: _read(text, html, template) for template in domain.Template}
        self._tongues = {language: Tongue(language) for language in domain.Language}

    def subject(self, letter: domain.Letter, language: domain.Language = domain.Language.EN) -> str:
        """The subject line of a letter. Raises UndefinedError when its details lack what the template names."""
        tongue = self._tongues[language]
        return self._templates[letter.template].subject.render(tongue.plain, **_told(letter.details, tongue))

    def mail(self, notification: domain.Notification, contact: domain.Contact, *, unsubscribe: str = "") -> Mail:
        """What a mail says to this person, with a link by which to unsubscribe from its kind, unless it is empty.

        Raises UndefinedError when the details lack a name of the template.
        """
        tongue = self._tongues[notification.language]
        template, details = self._templates[notification.template], _for_contact(notification, contact, tongue)
        around = {
            "greeting": tongue.gettext("Hello %(name)s,") % details if details["name"] else tongue.gettext("Hello,"),
            "language": notification.language,
            "title": notification.subject,
            "unsubscribe": unsubscribe,
        }
        details |= around
        return Mail(template.text.render(details, **tongue.plain), template.html.render(details, **tongue.html))

    def body(self, notification: domain.Notification, contact: domain.Contact) -> str:
        """What a message says to this person over its channel, as text. Raises UndefinedError like `mail`."""
        if notification.channel is domain.Channel.EMAIL:
            return self.mail(notification, contact).text
        tongue = self._tongues[notification.language]
        template = self._templates[notification.template].short[notification.channel]
        text = template.render(tongue.plain, **_for_contact(notification, contact, tongue))
        return _cut(one_line(text), MOST_SHORT[notification.channel])


def one_line(text: str) -> str:
    """The text with every run of white space, line ends too, as one space."""
    return _SPACE.sub(" ", text).strip()


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _link(url: str, text: str) -> Markup:
    # What is no address of the web is shown and leads nowhere.
    if not _LINK.fullmatch(url):
        return escape(text)
    return _tag('<a href="', url, '">', text, "</a>")


def _tag(*parts: str) -> Markup:
    """Tags of ours, with values between them: each second part is escaped. Markup's own formatting takes three times as long."""
    return Markup("".join(escape(part) if place % 2 else part for place, part in enumerate(parts)))  # noqa: S704 - see there


# What the parts of a mail become: of each, the template itself ends the line.
_TEXT: Mapping[str, Callable[..., str]] = {
    "p": lambda text: f"{text}\n",
    "row": str,
    "item": lambda text: f"  {text}",
    "bullets": lambda text: f"{text}\n",
    "link": lambda url, text: f"{text}: {url}",
}
_HTML: Mapping[str, Callable[..., str]] = {
    "p": lambda text: _tag("<p>", text, "</p>"),
    "row": lambda text: _tag("", text, "<br>"),
    "item": lambda text: _tag("<li>", text, "</li>"),
    "bullets": lambda text: _tag("<ul>\n", text, "</ul>\n"),
    "link": _link,
}


def _environment(parts: Mapping[str, Callable[..., str]], *, markup: bool) -> jinja2.Environment:
    made = jinja2.Environment(
        undefined=jinja2.StrictUndefined,  # a name that a template uses and a message lacks is an error
        autoescape=markup,  # noqa: S701 - plain text has no markup to escape
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(parts)
    return made


def _read(text: jinja2.Environment, html: jinja2.Environment, template: domain.Template) -> _Template:
    subject, _, mail = _file(f"{template}.mail").partition("\n\n")
    if not subject.startswith(_SUBJECT) or not mail:
        raise ValueError(f"{template}.mail does not begin with a subject and an empty line")
    # Around each mail is the layout, in one template with it: two would take longer to render.
    as_text, as_html = (_file(name).replace(_BODY, mail) for name in ("layout.txt", "layout.html"))
    short = {channel: text.from_string(_file(f"{template}.{channel.lower()}.txt")) for channel in MOST_SHORT}
    subject = subject.removeprefix(_SUBJECT)
    return _Template(text.from_string(subject), text.from_string(as_text), html.from_string(as_html), short)


def _file(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _for_contact(notification: domain.Notification, contact: domain.Contact, tongue: Tongue) -> dict[str, Any]:
    """What a template may say to this contact: a name and the titles of `lines` only where the address is verified."""
    details = _told(notification.details, tongue)
    if notification.channel is domain.Channel.EMAIL and contact.email_verified:
        return details | {"name": one_line(contact.display_name)}
    details["name"] = ""
    if notification.template in domain.LISTING:
        lines = details.pop("lines")
        details["items"] = sum(line["quantity"] for line in lines)
    return details


def _told(details: Mapping[str, Any], tongue: Tongue) -> dict[str, Any]:
    """The details as a language says them, every text on one line: a title cannot write lines of its own into a message."""
    told = _values(details, tongue)
    if "reason" in details:
        told["because"] = tongue.gettext(domain.cancelled_because(details["reason"]))
    if "cause_code" in details:
        told["cause"] = tongue.gettext(domain.undeliverable_because(details["cause_code"]))
    if "change_code" in details:
        told["change"] = tongue.gettext(domain.security_changed(details["change_code"]))
    if details.get("delivered"):
        told["delivered"] = tongue.day(datetime.fromisoformat(details["delivered"]))
    return told


def _values(details: Mapping[str, Any], tongue: Tongue) -> dict[str, Any]:
    told = {name: _value(value, tongue) for name, value in details.items()}
    told |= {name: tongue.money(told[name]) for name in domain.AMOUNTS & told.keys()}
    return told


def _value(value: Any, tongue: Tongue) -> Any:
    match value:
        case str():
            return one_line(value)
        case list():
            return [_value(item, tongue) for item in value]
        case dict():
            return _values(value, tongue)
        case _:
            return value
