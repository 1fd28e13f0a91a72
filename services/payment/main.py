"""The payment service, put together."""

from services import signing_keys
from services.chassis import assembly, effects, loops, process, retention
from services.chassis.settings import read
from services.payment import clients, events, rpc, usecases
from services.payment.settings import Settings
from services.payment.usecases import charging, reconciling, reporting, returning, webhooks


def build(host: assembly.Host) -> list[process.Part]:
    """The parts of the payment service that the host's role asks for, in the order they start."""
    settings = read(Settings, host.environ, service=usecases.SERVICE)
    service = assembly.Assembly(usecases.SERVICE, host, events.PUBLISHED)
    user = service.peer("user", signing_keys.DESCRIPTOR)
    provider = clients.Provider(settings)
    calls = charging.Charging(provider, now=host.now, lease_s=settings.lease_s, confirm_poll_s=settings.confirm_poll_s)
    limits = effects.Concurrency(concurrent=settings.provider_calls)
    worker = effects.Worker(service.db, calls, limits, name="payment-provider")
    heard = webhooks.Webhooks(service.db, now=host.now, wake=worker.wake, lease_s=settings.lease_s)
    reconciled = reconciling.Reconciling(service.db, provider, now=host.now, every_s=settings.reconcile_s)
    payments = usecases.Payments(service.db, now=host.now, wake=worker.wake)
    returned = returning.Returning(service.db, now=host.now, wake=worker.wake)
    reports = reporting.Reports(service.db, service.page_tokens)
    refunding = loops.Loop("payment-returns", returned.begin, loops.Pace(0.5, 1.0))
    gauges = retention.Gauges(service.db, usecases.SERVICE, usecases.QUEUES)
    return service.parts(
        rpc.servicer(payments, reconciled, reports, clients.door(settings, heard.receive, now=host.now)),
        signing_keys.fetched_from(user),
        consuming=assembly.Consuming(events.CONSUMED, events.subscribers(payments, returned)),
        working=[
            provider,
            worker,
            refunding,
            loops.Loop("payment-gauges", gauges.work, loops.Pace(10)),
            loops.Loop(
                "payment-reconciliation", reconciled.run, loops.Pace(settings.reconcile_s, settings.reconcile_s)
            ),
            loops.Loop("payment-webhooks", heard.forget, loops.Pace(60)),
        ],
    )
