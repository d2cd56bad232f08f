"""Applies all patches to MiniStack, after every patch point has been checked."""

from dataclasses import dataclass
from typing import Any, Final

from infra.local.environment import root_secret
from infra.local.layout import Layout
from infra.local.ministack import (
    access_log,
    api_origin,
    durability,
    endpoints,
    lambda_credentials,
    managed_login,
    request_guard,
    resources,
    signatures,
    streams,
    subscriptions,
    topic_rules,
    transport,
)
from infra.local.ministack.api_origin import ApiOrigin
from infra.local.ministack.durability import StatePersister
from infra.local.ministack.journal import Journal
from infra.local.ministack.patch_points import PatchPoint, check
from infra.local.ministack.request_guard import RequestGuard
from infra.local.ministack.signatures import Signer

_APPLICATION: Final = PatchPoint("ministack.app", "app", ("scope", "receive", "send"))
_MODULES: Final = (
    *(transport, access_log, endpoints, topic_rules, streams),
    *(subscriptions, signatures, resources, durability, managed_login, api_origin),
    *(request_guard, lambda_credentials),
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
    guard: RequestGuard

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
        await self.application(scope, receive, send)
        self.persister.mark_changed()


def apply(layout: Layout) -> PatchedEmulator:
    """Patch the emulator. Raise `PatchPointMoved`, or `StartFailed` if a port is in use."""
    check(PATCH_POINTS)
    secret = root_secret(layout.state_dir)
    transport.apply()
    access_log.apply(layout.access_log_path)
    endpoints.apply(layout)
    resources.apply()
    managed_login.apply()
    topic_rules.apply()
    streams.apply()
    subscriptions.apply()
    signer = Signer(layout.state_dir / "sns-signing.pem")
    signatures.apply(signer)
    lambda_credentials.apply(secret)
    persister = StatePersister(Journal(layout.state_dir / "journal"))
    persister.apply()
    guard, origin = RequestGuard(layout, secret), ApiOrigin(layout)
    return PatchedEmulator(_APPLICATION.resolve(), persister, origin, signer, layout.console_port, guard)
