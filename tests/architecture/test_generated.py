"""Whatever is generated is what it would be now: one command writes it, and this is its one check."""

import dataclasses
from pathlib import Path

import pytest

from scripts.generate import __main__ as generate
from scripts.generate import pictures
from scripts.generate.compose import __main__ as compose
from services import registry


def test_everything_generated_is_up_to_date() -> None:
    assert not [str(path.relative_to(generate.ROOT)) for path in generate.outdated()], "make generate"


def test_a_file_that_somebody_edited_is_outdated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    edited = tmp_path / "docker-compose.yml"
    edited.write_text(compose.FILE.read_text() + "# mine\n")
    monkeypatch.setattr(compose, "FILE", edited)
    assert edited in generate.outdated()


def test_the_picture_shows_a_service_more() -> None:
    known = registry.load()
    more = dataclasses.replace(
        known.services["user"], name="imaginary", stores=("redis",), publishes=(), calls=("order",)
    )
    grown = registry.Registry({**known.services, more.name: more}, known.topics)
    drawn = pictures.picture(grown)
    assert "imaginary -- calls --> order" in drawn
    assert "imaginary --- redis[(Redis)]" in drawn
    page = f"before\n{pictures.BEGIN}old\n{pictures.END}after\n"
    assert pictures.redrawn(page, grown) == f"before\n{pictures.BEGIN}{drawn}{pictures.END}after\n"


def test_a_picture_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="a beginning and no end"):
        pictures.redrawn(pictures.BEGIN, registry.load())
