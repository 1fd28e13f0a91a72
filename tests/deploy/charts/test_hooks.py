"""What runs before and after a release: certificates, migrations, topics, the check by an order; and where secrets come from."""

from typing import Any

from services import registry
from tests.deploy.charts import objects, rendering

REGISTRY = registry.load()
Objects = list[objects.Object]


def find(rendered: Objects, kind: str, name: str) -> Any:
    return next((one for one in rendered if (one["kind"], one["metadata"]["name"]) == (kind, f"souk-{name}")), None)


def events(item: objects.Object) -> str:
    return str(item["metadata"]["annotations"]["helm.sh/hook"])


def weight(item: objects.Object) -> int:
    return int(item["metadata"]["annotations"]["helm.sh/hook-weight"])


def test_every_database_is_migrated_by_its_own_job_as_its_owner() -> None:
    rendered = rendering.rendered(*rendering.DEFAULT)
    for name in REGISTRY.with_store([], "postgres"):
        job = find(rendered, "Job", f"migrate-{name}")
        assert events(job) == "pre-install,pre-upgrade"
        spec = job["spec"]["template"]["spec"]
        assert spec["containers"][0]["args"] == ["migrate", name]
        secrets = [one["secret"]["secretName"] for one in spec["volumes"] if "secret" in one]
        assert secrets == [f"souk-{name}-migration"]
        assert job["spec"]["activeDeadlineSeconds"] == 600


def test_hooks_run_on_nothing_that_the_release_brings_later() -> None:
    for case in ("defaults", "production", "production with operators"):
        rendered = rendering.rendered(*rendering.CASES[case])
        early = [
            one for one in rendered if "pre-install" in one["metadata"].get("annotations", {}).get("helm.sh/hook", "")
        ]
        made = {(one["kind"], one["metadata"]["name"]) for one in early}
        lasting = {(one["kind"], one["metadata"]["name"]) for one in rendered} - made
        for workload in objects.workloads(early):
            account = ("ServiceAccount", workload.spec.get("serviceAccountName", ""))
            assert account not in lasting, workload.title
            for volume in workload.spec["volumes"]:
                needed = ("ExternalSecret", volume.get("secret", {}).get("secretName", ""))
                assert needed not in lasting, workload.title


def test_what_a_hooks_job_may_reach_is_allowed_before_it_runs() -> None:
    for case in ("defaults", "production", "production with operators", "development"):
        rendered = rendering.rendered(*rendering.CASES[case])
        policies = list(objects.of_kind(rendered, "NetworkPolicy"))
        hooks = [one for one in objects.of_kind(rendered, "Job") if "upgrade" in _on(one)]
        assert hooks, case
        for job in hooks:
            labels = job["spec"]["template"]["metadata"]["labels"]
            (own,) = [
                one
                for one in policies
                if not one["metadata"]["name"].endswith("default-deny")
                and objects.selects(one["spec"]["podSelector"], labels)
            ]
            # What comes after everything else may lean on the release; what comes before it can't.
            if "pre-" in _on(job):
                assert _on(own) == _on(job), job["metadata"]["name"]
                assert weight(own) < weight(job)


def _on(item: objects.Object) -> str:
    return str(item["metadata"].get("annotations", {}).get("helm.sh/hook", ""))


def test_topics_are_made_with_the_clusters_replication() -> None:
    job = find(rendering.rendered(*rendering.DEFAULT), "Job", "topics")
    variables = {one["name"]: one["value"] for one in job["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert variables["KAFKA_REPLICATION"] == "3"
    assert variables["KAFKA_PASSWORD_FILE"] == "/secrets/topics-kafka/password"
    assert variables["KAFKA_ACLS"] == "true"
    assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["topics"]
    assert find(rendering.rendered(*rendering.DEFAULT, "--set", "topics.enabled=false"), "Job", "topics") is None


def test_without_cert_manager_a_hook_makes_certificates_and_may_do_nothing_else() -> None:
    rendered = rendering.rendered(*rendering.DEFAULT)
    job, role = find(rendered, "Job", "certificates"), find(rendered, "Role", "certificates")
    assert weight(role) < weight(job) < weight(find(rendered, "Job", "migrate-order"))
    assert {rule["resources"][0] for rule in role["rules"]} == {"secrets"}
    named = [rule for rule in role["rules"] if "resourceNames" in rule]
    assert set(named[0]["verbs"]) == {"get", "update", "patch"}
    assert [rule["verbs"] for rule in role["rules"] if "resourceNames" not in rule] == [["create"]]
    mounted = {f"souk-{name}-tls" for name in (*REGISTRY.services, "edge")}
    assert mounted <= set(named[0]["resourceNames"])
    assert not list(objects.of_kind(rendered, "Certificate"))


def test_certificates_of_the_hook_are_renewed_between_upgrades_by_the_same_rights() -> None:
    rendered = rendering.rendered(*rendering.DEFAULT)
    renewal = find(rendered, "CronJob", "certificates-renewal")["spec"]
    container = renewal["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    hook = find(rendered, "Job", "certificates")["spec"]["template"]["spec"]["containers"][0]
    assert (container["command"], container["args"]) == (hook["command"], hook["args"])
    roles = [find(rendered, "Role", name) for name in ("certificates", "certificates-renewal")]
    assert roles[0]["rules"] == roles[1]["rules"]
    assert "helm.sh/hook" not in roles[1]["metadata"].get("annotations", {})


def test_with_cert_manager_every_identity_has_a_certificate_and_there_is_no_hook() -> None:
    rendered = rendering.rendered(*rendering.DEFAULT, *rendering.OPERATORS)
    assert find(rendered, "Job", "certificates") is None
    assert find(rendered, "CronJob", "certificates-renewal") is None
    for name in (*REGISTRY.services, "edge"):
        spec = find(rendered, "Certificate", name)["spec"]
        assert spec["uris"] == [f"spiffe://souk/{name}"]
        assert name in spec["dnsNames"]
        assert f"souk-{name}.{rendering.NAMESPACE}.svc.cluster.local" in spec["dnsNames"]
        assert spec["secretName"] == f"souk-{name}-tls"
        assert spec["usages"] == ["digital signature", "server auth", "client auth"]


def test_external_secrets_fill_every_secret_that_a_pod_mounts() -> None:
    for case in ("production", "production with SCRAM"):
        rendered = rendering.rendered(*rendering.CASES[case], *rendering.OPERATORS)
        filled = {one["spec"]["target"]["name"] for one in objects.of_kind(rendered, "ExternalSecret")}
        filled |= {one["spec"]["secretName"] for one in objects.of_kind(rendered, "Certificate")}
        for workload in objects.workloads(rendered):
            for volume in workload.spec.get("volumes", ()):
                assert "secret" not in volume or volume["secret"]["secretName"] in filled, workload.title


def test_an_existing_secret_is_used_by_its_own_name() -> None:
    rendered = rendering.rendered(*rendering.DEFAULT, "--set", "secrets.existing.order-database=shop-db")
    volumes = find(rendered, "Deployment", "order-work")["spec"]["template"]["spec"]["volumes"]
    assert "shop-db" in [one["secret"]["secretName"] for one in volumes if "secret" in one]


def test_helm_test_places_an_order_at_the_edge() -> None:
    pod = find(rendering.rendered(*rendering.DEFAULT), "Pod", "smoke")
    assert events(pod) == "test"
    container = pod["spec"]["containers"][0]
    assert container["command"] == ["python", "-m", "scripts.operate.first_order"]
    assert container["env"] == [
        {"name": "EDGE_URL", "value": f"http://souk-edge.{rendering.NAMESPACE}.svc.cluster.local:80"}
    ]
    assert "--expect=CONFIRMED" in container["args"]


def test_a_development_release_brings_its_servers_and_then_its_databases_schemas_topics_and_shop() -> None:
    rendered = rendering.rendered(*rendering.CASES["development"])
    servers = {one["metadata"]["name"] for one in objects.of_kind(rendered, "StatefulSet")}
    assert servers == {f"souk-{name}" for name in ("kafka", "postgres", "redis", "provider", "carrier", "mail")}
    jobs = {one["metadata"]["name"].removeprefix("souk-"): one for one in objects.of_kind(rendered, "Job")}
    assert (
        weight(jobs["databases"])
        < weight(jobs["migrate-order"])
        == weight(jobs["topics"])
        < weight(jobs["sample-data"])
    )
    for name in ("databases", "migrate-order", "topics", "sample-data"):
        assert events(jobs[name]) == "post-install,post-upgrade"


def test_a_development_release_has_every_secret_that_its_pods_mount() -> None:
    rendered = rendering.rendered(*rendering.CASES["development"])
    made = {one["metadata"]["name"]: set(one["data"]) for one in objects.of_kind(rendered, "Secret")}
    for workload in objects.workloads(rendered):
        for volume in workload.spec.get("volumes", ()):
            name = volume.get("secret", {}).get("secretName", "")
            assert not name or name in made or name.endswith("-tls"), f"{workload.title}: {name}"
