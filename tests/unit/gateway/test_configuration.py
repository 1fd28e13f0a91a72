import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway import contract, openapi, pages, settings
from gateway.contract import Idempotency
from gateway.envoy import bootstrap, errors, routes

Config = dict[str, Any]


@pytest.fixture
def configuration(contracted: contract.Contract, configured: settings.Settings, descriptors: bytes) -> Config:
    return generated(contracted, configured, descriptors)


def generated(contracted: contract.Contract, configured: settings.Settings, descriptors: bytes) -> Config:
    served = pages.pages(openapi.document(contracted))
    return bootstrap.configuration(contracted, configured, descriptors, served)


def manager(configuration: Config) -> Config:
    listener = configuration["static_resources"]["listeners"][0]
    config: Config = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return config


def route_table(configuration: Config) -> list[Config]:
    table: list[Config] = manager(configuration)["route_config"]["virtual_hosts"][0]["routes"]
    return table


def route(configuration: Config, method: str) -> Config:
    return next(each for each in route_table(configuration) if each.get("name", "").endswith(f"Service.{method}"))


def limit(configuration: Config, method: str) -> Config:
    config: Config = route(configuration, method)["typed_per_filter_config"]["envoy.filters.http.local_ratelimit"]
    return config


def cluster(configuration: Config, name: str) -> Config:
    return next(each for each in configuration["static_resources"]["clusters"] if each["name"] == name)


def test_every_exposed_method_has_one_route_and_the_others_none(
    configuration: Config, contracted: contract.Contract
) -> None:
    routed = [
        each["match"]["path"] for each in route_table(configuration) if each["match"].get("path", "")[1:5] == "souk"
    ]

    assert sorted(routed) == sorted(method.grpc_path for method in contracted.exposed)


def test_a_route_asks_for_a_token_unless_the_method_is_public(
    configuration: Config, contracted: contract.Contract
) -> None:
    for method in contracted.exposed:
        per_route = route(configuration, method.name)["typed_per_filter_config"]
        # Who signs in or out may send an expired token along, and so may a guest who changes something.
        public = "optional" if method.idempotency is Idempotency.SAFE else "ignored"
        expected = public if method.access.public else "required"
        assert per_route["envoy.filters.http.jwt_authn"]["requirement_name"] == expected


def test_the_timeout_is_the_contracts_and_a_stream_has_none(configuration: Config) -> None:
    create, watch = route(configuration, "CreateOrder"), route(configuration, "WatchOrder")

    assert create["route"]["max_stream_duration"] == {"max_stream_duration": "5s", "grpc_timeout_header_max": "5s"}
    assert watch["route"]["max_stream_duration"] == {"grpc_timeout_header_max": "0s"}
    assert watch["route"]["idle_timeout"] == "300s"


@pytest.mark.parametrize("idempotency", [Idempotency.SAFE, Idempotency.IDEMPOTENT])
def test_what_may_be_repeated_is_retried_on_another_host(idempotency: Idempotency) -> None:
    policy = routes.retry_policy(idempotency)

    assert "unavailable" in policy["retry_on"]
    assert policy["retry_host_predicate"][0]["name"] == "envoy.retry_host_predicates.previous_hosts"


def test_a_keyed_call_is_retried_only_if_the_service_cannot_have_seen_it() -> None:
    assert routes.retry_policy(Idempotency.KEYED)["retry_on"] == "connect-failure,refused-stream"


def test_a_call_with_an_effect_each_time_is_never_retried() -> None:
    assert routes.retry_policy(Idempotency.ONCE) == {}


def test_buckets_are_as_large_as_the_contract_says(configuration: Config) -> None:
    config = limit(configuration, "CreateOrder")
    bucket = {"max_tokens": 60, "tokens_per_fill": 60, "fill_interval": "60s"}

    assert config["token_bucket"] == bucket
    assert config["descriptors"] == [{"entries": [{"key": "user"}], "token_bucket": bucket}]


def test_public_methods_are_limited_by_address(configuration: Config) -> None:
    (descriptor,) = limit(configuration, "Login")["descriptors"]

    assert descriptor["entries"] == [{"key": "masked_remote_address"}]


def test_a_factor_relaxes_every_bucket(
    contracted: contract.Contract, configured: settings.Settings, descriptors: bytes
) -> None:
    relaxed = generated(contracted, replace(configured, rate_limit_factor=1000), descriptors)

    assert limit(relaxed, "CreateOrder")["token_bucket"]["max_tokens"] == 60_000
    assert limit(relaxed, "CreateOrder")["response_headers_to_add"][0]["header"]["value"] == "1"


def test_a_factor_below_one_leaves_at_least_one_call_a_minute(
    contracted: contract.Contract, configured: settings.Settings, descriptors: bytes
) -> None:
    tightened = generated(contracted, replace(configured, rate_limit_factor=0.001), descriptors)

    assert limit(tightened, "CreateOrder")["token_bucket"]["max_tokens"] == 1
    assert limit(tightened, "CreateOrder")["response_headers_to_add"][0]["header"]["value"] == "60"


def test_names_are_looked_up_and_addresses_are_not(
    contracted: contract.Contract, environment: dict[str, str], registry: list[str], descriptors: bytes
) -> None:
    environment["ORDER_ADDR"] = "order.souk.svc:50054"
    configuration = generated(contracted, settings.from_environment(environment, registry), descriptors)

    assert cluster(configuration, "order")["cluster_type"]["name"] == "envoy.cluster.dns"
    assert cluster(configuration, "payment")["type"] == "STATIC"


def test_a_pod_that_its_name_no_longer_leads_to_is_left_alone_although_it_is_well(
    contracted: contract.Contract, environment: dict[str, str], registry: list[str], descriptors: bytes
) -> None:
    environment["ORDER_ADDR"] = "order.souk.svc:50054"
    configuration = generated(contracted, settings.from_environment(environment, registry), descriptors)

    order = cluster(configuration, "order")
    assert order["ignore_health_on_host_removal"] is True
    # With the five seconds for which cluster DNS may be cached, that is less than the chart's preStop.
    assert order["cluster_type"]["typed_config"]["dns_refresh_rate"] == "1s"


def test_every_service_is_health_checked_and_bounded(configuration: Config, contracted: contract.Contract) -> None:
    for service in contracted.services:
        config = cluster(configuration, service.name)
        assert config["health_checks"][0]["grpc_health_check"] == {}
        assert config["health_checks"][0]["unhealthy_interval"] == "0.5s"
        assert config["circuit_breakers"]["thresholds"][0]["max_requests"] >= 10_000


def test_spans_are_made_only_when_there_is_a_collector(
    contracted: contract.Contract, environment: dict[str, str], registry: list[str], descriptors: bytes
) -> None:
    environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:4317"
    traced = generated(contracted, settings.from_environment(environment, registry), descriptors)
    del environment["OTEL_EXPORTER_OTLP_ENDPOINT"]
    untraced = generated(contracted, settings.from_environment(environment, registry), descriptors)

    assert manager(traced)["tracing"]["random_sampling"] == {"value": 10}
    assert cluster(traced, "edge_traces")
    assert "tracing" not in manager(untraced)


def test_the_last_route_answers_404(configuration: Config) -> None:
    assert route_table(configuration)[-1]["direct_response"] == {"status": 404}


def test_wrong_verbs_are_told_the_right_ones(configuration: Config) -> None:
    options, cancel = [
        each
        for each in route_table(configuration)
        if re.fullmatch(each["match"].get("safe_regex", {}).get("regex", ""), "/api/v1/orders/1/cancel")
    ]

    assert (options["direct_response"], cancel["direct_response"]) == ({"status": 204}, {"status": 405})
    assert cancel["response_headers_to_add"] == [{"header": {"key": "allow", "value": "OPTIONS, PUT"}}]


def test_the_page_may_load_nothing_from_elsewhere(contracted: contract.Contract) -> None:
    page = next(page for page in pages.pages(openapi.document(contracted)) if page.path == "/docs")

    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "'unsafe-inline'" not in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].count("sha256-") == 2


def test_an_error_of_the_edge_is_known_by_its_reason() -> None:
    reasons = {error.reason for error in errors.ERRORS}

    assert len({(error.reason, error.status, error.code) for error in errors.ERRORS}) == len(reasons)
    assert {"ROUTE_NOT_FOUND", "TOKEN_MISSING", "TOKEN_INVALID", "RATE_LIMITED", "REQUEST_TOO_LARGE"} <= reasons


def test_the_same_contract_gives_the_same_configuration(
    contracted: contract.Contract, configured: settings.Settings, descriptors: bytes
) -> None:
    assert generated(contracted, configured, descriptors) == generated(contracted, configured, descriptors)


def test_with_certificates_every_service_must_show_its_own_identity(
    contracted: contract.Contract, configured: settings.Settings, descriptors: bytes, tmp_path: Path
) -> None:
    with_tls = replace(configured, tls=tmp_path / "tls", folder=tmp_path)
    clusters = generated(contracted, with_tls, descriptors)["static_resources"]["clusters"]
    for name in configured.services:
        [cluster] = [each for each in clusters if each["name"] == name]
        tls = cluster["transport_socket"]["typed_config"]["common_tls_context"]
        [match] = tls["combined_validation_context"]["default_validation_context"]["match_typed_subject_alt_names"]
        assert match == {"san_type": "URI", "matcher": {"exact": f"spiffe://souk/{name}"}}
        assert tls["tls_params"]["tls_minimum_protocol_version"] == "TLSv1_3"
        assert tls["tls_certificate_sds_secret_configs"]


def test_without_certificates_the_mesh_speaks_plain_text(configuration: Config) -> None:
    assert not any("transport_socket" in cluster for cluster in configuration["static_resources"]["clusters"])
