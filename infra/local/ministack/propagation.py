"""Delays the effect of changed certificates and policies on devices, in strict mode.

Difference from AWS: AWS IoT's registry and device gateway are separate. A change of a certificate's status or of its
policies reaches the gateway after seconds, and connected devices after minutes (AWS IoT developer guide, "AWS IoT Core
policies", "Register a client certificate"). In MiniStack it applies to the next packet.

The patch remembers the previous status and policies of a certificate. For `policy_delay_seconds` after each change,
connections and packets are checked with the earlier values. Reads through the API return the new ones, as on AWS.

Unnecessary when: MiniStack delays the effect of such changes.
"""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FunctionType
from typing import Any, Final
from urllib.parse import unquote

from infra.local.ministack.endpoints import REGISTRATIONS
from infra.local.ministack.listeners import Listeners
from infra.local.ministack.patch_points import PatchPoint
from infra.local.strictness import CurrentStrictness

_IOT: Final = "ministack.services.iot"
ROUTE: Final = PatchPoint(_IOT, "_route_request", ("method", "path", "headers", "body", "query_params"))
ALLOWS: Final = PatchPoint(
    _IOT,
    "_mqtt_policy_allows",
    ("account_id", "region", "certificate_id", "context", "action", "resource", "provisioning_template"),
)
CERTIFICATE: Final = PatchPoint(_IOT, "_certificates.get_scoped")
ACCOUNT: Final = PatchPoint(_IOT, "get_account_id", ())
REGION: Final = PatchPoint(_IOT, "get_region", ())
PATCH_POINTS: Final = (ROUTE, ALLOWS, CERTIFICATE, REGISTRATIONS, ACCOUNT, REGION)
_MARGIN: Final = 0.05
Key = tuple[str, str, str]
"""Account, Region and certificate id."""


@dataclass(frozen=True)
class Effect:
    """The device gateway's values of a certificate. `status` is None if it is not registered."""

    status: str | None = None
    policies: tuple[str, ...] = ()


class Propagation:
    """The values of certificates before their latest changes. `clock` returns seconds."""

    def __init__(self, delay: Callable[[], float], clock: Callable[[], float]) -> None:
        self._delay, self._clock = delay, clock
        self._before: dict[Key, list[tuple[float, Effect]]] = defaultdict(list)

    @contextmanager
    def changing(self, key: Key, read: Callable[[], Effect]) -> Iterator[None]:
        """Record the changes in the block, from its start, because MiniStack applies a change immediately."""
        change = (self._clock(), read())
        if not self._delay():
            yield
            return
        self._before[key].append(change)
        try:
            yield
        finally:
            if read() == change[1]:
                with suppress(ValueError):  # the delay of the change has passed
                    self._before[key].remove(change)

    def created(self, key: Key) -> None:
        """Record that a certificate has been registered."""
        if self._delay():
            self._before[key].append((self._clock(), Effect()))

    def effect(self, key: Key, current: Effect) -> Effect:
        """Return the values that apply to a device now. `current` are the values in the registry."""
        since = self._clock() - self._delay()
        pending = [change for change in self._before.get(key, ()) if change[0] > since]
        if not pending:
            self._before.pop(key, None)
            return current
        self._before[key] = pending
        return pending[0][1]


def apply(current: CurrentStrictness, listeners: Listeners) -> None:
    """Delay changes by the seconds in the settings."""
    propagation = Propagation(lambda: current().policy_delay_seconds, time.monotonic)

    def recheck() -> None:
        asyncio.get_running_loop().call_later(
            current().policy_delay_seconds + _MARGIN, listeners.disconnect_deactivated
        )

    ROUTE.wrap(lambda original: _recording(original, propagation, recheck))
    REGISTRATIONS.wrap(lambda original: _registrations(original, propagation))
    ALLOWS.wrap(lambda original: _deciding(original, propagation))
    listeners.is_active = lambda *key: propagation.effect(key, _effect(key)).status == "ACTIVE"


def _effect(key: Key) -> Effect:
    record = CERTIFICATE.resolve()(*key)
    return Effect(record.get("status"), tuple(record.get("attachedPolicies", ()))) if record else Effect()


def _recording(
    original: Callable[..., Awaitable[Any]], propagation: Propagation, recheck: Callable[[], None]
) -> Callable[..., Awaitable[Any]]:
    async def route(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        if method == "GET":
            return await original(method, path, headers, body, query_params)
        scope = (ACCOUNT.resolve()(), REGION.resolve()())
        named = named_certificate(path, body)
        if named:
            key = (*scope, named)
            with propagation.changing(key, lambda: _effect(key)):
                response = await original(method, path, headers, body, query_params)
            recheck()
            return response
        response = await original(method, path, headers, body, query_params)
        created = created_certificate(response)
        if created:
            propagation.created((*scope, created))
        return response

    return route


def named_certificate(path: str, body: bytes) -> str | None:
    """Return the certificate that a request changes: in its path, or as the target in its body."""
    if path.startswith("/certificates/"):
        return path.split("/")[2] or None
    if unquote(path).startswith("/target-policies/"):
        target = _field(body, "target")
        return target.rpartition("/")[2] if target else None
    return None


def created_certificate(response: Any) -> str | None:
    """Return the certificate that a successful request has registered."""
    return _field(response[2], "certificateId") if response[0] < 300 else None


def _field(body: bytes, name: str) -> str | None:
    try:
        value = json.loads(body).get(name)
    except (ValueError, AttributeError):
        return None
    return value if isinstance(value, str) and value else None


def _registrations(original: Callable[..., list[Any]], propagation: Propagation) -> Callable[..., list[Any]]:
    def registrations(cert_id: str, status: str | None = "ACTIVE") -> list[Any]:
        if status is None:
            return original(cert_id, None)
        found = []
        for account, region, record in original(cert_id, None):
            now = Effect(record.get("status"), tuple(record.get("attachedPolicies", ())))
            if propagation.effect((account, region, cert_id), now).status == status:
                found.append((account, region, record))
        return found

    return registrations


def _deciding(original: FunctionType, propagation: Propagation) -> Callable[..., bool]:
    def allows(
        account_id: str,
        region: str,
        certificate_id: str,
        context: Any,
        action: str,
        resource: str,
        provisioning_template: str | None = None,
    ) -> bool:
        arguments = (account_id, region, certificate_id, context, action, resource, provisioning_template)
        now = _effect((account_id, region, certificate_id))
        effect = propagation.effect((account_id, region, certificate_id), now)
        if effect.policies == now.policies:
            return bool(original(*arguments))
        record = CERTIFICATE.resolve()(account_id, region, certificate_id) or {}
        return evaluated_with(original, {**record, "attachedPolicies": list(effect.policies)}, arguments)

    return allows


def evaluated_with(original: FunctionType, record: dict[str, Any], arguments: tuple[Any, ...]) -> bool:
    """Return the decision that `original` makes for the certificate `record`. The registry is not changed: the function
    runs with a view in which only this certificate differs."""
    certificates = {arguments[2]: record}
    namespace = {**original.__globals__, "_certificates": certificates}
    copy = FunctionType(original.__code__, namespace, None, original.__defaults__)
    return bool(copy(*arguments))
