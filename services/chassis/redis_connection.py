"""How `redis_store.py` and `cache.py` connect to Redis: no repetition of commands, and the password of the moment."""

from urllib.parse import unquote, urlsplit

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider

from services.chassis import credentials


class Login(CredentialProvider):
    """The user and password in a Redis URL, read anew for each connection. The server's address is read once."""

    def __init__(self, url: str | credentials.Credential) -> None:
        self._url = credentials.of(url)

    def client(self, timeout_s: float) -> Redis:
        """A client that connects when it is first used; timeout_s is for connecting and for each command."""
        parts = urlsplit(self._url.current())
        address = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        client: Redis = Redis.from_url(
            address,
            credential_provider=self,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
        )
        return client

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """What the library authenticates a new connection with; an empty tuple where the URL has no password."""
        parts = urlsplit(self._url.current())
        if not parts.password:
            return ()  # type: ignore[return-value]  # the library then signs in as nobody
        password = unquote(parts.password)
        return (unquote(parts.username), password) if parts.username else (password,)

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        """The same."""
        return self.get_credentials()

    def note(self, error: BaseException) -> None:
        """Raise an alarm when this is the server's refusal of the login."""
        if isinstance(error, exceptions.AuthenticationError):
            self._url.refused(str(error))
