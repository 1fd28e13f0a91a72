import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from scripts.operate import environment
from scripts.stack import layout, settings
from scripts.stack.supervise import problems
from services import registry

DATABASES = {
    f"{service.name.upper()}_DATABASE_URL": f"postgresql://me:mine@db.example/{service.name}"
    for service in registry.load().services.values()
    if "postgres" in service.stores
}


@pytest.fixture
def stack(tmp_path: Path) -> layout.Stack:
    return layout.Stack(root=tmp_path)


def service(name: str) -> registry.Service:
    return registry.load().services[name]


def test_a_process_is_told_its_own_database_and_nobody_elses(stack: layout.Stack) -> None:
    chosen = settings.read(stack, DATABASES)
    told = settings.process_environment(chosen, [service("order")], 21154)
    assert [name for name in told if name.endswith("_DATABASE_URL")] == ["ORDER_DATABASE_URL"]
    assert told["ORDER_LISTEN"] == told["ORDER_ADDR"] == "127.0.0.1:21054"
    assert told["INVENTORY_ADDR"] == "127.0.0.1:21053"
    assert "INVENTORY_LISTEN" not in told


def test_what_the_user_sets_reaches_the_services(stack: layout.Stack) -> None:
    chosen = settings.read(stack, {"ORDER_BATCH": "1", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4317"})
    told = settings.process_environment(chosen, [service("order")], 21154)
    assert told["ORDER_BATCH"] == "1"
    assert told["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://localhost:4317"


def test_stripe_is_passed_on_and_its_key_only_to_whoever_hosts_payments(stack: layout.Stack) -> None:
    stripe = {"PAYMENT_PROVIDER": "stripe", "STRIPE_API_BASE": "http://127.0.0.1:12111", "STRIPE_API_KEY": "sk_test_1"}
    chosen = settings.read(stack, stripe)
    payment, order = (settings.process_environment(chosen, [service(name)], 1) for name in ("payment", "order"))
    assert {name: payment[name] for name in stripe} == stripe
    assert order["PAYMENT_PROVIDER"] == "stripe"
    assert "STRIPE_API_KEY" not in order
    by_file = settings.read(stack, {"STRIPE_API_KEY_FILE": "/somewhere/key"})
    assert settings.process_environment(by_file, [service("payment")], 1)["STRIPE_API_KEY_FILE"] == "/somewhere/key"
    assert "STRIPE_API_KEY_FILE" not in settings.process_environment(by_file, [service("user")], 1)


def test_what_signs_the_carriers_webhooks_is_told_to_shipping_alone(stack: layout.Stack) -> None:
    chosen = settings.read(stack, {"CARRIER_WEBHOOK_SECRETS": "whsec_c", "PAYMENT_WEBHOOK_SECRETS": "whsec_p"})
    shipping, payment = (settings.process_environment(chosen, [service(name)], 1) for name in ("shipping", "payment"))
    assert (shipping["CARRIER_WEBHOOK_SECRETS"], payment["PAYMENT_WEBHOOK_SECRETS"]) == ("whsec_c", "whsec_p")
    assert "PAYMENT_WEBHOOK_SECRETS" not in shipping
    assert "CARRIER_WEBHOOK_SECRETS" not in payment


def test_what_signs_news_of_mail_is_told_to_notification_alone(stack: layout.Stack) -> None:
    chosen = settings.read(stack, {"NOTIFICATION_WEBHOOK_SECRETS": "whsec_m"})
    told, other = (settings.process_environment(chosen, [service(name)], 1) for name in ("notification", "user"))
    assert told["NOTIFICATION_WEBHOOK_SECRETS"] == "whsec_m"
    assert "NOTIFICATION_WEBHOOK_SECRETS" not in other


def test_a_vendor_the_user_names_wins_and_no_service_learns_the_password(stack: layout.Stack) -> None:
    assert settings.exported(settings.read(stack, {}))["VENDOR_PASSWORD"]
    chosen = settings.read(stack, {"VENDOR_EMAIL": "you@example.com", "VENDOR_PASSWORD": "their own words"})
    exported = settings.exported(chosen)
    assert (exported["VENDOR_EMAIL"], exported["VENDOR_PASSWORD"]) == ("you@example.com", "their own words")
    assert "VENDOR_PASSWORD" not in settings.process_environment(chosen, chosen.services, 1)


def test_passwords_are_random_per_install_and_kept(tmp_path: Path) -> None:
    one = settings.read(layout.Stack(root=tmp_path / "one"), {})
    other = settings.read(layout.Stack(root=tmp_path / "other"), {})
    assert settings.exported(one)["ADMIN_PASSWORD"] == settings.exported(one)["ADMIN_PASSWORD"]
    assert settings.exported(one)["ADMIN_PASSWORD"] != settings.exported(other)["ADMIN_PASSWORD"]
    assert settings.exported(one)["ORDER_DATABASE_URL"] != settings.exported(other)["ORDER_DATABASE_URL"]


def test_an_administrator_the_user_names_wins(stack: layout.Stack) -> None:
    chosen = settings.read(stack, {"ADMIN_EMAIL": "me@example.com", "ADMIN_PASSWORD": "my own words"})
    exported = settings.exported(chosen)
    assert (exported["ADMIN_EMAIL"], exported["ADMIN_PASSWORD"]) == ("me@example.com", "my own words")
    told = settings.process_environment(chosen, [service("user")], 21151)
    assert Path(told["ADMIN_PASSWORD_FILE"]).read_text() == "my own words"
    assert "ADMIN_PASSWORD" not in told


def test_every_secret_is_for_its_owners_eyes_only(stack: layout.Stack) -> None:
    settings.write(settings.read(stack, {}))
    secret = [path for path in (stack.folder / "secrets").rglob("*") if path.is_file()]
    for path in (*secret, stack.env_file, stack.root / ".souk" / "env"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(secret) > 5


def test_a_shell_reads_the_env_file_as_we_do(stack: layout.Stack) -> None:
    settings.write(settings.read(stack, {"ADMIN_PASSWORD": 'it\'s $HOME & "more"'}))
    shell = shutil.which("sh") or "/bin/sh"
    script = f'. {stack.env_file}; printf %s "$ADMIN_PASSWORD"'
    said = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603 - a shell
    assert said.stdout == 'it\'s $HOME & "more"' == environment.load(stack.env_file)["ADMIN_PASSWORD"]


def test_only_the_main_stack_writes_the_well_known_env_file(tmp_path: Path) -> None:
    settings.write(settings.read(layout.Stack("test", root=tmp_path), {}))
    assert not (tmp_path / ".souk" / "env").exists()


@pytest.mark.parametrize(
    ("variable", "server"),
    [
        ("KAFKA_BOOTSTRAP", "kafka"),
        ("REDIS_URL", "redis"),
        ("PAYMENT_PROVIDER_URL", "provider"),
        ("SMTP_URL", "mail"),
        ("CATALOG_IMAGES_BUCKET", "objects"),
    ],
)
def test_a_server_the_user_has_is_used_and_none_is_started(stack: layout.Stack, variable: str, server: str) -> None:
    chosen = settings.read(stack, {variable: "their://server:1"})
    assert not chosen.starts(server)
    assert settings.exported(chosen)[variable] == "their://server:1"
    servers = {"postgres", "kafka", "redis", "provider", "mail", "objects"}
    assert all(chosen.starts(other) for other in servers - {server})


def test_only_whoever_keeps_images_is_told_of_the_bucket_and_its_keys(stack: layout.Stack) -> None:
    chosen = settings.read(stack, {})
    catalog, order = (settings.process_environment(chosen, [service(name)], 1) for name in ("catalog", "order"))
    assert catalog["CATALOG_IMAGES_BUCKET"] == "souk-images"
    assert catalog["CATALOG_IMAGES_URL"] == "http://127.0.0.1:21008/souk-images"
    assert (catalog["S3_ENDPOINT_URL"], catalog["AWS_REGION"]) == ("http://127.0.0.1:21008", "eu-central-1")
    assert catalog["AWS_SECRET_ACCESS_KEY"]
    assert not {"CATALOG_IMAGES_BUCKET", "S3_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"} & order.keys()


def test_the_users_own_aws_is_asked_with_the_users_own_keys(stack: layout.Stack) -> None:
    keys = {"AWS_PROFILE": "shop", "AWS_REGION": "eu-west-1"}
    signed_in = settings.process_environment(settings.read(stack, keys), [service("catalog")], 1)
    assert (signed_in["AWS_REGION"], "AWS_ACCESS_KEY_ID" in signed_in) == ("eu-west-1", False)
    theirs = {**keys, "CATALOG_IMAGES_BUCKET": "theirs", "CATALOG_IMAGES_URL": "https://images.example.com"}
    told = settings.process_environment(settings.read(stack, theirs), [service("catalog")], 1)
    assert {name: told[name] for name in theirs} == theirs
    assert "S3_ENDPOINT_URL" not in told


def test_databases_the_user_has_are_used_all_together(stack: layout.Stack) -> None:
    chosen = settings.read(stack, DATABASES)
    assert not chosen.starts("postgres")
    assert settings.exported(chosen)["ORDER_DATABASE_URL"] == DATABASES["ORDER_DATABASE_URL"]


def test_some_databases_without_the_others_are_refused_by_name(stack: layout.Stack) -> None:
    given = {name: url for name, url in DATABASES.items() if name != "ORDER_DATABASE_URL"}
    with pytest.raises(problems.StackError, match="set ORDER_DATABASE_URL too"):
        settings.read(stack, given)


def test_a_shell_that_loaded_the_env_file_has_no_servers_of_its_own(tmp_path: Path) -> None:
    main, test = layout.Stack(root=tmp_path), layout.Stack("test", 22000, 22080, root=tmp_path)
    settings.write(settings.read(main, {}))
    loaded = environment.load(main.env_file)
    assert settings.read(main, loaded).external == {}
    chosen = settings.read(test, loaded)
    assert chosen.external == {}
    assert chosen.servers()["KAFKA_BOOTSTRAP"] == "127.0.0.1:22003"


def test_the_users_server_stays_the_users_for_a_shell_that_loaded_the_env_file(stack: layout.Stack) -> None:
    settings.write(settings.read(stack, {"KAFKA_BOOTSTRAP": "kafka.example:9092"}))
    loaded = environment.load(stack.env_file)
    assert settings.read(stack, loaded).external == {"KAFKA_BOOTSTRAP": "kafka.example:9092"}
    assert settings.read(stack, {}, resume=True).external == {"KAFKA_BOOTSTRAP": "kafka.example:9092"}


def test_sagas_of_a_test_stack_lose_patience_soon_unless_told_otherwise(tmp_path: Path) -> None:
    test = layout.Stack("test", 22000, 22080, root=tmp_path)
    chosen = settings.read(test, {"ORDER_PAYMENT_DEADLINE_S": "60"})
    told = settings.process_environment(chosen, [service("order")], 22154)
    assert (told["ORDER_STOCK_DEADLINE_S"], told["ORDER_PAYMENT_DEADLINE_S"]) == ("4", "60")
    main = settings.read(layout.Stack(root=tmp_path), {})
    assert "ORDER_STOCK_DEADLINE_S" not in settings.process_environment(main, [service("order")], 21154)


def test_tests_are_told_the_patience_of_sagas_but_not_to_relax_the_edges_they_make(tmp_path: Path) -> None:
    chosen = settings.read(layout.Stack("test", 22000, 22080, root=tmp_path), {})
    assert settings.passed_on(chosen)["EDGE_RATE_LIMIT_FACTOR"] == "1000"
    told = settings.tool_environment(chosen)
    assert told["ORDER_STOCK_DEADLINE_S"] == "4"
    assert "EDGE_RATE_LIMIT_FACTOR" not in told
