"""The notification service, put together."""

from services import signing_keys
from services.chassis import assembly, effects, erasure, loops, process, retention
from services.chassis.settings import read
from services.notification import (
    bouncing,
    catalog,
    clients,
    digests,
    events,
    notices,
    rpc,
    store,
    text_messages,
    unsubscribing,
    usecases,
    words,
)
from services.notification.domain import Channel
from services.notification.settings import Carrier, Settings

# Nobody waits for a mail so shortly, nor for the news that it was sent: both are done for many at once.
GATHER_S = 0.1
# A message may be written this much later, in seconds.
PATIENCE_S = 0.25
# How often messages without a contact are put off: until then a claim passes over each of them.
CONTACT_CHECK_S = 1.0
# How often it is looked whether vendors are to be told.
DIGEST_CHECK_S = 5.0
MAILS = effects.Concurrency(concurrent=128, gather_s=GATHER_S, pause_s=GATHER_S)


def build(host: assembly.Host) -> list[process.Part]:
    """The parts of the notification service that the host's role asks for, in the order they start."""
    settings = read(Settings, host.environ, service=usecases.SERVICE)
    service = assembly.Assembly(usecases.SERVICE, host, events.PUBLISHED)
    user = service.peer("user", signing_keys.DESCRIPTOR)
    templates = words.Templates()
    links = unsubscribing.Unsubscribing(service.db, public_url=settings.public_url)
    mailer = clients.Mailer(settings, templates, links, now=host.now)
    texts = _carrier(Channel.SMS, settings.sms, settings, templates)
    pushes = _carrier(Channel.PUSH, settings.push, settings, templates)
    tries = settings.most_attempts
    # A claim takes no more messages for SNS than there are threads to send them: none waits while its lease runs.
    calls, lease_s = effects.Concurrency(concurrent=settings.sns_calls, gather_s=GATHER_S), settings.sns_lease_s
    mailing = usecases.Sending(Channel.EMAIL, mailer, lease_s=settings.lease_s, most_attempts=tries)
    texting = usecases.Sending(Channel.SMS, texts, lease_s=lease_s, most_attempts=tries)
    pushing = usecases.Sending(Channel.PUSH, pushes, lease_s=lease_s, most_attempts=tries)
    workers = {
        Channel.EMAIL: effects.Worker(service.db, mailing, MAILS, name="notification-email"),
        Channel.SMS: effects.Worker(service.db, texting, calls, name="notification-sms"),
        Channel.PUSH: effects.Worker(service.db, pushing, calls, name="notification-push"),
    }
    wakes = {channel: worker.wake for channel, worker in workers.items()}
    notifications = usecases.Notifications(service.db, templates, now=host.now, wakes=wakes)
    unaddressed = usecases.Unaddressed(service.db, give_up_s=settings.contact_wait_s)
    vendors = digests.Digests(
        service.db,
        notifications,
        catalog.Catalog(service.peer("catalog", catalog.DESCRIPTOR)),
        every_s=settings.digest_s,
        now=host.now,
    )
    bounced = bouncing.Bouncing(service.db)
    hooks = notices.door(settings.webhook_secrets, bounced.hear, now=host.now)
    erasing = erasure.Erasure(service.db, store.ERASE)
    gauges = retention.Gauges(service.db, usecases.SERVICE, usecases.QUEUES)
    return service.parts(
        rpc.servicer(notifications, usecases.Preferences(service.db), service.page_tokens, rpc.Public(links, hooks)),
        signing_keys.fetched_from(user),
        consuming=assembly.Consuming(events.CONSUMED, events.subscribers(notifications, vendors, erasing), PATIENCE_S),
        working=[
            *(mailer, texts, pushes),
            *workers.values(),
            erasing,
            loops.Loop("notification-unaddressed", unaddressed.work, loops.Pace(CONTACT_CHECK_S)),
            loops.Loop("notification-digests", vendors.work, loops.Pace(DIGEST_CHECK_S)),
            loops.Loop("notification-feedback", bounced.forget, loops.Pace(60)),
            loops.Loop("notification-gauges", gauges.work, loops.Pace(10)),
        ],
    )


def _carrier(
    channel: Channel, chosen: Carrier, settings: Settings, templates: words.Templates
) -> text_messages.Sns | text_messages.Logged:
    if chosen is Carrier.SNS:
        return text_messages.Sns(channel, settings, templates)
    return text_messages.Logged(channel, templates)
