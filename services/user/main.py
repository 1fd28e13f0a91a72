"""The user service, put together."""

import functools
from datetime import timedelta

from services.chassis import assembly, effects, loops, process
from services.chassis.rpc import identity
from services.chassis.settings import SettingsError, read
from services.user import events, passwords, rpc, sealing, tokens, usecases
from services.user.clients import notification, openid
from services.user.settings import Settings

# How often the administrator's account is looked after once it is as it should be, in seconds.
ADMIN_EVERY_S = 300
# Few letters at once, and nobody waits for them longer than a moment.
LETTERS = effects.Concurrency(concurrent=16, idle_s=0.5, idle_most_s=2.0)
# How often sign-ins that expired are forgotten, in seconds.
PURGE_EVERY_S = 600


def build(host: assembly.Host) -> list[process.Part]:
    """The parts of the user service that the host's role asks for, in the order they start. Raises SettingsError."""
    settings = read(Settings, host.environ)
    service = assembly.Assembly(usecases.SERVICE, host, events.PUBLISHED)
    keys = tokens.KeyRing(settings.signing_key_dir)
    issuer = identity.Issuer(service.settings.token_issuer, service.settings.token_audience)
    signer = tokens.Signer(keys, issuer, timedelta(seconds=settings.token_lifetime_s))
    hashing = passwords.Passwords()
    lifetime = timedelta(seconds=settings.refresh_lifetime_s)
    sessions = usecases.Sessions(service.db, signer, lifetime, now=host.now)
    seal = sealing.of_folder(settings.signing_key_dir)
    accounts = usecases.Accounts(service.db, hashing, sessions, now=host.now, seal=seal)
    purge = loops.Loop("user-sessions", sessions.purge, loops.Pace(PURGE_EVERY_S))
    asked = openid.Providers(settings.providers(), timeout_s=settings.provider_timeout_s, now=host.now)
    users = usecases.users(service.db, accounts, sessions, hashing, now=host.now)
    users.providers.openid = asked
    post = notification.Notification(service.peer("notification", notification.DESCRIPTOR))
    letters = effects.Worker(service.db, usecases.proving.Letters(post, now=host.now), LETTERS, name="user-letters")
    users.proving.wake = letters.wake
    working: list[process.Part] = [purge, letters, *_admin(accounts, settings)]
    parts = service.parts(rpc.servicer(users, service.page_tokens), rpc.Authority(keys, sessions), working=working)
    return [hashing, asked, *parts]


def _admin(accounts: usecases.Accounts, settings: Settings) -> list[process.Part]:
    """The loop that sees to the administrator's account; it waits for the database without keeping anyone else."""
    if not settings.admin_email:
        return []
    if not settings.admin_password:
        raise SettingsError("ADMIN_EMAIL is set and ADMIN_PASSWORD is not")
    work = functools.partial(accounts.ensure_admin, settings.admin_email, settings.admin_password)
    return [loops.Loop("user-admin", work, loops.Pace(ADMIN_EVERY_S))]
