"""Every string that a caller may send says what it is: text of a person, or something that no person reads."""

import contextlib
from collections.abc import Iterator

import iso3166
import pytest
from buf.validate import validate_pb2
from google.protobuf import descriptor_pb2

from gateway import contract, schemas
from scripts.generate import reference
from services import registry
from services.chassis import errors
from services.chassis.rpc import requests
from souk.options.v1 import text_pb2
from souk.type.v1 import address_pb2

OWN = (text_pb2.line, text_pb2.prose, text_pb2.country, text_pb2.address)
# What ISO 3166-1 leaves to its users, and the library lists all the same.
USERS_OWN = {"XK"}


def says_what_it_is(rules: validate_pb2.StringRules) -> bool:
    """Whether the rules of a string name a form, or what it is."""
    form = rules.pattern or rules.uuid or rules.uri or rules.hostname or getattr(rules, "in")
    opaque = rules.Extensions[text_pb2.opaque] != text_pb2.OPAQUE_UNSPECIFIED
    return bool(form or opaque or any(rules.Extensions[rule] for rule in OWN))


def strings(read: contract.Contract) -> Iterator[tuple[str, validate_pb2.StringRules]]:
    """Every string of every request, with its rules: those of elements, and of keys and values of maps."""
    for name in sorted(schemas.reachable(read, [method.request for method in read.methods])):
        message = read.messages[name]
        if name.startswith("google.") or message.map_entry:
            continue
        for field in message.fields:
            path = f"{name}.{field.name}"
            entry = read.messages.get(field.type_name)
            if entry is not None and entry.map_entry:
                of_map = field.rules.map
                kinds = {each.name: each.type for each in entry.fields}
                pairs = (("key", of_map.keys), ("value", of_map.values))
                yield from ((f"{path} ({part})", rules.string) for part, rules in pairs if kinds[part] == "string")
            elif field.type == "string":
                yield path, field.rules.repeated.items.string if field.repeated else field.rules.string


@pytest.fixture(scope="module")
def read() -> contract.Contract:
    return contract.read(reference.DESCRIPTORS.read_bytes(), registry.load().services)


def test_every_string_of_every_request_says_what_it_is(read: contract.Contract) -> None:
    found = dict(strings(read))
    assert {"souk.user.v1.RegisterRequest.display_name", "souk.type.v1.Address.city"} <= found.keys()
    silent = [path for path, rules in found.items() if not says_what_it_is(rules)]
    assert not silent, f"say `line`, `prose` or `opaque` (souk/options/v1/text.proto), or a form: {silent}"


def test_a_string_that_says_nothing_is_found() -> None:
    assert not says_what_it_is(validate_pb2.StringRules(min_len=1, max_len=20))
    said = validate_pb2.StringRules()
    said.Extensions[text_pb2.opaque] = text_pb2.TOKEN
    assert says_what_it_is(said)


def test_text_of_a_person_is_only_what_a_form_does_not_say_better(read: contract.Contract) -> None:
    both = [path for path, rules in strings(read) if rules.pattern and any(rules.Extensions[rule] for rule in OWN)]
    assert not both


def test_every_country_of_the_standard_is_one_and_nothing_else() -> None:
    letters = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
    taken = set()
    for code in (first + second for first in letters for second in letters):
        address = address_pb2.Address(line1="1 Market Street", city="Springfield", country=code)
        with contextlib.suppress(errors.DomainError):
            requests.validate(address, address.SerializeToString())
            taken.add(code)
    assert taken == set(iso3166.countries_by_alpha2) - USERS_OWN


def test_the_rules_are_described_with_their_reasons() -> None:
    for rule in OWN:
        options = descriptor_pb2.FieldOptions.FromString(rule.GetOptions().SerializeToString())
        [cel] = options.Extensions[validate_pb2.predefined].cel
        assert cel.id.startswith("string.")
        assert cel.message.startswith("must ")
