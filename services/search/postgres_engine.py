"""The engine on PostgreSQL: full text by `tsvector`, similar words by `pg_trgm`. It reads the documents that `store.py` writes.

A statement is put together of the conditions that a search has, once for each combination. Nothing of a caller's goes into
its text: words become a `tsquery` here, of letters and digits alone, and travel as a parameter like everything else.
"""

import asyncio
import dataclasses
import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.chassis import database, money, pages
from services.search import domain, words
from services.search.domain import Sort

_SLOT = "d.slot = (SELECT slot FROM indexes WHERE state = 'ACTIVE') AND NOT d.deleted"
# Most products have one variant: its price is read without making rows of the arrays.
_PRICE = """CASE WHEN cardinality(d.currencies) = 1 THEN CASE WHEN d.currencies[1] = %(currency)s THEN d.amounts[1] END
  ELSE (SELECT min(v.a) FROM unnest(d.currencies, d.amounts) AS v(c, a) WHERE v.c = %(currency)s) END"""
# A title counts most, then attributes and category, then the description. Long texts count less; what sells, a little more.
_SCORE = """(ts_rank('{0.05, 0.1, 0.4, 1.0}', d.terms, to_tsquery('souk', %(terms)s), 1)
  * (1 + ln(1 + d.popularity) / 20) * 1000000)::bigint"""
KEYS = {
    Sort.RELEVANCE: _SCORE,
    Sort.POPULARITY: "d.popularity",
    Sort.NEWEST: "0::bigint",
    Sort.PRICE_ASCENDING: f"-({_PRICE})",
    Sort.PRICE_DESCENDING: f"({_PRICE})",
}
# What a facet can select, by the facet: whoever counts it leaves these out, each for its own facet alone.
_SELECTIONS = {
    "category": "d.category = ANY(%(categories)s::text[])",
    "vendor": "d.vendor_id = ANY(%(vendor_ids)s::uuid[])",
    "in_stock": "d.in_stock",
    "price": """CASE WHEN cardinality(d.currencies) = 1
        THEN d.currencies[1] = %(prices_currency)s AND d.amounts[1] BETWEEN %(low)s AND %(high)s
        ELSE EXISTS (SELECT FROM unnest(d.currencies, d.amounts) AS v(c, a)
          WHERE v.c = %(prices_currency)s AND v.a BETWEEN %(low)s AND %(high)s) END""",
}
_TEXT = "d.terms @@ to_tsquery('souk', %(terms)s)"
_PRICED = "%(currency)s = ANY(d.currencies)"
SHOWN = """d.product_id, d.version, d.title, d.category, coalesce(d.vendor_id::text, ''), d.image, d.currencies, d.amounts,
  d.earlier, d.in_stock, d.attributes"""
_MARKS = f"StartSel={words.MATCH_BEGINS}, StopSel={words.MATCH_ENDS}"
EXCERPTS = """ts_headline('souk', d.title, to_tsquery('souk', %(terms)s), %(title_marks)s),
  ts_headline('souk', d.description, to_tsquery('souk', %(terms)s), %(prose_marks)s)"""
_TITLE_MARKS = f"{_MARKS}, HighlightAll=true"
_PROSE_MARKS = f"{_MARKS}, MaxFragments=1, MaxWords=30, MinWords=12"
# `%%` takes words that share three tenths of their trigrams, which is only asked for words that no product has. Which of them
# may be meant is for `words` to say.
_LEXICON = database.Statement("""
SELECT k.word, k.stem, k.known, CASE WHEN k.known THEN '{}' ELSE ARRAY(
    SELECT w.word FROM words AS w WHERE w.slot = k.slot AND w.word %% k.word AND length(k.word) > 2
    ORDER BY similarity(w.word, k.word) DESC, w.word LIMIT 12) END
FROM (
  SELECT g.word, s.stem, i.slot, s.stem = '' OR EXISTS (
    SELECT FROM words AS w WHERE w.slot = i.slot AND w.stem = s.stem) OR EXISTS (
    SELECT FROM words AS w WHERE w.slot = i.slot AND w.word = g.word) AS known
  FROM unnest(%(words)s::text[]) AS g(word)
    CROSS JOIN LATERAL (SELECT coalesce((ts_lexize('english_stem', g.word))[1], '')) AS s(stem)
    CROSS JOIN (SELECT slot FROM indexes WHERE state = 'ACTIVE') AS i) AS k
""")
_COMPLETIONS = database.Statement(f"""
SELECT title, category, product_id FROM (
  SELECT DISTINCT ON (title_words) * FROM (
    SELECT d.title, d.title_words, d.category, d.product_id, d.popularity
    FROM documents AS d WHERE {_SLOT} AND d.terms @@ to_tsquery('souk', %(terms)s)
    ORDER BY d.popularity DESC, d.product_id DESC LIMIT 200) AS best
  ORDER BY title_words, popularity DESC, product_id DESC) AS found
ORDER BY popularity DESC, length(title), product_id DESC LIMIT %(most)s
""")  # noqa: S608 - only texts of this module are put in


@dataclass(frozen=True, slots=True)
class Shape:
    """Which conditions a statement has, and how it is sorted: what distinguishes its text from that of others."""

    text: bool
    sort: Sort
    selections: tuple[str, ...]

    @property
    def counts(self) -> bool:
        """Whether a first page reads all results anyway, or as many as are counted, and so counts them."""
        return self.sort is Sort.RELEVANCE or self.sort.by_price

    @property
    def fixed(self) -> list[str]:
        """The conditions that no facet leaves out."""
        return [_SLOT, *([_TEXT] if self.text else []), *([_PRICED] if self.sort.by_price else [])]


@dataclass(frozen=True, slots=True)
class Proof:
    """How a page was found and what is on it, by which `postgres_checker` sees whether it still would be; as text it is JSON.

    after is where the page begins, last its last place if there is another page, places the key of each product on it.
    """

    shape: Shape
    values: dict[str, Any]
    currency: str
    with_facets: bool = False
    after: domain.Cursor | None = None
    last: domain.Cursor | None = None
    places: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def of(cls, text: str) -> "Proof":
        """The proof that was such a text."""
        fields = json.loads(text)
        shape, after, last = fields.pop("shape"), fields.pop("after"), fields.pop("last")
        return cls(
            shape=Shape(shape["text"], Sort(shape["sort"]), tuple(shape["selections"])),
            after=domain.Cursor(**after) if after else None,
            last=domain.Cursor(**last) if last else None,
            **fields,
        )


class PostgresEngine:
    """Searches the documents in the service's own database."""

    def __init__(self, db: database.Database) -> None:
        self._db = db

    async def lexicon(self, some: Sequence[str]) -> words.Lexicon:
        """What is known of these words."""
        if not some:
            return {}
        rows = await self._db.read(_LEXICON, {"words": list(some)})
        return {word: words.Lexeme(stem or word, known, tuple(similar)) for word, stem, known, similar in rows}

    async def search(self, query: domain.Query, clauses: Sequence[words.Clause], page: pages.Page) -> domain.Found:
        """The page of products that match all clauses and filters, how many there are, and facets if they are asked for.

        The filters' categories are whole subtrees. Raises TransientError.
        """
        shape, values = _asked(query, clauses)
        (hits, total), counts = await asyncio.gather(
            self._counted_page(shape, values, page), self._counts(query, shape, values)
        )
        shown = hits[: page.size]
        after = str(domain.Cursor(shown[-1][-1], shown[-1][0])) if len(hits) > page.size else ""
        found = tuple(hit(row, query.currency, excerpts=shape.text) for row in shown)
        last = domain.cursor(after) if after else None
        proof = Proof(shape, values, query.currency, query.with_facets, _begins(page), last, _places(found))
        return domain.Found(found, after, total, domain.facets(counts, query), proofs=(str(proof),))

    def nothing(self, query: domain.Query, clauses: Sequence[words.Clause]) -> tuple[str, ...]:
        """The proof that nothing matches these clauses and filters."""
        shape, values = _asked(query, clauses)
        return (str(Proof(shape, values, query.currency)),)

    async def complete(self, typed: Sequence[str], most: int) -> list[domain.Suggestion]:
        """Products whose title has all of these words, the last one perhaps unfinished."""
        *whole, last = typed
        terms = " & ".join([*(f"'{word}':A" for word in whole), f"'{last}':*A"])
        rows = await self._db.read(_COMPLETIONS, {"terms": terms, "most": most})
        return [domain.Suggestion(title, category, product_id) for title, category, product_id in rows]

    async def _counted_page(
        self, shape: Shape, values: dict[str, Any], page: pages.Page
    ) -> tuple[list[database.Row], int]:
        """The rows of a page, and how many results there are."""
        if shape.counts and not page.after:
            rows = await self._page(shape, values, page)
            return [row[1:] for row in rows], int(rows[0][0]) if rows else 0
        rows, total = await asyncio.gather(self._page(shape, values, page), self._total(shape, values))
        return rows, total

    async def _page(self, shape: Shape, values: dict[str, Any], page: pages.Page) -> list[database.Row]:
        row = (
            values | {"most": page.size + 1} | ({"ranked": domain.MOST_RANKED} if shape.sort is Sort.RELEVANCE else {})
        )
        if shape.counts and not page.after:
            row |= {"counted": domain.MOST_COUNTED + 1}
        if page.after:
            place = domain.cursor(page.after)
            row |= {"after_key": place.key, "after_id": place.product_id}
        return await self._db.read(_page_statement(shape, first=not page.after), row)

    async def _total(self, shape: Shape, values: dict[str, Any]) -> int:
        [[total]] = await self._db.read(_total_statement(shape), values | {"counted": domain.MOST_COUNTED + 1})
        return int(total)

    async def _counts(self, query: domain.Query, shape: Shape, values: dict[str, Any]) -> list[domain.Count]:
        if not query.with_facets:
            return []
        ranges = [span.low for span in domain.price_ranges(query.currency)]
        row = values | {"counted": domain.MOST_COUNTED, "edges": ranges, "currency": query.currency}
        rows = await self._db.read(_facets_statement(shape), row)
        return [domain.Count(name, value, results) for name, value, results in rows]


def _begins(page: pages.Page) -> domain.Cursor | None:
    return domain.cursor(page.after) if page.after else None


def _places(found: Sequence[domain.Hit]) -> dict[str, int]:
    return {each.product_id: each.key for each in found}


def tsquery(clauses: Sequence[words.Clause]) -> str:
    """The clauses as the text of a `tsquery`. Words are letters and digits, so nothing in them has a meaning of its own."""
    return " & ".join(f"{'!' if clause.excluded else ''}({_any(clause.alternatives)})" for clause in clauses)


def _any(alternatives: Sequence[words.Alternative]) -> str:
    joined = (
        f" {'<->' if option.phrase else '&'} ".join(f"'{word}'" for word in option.words) for option in alternatives
    )
    return " | ".join(f"({option})" for option in joined)


def _asked(query: domain.Query, clauses: Sequence[words.Clause]) -> tuple[Shape, dict[str, Any]]:
    """The shape of a search and the values of its conditions."""
    filters = query.filters
    values: dict[str, Any] = {"currency": query.currency} if query.sort.by_price else {}
    chosen: dict[str, dict[str, Any]] = {}
    if filters.categories:
        chosen["category"] = {"categories": list(filters.categories)}
    if filters.vendor_ids:
        chosen["vendor"] = {"vendor_ids": list(filters.vendor_ids)}
    if filters.in_stock:
        chosen["in_stock"] = {}
    if filters.prices:
        prices = filters.prices
        chosen["price"] = {"prices_currency": prices.currency, "low": prices.low, "high": prices.high}
    for number, (name, wanted) in enumerate(sorted(filters.attributes.items())):
        chosen[f"attributes {number}"] = {
            f"name{number}": f"attributes.{name}",
            f"facets{number}": [f"attributes.{name}:{value}" for value in wanted],
        }
    if clauses:
        values |= {"terms": tsquery(clauses), "title_marks": _TITLE_MARKS, "prose_marks": _PROSE_MARKS}
    sort = query.sort if clauses or query.sort is not Sort.RELEVANCE else Sort.POPULARITY
    for more in chosen.values():
        values |= more
    return Shape(bool(clauses), sort, tuple(chosen)), values


def _selection(name: str) -> str:
    """The condition of one selection."""
    number = name.removeprefix("attributes ")
    return f"d.facets && %(facets{number})s::text[]" if number != name else _SELECTIONS[name]


def _facet_of(name: str) -> str:
    """The facet that a selection is of, as SQL."""
    number = name.removeprefix("attributes ")
    return f"%(name{number})s::text" if number != name else f"'{name}'"


def conditions(shape: Shape) -> str:
    """All conditions of a search, as SQL on documents `d`."""
    return " AND ".join([*shape.fixed, *(_selection(name) for name in shape.selections)])


@functools.cache
def _page_statement(shape: Shape, *, first: bool) -> database.Statement:
    """The keys of the page's products, and then what is shown of them: nothing else is read of what is not on the page.

    A first page compares no keys: the score of each match would be computed twice. A score costs five times what finding the
    match does, so of many matches the most popular are ranked, of those the newest, and the others are on no page. What it reads
    anyway to find the first page is counted at once.
    """
    key = KEYS[shape.sort]
    excerpts = f", {EXCERPTS}" if shape.text else ""
    behind = "" if first else f"({key}, d.product_id) < (%(after_key)s, %(after_id)s::uuid)"
    found = f"documents AS d WHERE {conditions(shape)}{behind and ' AND '}{behind}"
    if shape.sort is Sort.RELEVANCE:
        best = "ORDER BY d.popularity DESC, d.product_id DESC LIMIT %(ranked)s"
        ranked = f"SELECT d.* FROM documents AS d WHERE {conditions(shape)} {best}"  # noqa: S608 - as below
        found = f"({ranked}) AS d{behind and ' WHERE '}{behind}"
    counted = ", least(count(*) OVER (), %(counted)s) AS total" if first and shape.counts else ""
    total = "page.total, " if counted else ""
    return database.Statement(f"""
    WITH page AS MATERIALIZED (
      SELECT d.product_id, d.key{counted} FROM (SELECT d.product_id, {key} AS key FROM {found}) AS d
      ORDER BY d.key DESC, d.product_id DESC LIMIT %(most)s)
    SELECT {total}{SHOWN}{excerpts}, page.key FROM page JOIN documents AS d ON d.product_id = page.product_id AND {_SLOT}
    ORDER BY page.key DESC, page.product_id DESC
    """)  # noqa: S608 - only texts of this module are put in


@functools.cache
def _total_statement(shape: Shape) -> database.Statement:
    return database.Statement(f"""
    SELECT count(*) FROM (SELECT FROM documents AS d WHERE {conditions(shape)} LIMIT %(counted)s) AS counted
    """)  # noqa: S608 - only texts of this module are put in


@functools.cache
def _facets_statement(shape: Shape) -> database.Statement:
    """Counts by value. A product that misses one selection only counts for the facet of that selection."""
    missed = [f"CASE WHEN {_selection(name)} THEN NULL ELSE {_facet_of(name)} END" for name in shape.selections]
    judged = f", array_remove(ARRAY[{', '.join(missed)}]::text[], NULL) AS missed" if missed else ""
    few = "WHERE cardinality(missed) < 2" if missed else ""

    def counted(facet: str) -> str:
        return f"(missed = '{{}}' OR missed[1] = {facet})" if missed else "true"

    return database.Statement(f"""
    WITH found AS MATERIALIZED (
      SELECT * FROM (
        SELECT d.category, d.vendor_id, d.in_stock, d.facets, d.currencies, d.amounts{judged}
        FROM documents AS d WHERE {" AND ".join(shape.fixed)}) AS judged
      {few} LIMIT %(counted)s)
    SELECT 'category', category, count(*) FROM found WHERE {counted("'category'")} GROUP BY category
    UNION ALL
    SELECT 'vendor', vendor_id::text, count(*) FROM found
    WHERE {counted("'vendor'")} AND vendor_id IS NOT NULL GROUP BY vendor_id
    UNION ALL
    SELECT 'in_stock', in_stock::text, count(*) FROM found WHERE {counted("'in_stock'")} GROUP BY in_stock
    UNION ALL
    SELECT 'price', (width_bucket(d.price, %(edges)s::bigint[]) - 1)::text, count(*)
    FROM (SELECT {_PRICE} AS price FROM found AS d WHERE {counted("'price'")}) AS d WHERE d.price IS NOT NULL GROUP BY 2
    UNION ALL
    SELECT split_part(f.facet, ':', 1), substr(f.facet, strpos(f.facet, ':') + 1), f.results FROM (
      SELECT f.facet, count(*) AS results FROM found CROSS JOIN LATERAL unnest(found.facets) AS f(facet)
      WHERE {counted("split_part(f.facet, ':', 1)")} GROUP BY f.facet) AS f
    """)  # noqa: S608 - only texts of this module are put in


def hit(row: database.Row, currency: str, *, excerpts: bool) -> domain.Hit:
    """A product that was found, of a row with SHOWN, EXCERPTS if there are some, and its key."""
    (
        product_id,
        version,
        title,
        category,
        vendor_id,
        image,
        currencies,
        amounts,
        earlier,
        in_stock,
        attributes,
        *more,
    ) = row
    shown = currency if currency in currencies else currencies[0]
    # A document of before reductions were known says nothing of them.
    priced = zip(currencies, amounts, earlier or [0] * len(amounts), strict=True)
    prices = [(amount, before) for each, amount, before in priced if each == shown]
    lowest, before = min(prices)
    found = (domain.Excerpt("title", more[0]), domain.Excerpt("description", more[1])) if excerpts else ()
    return domain.Hit(
        product_id,
        version,
        title,
        category,
        vendor_id,
        image,
        money.Money(shown, lowest),
        money.Money(shown, max(prices)[0]),
        in_stock,
        attributes,
        tuple(excerpt for excerpt in found if words.MATCH_BEGINS in excerpt.marked),
        money.Money(shown, before) if before else None,
        more[-1],
    )
