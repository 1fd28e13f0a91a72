"""What search reads from the environment, beside what every service does."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from services.chassis.credentials import Credential
from services.chassis.settings import SettingsError, env, read


class EngineKind(StrEnum):
    """What searches the documents."""

    POSTGRES = "postgres"
    OPENSEARCH = "opensearch"


@dataclass(frozen=True, slots=True)
class Settings:
    """How search behaves. All times are in seconds.

    cache_s is how long answers are remembered while they hold; the number of results, where they are many, is as old. fresh_s
    is how long a process goes on with what it knows of changes, of synonyms and of categories. categories_s is how often the
    catalog is asked for its categories.
    currency is the shop's: prices are compared in it when a search names no other. engine is what searches.
    """

    cache_s: int = env("SEARCH_CACHE_S", default=300)
    fresh_s: float = env("SEARCH_FRESH_S", default=0.2)
    categories_s: float = env("SEARCH_CATEGORIES_S", default=5.0)
    currency: str = env("SEARCH_CURRENCY", default="USD")
    engine: EngineKind = env("SEARCH_ENGINE", default=EngineKind.POSTGRES)  # noqa: RUF009 - a field is made


@dataclass(frozen=True, slots=True)
class OpenSearchSettings:
    """Where OpenSearch is, and how its indexes are made. It is read when it is the engine.

    login is `user:password`; with aws_region requests are signed for the role of the process instead. ca_file has the
    authorities to trust, the usual ones without it. index is what the names of indexes begin with. refresh_ms is how long a
    document that was pushed may not be found. A search is given up after timeout_s seconds.
    """

    url: str = env("SEARCH_OPENSEARCH_URL")
    login: Credential | None = env("SEARCH_OPENSEARCH_LOGIN", default=None, secret=True)  # noqa: RUF009 - as above
    aws_region: str = env("SEARCH_OPENSEARCH_AWS_REGION", default="")
    ca_file: str = env("SEARCH_OPENSEARCH_CA_FILE", default="")
    index: str = env("SEARCH_OPENSEARCH_INDEX", default="souk-products")
    shards: int = env("SEARCH_OPENSEARCH_SHARDS", default=1)
    replicas: int = env("SEARCH_OPENSEARCH_REPLICAS", default=1)
    refresh_ms: int = env("SEARCH_OPENSEARCH_REFRESH_MS", default=250)
    timeout_s: float = env("SEARCH_OPENSEARCH_TIMEOUT_S", default=3.0)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        """What the environment says. Raises SettingsError, also for a password that would travel unencrypted."""
        chosen = read(cls, environ, service="search")
        if not chosen.url.startswith("https://") and (chosen.login or chosen.aws_region):
            raise SettingsError("SEARCH_OPENSEARCH_URL must begin with https:// when there are credentials")
        if chosen.login and chosen.aws_region:
            raise SettingsError("SEARCH_OPENSEARCH_LOGIN and SEARCH_OPENSEARCH_AWS_REGION exclude each other")
        return chosen
