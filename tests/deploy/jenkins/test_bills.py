"""Bills of materials, made for real from the lock files; and the vulnerability gate's policy."""

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.release import bill, history
from scripts.release.build import building
from scripts.stack import layout
from scripts.stack.supervise import problems

LONGEST = dt.timedelta(days=90)
POLICY = layout.ROOT / "scripts" / "release"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return bill.of(layout.ROOT, ["services/requirements.lock"])


def test_every_locked_package_is_on_the_bill_with_its_hashes(services: dict[str, Any]) -> None:
    locked = set(
        re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==(\S+)", (layout.ROOT / building.PACKAGES).read_text(), re.MULTILINE)
    )
    billed = {(each["name"], each["version"]) for each in services["components"]}
    assert len(locked) > 40
    assert billed == locked
    for each in services["components"]:
        hashes = [found for reference in each["externalReferences"] for found in reference["hashes"]]
        assert hashes
        assert all(found["alg"] == "SHA-256" and len(found["content"]) == 64 for found in hashes)


def test_it_is_cyclonedx_and_the_same_whenever_it_is_made(services: dict[str, Any]) -> None:
    assert (services["bomFormat"], services["specVersion"]) == ("CycloneDX", "1.6")
    assert services == bill.of(layout.ROOT, ["services/requirements.lock"])


def test_every_image_has_one_under_its_name_and_version(tmp_path: Path) -> None:
    for image in building.IMAGES:
        for lock in image.locks:
            (tmp_path / lock).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / lock).write_text("six==1.17.0 --hash=sha256:" + "0" * 64 + "\n")
    paths = bill.write(tmp_path, history.Version("1.4.0", "c" * 40, release=True))
    components = [json.loads(path.read_text())["metadata"]["component"] for path in paths]
    assert [(each["name"], each["version"]) for each in components] == [
        (image.name, "1.4.0") for image in building.IMAGES
    ]


def test_a_lock_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(problems.StackError, match=r"x\.lock"):
        bill.of(tmp_path, ["x.lock"])


@pytest.mark.parametrize("image", building.IMAGES, ids=lambda image: image.short)
def test_a_bill_is_of_the_locks_that_its_dockerfile_installs(image: building.Image) -> None:
    dockerfile = (layout.ROOT / image.dockerfile).read_text()
    stages = dict(reversed(stage) for stage in re.findall(r"^FROM (\S+) AS (\S+)$", dockerfile, re.MULTILINE))
    assert image.target in stages
    installed = re.findall(r"pip install .*--prefix \S+ --require-hashes -r (\S+)", dockerfile)
    assert set(image.locks) <= set(installed)
    # A stage that builds on the services' has their packages too.
    assert (building.PACKAGES in image.locks) == (image.target == "services" or stages[image.target] == "services")


def complaints(exceptions: list[dict[str, Any]], today: dt.date) -> list[str]:
    """What is wrong with the exceptions of the vulnerability gate."""
    found = []
    for each in exceptions:
        name, until = each.get("id", "?"), each.get("expired_at")
        if len(each.get("statement", "")) < 20:
            found.append(f"{name}: says not why it cannot hurt")
        if not isinstance(until, dt.date) or until - today > LONGEST:
            found.append(f"{name}: has no end within {LONGEST.days} days")
        elif until < today:
            found.append(f"{name}: is over since {until}")
    return found


def test_every_exception_of_the_gate_has_a_reason_and_an_end() -> None:
    content = yaml.safe_load((POLICY / "trivyignore.yaml").read_text())
    assert complaints(content["vulnerabilities"], dt.datetime.now(tz=dt.UTC).date()) == []


def test_an_exception_without_a_reason_or_an_end_is_found() -> None:
    today = dt.date(2026, 11, 21)
    reason = "the parser is never given what a stranger sent"
    assert complaints([{"id": "A", "statement": reason, "expired_at": today}], today) == []
    for wrong in ({"statement": "no"}, {"expired_at": None}, {"expired_at": dt.date(2027, 11, 21)}):
        assert len(complaints([{"id": "A", "statement": reason, "expired_at": today, **wrong}], today)) == 1
    past = {"id": "A", "statement": reason, "expired_at": dt.date(2026, 11, 20)}
    assert complaints([past], today) == ["A: is over since 2026-11-20"]


def test_the_gate_fails_on_what_is_high_and_can_be_mended() -> None:
    policy = yaml.safe_load((POLICY / "trivy.yaml").read_text())
    assert policy["exit-code"] == 1
    assert set(policy["severity"]) == {"HIGH", "CRITICAL"}
    assert policy["ignorefile"] == "scripts/release/trivyignore.yaml"
