"""All of our layer around MiniStack: every seam checked first, then every part applied, in this order."""

from dataclasses import dataclass
from typing import Any, Final

from infra.local.layout import Layout
from infra.local.ministack import (
    access_log,
    api_origin,
    durability,
    endpoints,
    login_session,
    login_style,
    refreshed_tokens,
    resources,
    streams,
    subscriptions,
    topic_rules,
    transport,
)
from infra.local.ministack.api_origin import ApiOrigin
from infra.local.ministack.durability import Keeper
from infra.local.ministack.journal import Journal
from infra.local.ministack.patch_points import Seam, check

_APPLICATION: Final = Seam("ministack.app", "app", ("scope", "receive", "send"))
SEAMS: Final[tuple[Seam, ...]] = (
    _APPLICATION,
    *(*transport.SEAMS, *access_log.SEAMS, *endpoints.SEAMS, *topic_rules.SEAMS, *streams.SEAMS),
    *(*subscriptions.SEAMS, *resources.SEAMS, *login_style.SEAMS, *durability.SEAMS),
    *(*login_session.SEAMS, *refreshed_tokens.SEAMS, *api_origin.SEAMS),
)


@dataclass(frozen=True)
class Wrapped:
    """MiniStack with the layer in place."""

    application: Any
    """The ASGI application, unwrapped: calls are to be told to `keeper`."""
    keeper: Keeper
    origin: ApiOrigin
    console_port: int

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan" and scope["server"][1] == self.console_port:
            await self.origin(scope, receive, send)
            return
        await self.application(scope, receive, send)
        if scope["type"] == "http":
            self.keeper.touch()


def apply(layout: Layout) -> Wrapped:
    """Wrap the emulator. Raises `SeamMoved`, or `StartFailed` for a port."""
    check(SEAMS)
    transport.apply()
    access_log.apply(layout.access_log_path)
    endpoints.apply(layout)
    resources.apply()
    login_style.apply()
    login_session.apply()
    refreshed_tokens.apply()
    topic_rules.apply()
    streams.apply()
    subscriptions.apply()
    keeper = Keeper(Journal(layout.state_dir / "journal"))
    keeper.apply()
    return Wrapped(_APPLICATION.found(), keeper, ApiOrigin(layout), layout.console_port)
