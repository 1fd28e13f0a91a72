"""Accounts, sessions and what people keep, as messages of the contract: `of_user` renders an account, `of_session` a session."""

from services.chassis import mail_address
from services.chassis.rpc import identity, render
from services.user import domain
from services.user.domain import addresses, payment_methods, preferences, providers, second_factors, security, vendors
from souk.type.v1 import address_pb2
from souk.user.v1 import (
    address_book_pb2,
    oauth_pb2,
    payment_methods_pb2,
    preferences_pb2,
    role_changes_pb2,
    second_factor_pb2,
    sign_ins_pb2,
    user_events_pb2,
    user_pb2,
    user_service_pb2,
    vendor_applications_pb2,
)

TOKEN_TYPE = "Bearer"  # noqa: S105 - the scheme's name is no secret


def of_user(user: domain.User) -> user_pb2.User:
    return user_pb2.User(
        id=user.id,
        email=mail_address.shown(user.email),
        display_name=user.display_name,
        roles=[user_pb2.User.Role.Value(role) for role in user.roles],
        create_time=render.timestamp(user.create_time),
        email_verified=user.email_verified,
    )


def of_session(session: domain.Session) -> user_service_pb2.Session:
    return user_service_pb2.Session(
        access_token=session.access.access_token,
        token_type=TOKEN_TYPE,
        expire_time=render.timestamp(session.access.expire_time),
        user=of_user(session.user),
        refresh_token=session.refresh.text,
        refresh_expire_time=render.timestamp(session.refresh.expire_time),
    )


def of_second_factor(factor: second_factors.Factor | None) -> second_factor_pb2.SecondFactor:
    if factor is None or factor.enable_time is None:
        return second_factor_pb2.SecondFactor()
    since = render.timestamp(factor.enable_time)
    return second_factor_pb2.SecondFactor(enabled=True, enable_time=since, recovery_codes_left=len(factor.recovery))


def of_link(link: providers.Link) -> oauth_pb2.SignInLink:
    return oauth_pb2.SignInLink(
        provider=link.provider, email=mail_address.shown(link.email), create_time=render.timestamp(link.create_time)
    )


def of_application(application: vendors.Application) -> vendor_applications_pb2.VendorApplication:
    draft, decided = application.draft, application.decide_time
    return vendor_applications_pb2.VendorApplication(
        id=application.id,
        user_id=application.user_id,
        state=vendor_applications_pb2.VendorApplication.State.Value(application.state),
        create_time=render.timestamp(application.create_time),
        decide_time=render.timestamp(decided) if decided else None,
        reason=application.reason,
        **{name: getattr(draft, name) for name in vendors.FIELDS},
    )


def of_application_decided(fact: vendors.VendorApplicationDecided) -> user_events_pb2.VendorApplicationDecided:
    application = fact.application
    decided = application.decide_time
    return user_events_pb2.VendorApplicationDecided(
        user_id=application.user_id,
        application_id=application.id,
        approved=application.state is vendors.State.APPROVED,
        decide_time=render.timestamp(decided) if decided else None,
    )


def of_revocation(revocation: domain.Revocation) -> user_service_pb2.Revocation:
    return user_service_pb2.Revocation(
        subject_id=revocation.subject_id,
        least_version=revocation.least_version,
        expire_time=render.timestamp(revocation.expire_time),
    )


def of_key(key: domain.PublicKey) -> user_service_pb2.Jwk:
    return user_service_pb2.Jwk(kty="EC", crv="P-256", x=key.x, y=key.y, kid=key.id, alg=identity.ALGORITHM, use="sig")


def of_user_registered(fact: domain.UserRegistered) -> user_events_pb2.UserRegistered:
    user = fact.user
    return user_events_pb2.UserRegistered(
        user_id=user.id,
        email=user.email,
        display_name=user.display_name,
        create_time=render.timestamp(user.create_time),
        email_verified=user.email_verified,
    )


def of_user_changed(fact: domain.UserChanged) -> user_events_pb2.UserChanged:
    user = fact.user
    return user_events_pb2.UserChanged(
        user_id=user.id,
        email=user.email,
        display_name=user.display_name,
        roles=[user_pb2.User.Role.Value(role) for role in user.roles],
        version=user.version,
        email_verified=user.email_verified,
    )


def of_user_erased(fact: domain.UserErased) -> user_events_pb2.UserErased:
    return user_events_pb2.UserErased(user_id=fact.user_id, erase_time=render.timestamp(fact.erase_time))


def of_security_changed(fact: security.SecurityChanged) -> user_events_pb2.SecurityChanged:
    return user_events_pb2.SecurityChanged(
        user_id=fact.user_id,
        change_id=fact.change_id,
        change=user_events_pb2.SecurityChanged.Change.Value(fact.change),
        provider=fact.provider,
        change_time=render.timestamp(fact.change_time),
    )


def address(message: address_pb2.Address) -> addresses.Address:
    return addresses.Address(*(getattr(message, name) for name in addresses.FIELDS))


def of_address(saved: addresses.Saved) -> address_book_pb2.SavedAddress:
    return address_book_pb2.SavedAddress(
        id=saved.id,
        label=saved.label,
        address=address_pb2.Address(**{name: getattr(saved.address, name) for name in addresses.FIELDS}),
        is_default=saved.is_default,
        create_time=render.timestamp(saved.create_time),
    )


def of_method(method: payment_methods.Method) -> payment_methods_pb2.SavedPaymentMethod:
    return payment_methods_pb2.SavedPaymentMethod(
        id=method.id,
        label=method.label,
        last_digits=method.last_digits,
        is_default=method.is_default,
        create_time=render.timestamp(method.create_time),
    )


def of_preferences(chosen: preferences.Preferences) -> preferences_pb2.Preferences:
    return preferences_pb2.Preferences(language=chosen.language, currency=chosen.currency, time_zone=chosen.time_zone)


def preferences_change(request: preferences_pb2.UpdateUserPreferencesRequest) -> preferences.Change:
    return preferences.Change(
        request.language if request.HasField("language") else None,
        request.currency if request.HasField("currency") else None,
        request.time_zone if request.HasField("time_zone") else None,
    )


def of_sign_in(shown: domain.SignInShown, *, current: bool) -> sign_ins_pb2.SignIn:
    return sign_ins_pb2.SignIn(
        id=shown.id,
        create_time=render.timestamp(shown.create_time),
        use_time=render.timestamp(shown.use_time),
        expire_time=render.timestamp(shown.expire_time),
        address=shown.origin.address,
        user_agent=shown.origin.user_agent,
        current=current,
    )


def of_role_change(change: domain.RoleChange) -> role_changes_pb2.RoleChange:
    return role_changes_pb2.RoleChange(
        admin_id=change.admin_id,
        before=[user_pb2.User.Role.Value(role) for role in change.before],
        after=[user_pb2.User.Role.Value(role) for role in change.after],
        reason=change.reason,
        create_time=render.timestamp(change.create_time),
    )
