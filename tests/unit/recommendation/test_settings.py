"""How recommendations are set, and what is refused."""

import pytest

from services.chassis.settings import SettingsError, read
from services.recommendation.settings import Settings


def test_a_category_takes_two_fifths_unless_something_else_is_said() -> None:
    assert read(Settings, {}).category_share == 0.4
    assert read(Settings, {"RECOMMENDATION_CATEGORY_SHARE": "1"}).category_share == 1.0


@pytest.mark.parametrize("share", ["0", "-0.5", "1.5"])
def test_a_share_that_is_none_is_refused(share: str) -> None:
    with pytest.raises(SettingsError, match="RECOMMENDATION_CATEGORY_SHARE"):
        read(Settings, {"RECOMMENDATION_CATEGORY_SHARE": share})
