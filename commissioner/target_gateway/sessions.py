"""The commissioner's standing in target accounts: assumed roles, kept while they last.

Each target has its own session, narrowed by a session policy to that account and Region and to what
commissioning takes, whatever the role there allows. Credentials, clients and the endpoint are kept for the
session's life, so a warm commissioner asks for none of them again.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from lobby.aws.clients import client
from lobby.domain.target import RegisteredTarget
from lobby.ledger.store import now
from lobby.names import Fingerprint, Target

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_iot_data import IoTDataPlaneClient
    from types_boto3_sts import STSClient

SESSION_NAME: Final = "device-lobby-commissioner"
_RENEW_BEFORE: Final = timedelta(minutes=5)
_LIFE: Final = timedelta(hours=1)
"""Role chaining allows no more (IAM user guide, "Role chaining")."""


Policy = dict[str, Any]


@dataclass
class TargetSession:
    """One target, seen through its assumed role."""

    registered: RegisteredTarget
    credentials: dict[str, Any]
    until: datetime

    @property
    def target(self) -> Target:
        return self.registered.target

    @cached_property
    def iot(self) -> "IoTClient":
        made: IoTClient = client("iot", region_name=self.target.region, **self.credentials)
        return made

    @cached_property
    def iot_data(self) -> "IoTDataPlaneClient":
        made: IoTDataPlaneClient = client("iot-data", region_name=self.target.region, **self.credentials)
        return made

    @cached_property
    def endpoint(self) -> str:
        """Where devices of this account and Region connect (ATS endpoint)."""
        return self.iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]


class Sessions:
    """Sessions by target, each narrowed to the `policy` for its target."""

    def __init__(
        self, sts: "STSClient", clock: Callable[[], datetime] = now, policy: Callable[[Target], Policy] | None = None
    ) -> None:
        self._sts, self._clock, self._policy = sts, clock, policy or session_policy
        self._kept: dict[RegisteredTarget, TargetSession] = {}
        self._new: set[RegisteredTarget] = set()

    def begin(self) -> None:
        """Another device's turn: what is kept is of earlier ones."""
        self._new.clear()

    def is_new(self, registered: RegisteredTarget) -> bool:
        """Whether its session was assumed since `begin`, by the role as it is now."""
        return registered in self._new

    def of(self, registered: RegisteredTarget) -> TargetSession:
        """A session that will last for some minutes yet. A changed ExternalId asks for a new one."""
        kept = self._kept.get(registered)
        if kept is not None and kept.until - _RENEW_BEFORE > self._clock():
            return kept
        answer = self._sts.assume_role(
            RoleArn=registered.role_arn,
            RoleSessionName=SESSION_NAME,
            ExternalId=registered.externalid,
            Policy=json.dumps(self._policy(registered.target), separators=(",", ":")),
            DurationSeconds=int(_LIFE.total_seconds()),
        )["Credentials"]
        credentials = {
            "aws_access_key_id": answer["AccessKeyId"],
            "aws_secret_access_key": answer["SecretAccessKey"],
            "aws_session_token": answer["SessionToken"],
        }
        self._kept[registered] = TargetSession(registered, credentials, answer["Expiration"])
        self._new.add(registered)
        return self._kept[registered]

    def forget(self, registered: RegisteredTarget) -> None:
        """Have the next one asked for anew: a role that was made again refuses the sessions of the one before."""
        self._kept.pop(registered, None)


def session_policy(target: Target) -> Policy:
    """What commissioning takes, in this target and nowhere else. Four of the actions know no resources: for them
    the Region and the session's own account are the limit (Service Authorization Reference, AWS IoT)."""
    here = f"arn:aws:iot:{target.region}:{target.account}"
    without = [
        "iot:RegisterCertificateWithoutCA",
        "iot:AttachThingPrincipal",
        "iot:ListAttachedPolicies",
        "iot:DescribeEndpoint",
    ]
    of_certificates = ["iot:DescribeCertificate", "iot:UpdateCertificate", "iot:AttachPolicy", "iot:DetachPolicy"]
    return _allowing(
        _only_here(target, without),
        {"Action": of_certificates, "Resource": f"{here}:cert/*"},
        {"Action": ["iot:CreateThing", "iot:DescribeThing"], "Resource": f"{here}:thing/*"},
        {"Action": "iot:GetPolicy", "Resource": f"{here}:policy/device-lobby-*"},
        {"Action": "iot:Publish", "Resource": f"{here}:topic/lobby/*"},
    )


def reading_policy(target: Target) -> Policy:
    """To look, and change nothing. Two of the actions know no resources."""
    here = f"arn:aws:iot:{target.region}:{target.account}"
    of_certificates = ["iot:DescribeCertificate", "iot:ListPrincipalThings"]
    return _allowing(
        {"Action": of_certificates, "Resource": f"{here}:cert/*"},
        {"Action": "iot:DescribeThing", "Resource": f"{here}:thing/*"},
        _only_here(target, ["iot:ListAttachedPolicies", "iot:ListThings"]),
    )


def _only_here(target: Target, actions: list[str]) -> Policy:
    """For actions that know no resources."""
    here = {"aws:RequestedRegion": target.region, "aws:PrincipalAccount": target.account}
    return {"Action": actions, "Resource": "*", "Condition": {"StringEquals": here}}


def surveying_policy(target: Target) -> Policy:
    """What commissioning and reading take together: all that the role is for."""
    return _allowing(*session_policy(target)["Statement"], *reading_policy(target)["Statement"])


def deactivating_policy(target: Target, certid: Fingerprint) -> Policy:
    """To put this certificate out of use, or in."""
    arn = f"arn:aws:iot:{target.region}:{target.account}:cert/{certid}"
    return _allowing({"Action": "iot:UpdateCertificate", "Resource": arn})


def _allowing(*statements: Policy) -> Policy:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}
