"""AWS IoT Core's default rates, and the token buckets that enforce them.

Sources, by group below: for security and identity, the AWS IoT developer guide of 2020, "AWS IoT throttling limits",
whose table is now in the AWS General Reference, "AWS IoT Core endpoints and quotas"; for the thing registry, the values
in the Service Quotas (`iotcore`) of an account, because AWS has raised the guide's values; for the message broker, the
General Reference; for RegisterCertificateWithoutCA, a project of AWS's samples, which quoted the Reference in June
2025. None of these sources has the rates of `UNCONFIRMED`. All are per account and Region, and adjustable unless stated
otherwise. Where rates differ between Regions, the rates of the smaller Regions are used. AWS does not document the size
of its buckets: here a bucket holds the operations of one second.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

OTHER_IOT_CALLS: Final = 10
"""The rate of a control plane operation that is not in `RATES`. Most operations of AWS IoT have this rate."""
CONNECT: Final = "mqtt:Connect"
CONNECT_OF_CLIENT: Final = "mqtt:ConnectOfClient"
PUBLISH: Final = "mqtt:Publish"
PUBLISH_OF_CONNECTION: Final = "mqtt:PublishOfConnection"
SUBSCRIBE: Final = "mqtt:Subscribe"
RATES: Final[dict[str, int]] = {
    # Security and identity
    "iot:AttachPolicy": 15,
    "iot:CreateCertificateFromCsr": 15,
    "iot:CreateKeysAndCertificate": 10,
    "iot:CreatePolicy": 10,
    "iot:CreatePolicyVersion": 10,
    "iot:DeleteCACertificate": 10,
    "iot:DeleteCertificate": 10,
    "iot:DeletePolicy": 10,
    "iot:DescribeCACertificate": 10,
    "iot:DescribeCertificate": 10,
    "iot:DescribeEndpoint": 10,
    "iot:DetachPolicy": 15,
    "iot:GetPolicy": 10,
    "iot:ListAttachedPolicies": 15,
    "iot:ListCACertificates": 10,
    "iot:ListCertificates": 10,
    "iot:ListCertificatesByCA": 10,
    "iot:ListPolicies": 10,
    "iot:ListTargetsForPolicy": 10,
    "iot:RegisterCACertificate": 10,
    "iot:RegisterCertificate": 10,
    "iot:RegisterCertificateWithoutCA": 10,
    "iot:UpdateCertificate": 10,
    # Thing registry
    "iot:AddThingToBillingGroup": 60,
    "iot:AddThingToThingGroup": 100,
    "iot:AttachThingPrincipal": 100,
    "iot:CreateBillingGroup": 25,
    "iot:CreateThing": 100,
    "iot:CreateThingGroup": 25,
    "iot:CreateThingType": 15,
    "iot:DeleteThing": 100,
    "iot:DeleteThingGroup": 15,
    "iot:DeleteThingType": 15,
    "iot:DeprecateThingType": 15,
    "iot:DescribeBillingGroup": 100,
    "iot:DescribeThing": 350,
    "iot:DescribeThingGroup": 100,
    "iot:DescribeThingType": 100,
    "iot:DetachThingPrincipal": 100,
    "iot:ListPrincipalThings": 10,
    "iot:ListThingGroupsForThing": 100,
    "iot:ListThingPrincipals": 10,
    "iot:ListThings": 10,
    "iot:ListThingsInThingGroup": 25,
    "iot:RegisterThing": 10,
    "iot:RemoveThingFromBillingGroup": 15,
    "iot:RemoveThingFromThingGroup": 100,
    "iot:UpdateThing": 100,
    "iot:UpdateThingGroup": 15,
    # Rules engine
    "iot:GetTopicRule": 10,
    # Message broker. Calls of the data plane's Publish count as inbound publishes.
    CONNECT: 500,
    CONNECT_OF_CLIENT: 1,  # not adjustable
    PUBLISH: 2_000,
    PUBLISH_OF_CONNECTION: 100,  # not adjustable
    SUBSCRIBE: 500,
}


UNCONFIRMED: Final = frozenset(
    {
        "iot:CreateKeysAndCertificate",
        "iot:DescribeEndpoint",
        "iot:GetTopicRule",
    }
)
"""Operations without a known rate. They get the rate of most operations."""


@dataclass
class _Bucket:
    tokens: float
    filled: float
    """When `tokens` was computed, on the clock of `Buckets`."""


class Buckets:
    """One token bucket per key, which starts full. `clock` returns seconds. Thread-safe."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._buckets: dict[tuple[str, ...], _Bucket] = {}

    def take(self, operation: str, *key: str, rate: float | None = None, share: float = 1.0) -> bool:
        """Take the token of one operation. Return False if there is none, so that the operation is throttled. The
        bucket's size is the whole rate; it is filled at `share` of the rate."""
        size = float(RATES.get(operation, OTHER_IOT_CALLS) if rate is None else rate)
        now, per_second = self._clock(), size * share
        with self._lock:
            bucket = self._buckets.setdefault((operation, *key), _Bucket(size, now))
            bucket.tokens = min(size, bucket.tokens + (now - bucket.filled) * per_second)
            bucket.filled = now
            if bucket.tokens < 1:
                return False
            bucket.tokens -= 1
            return True
