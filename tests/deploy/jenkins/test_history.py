import re
from pathlib import Path

import pytest

from scripts.release import history
from scripts.stack.supervise import problems
from tests.deploy.jenkins.repository import Repository


def version(repository: Repository) -> history.Version:
    return history.History(repository.root).version()


def test_before_the_first_release_a_version_counts_commits(repository: Repository) -> None:
    commit = repository.commit("a", "1")
    assert version(repository) == history.Version(f"0.1.0-dev.2.g{commit[:8]}", commit, release=False)


def test_a_tagged_commit_is_the_release_of_its_tag(repository: Repository) -> None:
    repository.tag("v1.4.0")
    found = version(repository)
    assert found.text == "1.4.0"
    assert found.release


def test_a_commit_after_a_release_precedes_the_next_patch(repository: Repository) -> None:
    repository.tag("v1.4.9")
    repository.commit("a", "1")
    repository.commit("b", "1")
    assert version(repository).text.startswith("1.4.10-dev.2.g")


def test_what_is_not_committed_shows_and_is_no_release(repository: Repository) -> None:
    repository.tag("v1.4.0")
    repository.write("a", "new")
    found = version(repository)
    assert found.text.startswith("1.4.1-dev.0.g")
    assert found.text.endswith(".dirty")
    assert not found.release


def test_builds_of_one_commit_push_something_of_their_own_and_a_release_once(repository: Repository) -> None:
    built = history.History(repository.root, build="31").version()
    assert built.text.endswith(".31")
    assert built.tag == f"commit-{built.text}"
    repository.tag("v1.4.0")
    assert history.History(repository.root, build="31").version().tag == "1.4.0"


def test_every_version_is_good_for_a_chart_and_as_a_tag_of_an_image(repository: Repository) -> None:
    texts = [version(repository).text]
    repository.tag("v1.4.0")
    texts.append(version(repository).text)
    repository.write("a", "new")
    texts.append(version(repository).text)
    semantic = re.compile(
        r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-(0|[1-9]\d*|\d*[a-z-][\w-]*)(\.(0|[1-9]\d*|\d*[a-z-][\w-]*))*)?"
    )
    assert all(semantic.fullmatch(text) and re.fullmatch(r"[\w][\w.-]{0,127}", text) for text in texts)


def test_the_last_release_is_the_highest_before_this_commit(repository: Repository) -> None:
    known = history.History(repository.root)
    assert known.last_release() == ""
    for tag in ("v1.9.0", "v1.10.0", "v2.0.0-rc1", "nightly", "version3"):
        repository.commit("a", tag)
        repository.tag(tag)
    repository.commit("a", "after")
    assert known.last_release() == "v1.10.0"
    repository.tag("v2.0.0")
    assert known.last_release() == "v1.10.0"


def test_a_release_of_another_branch_does_not_count(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "other")
    repository.commit("a", "other")
    repository.tag("v9.0.0")
    repository.git("checkout", "--quiet", "main")
    repository.commit("a", "main")
    assert history.History(repository.root).last_release() == ""


def test_a_folder_comes_back_as_it_was(repository: Repository, tmp_path: Path) -> None:
    repository.commit("proto/a.proto", "old")
    repository.tag("v1.0.0")
    repository.commit("proto/a.proto", "new")
    folder = history.History(repository.root).extract("v1.0.0", "proto", tmp_path)
    assert (folder / "a.proto").read_text() == "old"


def test_what_is_no_repository_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(problems.StackError, match=r"git rev-parse: .*not a git repository"):
        history.History(tmp_path).version()


def test_a_shallow_clone_has_no_version(repository: Repository, tmp_path: Path) -> None:
    repository.commit("a", "1")
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.root}", str(tmp_path / "shallow"))
    with pytest.raises(problems.StackError, match="this clone is shallow"):
        history.History(tmp_path / "shallow").version()
