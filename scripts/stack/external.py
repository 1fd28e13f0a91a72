"""The servers a user already has: they must answer before anything is started that relies on them."""

from urllib.parse import urlsplit

from scripts.stack import settings
from scripts.stack.servers import answering
from scripts.stack.supervise import health, problems


def require(chosen: settings.Settings) -> None:
    """Raise a StackError that names the first given server that does not answer."""
    for variable in chosen.external:
        if not answers(chosen, variable):
            raise problems.StackError(
                f"{variable} is set and {where(chosen, variable)} does not answer as it should: "
                f"start that server, correct the value, or unset {variable} to have one started here"
            )


def answers(chosen: settings.Settings, variable: str) -> bool:
    """Tell whether the user's server behind a variable answers."""
    value = chosen.external[variable]
    match variable:
        case "KAFKA_BOOTSTRAP":
            return answering.kafka(value)
        case "REDIS_URL":
            return answering.redis_at(value)
        case "PAYMENT_PROVIDER_URL" | "CARRIER_URL":
            return health.http(f"{value.rstrip('/')}/healthz")
        case "SMTP_URL":
            return health.smtp(value)
        case "CATALOG_IMAGES_BUCKET":
            # It may be AWS's, which is reached with credentials that only the service has.
            return True
        case _:
            return answering.postgres(value)


def where(chosen: settings.Settings, variable: str) -> str:
    """The server's address, without the password its URL may hold."""
    value = chosen.external[variable]
    return value if "://" not in value else urlsplit(value).netloc.rpartition("@")[2]
