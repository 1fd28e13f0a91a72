"""A worker of messages that kills itself at one line. It sends mail, or what CHANNEL names instead."""

import asyncio
import os

from services.chassis import clock
from services.chassis.credentials import Credential
from services.notification import clients, events, text_messages, usecases, words
from services.notification.domain import Channel
from services.notification.settings import Settings
from tests.integration.notification import aws
from tests.integration.notification.post_office import NoLinks
from tests.support import mortal_effects

LEASE_S = 0.6


def _sender(channel: Channel, url: str) -> clients.Mailer | text_messages.Sns:
    if channel is Channel.EMAIL:
        return clients.Mailer(Settings(smtp_url=Credential(url)), words.Templates(), NoLinks(), now=clock.utc_now)
    return text_messages.Sns(channel, aws.settings(url), words.Templates())


async def _work() -> None:
    channel = Channel(os.environ.get("CHANNEL", Channel.EMAIL))
    sender = _sender(channel, os.environ["OUTSIDE_URL"])
    await sender.start()
    sending = usecases.Sending(channel, sender, lease_s=LEASE_S, most_attempts=3)
    await mortal_effects.work(sending, events.PUBLISHED)


if __name__ == "__main__":
    asyncio.run(_work())
