"""Compares the account's quotas with the needs of the lobby before a deployment, and lists those to raise. A new
account has few concurrent Lambda runs, and AWS IoT accepts ten calls a second for most operations. The lobby also works
with these quotas, but slowly, so a low quota does not stop the deployment. Quotas that cannot be read are reported as
not checked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

CONCURRENT_RUNS: Final = 100
"""The concurrent Lambda runs that the lobby needs: ten for each function that devices or queues start, and a
reserve."""
_SERVICE: Final = "iotcore"
_PER_DEVICE: Final = (
    "DescribeCertificate",
    "UpdateCertificate",
    "AttachPolicy",
    "CreateThing",
    "AttachThingPrincipal",
)
"""The operations of AWS IoT that one registration calls once."""
_CONNECTIONS: Final = "Connect requests per second per account"
_CONNECTIONS_PER_DEVICE: Final = 3
"""Connections of a new device until it is admitted, if it retries immediately."""


@dataclass(frozen=True)
class Finding:
    """A quota that limits the lobby."""

    name: str
    found: float
    wanted: float
    effect: str

    def __str__(self) -> str:
        return f"{self.name}: got {self.found:g}, want {self.wanted:g}: {self.effect}"


def shortages(concurrent_runs: float | None, quotas: Mapping[str, float], rate: int) -> list[Finding]:
    """Return the quotas that are too low for `rate` registrations a second. `quotas` are the quotas of AWS IoT by
    name."""
    found = []
    if concurrent_runs is not None and concurrent_runs < CONCURRENT_RUNS:
        effect = "a burst of devices or users is throttled; raise it in Service Quotas, AWS Lambda"
        found.append(Finding("Lambda concurrent executions", concurrent_runs, CONCURRENT_RUNS, effect))
    wanted = _wanted(rate)
    effect = "raise it in Service Quotas, AWS IoT Core, or lower --registrations-per-second"
    found += [
        Finding(name, quotas[name], need, effect) for name, need in wanted.items() if quotas.get(name, need) < need
    ]
    return found


def _wanted(rate: int) -> dict[str, float]:
    """Return the needs of `rate` registrations a second, by the name of the quota of AWS IoT."""
    wanted: dict[str, float] = {f"{operation} API TPS": rate for operation in _PER_DEVICE}
    return wanted | {_CONNECTIONS: rate * _CONNECTIONS_PER_DEVICE}


def report(session: Any, rate: int) -> list[str]:
    """Return a line for each quota that is too low or cannot be read. `session` is a boto3 session."""
    lines = []
    runs, quotas = None, {}
    try:
        runs = session.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    except (BotoCoreError, ClientError) as error:
        lines.append(f"Lambda's quotas are not checked: {error}")
    try:
        quotas = dict(_iot_quotas(session.client("service-quotas")))
    except (BotoCoreError, ClientError) as error:
        lines.append(f"AWS IoT's quotas are not checked: {error}")
    unlisted = [name for name in _wanted(rate) if quotas and name not in quotas]
    if unlisted:
        lines.append(f"not checked, because Service Quotas does not list them: {', '.join(unlisted)}")
    return [*lines, *map(str, shortages(runs, quotas, rate))]


def _iot_quotas(client: Any) -> Iterator[tuple[str, float]]:
    """Yield name and value of AWS IoT Core's quotas: first the defaults, then the values applied to the account."""
    for operation in ("list_aws_default_service_quotas", "list_service_quotas"):
        for page in client.get_paginator(operation).paginate(ServiceCode=_SERVICE):
            for quota in page["Quotas"]:
                yield quota["QuotaName"], quota["Value"]
