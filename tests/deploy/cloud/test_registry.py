"""What ECR lets go of by the rules that were applied, played through with the tags that builds and cosign leave."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scripts.release import history
from scripts.release.build import building
from tests.deploy.cloud import workspace

PLATFORMS = ("amd64", "arm64")


@dataclass(frozen=True, slots=True)
class Image:
    """An image in a repository: when it was pushed (days ago), its tag if it has one, and the tag of the index it belongs to."""

    age: int
    tag: str = ""
    of: str = ""


def _build(tag: str, age: int) -> Iterator[Image]:
    """What one build adds to a repository: the index, an image for each processor, signatures of all, and a bill."""
    yield Image(age, tag)
    yield from (Image(age, of=tag) for _ in PLATFORMS)
    yield from (Image(age, f"sha256-{tag}-{part}.sig") for part in ("index", *PLATFORMS))
    yield Image(age, f"sha256-{tag}-index.att")


def _expired(images: list[Image], policy: dict[str, Any]) -> set[Image]:
    """As ECR does it: rules by priority, newest first; what an index names stays for as long as the index does."""
    gone: set[Image] = set()
    for rule in sorted(policy["rules"], key=lambda rule: int(rule["rulePriority"])):
        chosen = rule["selection"]
        fitting = sorted((one for one in images if _fits(one, chosen)), key=lambda one: one.age)
        if chosen["countType"] == "imageCountMoreThan":
            gone |= set(fitting[chosen["countNumber"] :])
        else:
            gone |= {one for one in fitting if one.age > chosen["countNumber"]}
    kept = {one.tag for one in images if one.tag and one not in gone}
    return {one for one in gone if one.of not in kept or not one.of}


def _fits(image: Image, chosen: dict[str, Any]) -> bool:
    if chosen["tagStatus"] == "any":
        return True
    if chosen["tagStatus"] == "untagged":
        return not image.tag
    return any(image.tag.startswith(start) for start in chosen["tagPrefixList"])


def _policy(shared: workspace.Applied) -> dict[str, Any]:
    policies = {one["policy"] for one in shared.of("aws_ecr_lifecycle_policy")}
    assert len(policies) == 1
    parsed: dict[str, Any] = json.loads(policies.pop())
    return parsed


def test_a_release_outlives_any_number_of_builds_after_it(shared: workspace.Applied) -> None:
    release = history.Version("1.4.0", "c" * 40, release=True).tag
    images = [*_build(release, 400)]
    for age in range(300):
        images += _build(history.Version(f"1.4.1-dev.{age}.gabc", "c" * 40, release=False).tag, age)
    gone = _expired(images, _policy(shared))
    assert not [one for one in gone if release in (one.tag, one.of) or release in one.tag]
    assert any(one.tag.startswith("commit-") for one in gone)


def test_the_newest_build_stays_however_long_nobody_commits_for_it_runs_in_development(
    shared: workspace.Applied,
) -> None:
    newest = history.Version("1.4.1-dev.9.gabc", "c" * 40, release=False).tag
    assert _expired([*_build(newest, 200)], _policy(shared)) == set()


def test_the_agents_of_jenkins_have_a_repository_beside_the_images_of_a_release(shared: workspace.Applied) -> None:
    made = {repository["name"] for repository in shared.of("aws_ecr_repository")}
    assert made == {image.name for image in (*building.IMAGES, building.AGENT)} | {"souk/charts/souk"}
