"""Products by the hundred thousand, the same in every run, copied into the databases of catalog and inventory; what is asked for.

Words are as unequal as in a real shop: a few are in a tenth of all products, most are in a few dozen. What is copied is told by
no event: search learns of it from a build of its index, which is how a shop that has products begins to use it.
"""

import itertools
import json
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import psycopg

BRANDS = 400
MODELS = 2_000
SHELVES = 40
VENDORS = 60
WAREHOUSE = "east"
COLORS = ("black", "white", "red", "blue", "green", "grey", "yellow", "brown", "orange", "purple", "pink", "silver")
MATERIALS = (
    "oak",
    "walnut",
    "steel",
    "linen",
    "cotton",
    "leather",
    "glass",
    "ceramic",
    "bamboo",
    "wool",
    "plastic",
    "copper",
)
KINDS = (
    "light", "folding", "classic", "modern", "compact", "wireless", "large", "small", "heavy", "slim", "round", "square",
    "soft", "quiet", "portable", "waterproof", "vintage", "double", "electric", "manual", "outdoor", "kids", "premium", "basic",
)  # fmt: skip
THINGS = (
    "chair", "table", "lamp", "kettle", "headphones", "keyboard", "backpack", "jacket", "sofa", "shelf", "mug", "pan", "knife",
    "blanket", "pillow", "camera", "tripod", "charger", "cable", "monitor", "desk", "clock", "vase", "mirror", "rug", "bottle",
    "tent", "bicycle", "helmet", "gloves", "scarf", "boots", "watch", "radio", "speaker", "printer", "stool", "basket", "bowl",
    "plate", "glass", "spoon", "grinder", "toaster", "mixer", "scale", "drill", "hammer", "ladder", "bucket", "broom", "towel",
    "curtain", "candle", "frame", "notebook", "pencil", "puzzle", "guitar", "drum",
)  # fmt: skip
# How searches are asked for: of ten six are plain, two count facets, one is sorted by price, one is of what is in stock.
WAYS: Sequence[dict[str, str]] = (
    {}, {"with_facets": "true"}, {}, {"sort": "PRICE_ASCENDING"}, {}, {}, {"with_facets": "true"}, {}, {"in_stock": "true"}, {},
)  # fmt: skip
_SYLLABLES = [
    "ba",
    "ce",
    "di",
    "fo",
    "gu",
    "ha",
    "ki",
    "lo",
    "mu",
    "na",
    "pe",
    "ri",
    "so",
    "tu",
    "va",
    "we",
    "xi",
    "yo",
    "zu",
    "tra",
]
_EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
_SEED = 20_26


@dataclass(frozen=True, slots=True)
class Article:
    """A product with one SKU: id, texts, where it stands, whose it is, and its price in cents."""

    id: uuid.UUID
    sku: str
    title: str
    description: str
    category: str
    vendor_id: uuid.UUID
    attributes: dict[str, str]
    price: int
    on_hand: int
    create_time: datetime


def shelves() -> tuple[tuple[str, str], ...]:
    """The categories: slug and title."""
    return tuple(
        (f"bench-{KINDS[n % len(KINDS)]}-{THINGS[n]}s", f"{KINDS[n % len(KINDS)]} {THINGS[n]}s".title())
        for n in range(SHELVES)
    )


def articles(count: int) -> Iterator[Article]:
    """So many products, from the oldest to the newest."""
    chance = random.Random(_SEED)  # noqa: S311 - the same products in every run, no secret
    shelved, brands, prose = shelves(), list(itertools.islice(_names(), BRANDS)), _Prose(chance)
    vendors = [uuid.UUID(int=chance.getrandbits(128), version=4) for _ in range(VENDORS)]
    for number in range(count):
        kind, material, thing = prose.kind(), chance.choice(MATERIALS), prose.thing()
        color, brand = chance.choice(COLORS), brands[min(int(chance.expovariate(0.02)), BRANDS - 1)]
        yield Article(
            id=_id(number, chance),
            sku=f"BULK-{number:07d}",
            title=f"{brand.title()} {kind} {material} {thing} {chance.randrange(MODELS)}",
            description=prose.text(30),
            category=shelved[chance.randrange(SHELVES)][0],
            vendor_id=chance.choice(vendors),
            attributes={"color": color, "material": material, "brand": brand},
            price=int(10 ** chance.uniform(2.5, 5.2)),
            on_hand=chance.choice((0, 3, 50, 1000)),
            create_time=_EPOCH + timedelta(seconds=number),
        )


def queries(seed: int) -> Iterator[str]:
    """What customers ask for, without end: the few most frequent queries again and again, by Zipf's law."""
    chance = random.Random(_SEED + 10 + seed)  # noqa: S311 - the same queries in every run, no secret
    asked = asked_for()
    weights = list(itertools.accumulate(1 / rank for rank in range(1, len(asked) + 1)))
    while True:
        yield from chance.choices(asked, cum_weights=weights, k=1_000)


def asked_for() -> Sequence[str]:
    """All that is asked for, the most frequent first, as query strings: each text with one way of asking for it."""
    chance = random.Random(_SEED + 2)  # noqa: S311 - the same queries in every run, no secret
    found = texts()
    chance.shuffle(found)
    ways = itertools.cycle(WAYS)
    return [urlencode({"text": text, **next(ways)}) for text in found]


def texts() -> list[str]:
    """One, two and three words, some of them wrongly typed."""
    found = [*THINGS, *(f"{kind} {thing}" for kind in KINDS[:12] for thing in THINGS[:20])]
    found += [
        f"{color} {material} {thing}" for color in COLORS[:6] for material in MATERIALS[:6] for thing in THINGS[:5]
    ]
    return found + [f"{thing[:2]}{thing[3:]}" for thing in THINGS if len(thing) > 5]


def copy_products(connection: psycopg.Connection, stocked: Sequence[Article]) -> None:
    """Copy these products into the catalog's database."""
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO categories (slug, title) VALUES (%s, %s) ON CONFLICT DO NOTHING", shelves())
        columns = "id, title, description, category, vendor_id, create_time, update_time, version, attributes"
        with cursor.copy(f"COPY products ({columns}) FROM STDIN") as copy:
            for each in stocked:
                told = (each.create_time, each.create_time, 1, json.dumps(each.attributes))
                copy.write_row((each.id, each.title, each.description, each.category, each.vendor_id, *told))
        with cursor.copy("COPY variants (sku, product_id, position, title, currency, price) FROM STDIN") as copy:
            for each in stocked:
                copy.write_row((each.sku, each.id, 0, "", "USD", each.price))
        cursor.execute("ANALYZE products, variants")


def copy_stock(connection: psycopg.Connection, stocked: Sequence[Article]) -> None:
    """Copy the stock of these products into the inventory service's database, with the movements that it came by."""
    with connection.cursor() as cursor:
        with cursor.copy("COPY stock (sku, warehouse, on_hand, reserved) FROM STDIN") as copy:
            for each in stocked:
                copy.write_row((each.sku, WAREHOUSE, each.on_hand, 0))
        with cursor.copy("COPY movements (sku, warehouse, delta, reason, reference, time) FROM STDIN") as copy:
            for each in stocked:
                if each.on_hand:
                    copy.write_row((each.sku, WAREHOUSE, each.on_hand, "ADJUSTED", "bench", each.create_time))


class _Prose:
    """Texts of words that are as unequal as in a language."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        rare = list(itertools.islice(_names(), 1_000, 6_000))
        self._words = [*KINDS, *MATERIALS, *THINGS, *rare]
        self._weights = list(itertools.accumulate(1 / rank for rank in range(1, len(self._words) + 1)))

    def kind(self) -> str:
        return KINDS[min(int(self._chance.expovariate(0.15)), len(KINDS) - 1)]

    def thing(self) -> str:
        return THINGS[min(int(self._chance.expovariate(0.06)), len(THINGS) - 1)]

    def text(self, length: int) -> str:
        said = " ".join(self._chance.choices(self._words, cum_weights=self._weights, k=length))
        return f"{said.capitalize()}."


def _names() -> Iterator[str]:
    """Words that no language has, each once."""
    for length in (2, 3, 4):
        yield from map("".join, itertools.product(_SYLLABLES, repeat=length))


def _id(number: int, chance: random.Random) -> uuid.UUID:
    """A UUIDv7 of the moment at which this product was made."""
    moment = int((_EPOCH + timedelta(seconds=number)).timestamp() * 1000)
    low = chance.getrandbits(74)
    return uuid.UUID(int=moment << 80 | 7 << 76 | (low >> 62) << 64 | 2 << 62 | low & (1 << 62) - 1)
