"""Sessions in target accounts: assumed roles, cached while they are valid.

Each target has its own session, narrowed by a session policy. Credentials, clients and the endpoint are cached with the
session, so a warm Lambda requests none of them again.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from commissioner.target_gateway.session_policies import Policy, commissioning_policy
from lobby.aws.clients import client, data_plane
from lobby.domain.target import RegisteredTarget
from lobby.ledger.clock import now
from lobby.names import Target

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_iot_data import IoTDataPlaneClient
    from types_boto3_sts import STSClient

SESSION_NAME: Final = "device-lobby-commissioner"
_RENEW_BEFORE: Final = timedelta(minutes=5)
_DURATION: Final = timedelta(hours=1)
"""The maximum for role chaining (IAM user guide, "Role chaining")."""


@dataclass
class TargetSession:
    """An assumed role in one target, with its clients."""

    registered: RegisteredTarget
    credentials: dict[str, Any]
    expires: datetime

    @property
    def target(self) -> Target:
        return self.registered.target

    @cached_property
    def iot(self) -> "IoTClient":
        iot: IoTClient = client("iot", region_name=self.target.region, **self.credentials)
        return iot

    @cached_property
    def iot_data(self) -> "IoTDataPlaneClient":
        """The client of the target's own data-plane endpoint."""
        return data_plane(self.endpoint, region_name=self.target.region, **self.credentials)

    @cached_property
    def endpoint(self) -> str:
        """The host name that devices of this account and Region connect to (ATS endpoint)."""
        return self.iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]


class Sessions:
    """A cache of sessions by target. `policy` returns the session policy for a target."""

    def __init__(
        self,
        sts: "STSClient",
        clock: Callable[[], datetime] = now,
        policy: Callable[[Target], Policy] = commissioning_policy,
    ) -> None:
        self._sts, self._clock, self._policy = sts, clock, policy
        self._cached: dict[RegisteredTarget, TargetSession] = {}
        self._new: set[RegisteredTarget] = set()

    def begin(self) -> None:
        """Start the work for another device: the sessions cached so far count as old."""
        self._new.clear()

    def is_new(self, registered: RegisteredTarget) -> bool:
        """Return whether the target's session was assumed since `begin`, so by the role as it is now."""
        return registered in self._new

    def of(self, registered: RegisteredTarget) -> TargetSession:
        """Return a session that is valid for some minutes yet. A changed ExternalId leads to a new session."""
        cached = self._cached.get(registered)
        if cached is not None and cached.expires - _RENEW_BEFORE > self._clock():
            return cached
        answer = self._sts.assume_role(
            RoleArn=registered.role_arn,
            RoleSessionName=SESSION_NAME,
            ExternalId=registered.externalid,
            Policy=json.dumps(self._policy(registered.target), separators=(",", ":")),
            DurationSeconds=int(_DURATION.total_seconds()),
        )["Credentials"]
        credentials = {
            "aws_access_key_id": answer["AccessKeyId"],
            "aws_secret_access_key": answer["SecretAccessKey"],
            "aws_session_token": answer["SessionToken"],
        }
        self._cached[registered] = TargetSession(registered, credentials, answer["Expiration"])
        self._new.add(registered)
        return self._cached[registered]

    def forget(self, registered: RegisteredTarget) -> None:
        """Drop the target's session: a role that was deleted and created again refuses the sessions of the old one."""
        self._cached.pop(registered, None)
