"""Applies all patches to MiniStack, after every patch point has been checked.

A patch point whose signature has changed stops the start: a patch that no longer applies would change the emulator's
behaviour without an error.
"""

import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from infra.local.environment import root_secret
from infra.local.layout import Layout
from infra.local.ministack import (
    access_log,
    api_origin,
    batch_actions,
    certificate_requests,
    client_regions,
    concurrency,
    connections,
    counters,
    durability,
    early_pause,
    endpoints,
    event_buses,
    iam_limits,
    lambda_credentials,
    lambda_limits,
    list_pages,
    managed_login,
    message_limits,
    policy_limits,
    presence_events,
    propagation,
    queue_mappings,
    region_outages,
    registry_limits,
    registry_lookups,
    replication,
    request_guard,
    resources,
    role_principals,
    shadow_lists,
    signatures,
    stack_resources,
    streams,
    subscriptions,
    thing_principals,
    thing_types,
    thing_versions,
    throttling,
    topic_rules,
    transaction_conflicts,
    transport,
    used_permissions,
)
from infra.local.ministack.api_origin import ApiOrigin
from infra.local.ministack.counters import Counters
from infra.local.ministack.durability import PERSISTS, StatePersister
from infra.local.ministack.journal import Journal
from infra.local.ministack.listeners import Listeners
from infra.local.ministack.patch_points import PatchPoint, check
from infra.local.ministack.quotas import Buckets
from infra.local.ministack.request_guard import RequestGuard
from infra.local.ministack.signatures import Signer
from infra.local.region_faults import CurrentFaults
from infra.local.strictness import CurrentStrictness

_APPLICATION: Final = PatchPoint("ministack.app", "app", ("scope", "receive", "send"))
_MODULES: Final = (
    *(transport, access_log, early_pause, endpoints, topic_rules, streams),
    *(subscriptions, signatures, resources, durability, managed_login, api_origin),
    *(request_guard, lambda_credentials, throttling, concurrency, queue_mappings, role_principals),
    *(transaction_conflicts, propagation, presence_events, connections, thing_principals),
    *(stack_resources, thing_types, thing_versions, registry_lookups, list_pages, certificate_requests),
    *(batch_actions, client_regions, region_outages, replication, shadow_lists),
    *(registry_limits, policy_limits, event_buses, iam_limits, message_limits, lambda_limits),
)
PATCH_POINTS: Final[tuple[PatchPoint, ...]] = (
    _APPLICATION,
    *(patch_point for module in _MODULES for patch_point in module.PATCH_POINTS),
)


@dataclass(frozen=True)
class PatchedEmulator:
    """The ASGI application of the emulator's process."""

    application: Any
    """MiniStack's ASGI application."""
    persister: StatePersister
    origin: ApiOrigin
    signer: Signer
    console_port: int
    background: tuple[Callable[[], Coroutine[Any, Any, None]], ...]
    """What runs until the emulator stops."""
    guard: RequestGuard
    counters: Counters

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.application(scope, receive, send)
            return
        admitted = await self.guard.admit(scope, receive, send)
        if admitted is None:
            return
        receive, send = admitted
        if scope["server"][1] == self.console_port:
            await self.origin(scope, receive, send)
            return
        certificate = self.signer.published(scope["path"])
        if certificate is not None:
            await signatures.respond(certificate, send)
            return
        if scope["path"] == counters.PATH:
            await counters.respond(self.counters, send)
            return
        await self.application(scope, receive, send)
        self.persister.mark_changed()


def apply(layout: Layout) -> PatchedEmulator:
    """Patch the emulator. Raise `PatchPointMoved`, or `StartFailed` if a port is in use."""
    check(PATCH_POINTS)
    secret, faults = root_secret(layout.state_dir), CurrentFaults(layout.state_dir)
    current, counted = CurrentStrictness(layout.state_dir), Counters()
    early_pause.apply()
    transport.apply()
    _apply_quotas_and_log(layout, current, faults, counted)
    listeners = _apply_endpoints(layout, current, faults)
    _apply_registry(layout)
    _apply_event_sources(current, counted)
    signer = Signer(layout.state_dir / "sns-signing.pem")
    signatures.apply(signer)
    lambda_credentials.apply(secret)
    client_regions.apply()
    replicating, persister = _apply_persistence(layout, faults)
    guard, origin = RequestGuard(layout, secret), ApiOrigin(layout)
    application = _APPLICATION.resolve()
    saving = (persister.run,) if PERSISTS.resolve() else ()
    background = (*saving, replicating.run, lambda: region_outages.disconnect_devices(faults, listeners))
    return PatchedEmulator(application, persister, origin, signer, layout.console_port, background, guard, counted)


def _apply_quotas_and_log(layout: Layout, current: CurrentStrictness, faults: CurrentFaults, counted: Counters) -> None:
    """Patch what can refuse a call, then the access log, which therefore has the throttled calls."""
    transaction_conflicts.apply(current)
    throttling.apply(current, Buckets(time.monotonic), counted)
    region_outages.apply(faults)
    access_log.apply(layout.access_log_path, counted)


def _apply_endpoints(layout: Layout, current: CurrentStrictness, faults: CurrentFaults) -> Listeners:
    """Patch the endpoints of devices, and what their connections cause."""
    listeners = endpoints.apply(layout)
    listeners.is_down = lambda region: faults().is_down(region)
    propagation.apply(current, listeners)
    presence_events.apply(current)
    connections.apply()
    return listeners


def _apply_registry(layout: Layout) -> None:
    """Patch AWS IoT's registry, IAM, CloudFormation and the sign-in page."""
    shadow_lists.apply()
    thing_principals.apply()
    thing_versions.apply()
    registry_limits.apply()
    policy_limits.apply()
    registry_lookups.apply()
    resources.apply()
    batch_actions.apply()
    used_permissions.apply(layout.used_permissions_path)
    stack_resources.apply()
    iam_limits.apply()
    role_principals.apply()
    thing_types.apply()
    list_pages.apply()
    certificate_requests.apply()
    managed_login.apply()


def _apply_event_sources(current: CurrentStrictness, counted: Counters) -> None:
    """Patch what invokes Lambdas: rules, streams, queues and topics."""
    topic_rules.apply()
    streams.apply(lambda: current().stream_shards)
    queue_mappings.apply()
    lambda_limits.apply()
    concurrency.apply(current, counted)
    subscriptions.apply()
    event_buses.apply()
    message_limits.apply()


def _apply_persistence(layout: Layout, faults: CurrentFaults) -> tuple[replication.Replication, StatePersister]:
    """Patch the replication between Regions and the journal on disk. The journal has what was replicated."""
    replicating = replication.Replication(faults)
    replicating.apply()
    persister = StatePersister(Journal(layout.state_dir / "journal"))
    if PERSISTS.resolve():
        persister.apply()
    replicating.changed = lambda: persister.mark_changed(tables=True)
    return replicating, persister
