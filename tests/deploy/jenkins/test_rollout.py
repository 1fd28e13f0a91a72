"""Images, chart, roll-out and roll-back: which programs are called, in which order, and what stops them.

The programs themselves are stood in for; ECR answers through moto.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import moto
import pytest
import yaml

from scripts.release import chart, deploy, environments, history, images, record, registry, shell
from scripts.release.build import building
from scripts.stack.supervise import problems
from tests.deploy.jenkins.programs import Programs

REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
VERSION = history.Version("1.4.0", "c" * 40, release=True)
NAMES = tuple(image.short for image in building.IMAGES)
DIGESTS = {name: f"sha256:{number:064x}" for number, name in enumerate(NAMES, start=1)}
CHART = f"sha256:{99:064x}"
RELEASED = record.Record("1.4.0", VERSION.commit, REGISTRY, DIGESTS, CHART)
DEV, PROD = environments.read("dev", {}), environments.read("prod", {"PAYMENT_METHOD_prod": "pm_of_ours"})
LISTED = ("helm", "list")
HISTORY = ("helm", "history")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    made = Programs.made(tmp_path / "bin", ("aws", "buildctl", "cosign", "helm", "skopeo", "trivy"))
    monkeypatch.setenv("PATH", f"{made.folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("REGISTRY", REGISTRY)
    monkeypatch.setenv("SIGNING_KEY", "awskms:///alias/souk-release")
    return made


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # As on an agent: botocore does not read AWS_REGION, and nothing sets AWS_DEFAULT_REGION there.
    for name, value in (("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_REGION", "eu-west-1")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    with moto.mock_aws():
        yield


@pytest.fixture
def run(tmp_path: Path, programs: Programs) -> shell.Shell:
    del programs
    root = tmp_path / "root"
    root.mkdir()
    return shell.Shell(dry=False, environment=registry.environment(root), root=root)


def built(root: Path) -> None:
    """What BuildKit leaves: a folder for every image, whose index names one index over all processors."""
    for name, digest in DIGESTS.items():
        folder = root / images.LAYOUTS / name
        folder.mkdir(parents=True)
        (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [{"digest": digest}]}))


def revisions(*told: tuple[int, str, str]) -> dict[tuple[str, ...], tuple[int, str, str]]:
    """Helm's answers about a release with these revisions: number, status, description."""
    listed = [{"name": "souk"}] if told else []
    past = [{"revision": number, "status": status, "description": text} for number, status, text in told]
    return {LISTED: (0, json.dumps(listed), ""), HISTORY: (0, json.dumps(past), "")}


def test_every_image_is_built_for_both_processors_under_its_version(run: shell.Shell, programs: Programs) -> None:
    images.build(run, VERSION)
    assert len(programs.calls) == len(NAMES)
    for call in programs.calls:
        assert "platform=linux/amd64,linux/arm64" in call
        assert "label:org.opencontainers.image.version=1.4.0" in call
        assert call[-1].startswith("type=oci,tar=false,dest=")


def test_the_gate_looks_at_every_processors_image_and_names_those_that_it_refuses(
    run: shell.Shell, programs: Programs
) -> None:
    alone = str(images.SINGLE / "edge-arm64")
    programs.answer({("trivy", "image", "--config", images.POLICY, "--input", alone): (1, "", "")})
    with pytest.raises(problems.StackError, match=r"does not allow: edge \(linux/arm64\) \("):
        images.judge(run)
    judged = [call[call.index("--input") + 1] for call in programs.calls if call[0] == "trivy"]
    assert judged == [str(images.SINGLE / f"{name}-{processor}") for name in NAMES for processor in ("amd64", "arm64")]
    # Each is the one of its processor, out of the index that is pushed.
    taken = {call[-1]: call for call in programs.calls if call[0] == "skopeo"}
    assert all(f"oci:{folder}" in taken for folder in judged)
    assert all(call[call.index("--override-arch") + 1] == target.rpartition("-")[2] for target, call in taken.items())


def test_images_are_pushed_as_they_were_judged_and_noted_by_digest(run: shell.Shell, programs: Programs) -> None:
    built(run.root)
    assert images.push(run, VERSION) == record.Record("1.4.0", VERSION.commit, REGISTRY, DIGESTS)
    copied = [call for call in programs.calls if call[0] == "skopeo"]
    assert all({"--all", "--preserve-digests"} <= set(call) for call in copied)
    assert [call[-1] for call in copied] == [f"docker://{REGISTRY}/souk/{name}:1.4.0" for name in NAMES]


def test_the_registrys_token_lies_in_a_file_of_ours_only_and_goes_with_the_build(
    run: shell.Shell, programs: Programs, capfd: pytest.CaptureFixture[str]
) -> None:
    built(run.root)
    images.push(run, VERSION)
    file = run.root / registry.CREDENTIALS / registry.FILE
    token = json.loads(file.read_text())["auths"][REGISTRY]["auth"]
    assert file.stat().st_mode & 0o077 == 0
    assert all(environment["DOCKER_CONFIG"] == str(file.parent) for environment in programs.environments)
    assert token not in json.dumps(programs.calls)
    told = capfd.readouterr()
    assert token not in told.out + told.err
    registry.sign_out(run.root)
    assert not file.exists()


def test_the_registrys_own_address_says_in_which_region_its_token_is_asked_for() -> None:
    assert registry.region(REGISTRY) == "eu-central-1"
    assert registry.region("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn") == "cn-north-1"
    with pytest.raises(problems.StackError, match=r"REGISTRY=registry\.example is no address of ECR"):
        registry.region("registry.example")


def test_what_is_not_committed_is_not_pushed(run: shell.Shell, programs: Programs) -> None:
    built(run.root)
    with pytest.raises(problems.StackError, match="what is not committed is not released"):
        images.push(run, history.Version("1.4.1-dev.0.gcccccccc.dirty", "c" * 40, release=False))
    assert not programs.calls


def test_what_was_not_built_or_for_one_processor_only_is_not_pushed(run: shell.Shell, programs: Programs) -> None:
    with pytest.raises(problems.StackError, match="services was not built"):
        images.push(run, VERSION)
    built(run.root)
    two = {"manifests": [{"digest": "sha256:1"}, {"digest": "sha256:2"}]}
    (run.root / images.LAYOUTS / "services" / "index.json").write_text(json.dumps(two))
    with pytest.raises(problems.StackError, match="holds 2 images"):
        images.push(run, VERSION)
    assert not programs.calls


def test_every_digest_is_signed_with_its_bill_of_materials(run: shell.Shell, programs: Programs) -> None:
    images.sign(run, RELEASED)
    for name in NAMES:
        about = [call for call in programs.calls if call[-1] == f"{REGISTRY}/souk/{name}@{DIGESTS[name]}"]
        assert [call[1] for call in about] == ["sign", "attest"]
        assert f".souk/release/sbom/{name}.cdx.json" in about[1]
        assert all("awskms:///alias/souk-release" in call for call in about)


@pytest.mark.parametrize("variable", ["REGISTRY", "SIGNING_KEY"])
def test_an_account_that_is_not_named_is_asked_for(
    run: shell.Shell, programs: Programs, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    del programs
    built(run.root)
    monkeypatch.delenv(variable)
    with pytest.raises(problems.StackError, match=f"{variable} is not set"):
        images.sign(run, images_pushed(run))


def images_pushed(run: shell.Shell) -> record.Record:
    return images.push(run, VERSION)


def test_the_chart_is_pushed_and_signed_by_the_digest_that_helm_tells(run: shell.Shell, programs: Programs) -> None:
    programs.answer({("helm", "push"): (0, "", f"Pushed: {REGISTRY}/souk/charts/souk:1.4.0\nDigest: {CHART}\n")})
    assert chart.push(run, record.Record("1.4.0", VERSION.commit, REGISTRY, DIGESTS)) == RELEASED
    assert programs.calls[0] == ["helm", "push", ".souk/release/chart/souk-1.4.0.tgz", f"oci://{REGISTRY}/souk/charts"]
    assert programs.calls[-1][-1] == f"{REGISTRY}/souk/charts/souk@{CHART}"


def test_a_roll_out_verifies_every_signature_and_is_atomic_and_by_digest(run: shell.Shell, programs: Programs) -> None:
    programs.answer(revisions((6, "superseded", ""), (7, "deployed", "Upgrade complete")))
    deploy.upgrade(run, DEV, RELEASED)
    kinds = [tuple(call[:2]) for call in programs.calls]
    verified = [("cosign", "verify")] * (len(NAMES) + 1)
    assert kinds == [*verified, ("aws", "eks"), LISTED, HISTORY, ("helm", "upgrade")]
    upgrade = programs.calls[-1]
    assert {"--atomic", "--install", f"oci://{REGISTRY}/souk/charts/souk", "helm/souk/values-aws.yaml"} <= set(upgrade)
    # The role of Jenkins has one namespace, and makes none.
    assert "--create-namespace" not in upgrade
    assert programs.environments[-1]["KUBECONFIG"] == ".souk/release/kubeconfig-dev"
    pinned = yaml.safe_load((run.root / ".souk/release/values-dev.yaml").read_text())
    assert pinned["imageRegistry"] == REGISTRY
    assert {name: image["digest"] for name, image in pinned["images"].items()} == DIGESTS


def test_what_is_watched_begins_with_the_end_of_the_roll_out(run: shell.Shell, programs: Programs) -> None:
    programs.answer(revisions((7, "deployed", "")))
    assert deploy.seconds_since(run, DEV) == 0
    deploy.upgrade(run, DEV, RELEASED)
    done = run.root / ".souk/release/rolled-out/dev.json"
    done.write_text(json.dumps({"at": json.loads(done.read_text())["at"] - 300}))
    assert 300 <= deploy.seconds_since(run, DEV) < 330
    programs.answer({**revisions((7, "deployed", "")), ("helm", "upgrade"): (1, "", "timed out")})
    with pytest.raises(problems.StackError):
        deploy.upgrade(run, DEV, RELEASED)
    assert deploy.seconds_since(run, DEV) == 0


def test_the_smoke_check_buys_and_pays_what_the_environment_has(run: shell.Shell, programs: Programs) -> None:
    python = Programs.made(run.root / ".venv" / "bin", ("python",))
    deploy.smoke(run, DEV)
    (asked,) = python.calls
    assert asked[asked.index("--payment-method") + 1] == "pm_card_visa"
    assert asked[asked.index("--sku") + 1] == "COFFEE-250G:1"
    assert programs.calls[0][:2] == ["aws", "eks"]


def test_nothing_is_rolled_out_that_could_not_be_tried_by_an_order(run: shell.Shell, programs: Programs) -> None:
    with pytest.raises(problems.StackError, match="PAYMENT_METHOD_prod is not set"):
        deploy.upgrade(run, environments.read("prod", {}), RELEASED)
    assert not programs.calls


def test_what_is_not_signed_is_not_rolled_out(run: shell.Shell, programs: Programs) -> None:
    edge = (
        "cosign",
        "verify",
        "--private-infrastructure=true",
        "--key",
        "awskms:///alias/souk-release",
        "--output",
        "text",
        RELEASED.image("edge"),
    )
    programs.answer({edge: (1, "", "Error: no signatures found\n")})
    with pytest.raises(problems.StackError, match="cosign failed with exit code 1"):
        deploy.upgrade(run, DEV, RELEASED)
    assert not [call for call in programs.calls if call[0] in ("aws", "helm")]


def test_production_takes_only_the_digests_that_development_verified(run: shell.Shell, programs: Programs) -> None:
    programs.answer(revisions((7, "deployed", "")))
    record.write(run.root, RELEASED)
    with pytest.raises(problems.StackError, match="this release was not verified in dev"):
        deploy.upgrade(run, PROD, RELEASED)
    record.verified(run.root, "dev")
    deploy.upgrade(run, PROD, RELEASED)
    assert programs.calls[-1][:2] == ["helm", "upgrade"]
    other = record.Record("1.4.0", VERSION.commit, REGISTRY, {**DIGESTS, "edge": f"sha256:{7:064x}"}, CHART)
    record.write(run.root, other)
    with pytest.raises(problems.StackError, match="other digests than these were verified in dev"):
        deploy.upgrade(run, PROD, other)


def test_digests_of_another_commit_are_not_rolled_out() -> None:
    deploy.require_same_commit(RELEASED, "c" * 40)
    with pytest.raises(problems.StackError, match="of commit cccccccc, and this is dddddddd"):
        deploy.require_same_commit(RELEASED, "d" * 40)


def test_a_roll_back_goes_to_what_was_deployed_before(run: shell.Shell, programs: Programs) -> None:
    programs.answer(revisions((6, "deployed", ""), (7, "failed", "timed out")))
    deploy.upgrade(run, DEV, RELEASED)
    programs.answer(revisions((6, "superseded", ""), (7, "failed", ""), (8, "deployed", "Upgrade complete")))
    assert deploy.roll_back(run, DEV) == "dev is back at revision 6"
    assert programs.calls[-1][:4] == ["helm", "rollback", "souk", "6"]
    assert "--wait" in programs.calls[-1]


@pytest.mark.parametrize("now", [(6, "deployed", ""), (8, "deployed", "Rollback to 6")])
def test_what_helm_undid_itself_is_not_rolled_back_again(
    run: shell.Shell, programs: Programs, now: tuple[int, str, str]
) -> None:
    programs.answer(revisions((6, "deployed", "")))
    deploy.upgrade(run, DEV, RELEASED)
    programs.answer(revisions(now))
    assert deploy.roll_back(run, DEV) == "dev has revision 6 again already"
    assert "rollback" not in [call[1] for call in programs.calls]


def test_without_a_roll_out_or_an_earlier_release_there_is_nothing_to_roll_back(
    run: shell.Shell, programs: Programs
) -> None:
    assert deploy.roll_back(run, DEV) == "nothing was rolled out to dev: nothing to roll back"
    programs.answer(revisions())
    deploy.upgrade(run, DEV, RELEASED)
    assert deploy.roll_back(run, DEV).startswith("this was the first release in dev")
    assert "rollback" not in [call[1] for call in programs.calls]


def test_a_program_that_is_missing_is_named(run: shell.Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(problems.StackError, match=r"buildctl is not installed: docs/release\.md"):
        images.build(run, VERSION)
