"""The two parts of a mail, as a mail program shows them."""

from email.message import EmailMessage


def text(mail: EmailMessage) -> str:
    """What a mail says without markup."""
    return _part(mail, "plain")


def html(mail: EmailMessage) -> str:
    """What a mail says with markup."""
    return _part(mail, "html")


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None, f"no {kind} part"
    return str(part.get_content())
