"""A file that is longer than 400 lines is two files."""

import pytest

from tests.architecture import sources

LONGEST = 400


@pytest.mark.parametrize("folder", [*sources.CODE, "tests"])
def test_no_file_is_longer_than_400_lines(folder: str) -> None:
    counted = {
        str(path.relative_to(sources.ROOT)): len(path.read_text().splitlines())
        for pattern in ("*.py", "*.mk", "*.groovy")
        for path in (sources.ROOT / folder).rglob(pattern)
    }
    assert counted
    assert not {name: lines for name, lines in counted.items() if lines > LONGEST}
