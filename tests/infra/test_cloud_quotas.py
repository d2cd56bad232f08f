"""The quotas of an account that limit the lobby."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.quotas import CONCURRENT_RUNS, report, shortages

CONNECT = "Connect requests per second per account"
DEFAULTS = {
    "DescribeCertificate API TPS": 10.0,
    "UpdateCertificate API TPS": 10.0,
    "AttachPolicy API TPS": 15.0,
    "CreateThing API TPS": 100.0,
    "AttachThingPrincipal API TPS": 100.0,
    CONNECT: 500.0,
}


def test_the_defaults_suffice_for_ten_registrations_a_second() -> None:
    assert shortages(1000, DEFAULTS, 10) == []


def test_a_new_account_is_advised_to_raise_lambdas_concurrency() -> None:
    [finding] = shortages(10, DEFAULTS, 10)
    assert str(finding).startswith(f"Lambda concurrent executions: got 10, want {CONCURRENT_RUNS}: ")


def test_a_higher_rate_names_each_operation_that_limits_it() -> None:
    found = {each.name: (each.found, each.wanted) for each in shortages(1000, DEFAULTS, 20)}
    limits = ("DescribeCertificate", "UpdateCertificate", "AttachPolicy")
    assert found == {f"{name} API TPS": (DEFAULTS[f"{name} API TPS"], 20) for name in limits}


def test_an_unknown_quota_is_no_shortage() -> None:
    assert shortages(None, {}, 50) == []


class Session:
    """A session whose clients answer from these values. A name without a value is denied."""

    def __init__(self, runs: int | None, defaults: dict[str, float], applied: dict[str, float] | None) -> None:
        self._runs = runs
        self._quotas = {"list_aws_default_service_quotas": defaults, "list_service_quotas": applied}

    def client(self, _service: str) -> Any:
        return self

    def get_account_settings(self) -> Any:
        if self._runs is None:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetAccountSettings")
        return {"AccountLimit": {"ConcurrentExecutions": self._runs}}

    def get_paginator(self, operation: str) -> Any:
        found = self._quotas[operation]
        if found is None:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)
        quotas: dict[str, float] = found

        class Pages:
            @staticmethod
            def paginate(ServiceCode: str) -> Any:  # noqa: N803 - botocore's name
                assert ServiceCode == "iotcore"
                return [{"Quotas": [{"QuotaName": name, "Value": value}]} for name, value in quotas.items()]

        return Pages


def test_a_quota_that_was_raised_replaces_the_default() -> None:
    raised = dict.fromkeys(DEFAULTS, 50.0)
    assert report(Session(1000, DEFAULTS, raised | {CONNECT: 500.0}), 40) == []


def test_unreadable_quotas_are_reported_and_the_others_checked() -> None:
    lines = report(Session(None, {}, None), 10)
    assert [line.partition(":")[0] for line in lines] == [
        "Lambda's quotas are not checked",
        "AWS IoT's quotas are not checked",
    ]
    [line] = [line for line in report(Session(10, {}, None), 10) if "concurrent" in line]
    assert line.startswith("Lambda concurrent executions: got 10")


def test_quotas_that_are_not_listed_are_named() -> None:
    listed = {name: value for name, value in DEFAULTS.items() if not name.startswith("Attach")}
    [line] = report(Session(1000, listed, {}), 10)
    assert line.endswith("Service Quotas does not list them: AttachPolicy API TPS, AttachThingPrincipal API TPS")


@pytest.mark.parametrize("rate", [1, 10])
def test_an_account_with_raised_concurrency_has_no_shortage(rate: int) -> None:
    assert report(Session(1000, DEFAULTS, {}), rate) == []
