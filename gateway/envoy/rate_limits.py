"""Token buckets: one per caller and method, as large as the contract says."""

import math
from typing import Any

from gateway import contract
from gateway.envoy import tokens

_TYPE = "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
FILTER = {"name": "envoy.filters.http.local_ratelimit", "typed_config": {"@type": _TYPE, "stat_prefix": "edge"}}
# Callers remembered per method; the least recently seen is forgotten first, and starts with a full bucket again.
_CALLERS = 50_000
# What Envoy counts with.
_MOST = 2**32 - 1
_ALWAYS = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}


def for_route(method: contract.Method, limit: contract.RateLimit, factor: float) -> dict[str, Any]:
    """The limit of a method's route: a bucket for every value of its descriptor, made when that caller appears.

    The bucket without a descriptor serves the callers that have none (a token without a subject), all together.
    """
    size = min(max(1, round(limit.per_minute * factor)), _MOST)
    bucket = {"max_tokens": size, "tokens_per_fill": size, "fill_interval": "60s"}
    action, key = _SCOPES[limit.scope]
    return {
        "@type": _TYPE,
        "stat_prefix": method.full_name.replace(".", "_"),
        "token_bucket": bucket,
        "filter_enabled": _ALWAYS,
        "filter_enforced": _ALWAYS,
        "rate_limits": [{"actions": [action]}],
        # An entry without a value stands for every value, each with a bucket of its own.
        "descriptors": [{"entries": [{"key": key}], "token_bucket": bucket}],
        "max_dynamic_descriptors": _CALLERS,
        "always_consume_default_token_bucket": False,
        "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
        "rate_limited_as_resource_exhausted": True,
        # Buckets fill steadily, so the next call is allowed after a minute divided by the calls a minute.
        "response_headers_to_add": [{"header": {"key": "retry-after", "value": str(math.ceil(60 / size))}}],
    }


_SCOPES: dict[contract.Scope, tuple[dict[str, Any], str]] = {
    contract.Scope.USER: (
        {
            "metadata": {
                "descriptor_key": "user",
                "metadata_key": {
                    "key": "envoy.filters.http.jwt_authn",
                    "path": [{"key": tokens.METADATA}, {"key": "sub"}],
                },
                "source": "DYNAMIC",
            }
        },
        "user",
    ),
    # An IPv6 customer owns a whole /64, so that is one address.
    contract.Scope.ADDRESS: (
        {"masked_remote_address": {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": 64}},
        "masked_remote_address",
    ),
}
