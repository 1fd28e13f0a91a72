"""What recommendation refuses."""

from tests.contract.refused import INVALID, MALFORMED, UNKNOWN_WORD, row

MINE, TRENDING = "GET /api/v1/recommendations", "GET /api/v1/recommendations/trending"
RELATED, REBUILD = "GET /api/v1/products/{unknown}/related", "POST /api/v1/recommendations/rebuild"
MODEL = "GET /api/v1/recommendations/model"
FEWER_THAN_NONE = {"params": {"limit": -1}}
ROWS = [
    row("recommendations for nobody", MINE, {}, 401, "TOKEN_MISSING", who="nobody"),
    row("fewer than no recommendations", MINE, FEWER_THAN_NONE, *INVALID, "limit"),
    row("fewer than nothing that trends", TRENDING, FEWER_THAN_NONE, *INVALID, "limit", who="nobody"),
    row("what trends by an unknown word", TRENDING, UNKNOWN_WORD, *MALFORMED, who="nobody"),
    row("what goes with no product", "GET /api/v1/products/x/related", {}, *INVALID, "id", who="nobody"),
    row("fewer than nothing that goes with it", RELATED, FEWER_THAN_NONE, *INVALID, "limit", who="nobody"),
    row("the model for a customer", MODEL, {}, 403, "ACCESS_DENIED"),
    row("the model by an unknown word", MODEL, UNKNOWN_WORD, *MALFORMED, who="admin"),
    row("a model made anew by nobody", REBUILD, {"json": {}}, 401, "TOKEN_MISSING", who="nobody"),
    row("a model made anew by a customer", REBUILD, {"json": {}}, 403, "ACCESS_DENIED"),
    row("half a model made anew", REBUILD, {"content": "{"}, *MALFORMED, who="admin"),
]
