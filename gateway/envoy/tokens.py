"""Access tokens: which ones the edge accepts, and where it gets the keys that verify them.

The keys are the user service's, from the contract's own REST route. The edge asks itself for them, over a socket that
only this process listens on: the second listener has no rate limit and asks for no token, so nothing a caller does can
keep the edge from its keys. They are fetched at start and every minute; while the edge has none, a request with a token
waits for a fetch of its own.
"""

from typing import Any

from gateway import contract
from gateway.settings import Address, Settings

METADATA = "token"
REQUIRED, OPTIONAL, IGNORED = "required", "optional", "ignored"
KEYS_PATH = "/.well-known/jwks.json"
KEYS_CLUSTER = "edge_keys"
_FILTER = "envoy.filters.http.jwt_authn"
_TYPE = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3"
_PROVIDER = "souk"


def keys_socket(listen: Address) -> str:
    """The abstract socket of the keys' listener: one per edge on a host, gone with its process."""
    return f"@souk-edge-keys-{listen.host}-{listen.port}"


def authentication(settings: Settings) -> dict[str, Any]:
    """The filter. What a route requires stands at the route: see `requirement`."""
    token = {"provider_name": _PROVIDER}
    config = {
        "@type": f"{_TYPE}.JwtAuthentication",
        "providers": {_PROVIDER: _provider(settings)},
        "requirement_map": {
            REQUIRED: token,
            OPTIONAL: {"requires_any": {"requirements": [token, {"allow_missing": {}}]}},
            IGNORED: {"allow_missing_or_failed": {}},
        },
    }
    return {"name": _FILTER, "typed_config": config}


def requirement(method: contract.Method) -> dict[str, Any]:
    """What a route asks for: a valid token; on a public method that reads a valid token or none.

    Who signs in, renews a sign-in or ends one may send whatever token along: most clients send the one that has just ended.
    """
    public = OPTIONAL if method.idempotency is contract.Idempotency.SAFE else IGNORED
    name = public if method.access.public else REQUIRED
    return {_FILTER: {"@type": f"{_TYPE}.PerRouteConfig", "requirement_name": name}}


def _provider(settings: Settings) -> dict[str, Any]:
    return {
        "issuer": settings.issuer,
        "audiences": [settings.audience],
        # Named, so that a token in the query string (which ends up in logs) counts as none.
        # The scheme's name is written in any case (RFC 9110, 11.1); these are the two that clients write.
        "from_headers": [{"name": "authorization", "value_prefix": f"{scheme} "} for scheme in ("Bearer", "bearer")],
        # Services verify the token again, so they must get it.
        "forward": True,
        "payload_in_metadata": METADATA,
        "clock_skew_seconds": 10,
        "jwt_cache_config": {"jwt_cache_size": 10_000},
        "remote_jwks": {
            "http_uri": {"uri": f"http://edge{KEYS_PATH}", "cluster": KEYS_CLUSTER, "timeout": "2s"},
            "cache_duration": {"seconds": 60},
            "async_fetch": {"fast_listener": True, "failed_refetch_duration": "0.5s"},
            "retry_policy": {"num_retries": 2, "retry_back_off": {"base_interval": "0.1s", "max_interval": "0.5s"}},
        },
    }
