"""The notification service, put together."""

from services import signing_keys
from services.chassis import assembly, effects, loops, process, retention
from services.chassis.settings import read
from services.notification import clients, events, rpc, usecases
from services.notification.settings import Settings

# Nobody waits for the news that a mail was sent: it is written down for many at once.
LIMITS = effects.Limits(concurrent=128, gather_s=0.1)


def build(host: assembly.Host) -> list[process.Part]:
    """The parts of the notification service that the host's role asks for, in the order they start."""
    settings = read(Settings, host.environ)
    service = assembly.Assembly(usecases.SERVICE, host, events.PUBLISHED)
    user = service.peer("user", signing_keys.DESCRIPTOR)
    words = clients.Templates()
    mailer = clients.Mailer(settings, words, now=host.now)
    mailing = usecases.Mailing(mailer, lease_s=settings.lease_s, most_attempts=settings.most_attempts)
    worker = effects.Worker(service.db, mailing, LIMITS, name="notification-mail")
    notifications = usecases.Notifications(service.db, words, now=host.now, wake=worker.wake)
    gauges = retention.Gauges(service.db, usecases.SERVICE, usecases.QUEUES)
    return service.parts(
        rpc.servicer(notifications),
        signing_keys.fetched_from(user),
        consuming=assembly.Consuming(events.CONSUMED, events.subscribers(notifications)),
        working=[mailer, worker, loops.Loop("notification-gauges", gauges.work, loops.Pace(10))],
    )
