"""Sessions in target accounts: assumed roles, cached while they are valid.

Each target has its own session, narrowed by a session policy. Credentials, clients and the endpoint are cached with the
session, so a warm Lambda requests none of them again. Sessions are used by several threads; a lock lets one thread
assume a role, create a client or read the endpoint, while the others wait for the result.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from commissioner.target_gateway.error_translation import is_throttling
from commissioner.target_gateway.session_policies import Policy, commissioning_policy
from lobby.aws.clients import client, data_plane
from lobby.domain.targets.target import RegisteredTarget
from lobby.ledger.clock import now
from lobby.names import Target

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_iot_data import IoTDataPlaneClient
    from types_boto3_sns import SNSClient
    from types_boto3_sts import STSClient

SESSION_NAME: Final = "device-lobby-commissioner"
_RENEW_BEFORE: Final = timedelta(minutes=5)
_DURATION: Final = timedelta(hours=1)
"""The maximum for role chaining (IAM user guide, "Role chaining")."""


class CallGuard:
    """Called before each attempt of a call into a target, and when AWS throttles an attempt, even if botocore's next
    attempt succeeds."""

    def before_call(self, target: Target) -> None:
        """Raise an error if the call must not be made."""

    def throttled(self, target: Target) -> None:
        """Note that AWS has throttled a call."""


@dataclass
class TargetSession:
    """An assumed role in one target, with its clients."""

    registered: RegisteredTarget
    credentials: dict[str, Any]
    expires: datetime
    guard: CallGuard = field(default_factory=CallGuard)
    _clients: dict[str, Any] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def target(self) -> Target:
        return self.registered.target

    @property
    def iot(self) -> "IoTClient":
        iot: IoTClient = self._client("iot")
        return iot

    @property
    def iot_data(self) -> "IoTDataPlaneClient":
        """The client of the target's own data-plane endpoint."""
        iot_data: IoTDataPlaneClient = self._client("iot-data")
        return iot_data

    @property
    def sns(self) -> "SNSClient":
        sns: SNSClient = self._client("sns")
        return sns

    @property
    def endpoint(self) -> str:
        """The host name to which devices of this account and Region connect (ATS endpoint)."""
        with self._lock:
            if "endpoint" not in self._clients:
                self._clients["endpoint"] = self.iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
            return str(self._clients["endpoint"])

    def _client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                created = self._new_client(service)
                created.meta.events.register("request-created", self._before_call)
                created.meta.events.register("needs-retry", self._after_attempt)
                self._clients[service] = created
            return self._clients[service]

    def _new_client(self, service: str) -> Any:
        options = {"region_name": self.target.region, **self.credentials}
        return data_plane(self.endpoint, **options) if service == "iot-data" else client(service, **options)

    def _before_call(self, **_: Any) -> None:
        self.guard.before_call(self.target)

    def _after_attempt(self, response: Any = None, **_: Any) -> None:
        code = response[1].get("Error", {}).get("Code") if response else None
        if is_throttling(code):
            self.guard.throttled(self.target)


class Sessions:
    """A cache of sessions by target. `policy` returns the session policy for a target."""

    def __init__(
        self,
        sts: "STSClient",
        clock: Callable[[], datetime] = now,
        policy: Callable[[Target], Policy] = commissioning_policy,
        guard: CallGuard | None = None,
    ) -> None:
        self._sts, self._clock, self._policy = sts, clock, policy
        self._guard = guard or CallGuard()
        self._cached: dict[RegisteredTarget, TargetSession] = {}
        self._lock = threading.RLock()
        self._numbers = count(1)
        self._began = threading.local()
        self._last: dict[RegisteredTarget, int] = {}
        """The number of the last session of each target, even if it was dropped."""

    def begin(self) -> None:
        """Start this thread's work for another device: the sessions cached so far count as old."""
        self._began.number = next(self._numbers)

    def is_new(self, registered: RegisteredTarget) -> bool:
        """Return whether the target's session was assumed since `begin`, so it reflects the role as it is now."""
        return self._last.get(registered, 0) > getattr(self._began, "number", 0)

    def of(self, registered: RegisteredTarget) -> TargetSession:
        """Return a session that is valid for some minutes yet. A changed ExternalId leads to a new session."""
        with self._lock:
            cached = self._cached.get(registered)
            if cached is None or cached.expires - _RENEW_BEFORE <= self._clock():
                cached = self._cached[registered] = self._assumed(registered)
            return cached

    def _assumed(self, registered: RegisteredTarget) -> TargetSession:
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
        self._last[registered] = next(self._numbers)
        return TargetSession(registered, credentials, answer["Expiration"], self._guard)

    def discard(self, registered: RegisteredTarget) -> None:
        """Drop the target's session. If a role is deleted and created again, sessions of the old role are refused."""
        self._cached.pop(registered, None)
