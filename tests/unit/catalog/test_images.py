"""What is taken for an image, and how images stand in a product."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog import domain
from services.catalog.domain import images
from services.chassis import errors, money

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)
LIMITS = images.Limits(most_bytes=100, form_s=600)
UPLOAD = images.Upload("image", "product", "image/png", NOW)
HEADS = {
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00",
    "image/png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "image/webp": b"RIFF\x24\x00\x00\x00WEBPVP8 ",
    "image/avif": b"\x00\x00\x00\x20ftypavif\x00\x00\x00\x00",
}


def image(number: int) -> domain.Image:
    return domain.Image(f"i{number}", f"https://images.example.com/{number}", "image/png", 10, "")


def product(*gallery: domain.Image) -> domain.Product:
    variants = (domain.Variant("SKU-1", "", money.Money("EUR", 100)),)
    return domain.Product("p", "Tea", "", "drinks", "", variants, NOW, NOW, 1, gallery=gallery)


def placement(image_id: str, position: int = 0, alt_text: str = "") -> images.Placement:
    return images.Placement("p", image_id, alt_text, position, None)


@pytest.mark.parametrize("content_type", images.EXTENSIONS)
def test_the_first_bytes_tell_the_type(content_type: str) -> None:
    assert images.content_type(HEADS[content_type]) == content_type
    assert len(HEADS[content_type]) <= images.HEAD_BYTES


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff\xd8",
        b"GIF89a",
        b"<svg xmlns=",
        b"%PDF-1.7",
        b"RIFF\0\0\0\0WAVE",
        b"\0\0\0\x20ftypmp42",
        b"PK\x03\x04",
    ],
)
def test_anything_else_is_no_image(head: bytes) -> None:
    assert images.content_type(head) == ""


@given(st.binary(max_size=images.HEAD_BYTES))
def test_no_bytes_are_a_type_that_has_no_extension(head: bytes) -> None:
    assert images.content_type(head) in {"", *images.EXTENSIONS}


@pytest.mark.parametrize(
    ("size", "content_type", "reason"),
    [
        (1, "image/png", ""),
        (100, "image/png", ""),
        (0, "image/png", "IMAGE_SIZE_INVALID"),
        (101, "image/png", "IMAGE_SIZE_INVALID"),
        (50, "image/jpeg", "IMAGE_TYPE_INVALID"),
    ],
)
def test_an_upload_is_shown_when_it_has_the_size_and_the_type_that_were_announced(
    size: int, content_type: str, reason: str
) -> None:
    refused = images.refusal(images.Stored(size, "tag"), HEADS[content_type], UPLOAD, LIMITS)
    assert (refused.reason if refused else "") == reason


def test_a_product_has_room_for_so_many_images_uploads_under_way_included() -> None:
    shown = product(*(image(number) for number in range(15)))
    images.check_room(shown, 4)
    with pytest.raises(errors.DomainError, match="IMAGE_LIMIT_REACHED"):
        images.check_room(shown, 5)


@given(st.integers(0, 6), st.integers(0, 8), st.integers(0, 20), st.text(max_size=3))
def test_an_image_stands_where_it_was_put_and_the_others_keep_their_order(
    count: int, number: int, position: int, alt_text: str
) -> None:
    before = product(*(image(each) for each in range(count)))
    after = images.placed(before, image(number), placement(f"i{number}", position, alt_text), LATER)
    ids = [each.id for each in after.gallery]
    assert [each for each in ids if each != f"i{number}"] == [f"i{each}" for each in range(count) if each != number]
    stands = ids.index(f"i{number}")
    if position:
        assert stands == min(position - 1, len(ids) - 1)
    else:
        assert stands == (min(count, number))
    assert after.gallery[stands].alt_text == alt_text
    assert (after.version, after.update_time) == ((1, NOW) if after.gallery == before.gallery else (2, LATER))


def test_a_product_without_an_image_is_itself_without_it() -> None:
    shown = product(image(1), image(2))
    assert images.without(shown, "i3", LATER) == shown
    assert [each.id for each in images.without(shown, "i1", LATER).gallery] == ["i2"]
    assert images.find(shown, "i2") == image(2)
    assert images.find(shown, "i3") is None
